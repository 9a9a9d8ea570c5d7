-- name: hold_days
-- Makes sure that the days of these rows exist, and holds them, in the order in which every load
-- takes days. A load that has counted into one is waited for; one that has not yet will add to what
-- the recount leaves.
INSERT INTO measurement_day AS day (
    patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at
)
SELECT touched.patient_id, touched.kind, touched.unit,
       (touched.taken_at AT TIME ZONE patient.timezone)::date,
       0, 0, 0, 0, min(touched.taken_at), max(touched.taken_at)
FROM unnest(%(patients)s::int[], %(kinds)s::smallint[], %(units)s::smallint[],
            %(moments)s::timestamptz[]) AS touched (patient_id, kind, unit, taken_at)
JOIN patient ON patient.id = touched.patient_id
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (patient_id, kind, unit, local_day) DO UPDATE SET received_at = now()
RETURNING patient_id, kind, unit, local_day;

-- name: recount_days
-- Counts these days anew from their measurements. A day is within fourteen hours of UTC's.
UPDATE measurement_day AS day
SET n = counted.n,
    sum = COALESCE(counted.sum, 0),
    min = COALESCE(counted.min, day.min),
    max = COALESCE(counted.max, day.max),
    first_at = COALESCE(counted.first_at, day.first_at),
    last_at = COALESCE(counted.last_at, day.last_at)
FROM unnest(%(patients)s::int[], %(kinds)s::smallint[], %(units)s::smallint[], %(days)s::date[])
     AS wanted (patient_id, kind, unit, local_day)
JOIN patient ON patient.id = wanted.patient_id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS n, sum(value::numeric) AS sum, min(value) AS min, max(value) AS max,
           min(taken_at) AS first_at, max(taken_at) AS last_at
    FROM measurement
    WHERE measurement.patient_id = wanted.patient_id
      AND measurement.kind = wanted.kind
      AND measurement.unit = wanted.unit
      AND measurement.taken_at >= wanted.local_day::timestamp AT TIME ZONE 'UTC' - INTERVAL '1 day'
      AND measurement.taken_at < wanted.local_day::timestamp AT TIME ZONE 'UTC' + INTERVAL '2 days'
      AND measurement.taken_at BETWEEN %(first)s::timestamptz - INTERVAL '3 days'
                                   AND %(last)s::timestamptz + INTERVAL '3 days'
      AND (measurement.taken_at AT TIME ZONE patient.timezone)::date = wanted.local_day
) AS counted
WHERE day.patient_id = wanted.patient_id
  AND day.kind = wanted.kind
  AND day.unit = wanted.unit
  AND day.local_day = wanted.local_day;

-- name: drop_empty_days
-- Removes those of these days that have no measurement left.
DELETE FROM measurement_day AS day
USING unnest(%(patients)s::int[], %(kinds)s::smallint[], %(units)s::smallint[], %(days)s::date[])
      AS wanted (patient_id, kind, unit, local_day)
WHERE day.patient_id = wanted.patient_id
  AND day.kind = wanted.kind
  AND day.unit = wanted.unit
  AND day.local_day = wanted.local_day
  AND day.n = 0;

-- name: leave_news
-- Has everybody judged again who won, lost or changed readings, and tells pages and rules.
WITH told AS (
    INSERT INTO news (consumer, patient_id, earliest, latest)
    SELECT 'rules', patient_id, min(taken_at), max(taken_at)
    FROM unnest(%(patients)s::int[], %(moments)s::timestamptz[]) AS touched (patient_id, taken_at)
    GROUP BY patient_id
    ORDER BY patient_id
    ON CONFLICT (consumer, patient_id) DO UPDATE
    SET earliest = LEAST(news.earliest, excluded.earliest),
        latest = GREATEST(news.latest, excluded.latest)
    RETURNING patient_id
)
SELECT (SELECT count(pg_notify('kangban_patient', patient_id::text)) FROM told) AS patients,
       (SELECT count(pg_notify('kangban_news', '')) FROM (SELECT FROM told LIMIT 1) AS any_news);

-- name: hold_patient
-- Makes sure that every day of a patient exists, those kept and those that a recount gives, and
-- holds them, in the order in which every load takes days.
INSERT INTO measurement_day AS day (
    patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at, received_at
)
SELECT patient_id, kind, unit, local_day, 0, 0, 0, 0, min(first_at), max(last_at), max(received_at)
FROM (
    SELECT m.patient_id, m.kind, m.unit, (m.taken_at AT TIME ZONE patient.timezone)::date,
           min(m.taken_at), max(m.taken_at), max(m.received_at)
    FROM measurement AS m
    JOIN patient ON patient.id = m.patient_id
    WHERE m.patient_id = %(patient_id)s
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT patient_id, kind, unit, local_day, first_at, last_at, received_at
    FROM measurement_day
    WHERE patient_id = %(patient_id)s
) AS either (patient_id, kind, unit, local_day, first_at, last_at, received_at)
WHERE (%(first)s::date IS NULL OR local_day >= %(first)s)
  AND (%(last)s::date IS NULL OR local_day <= %(last)s)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
ON CONFLICT (patient_id, kind, unit, local_day) DO UPDATE SET n = day.n;

-- name: recount_patient
-- Counts a patient's days anew and gives those that were wrong: how many readings each said it had,
-- and how many it has.
UPDATE measurement_day AS day
SET n = pair.has,
    sum = COALESCE(pair.sum, 0),
    min = COALESCE(pair.min, day.min),
    max = COALESCE(pair.max, day.max),
    first_at = COALESCE(pair.first_at, day.first_at),
    last_at = COALESCE(pair.last_at, day.last_at)
FROM (
    SELECT kept.kind, kept.unit, kept.local_day, kept.n AS had, COALESCE(counted.n, 0) AS has,
           counted.sum, counted.min, counted.max, counted.first_at, counted.last_at
    FROM measurement_day AS kept
    LEFT JOIN (
        SELECT m.kind, m.unit, (m.taken_at AT TIME ZONE patient.timezone)::date AS local_day,
               count(*)::int AS n, sum(m.value::numeric) AS sum, min(m.value) AS min,
               max(m.value) AS max, min(m.taken_at) AS first_at, max(m.taken_at) AS last_at
        FROM measurement AS m
        JOIN patient ON patient.id = m.patient_id
        WHERE m.patient_id = %(patient_id)s
        GROUP BY 1, 2, 3
    ) AS counted USING (kind, unit, local_day)
    WHERE kept.patient_id = %(patient_id)s
      AND (%(first)s::date IS NULL OR kept.local_day >= %(first)s)
      AND (%(last)s::date IS NULL OR kept.local_day <= %(last)s)
      AND (kept.n, kept.sum, kept.min, kept.max, kept.first_at, kept.last_at)
          IS DISTINCT FROM
          (counted.n, counted.sum, counted.min, counted.max, counted.first_at, counted.last_at)
) AS pair
WHERE day.patient_id = %(patient_id)s
  AND day.kind = pair.kind
  AND day.unit = pair.unit
  AND day.local_day = pair.local_day
RETURNING day.patient_id, day.kind, day.unit, day.local_day, pair.had, pair.has, day.first_at,
          day.last_at;

-- name: drop_empty_days_of_patient
-- Removes a patient's days that have no measurement left.
DELETE FROM measurement_day WHERE patient_id = %(patient_id)s AND n = 0;

-- name: first_countable
-- The first day that can be counted in every time zone; null: every day can.
SELECT (max(complete_since) AT TIME ZONE 'UTC')::date + 1 FROM retention;
