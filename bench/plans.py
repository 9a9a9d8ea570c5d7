"""What the database does for a read of the product: each query that it asks, explained.

The read runs as it is, over connections that remember what they were asked; then each of its
queries runs again under EXPLAIN (ANALYZE, BUFFERS). May hold: this. May not: queries of its own,
judgement of plans.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, Cursor
from psycopg_pool import ConnectionPool

_ASKED: list[tuple[Any, Any]] = []


class _Remembering(Cursor[Any]):
    """A cursor that keeps every query it is asked, with its parameters."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> "_Remembering":
        _ASKED.append((query, params))
        return super().execute(query, params, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One query of a read: its first line, and what the database says that it did.

    `tables_read_whole`: those of `tables` of which every row was looked at.
    """

    query: str
    text: str
    planning_ms: float
    execution_ms: float
    buffers: int
    tables: frozenset[str]
    tables_read_whole: frozenset[str]


def asked_by(database_url: str, read: Callable[[Any], None]) -> list[tuple[Any, Any]]:
    """The queries of a read that takes a pool, in order, each once."""
    with ConnectionPool(
        database_url,
        min_size=1,
        max_size=1,
        kwargs={"cursor_factory": _Remembering},
        open=True,
    ) as pool:
        _ASKED.clear()
        read(pool)
    found: dict[str, tuple[Any, Any]] = {}
    for query, params in _ASKED:
        if str(query).lstrip().upper().startswith(("SELECT", "WITH")):
            found.setdefault(str(query), (query, params))
    return list(found.values())


def explain(connection: Connection[Any], query: Any, params: Any) -> Plan:
    """How the database runs a query, with warm pages."""
    connection.execute(query, params, prepare=False)
    head = "EXPLAIN (ANALYZE, BUFFERS"
    text = connection.execute(f"{head}) {query}", params, prepare=False).fetchall()
    row = connection.execute(f"{head}, FORMAT JSON) {query}", params, prepare=False).fetchone()
    assert row is not None
    document = row[0][0] if isinstance(row[0], list) else json.loads(row[0])[0]
    top = document["Plan"]
    return Plan(
        query=str(query).strip().splitlines()[0],
        text="\n".join(line for (line,) in text),
        planning_ms=document["Planning Time"],
        execution_ms=document["Execution Time"],
        buffers=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        tables=frozenset(each["Relation Name"] for each in _nodes(top) if "Relation Name" in each),
        tables_read_whole=frozenset(
            each["Relation Name"]
            for each in _nodes(top)
            if each["Node Type"].endswith("Seq Scan") and each["Actual Loops"]
        ),
    )


def shortened(text: str, *, lines: int = 60) -> str:
    """A plan without the many lines that a hypertable's chunks repeat."""
    whole = text.splitlines()
    if len(whole) <= lines:
        return text
    left_out = f"    … {len(whole) - lines} lines of the same kind …"
    return "\n".join([*whole[: lines * 2 // 3], left_out, *whole[-(lines // 3) :]])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)
