-- name: waiting
-- What waits for a name in the households of these patients, the newest records first, whole. One
-- scan: to plan a second one over all chunks would cost more than everything else.
SELECT m.device_id, device.kind,
       ARRAY(SELECT DISTINCT candidate.patient_id FROM candidate
             WHERE candidate.gateway_id = m.gateway_id
               AND (candidate.device_id IS NULL OR candidate.device_id = m.device_id)
             ORDER BY 1),
       m.kind, m.value, m.unit, m.taken_at, m.sequence, m.clock, m.device_time, m.clock_offset_s,
       m.slot, m.meal, m.flags, device.name, m.received_at
FROM (
    SELECT *, dense_rank() OVER (ORDER BY taken_at DESC, device_id, sequence) AS place
    FROM measurement
    WHERE patient_id IS NULL
      AND NOT set_aside
      AND gateway_id = ANY(ARRAY(SELECT gateway_id FROM candidate
                                 WHERE patient_id = ANY(%(patients)s)))
      AND EXISTS (SELECT FROM candidate
                  WHERE candidate.gateway_id = measurement.gateway_id
                    AND candidate.patient_id = ANY(%(patients)s)
                    AND (candidate.device_id IS NULL
                         OR candidate.device_id = measurement.device_id))
) AS m
JOIN device ON device.id = m.device_id
WHERE m.place <= %(limit)s
ORDER BY m.place, m.kind;

-- name: count_waiting
-- How many records wait in the households of these patients, counted no further than a limit.
SELECT count(*) FROM (
    SELECT DISTINCT m.device_id, m.sequence, m.taken_at
    FROM measurement AS m
    WHERE m.patient_id IS NULL
      AND NOT m.set_aside
      AND m.gateway_id = ANY(ARRAY(SELECT gateway_id FROM candidate
                                   WHERE patient_id = ANY(%(patients)s)))
      AND EXISTS (SELECT FROM candidate
                  WHERE candidate.gateway_id = m.gateway_id
                    AND candidate.patient_id = ANY(%(patients)s)
                    AND (candidate.device_id IS NULL OR candidate.device_id = m.device_id))
    LIMIT %(limit)s
) AS visit;

-- name: usual_days
-- The days of some patients since a day, by which is judged what is usual for each.
SELECT patient_id, kind, unit, n, sum::float8 AS sum, min, max, first_at, last_at
FROM measurement_day
WHERE patient_id = ANY(%(patients)s) AND kind = ANY(%(kinds)s) AND local_day >= %(since)s
ORDER BY patient_id, kind, unit, local_day;

-- name: uses
-- How many records of each number of these devices were each patient's since a moment.
SELECT device_id, slot, patient_id, count(DISTINCT (sequence, taken_at))::int AS n
FROM measurement
WHERE device_id = ANY(%(devices)s) AND taken_at >= %(since)s AND patient_id IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;

-- name: lock_visit
-- The rows of one record that may be this patient's, whosever they are now; nobody moves them
-- meanwhile.
SELECT m.kind, m.unit, m.sequence, m.taken_at, m.patient_id, m.set_aside
FROM measurement AS m
WHERE m.device_id = %(device_id)s AND m.sequence = %(sequence)s AND m.taken_at = %(taken_at)s
  AND m.taken_at >= raw_since()
  AND EXISTS (SELECT FROM candidate
              WHERE candidate.gateway_id = m.gateway_id
                AND candidate.patient_id = %(patient_id)s
                AND (candidate.device_id IS NULL OR candidate.device_id = m.device_id))
ORDER BY m.kind
FOR UPDATE OF m;

-- name: lock_number
-- What waits from one number of a device and may be this patient's; nobody moves it meanwhile.
SELECT m.kind, m.unit, m.sequence, m.taken_at, m.patient_id, m.set_aside
FROM measurement AS m
WHERE m.device_id = %(device_id)s AND m.slot = %(slot)s
  AND m.patient_id IS NULL AND NOT m.set_aside
  AND m.taken_at >= raw_since()
  AND m.gateway_id = ANY(ARRAY(SELECT gateway_id FROM candidate
                               WHERE patient_id = %(patient_id)s
                                 AND (device_id IS NULL OR device_id = %(device_id)s)))
