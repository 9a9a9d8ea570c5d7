-- name: lock
-- Waits until nobody else migrates this database.
SELECT pg_advisory_lock(%(lock)s);

-- name: remember
-- Makes the table that remembers what was applied.
CREATE TABLE IF NOT EXISTS schema_migration (
    name       text PRIMARY KEY,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: is_remembered
-- Whether this database was ever migrated.
SELECT to_regclass('schema_migration') IS NOT NULL;

-- name: applied
-- What was applied, with the digest that each file had then.
SELECT name, digest FROM schema_migration ORDER BY name;

-- name: note
-- Remembers that a file was applied.
INSERT INTO schema_migration (name, digest) VALUES (%(name)s, %(digest)s);

-- name: be_patient
-- Gives up a migration that waits so long for a table (milliseconds): everybody else waits behind
-- it.
SELECT set_config('lock_timeout', %(patience_ms)s::text, true);

-- name: may_have_timescaledb
-- Whether the extension is offered and absent. The loader's own setting exists only where it is
-- preloaded; without that, CREATE EXTENSION would end the connection.
SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
   AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb');

-- name: create_timescaledb
-- Creates the extension.
CREATE EXTENSION IF NOT EXISTS timescaledb;
