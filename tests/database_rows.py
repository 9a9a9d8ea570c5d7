"""Everything that a database holds, in an order that does not depend on how it was written."""

from typing import Any, LiteralString, cast

from psycopg import Connection, sql

# table -> its columns in order
Columns = dict[str, list[str]]
Rows = dict[str, list[str]]

_TABLES: LiteralString = (
    "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)"
    " FROM information_schema.columns"
    " JOIN information_schema.tables USING (table_schema, table_name)"
    " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY 1 ORDER BY 1"
)


def columns(connection: Connection[Any]) -> Columns:
    """The tables of a database with their columns."""
    return dict(connection.execute(_TABLES).fetchall())


def rows(connection: Connection[Any], of: Columns | None = None) -> Rows:
    """Every row of every table as text, sorted; of these columns alone where they are given."""
    found: Rows = {}
    for table, names in (of or columns(connection)).items():
        query = sql.SQL("SELECT ({})::text FROM {} ORDER BY 1").format(
            sql.SQL("ROW({})").format(sql.SQL(", ").join(map(sql.Identifier, names))),
            sql.Identifier(table),
        )
        found[table] = [text for (text,) in connection.execute(query)]
    return found


def shape(connection: Connection[Any]) -> list[Any]:
    """Columns, constraints, indexes, views and functions: what makes one schema like another."""
    asked = (
        "SELECT table_name, column_name, data_type, column_default, is_nullable"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT viewname, definition, '' FROM pg_views WHERE schemaname = 'public'",
    )
    return [
        sorted(map(str, connection.execute(cast(LiteralString, each)).fetchall())) for each in asked
    ]
