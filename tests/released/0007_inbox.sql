-- Readings that somebody gave to somebody, one of them undone; one that a guest left.
INSERT INTO assignment (at, account_id, device_id, deed, patient_id, mapped_slot, mapped_before, undone_at, undone_by)
VALUES ('2026-11-19Z', 2, 1, 'give', 1, NULL, NULL, NULL, NULL),
       ('2026-11-19Z', 2, 1, 'give', 2, 2, 1, '2026-11-20Z', 2);
INSERT INTO assigned (assignment_id, device_id, kind, sequence, taken_at, was_patient, was_set_aside)
SELECT 1, device_id, kind, sequence, taken_at, NULL, false
FROM measurement WHERE patient_id = 1 AND device_id = 1 ORDER BY taken_at LIMIT 3;
INSERT INTO assigned (assignment_id, device_id, kind, sequence, taken_at, was_patient, was_set_aside)
SELECT 2, device_id, kind, sequence, taken_at, 1, false
FROM measurement WHERE patient_id = 2 AND device_id = 1 ORDER BY taken_at LIMIT 3;
UPDATE measurement SET set_aside = true WHERE patient_id IS NULL AND sequence % 8 = 2;
