"""What a backup says of itself: of which moment it is, what is in it, and that it is whole.

A folder: `database.dump` (pg_dump's custom format), `files/` (what lies beside the database),
`manifest.json`, which is written last. May hold: these nouns and their JSON. May not: I/O, clocks.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vitals.errors import MendData

DUMP, FILES, MANIFEST = "database.dump", "files", "manifest.json"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How many rows a table has, and a digest over them."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup. `files`: SHA-256 by path within the backup; `origin`: where each lay before."""

    at: datetime
    release: str
    postgres: int
    timescaledb: str | None
    migrations: tuple[str, ...]
    tables: dict[str, Table]
    files: dict[str, str]
    origin: dict[str, str]


def encode(manifest: Manifest) -> str:
    """The manifest as JSON for people and programs."""
    document = {"v": _VERSION, **asdict(manifest), "at": manifest.at.isoformat()}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def decode(text: str) -> Manifest:
    """The manifest of this JSON. Raises MendData where it is none, or of a newer release."""
    try:
        document: dict[str, Any] = json.loads(text)
        version = document.pop("v")
        if version != _VERSION:
            raise MendData(
                f"This backup is of version {version}, and {_VERSION} is known here: restore it "
                "with the release that made it, or a newer one."
            )
        tables = {name: Table(**each) for name, each in document.pop("tables").items()}
        at = datetime.fromisoformat(document.pop("at"))
        migrations = tuple(document.pop("migrations"))
        return Manifest(at=at, tables=tables, migrations=migrations, **document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MendData(f"manifest.json is not of a backup: {error}") from error


def differences(had: dict[str, Table], has: dict[str, Table]) -> list[str]:
    """What is not as the backup says, a sentence for each table; empty: all is."""
    found = []
    for name in sorted(had.keys() | has.keys()):
        before, now = had.get(name), has.get(name)
        if before is None or now is None:
            found.append(f"{name} is {'missing' if now is None else 'not in the backup'}")
        elif before.rows != now.rows:
            found.append(f"{name} has {now.rows} rows instead of {before.rows}")
        elif before != now:
            found.append(f"{name} has {now.rows} rows, but not the same")
    return found
