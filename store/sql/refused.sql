-- name: reject
-- Keeps a measurement that was refused, once however often it comes. One that was judged again, and
-- comes again, is refused again.
INSERT INTO rejection (digest, gateway, measurement_id, document, reasons, codes, resync)
VALUES (%(digest)s, %(gateway)s, %(id)s, %(document)s, %(reasons)s, %(codes)s, %(resync)s)
ON CONFLICT (digest) DO UPDATE
SET replayed_at = NULL, became = NULL, reasons = excluded.reasons, codes = excluded.codes,
    received_at = now()
WHERE rejection.replayed_at IS NOT NULL;

-- name: bury
-- Keeps a whole message that could not be taken apart, once however often it comes. Of messages
-- that are about the same, the first is kept until it was replayed, then the next.
INSERT INTO dead_letter (digest, topic, payload, reasons, code)
VALUES (%(digest)s, %(topic)s, %(payload)s, %(reasons)s, %(code)s)
ON CONFLICT (digest) DO UPDATE
SET replayed_at = NULL, became = NULL, topic = excluded.topic, payload = excluded.payload,
    reasons = excluded.reasons, code = excluded.code, received_at = now()
WHERE dead_letter.replayed_at IS NOT NULL;

-- name: listed
-- What was refused and not replayed (or everything), without what it says; the newest first.
SELECT *
FROM (
    SELECT 'R' || id AS name, received_at, gateway AS source, codes, replayed_at, became
    FROM rejection
    UNION ALL
    SELECT 'L' || id, received_at, topic, ARRAY[code], replayed_at, became
    FROM dead_letter
) AS refused
WHERE (%(everything)s OR replayed_at IS NULL)
  AND (%(code)s::text IS NULL OR %(code)s = ANY(codes))
  AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
ORDER BY received_at DESC, name DESC
LIMIT %(limit)s;

-- name: counts
-- How many were refused and not replayed (or all), by the first of their reasons.
SELECT codes[1] AS code, count(*) AS n
FROM (
    SELECT codes, received_at, replayed_at FROM rejection
    UNION ALL
    SELECT ARRAY[code], received_at, replayed_at FROM dead_letter
) AS refused
WHERE (%(everything)s OR replayed_at IS NULL)
  AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
GROUP BY 1
ORDER BY 2 DESC, 1;

-- name: rejection
-- One measurement that was refused, whole.
SELECT id, gateway, document, reasons, codes, resync, received_at, replayed_at, became
FROM rejection
WHERE id = %(id)s;

-- name: letter
-- One message that could not be taken apart, whole.
SELECT id, topic, payload, reasons, code, received_at, replayed_at, became
FROM dead_letter
WHERE id = %(id)s;

-- name: to_replay
-- What was refused and not replayed, the oldest first.
SELECT name
FROM (
    SELECT 'L' || id AS name, received_at, ARRAY[code] AS codes, replayed_at FROM dead_letter
    UNION ALL
    SELECT 'R' || id, received_at, codes, replayed_at FROM rejection
) AS refused
WHERE replayed_at IS NULL AND (%(code)s::text IS NULL OR %(code)s = ANY(codes))
ORDER BY received_at, name;

-- name: mark_rejection
-- Remembers what became of a measurement that was judged again; nothing, where somebody was first.
UPDATE rejection SET replayed_at = %(now)s, became = %(became)s
WHERE id = %(id)s AND replayed_at IS NULL
RETURNING id;

-- name: mark_letter
-- Remembers what became of a message that was judged again; nothing, where somebody was first.
UPDATE dead_letter SET replayed_at = %(now)s, became = %(became)s
WHERE id = %(id)s AND replayed_at IS NULL
RETURNING id;

-- name: rejection_still
-- Keeps the reasons for which a measurement is still refused.
UPDATE rejection SET reasons = %(reasons)s, codes = %(codes)s
WHERE id = %(id)s AND replayed_at IS NULL;

-- name: letter_still
-- Keeps the reasons for which a message is still refused.
UPDATE dead_letter SET reasons = %(reasons)s, code = %(code)s
WHERE id = %(id)s AND replayed_at IS NULL;
