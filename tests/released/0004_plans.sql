-- Two plans, one changed after a proposal that was accepted.
INSERT INTO plan (patient_id, template) VALUES (1, 'hypertension'), (3, 'hypertension');
INSERT INTO proposal (patient_id, kind, episode, state, body, proposed_at, decided_by)
VALUES (1, 'block', 'e1', 'accepted', '{}', '2026-11-18Z', 3), (3, 'block', 'e3', 'proposed', '{}', '2026-11-18Z', NULL);
INSERT INTO plan_task (plan_id, task, schedule, starts_on, proposal_id)
VALUES (1, 'bp', '{"times": ["07:00"]}', '2026-11-18', 1), (2, 'bp', '{"times": ["08:00"]}', '2026-11-18', NULL);
INSERT INTO plan_change (plan_id, proposal_id, at, explained, before, after)
VALUES (1, 1, '2026-11-18Z', '{"zh": "", "en": ""}', '{}', '{}');
INSERT INTO reminder (patient_id, task_id, due_at) VALUES (1, 1, '2026-11-21Z'), (3, 2, '2026-11-21Z');
