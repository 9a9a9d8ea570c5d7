-- name: one_snapshot
-- Has this transaction see the database as it is at its first statement.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: export_snapshot
-- What this transaction sees, by a name under which another program can see the same.
SELECT pg_export_snapshot();

-- name: server
-- The server's version as a number, and TimescaleDB's here (null: none).
SELECT current_setting('server_version_num')::int,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb');

-- name: is_empty
-- Whether nothing of anybody is in this database: no table but those of extensions.
SELECT NOT EXISTS (
    SELECT FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
);

-- name: offers_timescaledb
-- Whether the server offers this version of TimescaleDB and has its library loaded.
SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL
   AND EXISTS (SELECT FROM pg_available_extension_versions
               WHERE name = 'timescaledb' AND version = %(version)s);

-- name: create_timescaledb
-- Creates this version of the extension.
CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {version};

-- name: before_restore
-- Keeps TimescaleDB from acting while its tables are being filled.
SELECT timescaledb_pre_restore();

-- name: after_restore
-- Lets TimescaleDB act again.
SELECT timescaledb_post_restore();

-- name: analyze
-- Has the planner know what is there now.
ANALYZE;
