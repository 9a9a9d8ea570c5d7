-- name: distinct_measurements
-- How many things devices said: rows that say the same of the same device and moment count once.
SELECT count(*) FROM (
    SELECT DISTINCT device_id, kind, unit, value, coalesce(device_time, taken_at AT TIME ZONE 'UTC')
    FROM measurement
) AS said;

-- name: is_stored_since
-- Whether something that a device measured at this moment or later is committed.
SELECT EXISTS (
    SELECT FROM measurement m JOIN device d ON d.id = m.device_id
    WHERE d.name = %(device)s AND m.received_at >= %(since)s
);

-- name: alert_since
-- The living alert about low glucose that stands on something received at this moment or later.
SELECT a.id FROM alert a JOIN finding f ON f.id = a.finding_id
WHERE a.patient_id = %(patient_id)s AND a.rule LIKE 'glu.hypo%%' AND a.state <> 'closed'
AND EXISTS (
    SELECT FROM measurement m
    WHERE m.patient_id = a.patient_id AND m.received_at >= %(since)s AND m.taken_at <= f.at
)
ORDER BY a.severity DESC LIMIT 1;

-- name: waiting_for_judgement
-- How many patients wait to be judged.
SELECT count(*) FROM news WHERE consumer = 'rules';

-- name: cast
-- The numbers of the accounts by role and name, and of the patients by name, as the demo wrote them.
SELECT 'account' AS what, role, name, id FROM account
UNION ALL SELECT 'patient', '', name, id FROM patient;
