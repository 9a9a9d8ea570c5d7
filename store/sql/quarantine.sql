-- name: keep
-- Keeps a measurement that is not believable, once however often it comes; its id where it is new.
INSERT INTO quarantine (digest, gateway, device, kind, sequence, taken_at, value, unit, slot,
                        resync, document, codes, reasons)
VALUES (%(digest)s, %(gateway)s, %(device)s, %(kind)s, %(sequence)s, %(taken_at)s, %(value)s,
        %(unit)s, %(slot)s, %(resync)s, %(document)s, %(codes)s, %(reasons)s)
ON CONFLICT (digest) DO NOTHING;

-- name: tell
-- Tells the open pages of everybody to whom one of these would belong.
SELECT count(pg_notify('kangban_patient', patient_id::text))
FROM (SELECT DISTINCT patient_id FROM quarantined
      WHERE digest = ANY(%(digests)s) AND state = 'waiting' AND patient_id IS NOT NULL) AS told;

-- name: known
-- What is, or was, in quarantine from these devices.
SELECT digest, state, codes FROM quarantine WHERE device = ANY(%(devices)s);

-- name: came_sound
-- Lets out what came again with a time that can be; not what somebody has decided meanwhile.
UPDATE quarantine SET state = 'came_sound', loaded_at = now()
WHERE id IN (SELECT id FROM quarantine
             WHERE digest = ANY(%(digests)s) AND state = 'waiting'
             ORDER BY id
             FOR UPDATE)
  AND state = 'waiting'
RETURNING digest;

-- name: lock_record
-- The values in quarantine of the record of one of them, as far as they are a matter of this
-- patient (null: of whomever); nobody decides meanwhile.
SELECT q.id, q.state
FROM quarantine AS q
JOIN quarantine AS named ON named.device = q.device AND named.sequence = q.sequence
                        AND named.taken_at = q.taken_at
WHERE named.id = %(key)s
  AND (%(patient_id)s::int IS NULL
       OR EXISTS (SELECT FROM quarantine_concerns AS matter
                  WHERE matter.id = q.id AND matter.patient_id = %(patient_id)s
                    AND (%(at_home)s OR NOT matter.at_home)))
ORDER BY q.id
FOR UPDATE OF q;

-- name: decide
-- Gives these another state.
UPDATE quarantine SET state = %(state)s WHERE id = ANY(%(ids)s);

-- name: add_deeds
-- Keeps who decided, and when.
INSERT INTO quarantine_deed (quarantine_id, at, deed, account_id, note)
SELECT id, %(at)s, %(deed)s, %(account_id)s, %(note)s FROM unnest(%(ids)s::bigint[]) AS id;

-- name: ask
-- Wakes ingest, which loads what was released.
SELECT pg_notify('kangban_release', '');

-- name: take
-- Takes what was released and is not loaded yet; what another worker took a moment ago is its own.
-- The values of one record have one moment of receipt, in however many envelopes they came.
UPDATE quarantine SET tried_at = %(now)s
WHERE id IN (SELECT id
             FROM quarantine
             WHERE state = 'released' AND loaded_at IS NULL
               AND (tried_at IS NULL OR tried_at <= %(before)s)
             ORDER BY id
             LIMIT %(limit)s
             FOR UPDATE SKIP LOCKED)
RETURNING id, gateway, resync, document, codes,
          (SELECT min(one.received_at) FROM quarantine AS one
           WHERE one.device = quarantine.device AND one.sequence = quarantine.sequence
             AND one.taken_at = quarantine.taken_at) AS received_at;

-- name: mark_loaded
-- Remembers that these are loaded.
UPDATE quarantine SET loaded_at = %(now)s WHERE id = ANY(%(ids)s) AND loaded_at IS NULL;

-- name: waiting
-- The records that wait for a decision and are a matter of these patients, the last to come first.
SELECT min(id) AS key, patient_id, gateway, device, COALESCE(device_kind, '') AS device_kind, slot,
       taken_at, max(received_at) AS received_at,
       ARRAY(SELECT DISTINCT candidate.patient_id FROM candidate
             WHERE candidate.gateway_id = q.gateway_id
               AND (candidate.device_id IS NULL OR candidate.device_id = q.device_id)
             ORDER BY 1) AS candidates,
       jsonb_agg(jsonb_build_object('kind', kind, 'value', value, 'unit', unit, 'codes', codes)
                 ORDER BY kind) AS values
FROM quarantined AS q
WHERE state = 'waiting'
  AND EXISTS (SELECT FROM quarantine_concerns AS matter
              WHERE matter.id = q.id AND matter.patient_id = ANY(%(patients)s)
                AND (%(at_home)s OR NOT matter.at_home))
GROUP BY patient_id, gateway, gateway_id, device, device_id, device_kind, slot, sequence, taken_at
ORDER BY max(received_at) DESC, min(id)
LIMIT %(limit)s;

-- name: count_waiting
-- How many records wait for a decision and are a matter of these patients, up to a limit.
SELECT count(*) FROM (
    SELECT DISTINCT device, sequence, taken_at
    FROM quarantined AS q
    WHERE state = 'waiting'
      AND EXISTS (SELECT FROM quarantine_concerns AS matter
                  WHERE matter.id = q.id AND matter.patient_id = ANY(%(patients)s)
                    AND (%(at_home)s OR NOT matter.at_home))
    LIMIT %(limit)s
) AS record;

-- name: recent
-- What was decided of these patients' records since a moment, and stands; the last first.
SELECT DISTINCT ON (deed.at, q.device, q.sequence, q.taken_at)
       q.id AS key, deed.at, COALESCE(account.name, '') AS by, deed.deed, q.patient_id,
       (SELECT min(matter.patient_id) FROM quarantine_concerns AS matter
        WHERE matter.id = q.id AND matter.patient_id = ANY(%(patients)s)) AS through,
       q.taken_at, q.received_at, q.loaded_at, q.codes
FROM quarantined AS q
JOIN LATERAL (SELECT * FROM quarantine_deed
              WHERE quarantine_id = q.id ORDER BY id DESC LIMIT 1) AS deed ON true
LEFT JOIN account ON account.id = deed.account_id
WHERE deed.at > %(since)s
  AND q.state IN ('released', 'discarded')
  AND EXISTS (SELECT FROM quarantine_concerns AS matter
              WHERE matter.id = q.id AND matter.patient_id = ANY(%(patients)s)
                AND (%(at_home)s OR NOT matter.at_home))
ORDER BY deed.at DESC, q.device, q.sequence, q.taken_at, q.id
LIMIT %(limit)s;

-- name: listed
-- What is in quarantine, for whoever runs the server: no values; the newest first.
SELECT id, received_at, gateway, device, kind, codes, state, loaded_at
FROM quarantine
WHERE (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(device)s::text IS NULL OR device = %(device)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: one
-- One measurement in quarantine, whole.
SELECT id, received_at, gateway, device, kind, codes, reasons, state, loaded_at, document
FROM quarantine
WHERE id = %(id)s;

-- name: deeds
-- Who decided of one, in order.
SELECT deed.at, deed.deed, COALESCE(account.name, '') AS by, deed.note
FROM quarantine_deed AS deed
LEFT JOIN account ON account.id = deed.account_id
WHERE deed.quarantine_id = %(id)s
ORDER BY deed.id;