ORDER BY m.kind, m.sequence, m.taken_at
FOR UPDATE OF m;

-- name: move
-- Gives rows another place: a patient, nobody yet, or aside. The range spares the other chunks.
UPDATE measurement AS m
SET patient_id = moved.patient_id, set_aside = moved.set_aside
FROM unnest(%(kinds)s::smallint[], %(sequences)s::bigint[], %(moments)s::timestamptz[],
            %(patients)s::int[], %(asides)s::boolean[])
     AS moved (kind, sequence, taken_at, patient_id, set_aside)
WHERE m.device_id = %(device_id)s
  AND m.kind = moved.kind
  AND m.sequence = moved.sequence
  AND m.taken_at = moved.taken_at
  AND m.taken_at BETWEEN %(first)s AND %(last)s;

-- name: add_assignment
-- Keeps who said whose readings are.
INSERT INTO assignment (at, account_id, device_id, deed, patient_id, mapped_slot, mapped_before)
VALUES (%(at)s, %(account_id)s, %(device_id)s, %(deed)s, %(patient_id)s, %(mapped_slot)s,
        %(mapped_before)s)
RETURNING id;

-- name: add_assigned
-- Keeps which rows were moved and where they were before.
INSERT INTO assigned (assignment_id, device_id, kind, sequence, taken_at, was_patient,
                      was_set_aside)
SELECT %(assignment_id)s, %(device_id)s, kind, sequence, taken_at, patient_id, set_aside
FROM unnest(%(kinds)s::smallint[], %(sequences)s::bigint[], %(moments)s::timestamptz[],
            %(patients)s::int[], %(asides)s::boolean[])
     AS moved (kind, sequence, taken_at, patient_id, set_aside);

-- name: assignment
-- One assignment of a patient.
SELECT device_id, patient_id, at, mapped_slot, mapped_before, committed_at, undone_at
FROM assignment
WHERE id = %(id)s AND patient_id = %(patient_id)s;

-- name: lock_assigned
-- The rows of an assignment that still stand where it put them and that no later one has moved,
-- with where they were before.
SELECT m.kind, m.unit, m.sequence, m.taken_at, m.patient_id, m.set_aside,
       assigned.was_patient, assigned.was_set_aside
FROM assigned
JOIN assignment ON assignment.id = assigned.assignment_id
JOIN measurement AS m ON m.device_id = assigned.device_id AND m.kind = assigned.kind
                     AND m.sequence = assigned.sequence AND m.taken_at = assigned.taken_at
WHERE assigned.assignment_id = %(id)s
  AND m.taken_at >= raw_since()
  AND m.patient_id IS NOT DISTINCT FROM
      CASE WHEN assignment.deed = 'give' THEN assignment.patient_id END
  AND m.set_aside = (assignment.deed = 'set_aside')
  AND NOT EXISTS (SELECT FROM assigned AS later
                  JOIN assignment AS newer ON newer.id = later.assignment_id
                  WHERE later.device_id = assigned.device_id AND later.kind = assigned.kind
                    AND later.sequence = assigned.sequence AND later.taken_at = assigned.taken_at
                    AND newer.id > assignment.id AND newer.undone_at IS NULL)
ORDER BY m.kind, m.sequence, m.taken_at
FOR UPDATE OF m;

-- name: lock_since_mapped
-- What came to a patient by a number since it was mapped, and that nobody has moved since.
SELECT m.kind, m.unit, m.sequence, m.taken_at, m.patient_id, m.set_aside
FROM measurement AS m
WHERE m.device_id = %(device_id)s AND m.slot = %(slot)s AND m.patient_id = %(patient_id)s
  AND m.received_at >= %(since)s
  AND m.taken_at >= raw_since()
  AND NOT EXISTS (SELECT FROM assigned
                  WHERE assigned.device_id = m.device_id AND assigned.kind = m.kind
                    AND assigned.sequence = m.sequence AND assigned.taken_at = m.taken_at)
