-- What people were told, and what they are to be told.
INSERT INTO outbox (key, account_id, patient_id, severity, body, sent_at)
VALUES ('a', 2, 1, 2, '{"title": {"zh": "高", "en": "high"}}', '2026-11-19Z'),
       ('b', 3, 3, 2, '{"title": {"zh": "高", "en": "high"}}', NULL),
       ('c', 1, NULL, 1, '{"title": {"zh": "早", "en": "morning"}}', NULL);
