-- name: answers
-- One row, if the server can run a query at all.
SELECT 1;

-- name: data_directory
-- The folder whose server answers here.
SELECT current_setting('data_directory');

-- name: database_exists
-- One row if there is a database of this name.
SELECT 1 FROM pg_database WHERE datname = %(name)s;

-- name: create_database
-- Makes a database with nothing in it.
CREATE DATABASE {name};

-- name: copy_database
-- Makes a database that is a copy of another, to which nobody may be connected.
CREATE DATABASE {name} TEMPLATE {template};

-- name: drop_database
-- Removes a database and whoever is connected to it.
DROP DATABASE IF EXISTS {name} WITH (FORCE);
