-- Somebody who was erased long ago, and a cut.
INSERT INTO retention (at, complete_since) VALUES ('2026-11-20Z', '2025-01-01Z');
INSERT INTO erasure (patient_no, at, asked_by, because, done, rest) VALUES (99, '2026-10-01Z', 'herself', 'a letter', '{}', '{}');
INSERT INTO forgotten (erasure_id, device_id, slot, until) VALUES (1, 3, 5, '2026-10-01Z');
INSERT INTO forgotten_record (device_id, slot, sequence, erasure_id) VALUES (3, 6, 17, 1);
UPDATE device SET forgets = true WHERE id = 3;
