-- name: tables
-- Every table of ours, and whether its rows name a person.
SELECT tables.table_name::text,
       EXISTS (SELECT FROM information_schema.columns
               WHERE columns.table_schema = 'public'
                 AND columns.table_name = tables.table_name
                 AND columns.column_name = 'patient_id')
FROM information_schema.tables
WHERE tables.table_schema = 'public' AND tables.table_type = 'BASE TABLE'
ORDER BY 1;

-- name: digest
-- How many rows a table has, and their digest.
SELECT count(*), COALESCE(sum(hashtextextended(r::text, 0)), 0) FROM {table} AS r;

-- name: digest_by_person
-- The same of the rows that name another person (true), that name this one, and that name nobody.
SELECT r.patient_id <> %(patient)s, count(*), sum(hashtextextended(r::text, 0))
FROM {table} AS r
GROUP BY 1;
