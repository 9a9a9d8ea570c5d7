-- name: bars
-- Which readings of these devices are not taken in again.
SELECT device_id, slot, until, device_time
FROM forgotten
WHERE device_id = ANY(%(devices)s)
ORDER BY id;

-- name: records
-- Which single records of these devices are not taken in again.
SELECT device_id, slot, sequence FROM forgotten_record WHERE device_id = ANY(%(devices)s);

-- name: drop_rejections
-- Takes back rejections of somebody who was erased; one whose time cannot be read goes as long as
-- its device is nobody's.
DELETE FROM rejection
USING forgotten
JOIN device ON device.id = forgotten.device_id
WHERE rejection.digest = ANY(%(digests)s::bytea[])
  AND rejection.document ->> 'device' = device.name
  AND (forgotten.slot IS NULL
       OR COALESCE(rejection.document ->> 'user', '-1') = forgotten.slot::text)
  AND CASE WHEN pg_input_is_valid(rejection.document ->> 'taken_at', 'timestamptz')
           THEN (rejection.document ->> 'taken_at')::timestamptz < forgotten.until
           ELSE NOT EXISTS (SELECT FROM device_user WHERE device_user.device_id = device.id)
      END;

-- name: drop_quarantined
-- Takes back readings in quarantine of somebody who was erased.
DELETE FROM quarantine
USING forgotten
JOIN device ON device.id = forgotten.device_id
WHERE quarantine.digest = ANY(%(digests)s::bytea[])
  AND quarantine.device = device.name
  AND (forgotten.slot IS NULL OR quarantine.slot = forgotten.slot)
  AND quarantine.taken_at < forgotten.until;