ORDER BY m.kind, m.sequence, m.taken_at
FOR UPDATE OF m;

-- name: mark_undone
-- Keeps who took an assignment back.
UPDATE assignment SET undone_at = %(at)s, undone_by = %(account_id)s WHERE id = %(id)s;

-- name: recent
-- What was said of whose readings are, in the name of these patients, since a moment, newest first.
SELECT assignment.id, assignment.at, account.name AS by, assignment.deed, assignment.patient_id,
       assignment.device_id, device.name AS device, device.kind, assignment.mapped_slot,
       moved.n, moved.newest_at
FROM assignment
JOIN account ON account.id = assignment.account_id
JOIN device ON device.id = assignment.device_id
CROSS JOIN LATERAL (
    SELECT count(DISTINCT (sequence, taken_at))::int AS n, max(taken_at) AS newest_at
    FROM assigned
    WHERE assignment_id = assignment.id
) AS moved
WHERE assignment.patient_id = ANY(%(patients)s)
  AND assignment.at > %(since)s
  AND assignment.undone_at IS NULL
ORDER BY assignment.id DESC
LIMIT %(limit)s;

-- name: users_of_device
-- Who may use a device: people of the household of its gateway, and who is said to use it.
SELECT patient_id
FROM candidate
JOIN device ON device.gateway_id = candidate.gateway_id
WHERE device.id = %(device_id)s
  AND (candidate.device_id IS NULL OR candidate.device_id = device.id)
UNION
SELECT patient_id FROM device_user WHERE device_id = %(device_id)s
ORDER BY 1;

-- name: shared_device
-- A device and whether several people use it without numbers.
SELECT id, name, kind, model, shared FROM device WHERE id = %(device_id)s;

-- name: numbers
-- The numbers of a device that are somebody's or were seen since a moment: how many records, how
-- many of them wait, and the newest.
SELECT COALESCE(seen.slot, device_user.slot) AS slot, device_user.patient_id,
       COALESCE(seen.n, 0)::int AS n, COALESCE(seen.waiting, 0)::int AS waiting, seen.newest_at
FROM (
    SELECT slot, count(DISTINCT (sequence, taken_at)) AS n,
           count(DISTINCT (sequence, taken_at)) FILTER (WHERE patient_id IS NULL AND NOT set_aside)
               AS waiting,
           max(taken_at) AS newest_at
    FROM measurement
    WHERE device_id = %(device_id)s AND taken_at >= %(since)s
    GROUP BY slot
) AS seen
FULL JOIN (SELECT slot, patient_id FROM device_user WHERE device_id = %(device_id)s) AS device_user
    ON device_user.slot = seen.slot
ORDER BY 1;

-- name: values_at
-- The values of one number of a device at one moment, with whose they are.
SELECT m.patient_id,
       m.kind, m.value, m.unit, m.taken_at, m.sequence, m.clock, m.device_time, m.clock_offset_s,
       m.slot, m.meal, m.flags, device.name, m.received_at
FROM measurement AS m
JOIN device ON device.id = m.device_id
WHERE m.device_id = %(device_id)s AND m.slot = %(slot)s AND m.taken_at = %(taken_at)s
ORDER BY m.sequence, m.kind;

-- name: slot_owner
-- Whose a number of a device is.
SELECT patient_id FROM device_user WHERE device_id = %(device_id)s AND slot = %(slot)s;

-- name: set_slot
-- Says whose a number of a device is from now on.
INSERT INTO device_user (device_id, slot, patient_id)
VALUES (%(device_id)s, %(slot)s, %(patient_id)s)
ON CONFLICT (device_id, slot) DO UPDATE SET patient_id = excluded.patient_id;

-- name: clear_slot
-- Says that a number of a device is nobody's.
DELETE FROM device_user WHERE device_id = %(device_id)s AND slot = %(slot)s;

-- name: set_shared
-- Says whether several people use a device without numbers.
UPDATE device SET shared = %(shared)s WHERE id = %(device_id)s;
