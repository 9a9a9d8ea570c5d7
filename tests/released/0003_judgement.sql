-- A finding with its alert, somebody due, a signed report.
INSERT INTO finding (patient_id, rule, pack, pack_version, severity, at, episode, body)
SELECT patient, 'bp.high', 'hypertension', '1', 2, '2026-11-19Z', 'e' || patient, '{"numbers": {}}'
FROM unnest(ARRAY[1, 2, 3]) AS patient;
INSERT INTO judgement (patient_id, due_at) VALUES (1, '2026-11-21Z'), (3, '2026-11-21Z');
INSERT INTO alert (patient_id, rule, episode, finding_id, state, severity, opened_at, acknowledged_by)
VALUES (1, 'bp.high', 'e1', 1, 'acknowledged', 2, '2026-11-19Z', 2), (3, 'bp.high', 'e3', 3, 'open', 2, '2026-11-19Z', NULL);
INSERT INTO report (patient_id, week, content, digest, signed_by, signed_at, comment)
VALUES (1, '2026-W46', '\x7b7d', '\x01', 3, '2026-11-17Z', '好'), (3, '2026-W46', '\x7b7d', '\x01', 3, '2026-11-17Z', '');
