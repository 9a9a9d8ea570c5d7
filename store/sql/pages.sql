-- name: panel
-- A doctor's patients, each with the newest reading and what became of the week that is due.
SELECT patient.id, patient.name, patient.sex, patient.born_on, patient.conditions, patient.timezone,
       patient.locale, patient.targets, newest.last_at, due.week AS due_week, report.signed_at,
       (SELECT max(signed_at) FROM report WHERE report.patient_id = patient.id) AS reviewed_at,
       EXISTS (SELECT FROM measurement_day
               WHERE measurement_day.patient_id = patient.id
                 AND local_day BETWEEN due.monday AND due.monday + 6) AS due_readings,
       (SELECT count(*) FROM proposal
        WHERE proposal.patient_id = patient.id AND proposal.state = 'proposed') AS proposals
FROM relation
JOIN patient ON patient.id = relation.patient_id
CROSS JOIN LATERAL (
    SELECT date_trunc('week', %(now)s AT TIME ZONE patient.timezone)::date - 7 AS monday,
           to_char((%(now)s AT TIME ZONE patient.timezone) - interval '7 days', 'IYYY-"W"IW')
               AS week
) AS due
LEFT JOIN report ON report.patient_id = patient.id AND report.week = due.week
CROSS JOIN LATERAL (
    SELECT max(last_at) AS last_at
    FROM measurement_day
    WHERE measurement_day.patient_id = patient.id
      -- one probe of the index, however many years are kept
      AND local_day = (SELECT newer.local_day FROM measurement_day AS newer
                       WHERE newer.patient_id = patient.id
                       ORDER BY newer.local_day DESC LIMIT 1)
) AS newest
WHERE relation.account_id = %(account_id)s
  AND relation.relation = 'doctor'
  AND relation.ended_at IS NULL
ORDER BY patient.id;

-- name: panel_numbers
-- Each doctor's patient's last seven local days by kind and unit, with the seven days before.
SELECT patient.id AS patient_id, numbers.*
FROM relation
JOIN patient ON patient.id = relation.patient_id
CROSS JOIN LATERAL (
    SELECT (%(now)s AT TIME ZONE patient.timezone)::date AS today
    OFFSET 0  -- once for each patient, not for each day
) AS own
CROSS JOIN LATERAL (
    -- counted patient by patient: two weeks of one are found together in the index
    SELECT day.kind, day.unit,
           coalesce(sum(day.n) FILTER (WHERE local_day > today - 7), 0)::int AS n,
           coalesce(sum(day.sum) FILTER (WHERE local_day > today - 7), 0)::float8 AS sum,
           min(day.min) FILTER (WHERE local_day > today - 7) AS min,
           max(day.max) FILTER (WHERE local_day > today - 7) AS max,
           (count(*) FILTER (WHERE local_day > today - 7))::int AS days,
           (count(*) FILTER (WHERE local_day > today - 7 AND day.min < cut.low))::int AS low_days,
           (count(*) FILTER (WHERE local_day > today - 7 AND day.max > cut.high))::int
               AS high_days,
           coalesce(sum(day.n) FILTER (WHERE local_day <= today - 7), 0)::int AS n_before,
           coalesce(sum(day.sum) FILTER (WHERE local_day <= today - 7), 0)::float8 AS sum_before
    FROM measurement_day AS day
    LEFT JOIN unnest(%(cut_kinds)s::smallint[], %(cut_units)s::smallint[], %(lows)s::float8[],
                     %(highs)s::float8[]) AS cut (kind, unit, low, high)
        ON cut.kind = day.kind AND cut.unit = day.unit
    WHERE day.patient_id = patient.id
      AND day.local_day > today - 14
      AND day.local_day <= today
      AND day.kind = ANY(%(kinds)s::smallint[])
    GROUP BY day.kind, day.unit
) AS numbers
WHERE relation.account_id = %(account_id)s
  AND relation.relation = 'doctor'
  AND relation.ended_at IS NULL;

-- name: days
-- The daily rollup of some kinds of some patients over their last days, oldest first.
SELECT patient.id AS patient_id, pair.kind, pair.unit, day.*
FROM patient
CROSS JOIN unnest(%(kinds)s::smallint[], %(units)s::smallint[]) AS pair (kind, unit)
CROSS JOIN LATERAL (
    SELECT local_day, n, sum::float8 AS sum, min, max, last_at
    FROM measurement_day
    WHERE measurement_day.patient_id = patient.id
      AND measurement_day.kind = pair.kind
      AND measurement_day.unit = pair.unit
      AND local_day > (%(now)s AT TIME ZONE patient.timezone)::date - %(days)s::int
      AND local_day <= (%(now)s AT TIME ZONE patient.timezone)::date
    LIMIT %(days)s::int
) AS day
WHERE patient.id = ANY(%(patients)s)
ORDER BY patient.id, pair.kind, pair.unit, day.local_day;

-- name: alerts
-- The living alerts of some patients and those closed since a moment, gravest and newest first.
SELECT alert.id, alert.patient_id, alert.rule, alert.state, alert.severity, alert.opened_at,
       alert.acknowledged_at, account.name AS acknowledged_by, alert.closed_at,
       alert.closed_because, finding.at, finding.body
FROM alert
JOIN finding ON finding.id = alert.finding_id
LEFT JOIN account ON account.id = alert.acknowledged_by
WHERE alert.patient_id = ANY(%(patients)s)
  AND (alert.state <> 'closed' OR alert.closed_at > %(since)s)
ORDER BY alert.state = 'closed', alert.severity DESC, alert.opened_at DESC, alert.id DESC;

-- name: gateways
-- The gateways that serve some patients: of their household, or the last that delivered for them.
SELECT serving.patient_id, gateway.id, gateway.name, gateway.last_seen_at, gateway.spooled,
       gateway.registered_at, gateway.health
FROM (
    -- two ways of their own: an OR between them would look at every gateway there is
    SELECT patient.id AS patient_id, gateway.id
    FROM patient
    JOIN gateway ON gateway.household_id = patient.household_id
    WHERE patient.id = ANY(%(patients)s)
    UNION
    SELECT device_user.patient_id, device.gateway_id
    FROM device_user
    JOIN device ON device.id = device_user.device_id
    WHERE device_user.patient_id = ANY(%(patients)s)
) AS serving
JOIN gateway ON gateway.id = serving.id
ORDER BY serving.patient_id, gateway.id;

-- name: devices
-- The devices whose readings belong to some patients.
SELECT DISTINCT device_user.patient_id, device.id, device.name, device.kind, device.model,
       device.battery_percent, device.last_seen_at, device.failure, device.first_seen_at
FROM device_user
JOIN device ON device.id = device_user.device_id
WHERE device_user.patient_id = ANY(%(patients)s)
ORDER BY device_user.patient_id, device.id;
