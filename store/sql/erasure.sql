-- name: devices
-- Every device that is said to be this person's, or of which a reading is.
SELECT device_id FROM device_user WHERE patient_id = %(patient)s
UNION
SELECT DISTINCT device_id FROM measurement WHERE patient_id = %(patient)s
ORDER BY 1;

-- name: hold
-- Lets no load of these devices run until the connection ends; locks are taken in their order.
SELECT count(pg_advisory_lock(%(class)s, bucket)::text) FROM unnest(%(buckets)s::int[]) AS bucket;

-- name: release
-- Lets loads run again.
SELECT pg_advisory_unlock_all();

-- name: one_snapshot
-- Has this transaction see the database as it is at its first statement.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: unpack_all
-- Lets rows of compressed chunks be deleted, however many: TimescaleDB stops at a hundred thousand.
SELECT set_config(name, '0', true)
FROM pg_settings
WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction';

-- name: person
-- Who is to be erased, and how many of their reports are signed; nobody judges them meanwhile.
SELECT name, (SELECT count(*)::int FROM report WHERE patient_id = patient.id)
FROM patient
WHERE id = %(patient)s
FOR UPDATE;

-- name: list_devices
-- What is theirs alone of each device: the whole of it (null), or one user number. The whole, where
-- nobody else is said to use it or has a reading of it, and readings without a number are theirs or
-- nobody uses it any more.
CREATE TEMPORARY TABLE erased_device ON COMMIT DROP AS
WITH used AS (
    SELECT device.id, device.name, device.shared,
           EXISTS (SELECT FROM device_user WHERE device_id = device.id
                   AND patient_id <> %(patient)s)
           OR EXISTS (SELECT FROM measurement WHERE device_id = device.id
                      AND patient_id <> %(patient)s) AS has_others,
           NOT EXISTS (SELECT FROM device_user WHERE device_id = device.id) AS is_free,
           EXISTS (SELECT FROM device_user WHERE device_id = device.id AND slot = -1
                   AND patient_id = %(patient)s) AS is_theirs
    FROM device
    WHERE device.id = ANY(%(devices)s)
)
SELECT id AS device_id, name, NULL::smallint AS slot
FROM used
WHERE NOT has_others AND NOT shared AND (is_theirs OR is_free)
UNION ALL
SELECT used.id, name, device_user.slot
FROM used
JOIN device_user ON device_user.device_id = used.id AND device_user.patient_id = %(patient)s
WHERE (device_user.slot >= 0 OR NOT shared)
  AND (has_others OR shared OR NOT (is_theirs OR is_free));

-- name: list_rows
-- Their readings, and those that nobody gave a name to of what is theirs alone.
CREATE TEMPORARY TABLE erased_row ON COMMIT DROP AS
SELECT m.device_id, m.kind, m.sequence, m.taken_at, m.slot, m.device_time,
       EXISTS (SELECT FROM erased_device AS d WHERE d.device_id = m.device_id
               AND (d.slot IS NULL OR d.slot = m.slot)) AS is_of_range
FROM measurement AS m
WHERE m.patient_id = %(patient)s
   OR (m.patient_id IS NULL AND NOT m.set_aside
       AND m.device_id = ANY(ARRAY(SELECT device_id FROM erased_device))
       AND EXISTS (SELECT FROM erased_device AS d WHERE d.device_id = m.device_id
                   AND (d.slot IS NULL OR d.slot = m.slot)));

-- name: list_accounts
-- The accounts that were the person's own and nothing else.
CREATE TEMPORARY TABLE erased_account ON COMMIT DROP AS
SELECT DISTINCT account_id
FROM relation
JOIN account ON account.id = account_id
WHERE patient_id = %(patient)s AND relation = 'self' AND role = 'patient'
  AND NOT EXISTS (SELECT FROM relation AS other WHERE other.account_id = relation.account_id
                  AND other.patient_id <> %(patient)s);

-- name: list_gateways
-- The gateways that serve the person alone.
CREATE TEMPORARY TABLE erased_gateway ON COMMIT DROP AS
SELECT gateway.name
FROM gateway
JOIN patient ON patient.household_id = gateway.household_id AND patient.id = %(patient)s
WHERE NOT EXISTS (SELECT FROM patient AS other WHERE other.household_id = gateway.household_id
                  AND other.id <> %(patient)s);

-- name: delete_assigned
-- Where their readings were before somebody said whose they are.
DELETE FROM assigned AS r
WHERE r.assignment_id IN (SELECT id FROM assignment WHERE patient_id = %(patient)s)
   OR (r.device_id, r.kind, r.sequence, r.taken_at)
      IN (SELECT device_id, kind, sequence, taken_at FROM erased_row)
RETURNING r::text;

-- name: delete_assignment
-- What was said of whose their readings are.
DELETE FROM assignment AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_gateway_event
-- What gateways answered on their page.
DELETE FROM gateway_event AS r
WHERE r.command IN (SELECT id FROM gateway_command WHERE patient_id = %(patient)s)
RETURNING r::text;

