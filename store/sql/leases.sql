-- name: be_brief
-- Lets the server end this transaction if its worker stands still in it, or waits for such a one.
SELECT set_config('idle_in_transaction_session_timeout', %(ms)s, true),
       set_config('lock_timeout', %(ms)s, true);

-- name: leases
-- Every block with its holder, locked: workers look and step one after the other.
SELECT block, holder, until FROM shard_lease ORDER BY block FOR UPDATE;

-- name: say
-- Says that a worker lives now, by the server's clock, and gives that moment.
INSERT INTO ingest_worker (name, seen_at, reaches_broker)
VALUES (%(name)s, clock_timestamp(), %(reaches_broker)s)
ON CONFLICT (name) DO UPDATE
SET seen_at = excluded.seen_at, reaches_broker = excluded.reaches_broker
RETURNING seen_at;

-- name: workers
-- Every worker that was heard of, with its last word.
SELECT name, seen_at, reaches_broker FROM ingest_worker;

-- name: hold
-- Gives these blocks to a worker until a moment.
UPDATE shard_lease SET holder = %(name)s, until = %(until)s WHERE block = ANY(%(blocks)s);

-- name: give_up
-- Frees those of these blocks that this worker holds.
UPDATE shard_lease SET holder = NULL WHERE holder = %(name)s AND block = ANY(%(blocks)s);

-- name: leave
-- Forgets a worker that stops, and those of whom nothing was heard for a day.
DELETE FROM ingest_worker
WHERE name = %(name)s OR seen_at < clock_timestamp() - interval '1 day';
