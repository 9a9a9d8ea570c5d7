-- Which ingest worker has which shards, where workers share them out among themselves.

-- One row for each worker that lives; `name` is its alone, a new one at each start.
CREATE TABLE ingest_worker (
    name           text PRIMARY KEY,
    seen_at        timestamptz NOT NULL,
    -- false: the broker has not let it in for a while, so that others had better have its shards
    reaches_broker boolean NOT NULL
);

-- One row for each block of shards (ingest/lease.py says which); held until `until`, then free.
CREATE TABLE shard_lease (
    block  smallint PRIMARY KEY,
    holder text,
    until  timestamptz NOT NULL
);
INSERT INTO shard_lease (block, until) SELECT block, 'epoch' FROM generate_series(0, 7) AS block;
