-- name: gateway_ids
-- The ids of registered gateways by their names; one that was shut out is a stranger.
SELECT name, id FROM gateway WHERE name = ANY(%(names)s) AND revoked_at IS NULL;

-- name: create_staged
-- The table through which rows pass in one transaction; each connection has its own.
CREATE TEMPORARY TABLE IF NOT EXISTS staged (
    device_id      int         NOT NULL,
    kind           smallint    NOT NULL,
    sequence       bigint      NOT NULL,
    taken_at       timestamptz NOT NULL,
    value          float8      NOT NULL,
    unit           smallint    NOT NULL,
    clock          smallint    NOT NULL,
    device_time    timestamp,
    clock_offset_s int         NOT NULL,
    slot           smallint    NOT NULL,
    meal           smallint,
    flags          int         NOT NULL,
    gateway_id     int         NOT NULL,
    raw            bytea,
    -- is this record to be looked for over all time, or by its key alone?
    match          boolean     NOT NULL,
    -- which came first
    place          bigint      GENERATED ALWAYS AS IDENTITY
) ON COMMIT DELETE ROWS;

-- name: lock_devices
-- Keeps devices from being re-matched meanwhile; locks are taken in the order given.
SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(%(class)s, bucket)::text
                  ELSE pg_advisory_xact_lock_shared(%(class)s, bucket)::text END)
FROM unnest(%(buckets)s::int[], %(alone)s::boolean[]) AS wanted (bucket, alone);

-- name: owners
-- The only gateway that ever delivered each of these devices (null: none has, 0: several have),
-- whether something of it is forgotten, since when raw readings are here (null: ever), and whether
-- something of it is, or was, in quarantine.
SELECT id, CASE WHEN several_gateways THEN 0 ELSE gateway_id END, forgets,
       (SELECT max(complete_since) FROM retention),
       EXISTS (SELECT FROM quarantine WHERE quarantine.device = device.name)
FROM device
WHERE id = ANY(%(ids)s::int[]);

-- name: wearers
-- Whose readings each slot of these devices gives, and in which time zone that person lives.
SELECT device_id, slot, patient_id, timezone
FROM wearer
JOIN patient ON patient.id = patient_id
WHERE device_id = ANY(%(ids)s::int[]);

-- name: day_starts
-- When each local day begins in a time zone; where midnight comes twice, the first.
SELECT CASE WHEN ((midnight - INTERVAL '1 hour') AT TIME ZONE %(zone)s)::date >= day::date
            THEN midnight - INTERVAL '1 hour' ELSE midnight END
FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, INTERVAL '1 day') AS day
CROSS JOIN LATERAL (SELECT day AT TIME ZONE %(zone)s AS midnight) AS local
ORDER BY day;

-- name: set_owners
-- Remembers which gateway delivered these devices last, and whether several have.
UPDATE device
SET gateway_id = wanted.gateway_id,
    several_gateways = device.several_gateways OR wanted.several
FROM (SELECT *
      FROM unnest(%(ids)s::int[], %(gateways)s::int[], %(several)s::boolean[])
           AS listed (id, gateway_id, several)
      ORDER BY id) AS wanted
WHERE device.id = wanted.id
  AND (device.gateway_id, device.several_gateways)
      IS DISTINCT FROM (wanted.gateway_id, device.several_gateways OR wanted.several);

-- name: copy_new
-- Takes in rows that are new, all of them; one that is stored already makes it fail.
COPY measurement (device_id, kind, sequence, taken_at, value, unit, clock, device_time,
                  clock_offset_s, slot, meal, flags, gateway_id, raw, patient_id)
FROM STDIN (FORMAT BINARY);

-- name: add_days
-- Counts what was new into the days of its patients, leaves news of them, tells pages and rules.
WITH added AS MATERIALIZED (
    SELECT *
    FROM json_to_recordset(%(days)s::json) AS listed (
        patient_id int, kind smallint, unit smallint, local_day date, n int, sum numeric,
        min float8, max float8, first_at timestamptz, last_at timestamptz
    )
), days AS (
    INSERT INTO measurement_day AS day (
        patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at
    )
    SELECT * FROM added
    ON CONFLICT (patient_id, kind, unit, local_day) DO UPDATE
    SET n = day.n + excluded.n,
        sum = day.sum + excluded.sum,
        min = LEAST(day.min, excluded.min),
        max = GREATEST(day.max, excluded.max),
        first_at = LEAST(day.first_at, excluded.first_at),
        last_at = GREATEST(day.last_at, excluded.last_at),
        received_at = now()
    RETURNING 1
), told AS (
    INSERT INTO news (consumer, patient_id, earliest, latest)
    SELECT 'rules', patient_id, min(first_at), max(last_at)
    FROM added
    -- days are locked before news in every load, as this waits for all of them
    WHERE (SELECT count(*) FROM days) > 0
    GROUP BY patient_id
    ORDER BY patient_id
    ON CONFLICT (consumer, patient_id) DO UPDATE
    SET earliest = LEAST(news.earliest, excluded.earliest),
        latest = GREATEST(news.latest, excluded.latest)
    RETURNING patient_id
)
SELECT (SELECT count(pg_notify('kangban_patient', patient_id::text)) FROM told) AS patients,
       (SELECT count(pg_notify('kangban_news', '')) FROM (SELECT FROM told LIMIT 1) AS any_news);

-- name: copy_staged
-- Takes rows in that may be stored already.
COPY staged (device_id, kind, sequence, taken_at, value, unit, clock, device_time, clock_offset_s,
             slot, meal, flags, gateway_id, raw, match)
