-- name: put
-- Writes a message once; no row comes back where its key is there already.
INSERT INTO outbox (key, account_id, patient_id, severity, body, due_at, try_at, expires_at)
VALUES (%(key)s, %(account_id)s, %(patient_id)s, %(severity)s, %(body)s, %(due_at)s, %(due_at)s,
        %(expires_at)s)
ON CONFLICT (key) DO NOTHING
RETURNING id;

-- name: wake
-- Wakes the drainers when the transaction commits.
SELECT pg_notify('kangban_outbox', '');

-- name: take
-- Locks the gravest message that is due and that no other drainer holds, with whom it is for.
SELECT outbox.id, outbox.account_id, outbox.severity, outbox.body, outbox.expires_at,
       outbox.attempts, outbox.log, account.locale,
       outbox.patient_id IS NULL OR EXISTS (
           SELECT FROM relation
           WHERE relation.account_id = outbox.account_id
             AND relation.patient_id = outbox.patient_id
             AND relation.ended_at IS NULL
       ) AS may_be_told
FROM outbox
JOIN account ON account.id = outbox.account_id
WHERE outbox.sent_at IS NULL AND outbox.given_up_at IS NULL AND outbox.try_at <= %(now)s
ORDER BY outbox.severity DESC, outbox.try_at
LIMIT 1
FOR UPDATE OF outbox SKIP LOCKED;

-- name: contacts
-- Where an account wants to be told, and from which severity on.
SELECT id, url, min_severity FROM contact WHERE account_id = %(account_id)s ORDER BY id;

-- name: mark_sent
-- The message has reached every contact that wanted it.
UPDATE outbox
SET sent_at = %(now)s, attempts = attempts + 1, log = log || %(answers)s
WHERE id = %(id)s;

-- name: mark_failed
-- A contact could not be reached: the message waits for its next attempt.
UPDATE outbox
SET try_at = %(try_at)s, attempts = attempts + 1, log = log || %(answers)s
WHERE id = %(id)s;

-- name: give_up
-- The message is not tried any more; its log says why.
UPDATE outbox
SET given_up_at = %(now)s, attempts = attempts + 1, log = log || %(answers)s
WHERE id = %(id)s;

-- name: told
-- Lets the pages of an account know, when the transaction commits, that there is something new.
SELECT pg_notify('kangban_told', %(account_id)s::text);

-- name: next_try_at
-- When the next message is due.
SELECT min(try_at) FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL;

-- name: recent_for_account
-- The newest messages of an account that are due, about patients it is still related to.
SELECT outbox.id, outbox.patient_id, outbox.severity, outbox.body, outbox.due_at, outbox.sent_at,
       outbox.given_up_at, outbox.attempts
FROM outbox
WHERE outbox.account_id = %(account_id)s AND outbox.due_at <= %(now)s
  AND (outbox.patient_id IS NULL OR EXISTS (
      SELECT FROM relation
      WHERE relation.account_id = outbox.account_id
        AND relation.patient_id = outbox.patient_id
        AND relation.ended_at IS NULL))
ORDER BY outbox.due_at DESC, outbox.id DESC
LIMIT %(limit)s;

-- name: undelivered
-- Messages about one patient that were given up since a moment: somebody was not told.
SELECT outbox.id, outbox.account_id, account.name AS account_name, outbox.severity, outbox.body,
       outbox.due_at, outbox.given_up_at, outbox.log
FROM outbox
JOIN account ON account.id = outbox.account_id
WHERE outbox.patient_id = %(patient_id)s AND outbox.given_up_at >= %(since)s
ORDER BY outbox.given_up_at DESC;
