-- name: panel
-- A doctor's patients, each with the newest reading and what became of the week that is due.
SELECT patient.id, patient.name, patient.sex, patient.born_on, patient.conditions, patient.timezone,
       patient.locale, patient.targets, newest.last_at, due.week AS due_week, report.signed_at,
       (SELECT max(signed_at) FROM report WHERE report.patient_id = patient.id) AS reviewed_at,
       coalesce(newest.due_readings, false) AS due_readings,
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
    -- two probes of the index for each kind and unit, however many years are kept
    SELECT max(day.last_at) AS last_at, bool_or(day.is_due) AS due_readings
    FROM unnest(%(kinds)s::smallint[], %(units)s::smallint[]) AS pair (kind, unit)
    CROSS JOIN LATERAL (
        SELECT last_at,
               EXISTS (
                   SELECT FROM measurement_day AS earlier
                   WHERE earlier.patient_id = patient.id
                     AND earlier.kind = pair.kind
                     AND earlier.unit = pair.unit
                     AND earlier.local_day BETWEEN due.monday AND due.monday + 6
               ) AS is_due
        FROM measurement_day
        WHERE measurement_day.patient_id = patient.id
          AND measurement_day.kind = pair.kind
          AND measurement_day.unit = pair.unit
        ORDER BY local_day DESC
        LIMIT 1
    ) AS day
) AS newest
WHERE relation.account_id = %(account_id)s
  AND relation.relation = 'doctor'
  AND relation.ended_at IS NULL
ORDER BY patient.id;

-- name: panel_numbers
-- Each doctor's patient's last seven local days by kind and unit, with the seven days before.
SELECT day.patient_id, day.kind, day.unit,
       coalesce(sum(day.n) FILTER (WHERE day.is_recent), 0)::int AS n,
       coalesce(sum(day.sum) FILTER (WHERE day.is_recent), 0)::float8 AS sum,
       min(day.min) FILTER (WHERE day.is_recent) AS min,
       max(day.max) FILTER (WHERE day.is_recent) AS max,
       (count(*) FILTER (WHERE day.is_recent))::int AS days,
       (count(*) FILTER (WHERE day.is_recent AND day.min < cut.low))::int AS low_days,
       (count(*) FILTER (WHERE day.is_recent AND day.max > cut.high))::int AS high_days,
       coalesce(sum(day.n) FILTER (WHERE NOT day.is_recent), 0)::int AS n_before,
       coalesce(sum(day.sum) FILTER (WHERE NOT day.is_recent), 0)::float8 AS sum_before
FROM (
    SELECT patient.id AS patient_id, pair.kind, pair.unit, two_weeks.*
    FROM relation
    JOIN patient ON patient.id = relation.patient_id
    CROSS JOIN unnest(%(kinds)s::smallint[], %(units)s::smallint[]) AS pair (kind, unit)
    CROSS JOIN LATERAL (
        -- at most fourteen rows, and the limit keeps it a probe of the index
        SELECT n, sum, min, max,
               local_day > (%(now)s AT TIME ZONE patient.timezone)::date - 7 AS is_recent
        FROM measurement_day
        WHERE measurement_day.patient_id = patient.id
          AND measurement_day.kind = pair.kind
          AND measurement_day.unit = pair.unit
          AND local_day > (%(now)s AT TIME ZONE patient.timezone)::date - 14
          AND local_day <= (%(now)s AT TIME ZONE patient.timezone)::date
        LIMIT 14
    ) AS two_weeks
    WHERE relation.account_id = %(account_id)s
      AND relation.relation = 'doctor'
      AND relation.ended_at IS NULL
) AS day
LEFT JOIN unnest(%(cut_kinds)s::smallint[], %(cut_units)s::smallint[], %(lows)s::float8[],
                 %(highs)s::float8[]) AS cut (kind, unit, low, high)
    ON cut.kind = day.kind AND cut.unit = day.unit
GROUP BY day.patient_id, day.kind, day.unit;

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
SELECT DISTINCT patient.id AS patient_id, gateway.id, gateway.name, gateway.last_seen_at,
       gateway.spooled, gateway.registered_at, gateway.health
FROM patient
LEFT JOIN device_user ON device_user.patient_id = patient.id
LEFT JOIN device ON device.id = device_user.device_id
JOIN gateway ON gateway.household_id = patient.household_id OR gateway.id = device.gateway_id
WHERE patient.id = ANY(%(patients)s)
ORDER BY patient.id, gateway.id;

-- name: devices
-- The devices whose readings belong to some patients.
SELECT DISTINCT device_user.patient_id, device.id, device.name, device.kind, device.model,
       device.battery_percent, device.last_seen_at, device.failure, device.first_seen_at
FROM device_user
JOIN device ON device.id = device_user.device_id
WHERE device_user.patient_id = ANY(%(patients)s)
ORDER BY device_user.patient_id, device.id;