FROM STDIN (FORMAT BINARY);

-- name: match_stored
-- Gives each record that is stored under another time that time: it is the same, placed with another
-- offset. By what it says, over all time; by the device's own time alone, where the two times are no
-- further apart than a wrong time zone makes them: then its device has corrected it. A record without
-- the device's own time goes, as nothing but what it says tells that it is the same.
WITH known AS (
    SELECT DISTINCT ON (staged.place) staged.place, m.taken_at
    FROM staged
    JOIN measurement AS m ON m.device_id = staged.device_id
                         AND m.kind = staged.kind
                         AND m.sequence = staged.sequence
                         AND m.device_time IS NOT DISTINCT FROM staged.device_time
    CROSS JOIN LATERAL (
        SELECT m.value = staged.value AND m.unit = staged.unit
               OR EXISTS (SELECT FROM revision AS r
                          WHERE r.device_id = m.device_id
                            AND r.kind = m.kind
                            AND r.sequence = m.sequence
                            AND r.taken_at = m.taken_at
                            AND r.value = staged.value
                            AND r.unit = staged.unit) AS same,
               GREATEST(m.taken_at, staged.taken_at) - LEAST(m.taken_at, staged.taken_at) AS apart
    ) AS compared
    WHERE staged.match
      AND (compared.same
           OR staged.device_time IS NOT NULL AND compared.apart <= %(apart)s)
    ORDER BY staged.place, compared.apart > INTERVAL '0', compared.same DESC, compared.apart
), gone AS (
    DELETE FROM staged
    USING known
    WHERE staged.place = known.place
      AND staged.device_time IS NULL
      AND staged.taken_at <> known.taken_at
)
UPDATE staged
SET taken_at = known.taken_at
FROM known
WHERE staged.place = known.place
  AND staged.device_time IS NOT NULL
  AND staged.taken_at <> known.taken_at;

-- name: match_staged
-- The same among what came together: the first that came says when it was.
WITH known AS (
    SELECT DISTINCT ON (staged.place) staged.place, earlier.taken_at
    FROM staged
    JOIN staged AS earlier ON earlier.device_id = staged.device_id
                          AND earlier.kind = staged.kind
                          AND earlier.sequence = staged.sequence
                          AND earlier.device_time IS NOT DISTINCT FROM staged.device_time
                          AND earlier.place < staged.place
    WHERE staged.match
      AND (earlier.value = staged.value AND earlier.unit = staged.unit
           OR staged.device_time IS NOT NULL
              AND GREATEST(earlier.taken_at, staged.taken_at)
                  - LEAST(earlier.taken_at, staged.taken_at) <= %(apart)s)
    ORDER BY staged.place, earlier.place
), gone AS (
    DELETE FROM staged
    USING known
    WHERE staged.place = known.place
      AND staged.device_time IS NULL
      AND staged.taken_at <> known.taken_at
)
UPDATE staged
SET taken_at = known.taken_at
FROM known
WHERE staged.place = known.place
  AND staged.device_time IS NOT NULL
  AND staged.taken_at <> known.taken_at;

-- name: insert_staged
-- Moves rows in, once each, and gives what they add to the days of their patients (null: nobody's).
WITH fresh AS (
    INSERT INTO measurement (
        device_id, kind, sequence, taken_at, patient_id, value, unit, clock, device_time,
        clock_offset_s, slot, meal, flags, gateway_id, raw
    )
    SELECT staged.device_id, kind, sequence, taken_at,
           COALESCE(own.patient_id, anyone.patient_id), value, unit, clock, device_time,
           clock_offset_s, staged.slot, meal, flags, gateway_id, raw
    FROM staged
    LEFT JOIN wearer own
           ON own.device_id = staged.device_id AND own.slot = staged.slot
    LEFT JOIN wearer anyone
           ON anyone.device_id = staged.device_id AND anyone.slot = -2
    -- one order for all: two loads with the same rows wait for each other, never in a circle
    ORDER BY staged.device_id, kind, sequence, taken_at, place
    ON CONFLICT DO NOTHING
    RETURNING patient_id, kind, unit, taken_at, value
)
SELECT patient_id, kind, unit, (taken_at AT TIME ZONE patient.timezone)::date,
       count(*)::int, sum(value::numeric), min(value), max(value), min(taken_at), max(taken_at)
FROM fresh
LEFT JOIN patient ON patient.id = fresh.patient_id
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4;

-- name: gateway_word
-- Keeps what a gateway says of itself; an older word never replaces a newer one.
UPDATE gateway
SET last_seen_at = %(at)s, spooled = %(spooled)s, health = %(document)s
WHERE name = %(name)s AND (last_seen_at IS NULL OR last_seen_at <= %(at)s);

-- name: device_word
-- Keeps what a gateway says of a device; an older word never replaces a newer one.
INSERT INTO device (name, kind, model, battery_percent, clock_offset_s, failure, last_seen_at)
VALUES (%(name)s, %(kind)s, %(model)s, %(battery_percent)s, %(clock_offset_s)s, %(failure)s, %(at)s)
ON CONFLICT (name) DO UPDATE
SET kind = COALESCE(NULLIF(excluded.kind, ''), device.kind),
    model = COALESCE(NULLIF(excluded.model, ''), device.model),
    battery_percent = COALESCE(excluded.battery_percent, device.battery_percent),
    clock_offset_s = COALESCE(excluded.clock_offset_s, device.clock_offset_s),
    failure = excluded.failure,
    last_seen_at = excluded.last_seen_at
WHERE device.last_seen_at IS NULL OR device.last_seen_at <= excluded.last_seen_at;
