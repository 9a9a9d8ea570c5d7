"""The write path of measurements, step by step: `ingest/load.py` takes the steps, in this order.

lock the devices, learn who delivered them last and whose they are → copy the rows in, add their
days, leave news → what was refused; all in one transaction. Where a row may be stored already, rows
pass through a staging table instead, which keeps the new ones. The order of locks is the same for
every load (devices, then rows by key, then days, then news), so that two workers wait for each
other but never in a circle. May hold: these steps over `sql/intake.sql`. May not: judgement,
receipts.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from psycopg.types.string import BytesBinaryDumper

from store.named import queries

_SQL = queries("intake")

# One row: the columns of `copy_staged` and `copy_new` in order, without the last of each.
Row = tuple[Any, ...]
# fmt: off
_TYPES = [
    "int4", "int2", "int8", "timestamptz", "float8", "int2", "int2", "timestamp", "int4", "int2",
    "int2", "int4", "int4", "bytea",
]
# fmt: on

# What new rows add to one day: the columns of `measurement_day` in order.
DayRow = tuple[Any, ...]
_DAY_COLUMNS = (
    "patient_id", "kind", "unit", "local_day", "n", "sum", "min", "max", "first_at", "last_at",
)  # fmt: skip

# no gateway's id: several gateways have delivered a device
SEVERAL = 0

# the class of our advisory locks: "dev" in ASCII
_LOCK_CLASS = 0x646576
# Devices share this many locks: PostgreSQL's lock table has room for some thousands in all, and a
# device that waits for another's re-reading waits for one transaction.
_LOCK_BUCKETS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWord:
    """What a gateway says of a device; None and '' where it does not say."""

    name: str
    kind: str
    model: str
    battery_percent: int | None
    clock_offset_s: int | None
    failure: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayWord:
    """What a gateway says of itself and of its devices at one moment."""

    name: str
    at: datetime
    spooled: int
    document: Any
    devices: tuple[DeviceWord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a load stands on.

    `owners`: the only gateway that ever delivered each device, None for none, SEVERAL for more than
    one. `wearers`: patient and time zone by device
    and slot, as the view `wearer` says it: -1 no number, -2 any number that is nobody's own.
    `doubted`: is, or was, something of these devices in quarantine?
    """

    owners: dict[int, int | None]
    wearers: dict[tuple[int, int], tuple[int, str]]
    doubted: bool = False


def gateway_ids(connection: Connection[Any], names: Collection[str]) -> dict[str, int]:
    """The ids of those of these gateways that are registered."""
    return dict(connection.execute(_SQL["gateway_ids"], {"names": list(names)}).fetchall())


def lock_devices(
    connection: Connection[Any], devices: Collection[int], *, alone: Collection[int]
) -> Ground:
    """What is true of these devices until the transaction ends (for `alone`) or now (for others).

    Loads of a device run beside each other; one that holds it alone runs beside none.
    """
    modes: dict[int, bool] = {}
    for device in devices:
        bucket = device % _LOCK_BUCKETS
        modes[bucket] = modes.get(bucket, False) or device in alone
    buckets = sorted(modes)
    with connection.pipeline():
        connection.execute(
            _SQL["lock_devices"],
            {"class": _LOCK_CLASS, "buckets": buckets, "alone": [modes[each] for each in buckets]},
        )
        # statements of their own: they must see what was committed while locks were waited for
        owners = connection.execute(_SQL["owners"], {"ids": list(devices)})
        wearers = connection.execute(_SQL["wearers"], {"ids": list(devices)})
    rows = owners.fetchall()
    return Ground(
        owners={device: gateway for device, gateway, _ in rows},
        doubted=any(is_doubted for _, _, is_doubted in rows),
        wearers={
            (device, slot): (patient, zone) for device, slot, patient, zone in wearers.fetchall()
        },
    )


def day_starts(
    connection: Connection[Any], *, zone: str, first: date, last: date
) -> list[datetime]:
    """When each local day from first to last begins in a time zone, as the server counts days."""
    rows = connection.execute(
        _SQL["day_starts"], {"zone": zone, "first": first, "last": last}
    ).fetchall()
    return [start for (start,) in rows]


def copy_new(
    connection: Connection[Any], rows: Sequence[Row], patients: Sequence[int | None]
) -> bool:
    """Whether all rows were new and are stored; if one was not, nothing has happened."""
    try:
        with connection.transaction():
            _copy(connection, "copy_new", [*_TYPES, "int4"], zip(rows, patients, strict=True))
    except UniqueViolation:
        return False
    return True


def add_days(connection: Connection[Any], days: Sequence[DayRow]) -> None:
    """Counts new rows into days, leaves news of their patients, tells pages. Days are sorted."""
    # one JSON text: ten arrays of parameters cost as much as copying the rows
    text = json.dumps([dict(zip(_DAY_COLUMNS, day, strict=True)) for day in days], default=str)
    with connection.pipeline():
        connection.execute(_SQL["add_days"], {"days": text})
        connection.execute(_SQL["leave_news"], {"days": text})


def stage(connection: Connection[Any], rows: Sequence[Row], matches: Sequence[bool]) -> None:
    """Copies rows into the staging table of this connection; `matches` as `drop_known` reads."""
    connection.execute(_SQL["create_staged"])
    _copy(connection, "copy_staged", [*_TYPES, "bool"], zip(rows, matches, strict=True))


def _copy(
    connection: Connection[Any], query: str, types: list[str], rows: Iterable[tuple[Row, Any]]
) -> None:
    """Copies rows, each with its last column."""
    with connection.cursor() as cursor:
        # half the time of the dumper that a bytea column gets by itself
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(_SQL[query]) as copy:
            copy.set_types(types)
            write = copy.write_row
            for row, last in rows:
                write((*row, last))


def drop_known(connection: Connection[Any]) -> None:
    """Takes out of the staged rows what is stored already under another time."""
    connection.execute(_SQL["drop_known"], prepare=False)


def load_staged(connection: Connection[Any]) -> int:
    """The number of rows that were new; they are stored, counted by day, and news."""
    # planned each time: the staging table is one row now and ten thousand then
    row = connection.execute(_SQL["load_staged"], prepare=False).fetchone()
    return int(row[0]) if row else 0


def set_owners(
    connection: Connection[Any], last: Mapping[int, int], *, several: Collection[int]
) -> None:
    """Remembers which gateway delivered each device last, and which have been by `several`.

    Call it for devices held alone.
    """
    ids = sorted(last)
    connection.execute(
        _SQL["set_owners"],
        {
            "ids": ids,
            "gateways": [last[each] for each in ids],
            "several": [each in several for each in ids],
        },
    )


def keep_words(connection: Connection[Any], words: Collection[GatewayWord]) -> None:
    """Keeps what gateways say of themselves and of their devices."""
    devices = {(each.name, each.at): each for word in words for each in word.devices}
    with connection.cursor() as cursor:
        cursor.executemany(
            _SQL["gateway_word"],
            [
                {
                    "name": each.name,
                    "at": each.at,
                    "spooled": each.spooled,
                    "document": Jsonb(each.document),
                }
                for each in sorted(words, key=lambda one: (one.name, one.at))
            ],
        )
        cursor.executemany(
            _SQL["device_word"],
            [
                {
                    "name": each.name,
                    "kind": each.kind,
                    "model": each.model,
                    "battery_percent": each.battery_percent,
                    "clock_offset_s": each.clock_offset_s,
                    "failure": each.failure,
                    "at": each.at,
                }
                for _, each in sorted(devices.items())
            ],
        )
