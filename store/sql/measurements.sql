-- name: newest_of_patient
-- The newest measurement of each kind of one patient; days say where to look.
SELECT m.kind, m.value, m.unit, m.taken_at, m.sequence, m.clock, m.device_time, m.clock_offset_s,
       m.slot, m.meal, m.flags, device.name AS device, m.received_at
FROM (
    SELECT DISTINCT ON (kind) kind, last_at
    FROM unnest(%(kinds)s::smallint[], %(units)s::smallint[]) AS wanted (kind, unit)
    CROSS JOIN LATERAL (
        SELECT last_at
        FROM measurement_day
        WHERE patient_id = %(patient_id)s AND kind = wanted.kind AND unit = wanted.unit
        ORDER BY local_day DESC
        LIMIT 1
    ) AS day
    ORDER BY kind, last_at DESC
) AS newest
CROSS JOIN LATERAL (
    SELECT *
    FROM measurement
    WHERE patient_id = %(patient_id)s AND kind = newest.kind AND taken_at = newest.last_at
    ORDER BY device_id, sequence DESC
    LIMIT 1
) AS m
JOIN device ON device.id = m.device_id
ORDER BY m.kind;

-- name: series
-- One patient's measurements of some kinds, since a moment and before another, in order of time.
SELECT m.kind, m.value, m.unit, m.taken_at, m.sequence, m.clock, m.device_time, m.clock_offset_s,
       m.slot, m.meal, m.flags, device.name AS device, m.received_at
FROM measurement AS m
JOIN device ON device.id = m.device_id
WHERE m.patient_id = %(patient_id)s
  AND m.kind = ANY(%(kinds)s)
  AND m.taken_at >= %(since)s
  AND m.taken_at < %(until)s
ORDER BY m.taken_at, m.kind, m.device_id, m.sequence;

-- name: days
-- One patient's days, first and last included, each kind and unit for itself.
SELECT kind, unit, local_day, n, sum, min, max, first_at, last_at, received_at
FROM measurement_day
WHERE patient_id = %(patient_id)s
  AND kind = ANY(%(kinds)s)
  AND local_day BETWEEN %(first)s AND %(last)s
ORDER BY local_day, kind, unit;

-- name: differences
-- Days that do not say what their measurements say: what is kept, and what a recount gives. Days
-- that began before raw readings were removed cannot be counted again.
WITH counted AS (
    SELECT patient_id, kind, unit, (taken_at AT TIME ZONE patient.timezone)::date AS local_day,
           count(*)::int AS n, sum(value::numeric) AS sum, min(value) AS min, max(value) AS max,
           min(taken_at) AS first_at, max(taken_at) AS last_at
    FROM measurement
    JOIN patient ON patient.id = measurement.patient_id
    WHERE taken_at >= raw_since()
      AND (taken_at AT TIME ZONE patient.timezone)::date::timestamp AT TIME ZONE patient.timezone
          >= raw_since()
      AND (%(patient_id)s::int IS NULL OR patient_id = %(patient_id)s)
    GROUP BY 1, 2, 3, 4
), kept AS (
    SELECT patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at
    FROM measurement_day
    LEFT JOIN patient ON patient.id = patient_id
    WHERE local_day::timestamp AT TIME ZONE COALESCE(patient.timezone, 'UTC') >= raw_since()
      AND (%(patient_id)s::int IS NULL OR patient_id = %(patient_id)s)
)
SELECT patient_id, kind, unit, local_day,
       to_jsonb(kept) AS kept, to_jsonb(counted) AS counted
FROM kept
FULL JOIN counted USING (patient_id, kind, unit, local_day)
WHERE (kept.n, kept.sum, kept.min, kept.max, kept.first_at, kept.last_at)
      IS DISTINCT FROM
      (counted.n, counted.sum, counted.min, counted.max, counted.first_at, counted.last_at)
ORDER BY patient_id, kind, unit, local_day;

-- name: counts
-- How much there is of everything that arrived.
SELECT (SELECT count(*) FROM measurement) AS measurements,
       (SELECT count(*) FROM measurement WHERE patient_id IS NULL) AS unassigned,
       (SELECT count(*) FROM quarantine WHERE state = 'waiting') AS quarantined,
       (SELECT count(*) FROM rejection) AS rejections,
       (SELECT count(*) FROM dead_letter) AS dead_letters;

-- name: rejections
-- Measurements that were refused, the newest first.
SELECT id, gateway, measurement_id, document, reasons, received_at
FROM rejection
WHERE %(gateway)s::text IS NULL OR gateway = %(gateway)s
ORDER BY id DESC
LIMIT %(limit)s;

-- name: dead_letters
-- Messages that could not be taken apart, the newest first.
SELECT id, topic, payload, reasons, received_at
FROM dead_letter
ORDER BY id DESC
LIMIT %(limit)s;

-- name: put_news
-- Leaves news of patients for one consumer; news that wait already grow to cover these.
INSERT INTO news (consumer, patient_id, earliest, latest)
SELECT %(consumer)s, patient_id, %(earliest)s, %(latest)s
FROM unnest(%(patient_ids)s::int[]) AS patient_id
ORDER BY patient_id
ON CONFLICT (consumer, patient_id) DO UPDATE
SET earliest = LEAST(news.earliest, excluded.earliest),
    latest = GREATEST(news.latest, excluded.latest);

-- name: take_news
-- Takes the news that wait longest; those that another worker is taking are left to it.
DELETE FROM news
WHERE (consumer, patient_id) IN (
    SELECT consumer, patient_id
    FROM news
    WHERE consumer = %(consumer)s
    ORDER BY since, patient_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
RETURNING patient_id, earliest, latest, since;
