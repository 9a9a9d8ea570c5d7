-- name: keep_alone
-- Whether nobody else does this daily work now; held until the connection ends.
SELECT pg_try_advisory_lock(%(lock)s);

-- name: facts
-- What decides about keeping: TimescaleDB's version and licence (null where the table is plain),
-- the length of new chunks, since when raw readings are here, and the oldest that waits for a name.
SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       current_setting('timescaledb.license', true) AS licence,
       (SELECT max(complete_since) FROM retention) AS raw_since,
       (SELECT min(taken_at) FROM measurement WHERE patient_id IS NULL AND NOT set_aside)
           AS oldest_waiting;

-- name: chunk_interval
-- How much time a new chunk spans.
SELECT time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'measurement';

-- name: set_chunk_interval
-- Has new chunks span so much time; those that exist stay as they are.
SELECT set_chunk_time_interval('measurement', %(interval)s::interval);

-- name: is_compressing
-- Whether chunks may be compressed already.
SELECT compression_enabled FROM timescaledb_information.hypertables
WHERE hypertable_name = 'measurement';

-- name: allow_compression
-- Says how chunks are compressed: a patient's rows together, in the order in which they are read.
-- Every column of the identity is named, so that what comes late is still stored once.
ALTER TABLE measurement SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'patient_id',
    timescaledb.compress_orderby = 'kind, taken_at, device_id, sequence'
);

-- name: chunks_to_compress
-- The chunks that ended before a moment and are not compressed, the oldest first.
SELECT format('%%I.%%I', chunk_schema, chunk_name)
FROM timescaledb_information.chunks
WHERE hypertable_name = 'measurement' AND range_end <= %(before)s AND NOT is_compressed
ORDER BY range_start;

-- name: compress_chunk
-- Compresses one chunk.
SELECT compress_chunk(%(chunk)s::regclass, if_not_compressed => true);

-- name: add_cut
-- Says that raw readings are here since this moment.
INSERT INTO retention (at, complete_since) VALUES (%(at)s, %(complete_since)s);

-- name: note_removed
-- Keeps what the last cut removed, added to what it had removed before.
UPDATE retention
SET removed = jsonb_build_object(
    'rows', COALESCE((removed ->> 'rows')::bigint, 0) + %(rows)s,
    'chunks', COALESCE((removed ->> 'chunks')::bigint, 0) + %(chunks)s)
WHERE id = (SELECT max(id) FROM retention);

-- name: count_older
-- How many raw readings were taken before a moment, and how many of them wait for a name.
SELECT count(*), count(*) FILTER (WHERE patient_id IS NULL AND NOT set_aside)
FROM measurement
WHERE taken_at < %(before)s;

-- name: count_chunks_rows
-- How many rows stand in chunks that end before a moment.
SELECT count(*) FROM measurement
WHERE taken_at < COALESCE((SELECT max(range_end) FROM timescaledb_information.chunks
                           WHERE hypertable_name = 'measurement' AND range_end <= %(before)s),
                          '-infinity');

-- name: drop_chunks
-- Removes the chunks that ended before a moment, whole.
SELECT count(*) FROM drop_chunks('measurement', older_than => %(before)s::timestamptz);

-- name: delete_older
-- Removes the rows taken before a moment.
DELETE FROM measurement WHERE taken_at < %(before)s;

-- name: pages
-- How many pages of the disk the table fills.
SELECT pg_relation_size('measurement') / current_setting('block_size')::int;

-- name: delete_older_in_pages
-- Removes the rows taken before a moment from some pages of the disk.
DELETE FROM measurement
WHERE taken_at < %(before)s
  AND ctid >= format('(%%s,0)', %(first)s::bigint)::tid
  AND ctid < format('(%%s,0)', %(end)s::bigint)::tid;

-- name: delete_older_revisions
-- Removes what devices said before they corrected readings that go.
DELETE FROM revision WHERE taken_at < %(before)s;