-- name: delete_gateway_command
-- What was asked of gateways on their page.
DELETE FROM gateway_command AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_gateway_invitation
-- Codes for gateways that were made on their page.
DELETE FROM gateway_invitation AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_outbox
-- What people were told of them, and they themselves.
DELETE FROM outbox AS r
WHERE r.patient_id = %(patient)s OR r.account_id IN (SELECT account_id FROM erased_account)
RETURNING r::text;

-- name: delete_reminder
-- What they were to measure when.
DELETE FROM reminder AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_plan_change
-- How their plan was changed.
DELETE FROM plan_change AS r
WHERE r.plan_id IN (SELECT id FROM plan WHERE patient_id = %(patient)s)
RETURNING r::text;

-- name: delete_plan_task
-- The tasks of their plan.
DELETE FROM plan_task AS r
WHERE r.plan_id IN (SELECT id FROM plan WHERE patient_id = %(patient)s)
RETURNING r::text;

-- name: delete_proposal
-- What was proposed for their plan.
DELETE FROM proposal AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_plan
-- Their plan.
DELETE FROM plan AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_alert
-- Their alerts.
DELETE FROM alert AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_finding
-- What rules concluded of them.
DELETE FROM finding AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_judgement
-- When they were to be judged.
DELETE FROM judgement AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_report
-- Their signed reports.
DELETE FROM report AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_news
-- News of them.
DELETE FROM news AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_measurement_day
-- Their days.
DELETE FROM measurement_day AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_measurement
-- Their readings. The range spares the other chunks.
DELETE FROM measurement AS r
USING erased_row AS e
WHERE r.device_id = e.device_id AND r.kind = e.kind AND r.sequence = e.sequence
  AND r.taken_at = e.taken_at
  AND r.taken_at BETWEEN %(first)s AND %(last)s
RETURNING r::text;

-- name: delete_rejection
-- What was refused of what is theirs alone.
DELETE FROM rejection AS r
USING erased_device AS d
WHERE r.document ->> 'device' = d.name
  AND (d.slot IS NULL OR COALESCE(r.document ->> 'user', '-1') = d.slot::text)
RETURNING r::text;

-- name: delete_quarantine_deed
-- What was decided of doubted readings of what is theirs alone.
DELETE FROM quarantine_deed AS r
WHERE r.quarantine_id IN (
    SELECT quarantine.id
    FROM quarantine
    JOIN erased_device AS d ON quarantine.device = d.name
                           AND (d.slot IS NULL OR quarantine.slot = d.slot))
RETURNING r::text;

-- name: delete_quarantine
-- Doubted readings of what is theirs alone.
DELETE FROM quarantine AS r
USING erased_device AS d
WHERE r.device = d.name AND (d.slot IS NULL OR r.slot = d.slot)
RETURNING r::text;

-- name: delete_revision
-- What devices said before they corrected their readings.
DELETE FROM revision AS r
USING erased_row AS e
WHERE r.device_id = e.device_id AND r.kind = e.kind AND r.sequence = e.sequence
  AND r.taken_at = e.taken_at
RETURNING r::text;

-- name: delete_dead_letter
-- Messages that could not be taken apart, of gateways that serve them alone.
DELETE FROM dead_letter AS r
WHERE split_part(r.topic, '/', 4) IN (SELECT name FROM erased_gateway)
RETURNING r::text;

-- name: delete_device_user
-- Which devices were theirs.
DELETE FROM device_user AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_relation
-- Who could see them.
DELETE FROM relation AS r WHERE r.patient_id = %(patient)s RETURNING r::text;

-- name: delete_contact
-- Where they wanted to be told.
DELETE FROM contact AS r
WHERE r.account_id IN (SELECT account_id FROM erased_account)
RETURNING r::text;

-- name: delete_login_link
-- Links that were made for them.
DELETE FROM login_link AS r
WHERE r.account_id IN (SELECT account_id FROM erased_account)
RETURNING r::text;

-- name: delete_session
-- Where they were signed in.
DELETE FROM session AS r
WHERE r.account_id IN (SELECT account_id FROM erased_account)
RETURNING r::text;

-- name: delete_account
-- Their own accounts, unless something that stays says what the account did.
DELETE FROM account AS r
WHERE r.id IN (SELECT account_id FROM erased_account)
  AND NOT EXISTS (SELECT FROM assignment WHERE account_id = r.id)
  AND NOT EXISTS (SELECT FROM report WHERE signed_by = r.id)
  AND NOT EXISTS (SELECT FROM gateway_command WHERE account_id = r.id)
  AND NOT EXISTS (SELECT FROM gateway_invitation WHERE invited_by = r.id)
RETURNING r::text;

-- name: delete_patient
-- The person.
DELETE FROM patient AS r WHERE r.id = %(patient)s RETURNING r::text;

-- name: change_device
-- Has loads look for what is forgotten of devices that were theirs.
UPDATE device AS r SET forgets = true
WHERE r.id IN (SELECT device_id FROM erased_device UNION SELECT device_id FROM erased_row)
RETURNING r::text;

