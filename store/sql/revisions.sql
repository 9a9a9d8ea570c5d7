-- name: staged_weeks
-- The weeks in which staged rows were measured.
SELECT DISTINCT date_bin('7 days', taken_at, 'epoch') AS week FROM staged ORDER BY week;

-- name: unsettled
-- Staged rows of one week that say what nobody has said of their record yet, in the order in which
-- they came, beside what stands of it and whose it is. `wearer`: whose it would be by the number that
-- it says now; `is_placed`: a person said whose it is.
SELECT staged.device_id, staged.kind, staged.sequence, staged.taken_at,
       staged.value, staged.unit, staged.slot, staged.meal, staged.flags, staged.raw,
       staged.gateway_id,
       m.value, m.unit, m.slot, m.meal, m.flags, m.raw, m.gateway_id,
       m.device_id IS NOT NULL AS is_stored,
       m.patient_id,
       -- asked for what is found alone, and not for every row that is looked at
       COALESCE((SELECT patient_id FROM wearer
                 WHERE wearer.device_id = m.device_id AND wearer.slot = staged.slot),
                (SELECT patient_id FROM wearer
                 WHERE wearer.device_id = m.device_id AND wearer.slot = -2)) AS wearer,
       m.set_aside OR EXISTS (SELECT FROM assigned
                              JOIN assignment ON assignment.id = assigned.assignment_id
                              WHERE assigned.device_id = m.device_id
                                AND assigned.kind = m.kind
                                AND assigned.sequence = m.sequence
                                AND assigned.taken_at = m.taken_at
                                AND assignment.undone_at IS NULL) AS is_placed
FROM staged
-- One probe of the key for each, in the chunks of this week: without the limit, a load that spans
-- years would read them; without the week, each probe asks every chunk whether it is concerned.
LEFT JOIN LATERAL (
    SELECT *
    FROM measurement
    WHERE device_id = staged.device_id
      AND kind = staged.kind
      AND sequence = staged.sequence
      AND taken_at = staged.taken_at
      AND taken_at >= %(week)s
      AND taken_at < %(week)s + INTERVAL '7 days'
    LIMIT 1
) AS m ON true
WHERE staged.taken_at >= %(week)s
  AND staged.taken_at < %(week)s + INTERVAL '7 days'
  AND (m.device_id IS NULL
       OR (m.value, m.unit, m.slot, m.meal, m.flags)
          IS DISTINCT FROM
          (staged.value, staged.unit, staged.slot, staged.meal, staged.flags))
  AND NOT EXISTS (SELECT FROM revision AS r
                  WHERE r.device_id = staged.device_id
                    AND r.kind = staged.kind
                    AND r.sequence = staged.sequence
                    AND r.taken_at = staged.taken_at
                    AND (r.value, r.unit, r.slot, r.meal, r.flags)
                        IS NOT DISTINCT FROM
                        (staged.value, staged.unit, staged.slot, staged.meal, staged.flags))
ORDER BY staged.device_id, staged.kind, staged.sequence, staged.taken_at, staged.place;

-- name: lock_revisions
-- Keeps other loads from revising records of the staged devices meanwhile.
SELECT count(pg_advisory_xact_lock(%(class)s, bucket)::text)
FROM (SELECT DISTINCT device_id %% %(buckets)s AS bucket FROM staged ORDER BY 1) AS wanted;

-- name: keep_revision
-- Keeps what a measurement said before.
INSERT INTO revision (device_id, kind, sequence, taken_at, value, unit, slot, meal, flags, raw,
                      replaced_by)
VALUES (%(device_id)s, %(kind)s, %(sequence)s, %(taken_at)s, %(value)s, %(unit)s, %(slot)s,
        %(meal)s, %(flags)s, %(raw)s, %(replaced_by)s);

-- name: revise
-- Lets a measurement say what its device says now. When it was, who brought it first and when stay.
-- Whose it was finds the few rows of a compressed chunk among which it stands.
UPDATE measurement
SET value = %(value)s, unit = %(unit)s, slot = %(slot)s, meal = %(meal)s, flags = %(flags)s,
    raw = %(raw)s, patient_id = %(patient_id)s
WHERE device_id = %(device_id)s
  AND kind = %(kind)s
  AND sequence = %(sequence)s
  AND taken_at = %(taken_at)s
  AND (patient_id = %(was_patient)s::int OR %(was_patient)s::int IS NULL AND patient_id IS NULL);

-- name: revisions
-- What these measurements said before, the oldest version of each first.
SELECT device.name AS device, r.kind, r.sequence, r.taken_at, r.value, r.unit, r.meal, r.flags,
       r.replaced_at
FROM unnest(%(devices)s::text[], %(kinds)s::smallint[], %(sequences)s::bigint[],
            %(moments)s::timestamptz[]) AS wanted (device, kind, sequence, taken_at)
JOIN device ON device.name = wanted.device
JOIN revision AS r ON r.device_id = device.id
                  AND r.kind = wanted.kind
                  AND r.sequence = wanted.sequence
                  AND r.taken_at = wanted.taken_at
ORDER BY r.id;
