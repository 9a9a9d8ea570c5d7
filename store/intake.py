"""The write path of measurements, step by step: `ingest/load.py` takes the steps, in this order.

lock the devices, learn who delivered them last and whose they are → copy the rows in, add their
days, leave news → what was refused; all in one transaction. Where a row may be stored already, rows
pass through a staging table instead, which keeps the new ones, and revises those that their device
has corrected (`revisions.py`). The order of locks is the same for
every load (devices, then rows by key, then days, then news), so that two workers wait for each
other but never in a circle. May hold: these steps over `sql/intake.sql`. May not: judgement,
receipts.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from psycopg.types.string import BytesBinaryDumper

from store import recount, revisions
from store.columns import Columns, packed
from store.forgotten import NOTHING_FORGOTTEN, Bars, bars
from store.named import queries

_SQL = queries("intake")

# One row: the columns of `copy_staged` in order, without the last.
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
_N = _DAY_COLUMNS.index("n")

# no gateway's id: several gateways have delivered a device
SEVERAL = 0

# the class of our advisory locks: "dev" in ASCII
LOCK_CLASS = 0x646576
# Devices share this many locks: PostgreSQL's lock table has room for some thousands in all, and a
# device that waits for another's re-reading waits for one transaction.
_LOCK_BUCKETS = 512

# How far apart two gateways can place one record of a device: clocks that show local time differ by
# no more than the widest time zones do, UTC-12 to UTC+14 (IANA time zone database). A meter that
# lost its battery counts from one again, and its clock begins anew: the same number and the same
# time of the device further apart than this are two records.
_APART = timedelta(hours=26)


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
    `bars`: what is not taken in again.
    `doubted`: is, or was, something of these devices in quarantine?
    """

    owners: dict[int, int | None]
    wearers: dict[tuple[int, int], tuple[int, str]]
    bars: Bars = NOTHING_FORGOTTEN
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
    wanted = sorted(modes)
    with connection.pipeline():
        connection.execute(
            _SQL["lock_devices"],
            {
                "class": LOCK_CLASS,
                "buckets": _array(wanted),
                "alone": _array([modes[each] for each in wanted]),
            },
        )
        # statements of their own: they must see what was committed while locks were waited for
        owners = connection.execute(_SQL["owners"], {"ids": _array(devices)})
        wearers = connection.execute(_SQL["wearers"], {"ids": _array(devices)})
    found = owners.fetchall()
    forgetful = [device for device, _, forgets, *_ in found if forgets]
    raw_since = found[0][3] if found else None
    return Ground(
        owners={device: owner for device, owner, *_ in found},
        doubted=any(is_doubted for *_, is_doubted in found),
        wearers={
            (device, slot): (patient, zone) for device, slot, patient, zone in wearers.fetchall()
        },
        bars=bars(connection, forgetful, raw_since=raw_since),
    )


def buckets(devices: Collection[int]) -> list[int]:
    """The locks that stand for these devices, in the order in which they are taken."""
    return sorted({device % _LOCK_BUCKETS for device in devices})


def stop_loads(connection: Connection[Any]) -> None:
    """Waits for every load that runs; until the transaction ends, none begins."""
    buckets = list(range(_LOCK_BUCKETS))
    connection.execute(
        _SQL["lock_devices"],
        {"class": LOCK_CLASS, "buckets": buckets, "alone": [True] * _LOCK_BUCKETS},
    )


def _array(values: Collection[int]) -> str:
    """An array as PostgreSQL writes it; psycopg takes four times as long for a list of hundreds."""
    return f"{{{','.join(map(str, values))}}}"


def day_starts(
    connection: Connection[Any], *, zone: str, first: date, last: date
) -> list[datetime]:
    """When each local day from first to last begins in a time zone, as the server counts days."""
    rows = connection.execute(
        _SQL["day_starts"], {"zone": zone, "first": first, "last": last}
    ).fetchall()
    return [start for (start,) in rows]


def copy_new(connection: Connection[Any], columns: Columns, patients: NDArray[np.int32]) -> bool:
    """Whether all rows were new and are stored; if one was not, nothing has happened."""
    octets = packed(columns, patients)
    try:
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(_SQL["copy_new"]) as copy,
        ):
            copy.write(octets)
    except UniqueViolation:
        return False
    return True


def add_days(connection: Connection[Any], days: Sequence[DayRow]) -> None:
    """Counts new rows into days, leaves news of their patients, tells pages. Days are sorted."""
    # one JSON text: ten arrays of parameters cost as much as copying the rows
    text = msgspec.json.encode([dict(zip(_DAY_COLUMNS, day, strict=True)) for day in days]).decode()
    connection.execute(_SQL["add_days"], {"days": text})


def stage(connection: Connection[Any], rows: Sequence[Row], matches: Sequence[bool]) -> None:
    """Copies rows into the staging table of this connection; `matches`: which are looked for over
    all time. Of two versions of one record, the one that stands is the one that comes later."""
    connection.execute(_SQL["create_staged"])
    with connection.cursor() as cursor:
        # half the time of the dumper that a bytea column gets by itself
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(_SQL["copy_staged"]) as copy:
            copy.set_types([*_TYPES, "bool"])
            write = copy.write_row
            for row, match in zip(rows, matches, strict=True):
                write((*row, match))


def match_staged(connection: Connection[Any]) -> None:
    """Gives staged rows that are stored, or staged, under another time that time."""
    for query in ("match_stored", "match_staged"):
        # planned each time: the staging table is one row now and ten thousand then
        connection.execute(_SQL[query], {"apart": _APART}, prepare=False)


def load_staged(connection: Connection[Any], *, most: int) -> int:
    """The number of rows that were new, at most `most`; they are stored, counted by day, and news.

    What a device has corrected is revised.
    """
    found = connection.execute(_SQL["insert_staged"], prepare=False).fetchall()
    inserted = sum(int(day[_N]) for day in found)
    days: list[DayRow] = [day for day in found if day[0] is not None]
    if inserted < most and revisions.any_unsettled(connection):
        recount.recount_rows(connection, [*revisions.revise(connection), *_touched(days)])
    elif days:
        add_days(connection, days)
    return inserted


def _touched(days: Iterable[DayRow]) -> list[recount.Touched]:
    return [
        recount.Touched(patient_id=patient_id, kind=kind, unit=unit, taken_at=moment)
        for patient_id, kind, unit, *_, first_at, last_at in days
        for moment in (first_at, last_at)
    ]


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
