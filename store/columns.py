"""Many rows of `measurement` as columns, and the bytes by which COPY takes them in one piece.

A row on its own costs Python more than it costs the database: a tuple, a call, a dumper for each
value. As columns, ten thousand rows are a dozen arrays. May hold: the noun and PostgreSQL's binary
format of it. May not: SQL, connections, judgement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Moments are microseconds since this one, as PostgreSQL keeps them (datatype/timestamp.h).
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# What stands for null: no meal has the code 0, and no device can show PostgreSQL's -infinity.
NO_TIME = int(np.iinfo(np.int64).min)
NO_MEAL, NOBODY = 0, -1

# PostgreSQL, COPY, "Binary Format": signature, flags, length of the header extension; and the end
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = -1

# The columns of `copy_new` in its order, big-endian as COPY wants them, without `raw` and the last.
_LAYOUT = (
    ("device", ">i4"), ("kind", ">i2"), ("sequence", ">i8"), ("taken_at", ">i8"),
    ("value", ">f8"), ("unit", ">i2"), ("clock", ">i2"), ("device_time", ">i8"),
    ("clock_offset_s", ">i4"), ("slot", ">i2"), ("meal", ">i2"), ("flags", ">i4"),
    ("gateway", ">i4"),
)  # fmt: skip
# which columns may be null, and the bit that says so in a row's layout; then the length of `raw`
_TIMED, _MEAL, _WORN, _RAW_SHIFT = 1, 2, 4, 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Rows of one length in all columns; codes as in `vitals`, moments from EPOCH in microseconds.

    Null: NO_TIME for `device_time`, NO_MEAL for `meal`, no bytes for `raw`; slot -1: no number. The
    bytes of all rows stand in one `raw`, of each at `raw_begin` and `raw_size` many.
    """

    device: NDArray[np.int32]
    kind: NDArray[np.int16]
    sequence: NDArray[np.int64]
    taken_at: NDArray[np.int64]
    value: NDArray[np.float64]
    unit: NDArray[np.int16]
    clock: NDArray[np.int16]
    device_time: NDArray[np.int64]
    clock_offset_s: NDArray[np.int32]
    slot: NDArray[np.int16]
    meal: NDArray[np.int16]
    flags: NDArray[np.int32]
    gateway: NDArray[np.int32]
    raw_begin: NDArray[np.int64]
    raw_size: NDArray[np.int32]
    raw: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.device)

    def part(self, begin: int, end: int) -> "Columns":
        """The rows from one place to another."""
        return self._with(slice(begin, end))

    def span(self) -> tuple[datetime, datetime]:
        """The first and the last moment of rows, of which there must be some."""
        first, last = (
            EPOCH + timedelta(microseconds=int(each))
            for each in (self.taken_at.min(), self.taken_at.max())
        )
        return first, last

    def in_key_order(self) -> "Columns":
        """The same rows in the order of the table's key; of equal ones the first stays first."""
        order = np.lexsort((self.taken_at, self.sequence, self.kind, self.device))
        return self._with(order)

    def _with(self, places: slice | NDArray[np.intp]) -> "Columns":
        return replace(self, **{name: getattr(self, name)[places] for name in _OF_ROWS})


_RAW, _PATIENT = "raw", "patient"
_OF_ROWS = tuple(each.name for each in fields(Columns) if each.name != _RAW)


def joined(parts: Sequence[Columns]) -> Columns:
    """All rows of these, one after another; at least one part."""
    if len(parts) == 1:
        return parts[0]
    begins = np.cumsum([0, *(len(each.raw) for each in parts[:-1])])
    moved = [
        replace(each, raw_begin=each.raw_begin + begin)
        for each, begin in zip(parts, begins, strict=True)
    ]
    return Columns(
        **{
            name: np.concatenate([getattr(each, name) for each in moved])
            for name in (*_OF_ROWS, _RAW)
        }
    )


def packed(columns: Columns, patients: NDArray[np.int32]) -> bytes:
    """What `COPY … (FORMAT BINARY)` takes for these rows, in their order, with their patients.

    Rows without the same columns and of the same length of `raw` have the same layout, so that a
    block of them is one array of records.
    """
    layouts = (
        (columns.device_time != NO_TIME) * _TIMED
        + (columns.meal != NO_MEAL) * _MEAL
        + (patients != NOBODY) * _WORN
        + (columns.raw_size.astype(np.int64) << _RAW_SHIFT)
    )
    blocks = {
        layout: _block(columns, patients, layout=layout, places=np.flatnonzero(layouts == layout))
        for layout in np.unique(layouts).tolist()
    }
    return b"".join([_HEADER, *_in_order(layouts, blocks), _TRAILER])


def _in_order(
    layouts: NDArray[np.int64], blocks: dict[int, NDArray[np.void]]
) -> Iterable[memoryview]:
    """The bytes of all rows, in pieces of neighbours with the same layout."""
    views = {layout: (memoryview(block.tobytes()), 0) for layout, block in blocks.items()}
    ends = [*(np.flatnonzero(np.diff(layouts)) + 1).tolist(), len(layouts)] if blocks else []
    begin = 0
    for end in ends:
        layout = int(layouts[begin])
        view, used = views[layout]
        upto = used + (end - begin) * blocks[layout].itemsize
        views[layout] = (view, upto)
        yield view[used:upto]
        begin = end


def _block(
    columns: Columns, patients: NDArray[np.int32], *, layout: int, places: NDArray[np.intp]
) -> NDArray[np.void]:
    record = _record(layout)
    block = np.empty(len(places), record.dtype)
    block[:] = record
    everything = len(places) == len(columns)
    for name, _ in _LAYOUT:
        if name in _names(layout):
            column = getattr(columns, name)
            block[name] = column if everything else column[places]
    if layout & _WORN:
        block[_PATIENT] = patients[places]
    if raw_size := layout >> _RAW_SHIFT:
        octets = columns.raw[columns.raw_begin[places, np.newaxis] + np.arange(raw_size)]
        block[_RAW] = octets.view(f"V{raw_size}")[:, 0]
    return block


@lru_cache(maxsize=256)
def _names(layout: int) -> frozenset[str]:
    """The columns that are not null."""
    absent = {
        "device_time": not layout & _TIMED,
        "meal": not layout & _MEAL,
        _RAW: not layout >> _RAW_SHIFT,
        _PATIENT: not layout & _WORN,
    }
    named = [*(name for name, _ in _LAYOUT), _RAW, _PATIENT]
    return frozenset(name for name in named if not absent.get(name))


@lru_cache(maxsize=256)
def _record(layout: int) -> NDArray[np.void]:
    """An empty row: how many columns it has, and before each its size in bytes."""
    kinds = [*_LAYOUT, (_RAW, f"V{layout >> _RAW_SHIFT}"), (_PATIENT, ">i4")]
    shape: list[tuple[str, str]] = [("columns", ">i2")]
    sizes: dict[str, int] = {"columns": len(kinds)}
    for name, kind in kinds:
        shape.append((f"{name}_size", ">i4"))
        sizes[f"{name}_size"] = _NULL
        if name in _names(layout):
            shape.append((name, kind))
            sizes[f"{name}_size"] = np.dtype(kind).itemsize
    record: NDArray[Any] = np.zeros((), shape)
    for name, size in sizes.items():
        record[name] = size
    return record
