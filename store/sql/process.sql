-- name: speak_utc
-- Has this connection write and read moments in UTC.
SET timezone TO 'UTC';

-- name: beat
-- Says that a process works now.
INSERT INTO heartbeat (process, at) VALUES (%(process)s, now())
ON CONFLICT (process) DO UPDATE SET at = excluded.at;

-- name: beats
-- When each process last said that it works.
SELECT process, at FROM heartbeat;