-- name: before_device
-- Devices that were theirs.
SELECT r::text FROM device AS r
WHERE r.id IN (SELECT device_id FROM erased_device UNION SELECT device_id FROM erased_row);

-- name: change_account
-- Takes the name from accounts of theirs that stay.
UPDATE account AS r SET name = '—'
WHERE r.id IN (SELECT account_id FROM erased_account)
RETURNING r::text;

-- name: before_account
-- Accounts of theirs that stay.
SELECT r::text FROM account AS r WHERE r.id IN (SELECT account_id FROM erased_account);

-- name: change_household
-- Takes the name from a household in which nobody is left.
UPDATE household AS r SET name = '—'
WHERE r.id = (SELECT household_id FROM patient WHERE id = %(patient)s)
  AND NOT EXISTS (SELECT FROM patient WHERE household_id = r.id AND id <> %(patient)s)
RETURNING r::text;

-- name: before_household
-- A household in which nobody else is left.
SELECT r::text FROM household AS r
WHERE r.id = (SELECT household_id FROM patient WHERE id = %(patient)s)
  AND NOT EXISTS (SELECT FROM patient WHERE household_id = r.id AND id <> %(patient)s);

-- name: forget_patient
-- Takes the person out of a column of rows that stay.
UPDATE {table} AS r SET {column} = NULL WHERE r.{column} = %(patient)s RETURNING r::text;

-- name: before_forget_patient
-- Rows that stay and name the person in a column.
SELECT r::text FROM {table} AS r WHERE r.{column} = %(patient)s;

-- name: forget_account
-- Takes the person's own accounts out of a column of rows that stay.
UPDATE {table} AS r SET {column} = NULL
WHERE r.{column} IN (SELECT account_id FROM erased_account)
RETURNING r::text;

-- name: before_forget_account
-- Rows that stay and name an account of the person in a column.
SELECT r::text FROM {table} AS r WHERE r.{column} IN (SELECT account_id FROM erased_account);

-- name: removed
-- How many rows a statement took away, and their digest: a sum, so that order does not matter.
WITH gone (text) AS ({statement})
SELECT count(*), COALESCE(sum(hashtextextended(text, 0)), 0) FROM gone;

-- name: changed
-- How many rows a statement changed, and what that adds to the table's digest.
WITH was (text) AS ({before}), became (text) AS ({statement})
SELECT (SELECT count(*) FROM became),
       (SELECT COALESCE(sum(hashtextextended(text, 0)), 0) FROM became)
       - (SELECT COALESCE(sum(hashtextextended(text, 0)), 0) FROM was);

-- name: still_named
-- How many rows of a table still name the person.
SELECT count(*) FROM {table} AS r WHERE r.patient_id = %(patient)s;

-- name: span
-- The first and the last of their readings.
SELECT min(taken_at), max(taken_at) FROM erased_row;

-- name: left_by_hand
-- What was refused or could not be taken apart and came through their home: it may be anybody's.
SELECT (SELECT count(*) FROM rejection WHERE gateway = ANY(%(gateways)s))
     + (SELECT count(*) FROM dead_letter WHERE split_part(topic, '/', 4) = ANY(%(gateways)s));

-- name: gateways
-- The gateways of their home, and those that delivered their readings.
SELECT gateway.name
FROM gateway
WHERE household_id = (SELECT household_id FROM patient WHERE id = %(patient)s)
   OR id IN (SELECT gateway_id FROM device WHERE id = ANY(%(devices)s));

-- name: add_erasure
-- Keeps that somebody was erased, who asked for it and why, and the proof.
INSERT INTO erasure (patient_no, at, asked_by, because, done, rest)
VALUES (%(patient)s, %(at)s, %(asked_by)s, %(because)s, %(done)s, %(rest)s)
RETURNING id;

-- name: bar_ranges
-- Has what is theirs alone stay out when it is brought again.
INSERT INTO forgotten (erasure_id, device_id, slot, until, device_time)
SELECT %(erasure)s, d.device_id, d.slot,
       GREATEST(%(at)s, max(e.taken_at) + INTERVAL '1 microsecond'), max(e.device_time)
FROM erased_device AS d
LEFT JOIN erased_row AS e ON e.device_id = d.device_id AND (d.slot IS NULL OR d.slot = e.slot)
GROUP BY d.device_id, d.slot
ORDER BY d.device_id, d.slot
RETURNING device_id;

-- name: bar_records
-- Has their single readings of devices that others use stay out when they are brought again.
INSERT INTO forgotten_record (erasure_id, device_id, slot, sequence)
SELECT DISTINCT %(erasure)s::int, device_id, slot, sequence FROM erased_row WHERE NOT is_of_range
ON CONFLICT DO NOTHING;

-- name: ranges
-- What was theirs alone, in names.
SELECT name, slot FROM erased_device ORDER BY 1, 2;

-- name: look
-- Has open pages of the person look again.
SELECT pg_notify('kangban_patient', %(patient)s::text);

-- name: erasures
-- Who was erased since a moment, the newest first.
SELECT patient_no, at, asked_by, because FROM erasure WHERE at >= %(since)s ORDER BY id DESC;
