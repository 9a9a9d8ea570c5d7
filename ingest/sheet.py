"""Measurements of many envelopes written down as columns, before anything is thought of them.

Ten thousand measurements are a dozen arrays: what is asked of each is asked of all at once, and the
database takes them in one piece. An envelope is written down as soon as it is decoded, while its
measurements are still near the processor: a second walk over ten thousand of them costs more than
the decoding. Pure. May hold: the sheet, the codes of words. May not: judgement, I/O.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.moment import Moments
from ingest.shape import Bundle, Item, Line
from store.columns import NO_MEAL, NO_TIME, Columns
from vitals.kinds import VITALS
from vitals.measurement import CLOCK_CODE, FLAG_BIT, MEAL_CODE
from vitals.units import UNIT_CODE

# plain strings as keys: an enum's hash is a call of Python code, and this runs for every row
KINDS: dict[str, int] = {str(kind): row.code for kind, row in VITALS.items()}
UNITS: dict[str, int] = {str(unit): code for unit, code in UNIT_CODE.items()}
CLOCKS: dict[str, int] = {str(clock): code for clock, code in CLOCK_CODE.items()}
MEALS: dict[str, int] = {str(meal): code for meal, code in MEAL_CODE.items()}
FLAGS: dict[str, int] = {str(flag): bit for flag, bit in FLAG_BIT.items()}
_MEAL_OR_NONE: dict[str | None, int] = {None: NO_MEAL} | dict(MEALS)
_SLOTS: dict[int | None, int] = {None: -1, **{user: user for user in range(255)}}

# Measurements that are written down at once: what a full envelope brings. A column costs as much
# for one as for twenty.
_TOGETHER = 50

_BUNDLE = msgspec.json.Decoder(Bundle)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """Measurements as columns, where `device` is a place in `names`; `gateway` is not known yet.

    `legible`: which of them hold moments where moments must be.
    """

    ids: Sequence[str]
    names: tuple[str, ...]
    columns: Columns
    legible: NDArray[np.bool_]


class Written(Sequence[Item]):
    """The measurements of one envelope, as a part of a sheet; items only for whoever asks."""

    def __init__(self, sheet: Sheet, *, begin: int, end: int, payload: bytes) -> None:
        self.sheet, self.begin, self.end = sheet, begin, end
        self._payload = payload
        self._items: tuple[Item, ...] | None = None

    @property
    def ids(self) -> Sequence[str]:
        """The name of each, for the receipt."""
        return self.sheet.ids[self.begin : self.end]

    @property
    def items(self) -> tuple[Item, ...]:
        """The measurements one by one."""
        if self._items is None:
            self._items = _BUNDLE.decode(self._payload).measurements
        return self._items

    def __len__(self) -> int:
        return self.end - self.begin

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, place: int | slice) -> Item | tuple[Item, ...]:
        return self.items[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.items == tuple(other)

    def __hash__(self) -> int:
        return hash(self.items)


class Draft:
    """A sheet that is being written, envelope by envelope."""

    def __init__(self) -> None:
        # added, and not written into the columns yet
        self._lines: list[Line] = []
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._taken_at, self._shown = Moments(aware=True), Moments(aware=False)
        self._is_shown = bytearray()
        self._device, self._clock_offset_s = array("i"), array("i")
        self._kind, self._unit, self._clock = bytearray(), bytearray(), bytearray()
        self._sequence, self._value = array("q"), array("d")
        self._slot, self._meal, self._flags = array("h"), bytearray(), array("i")
        self._raw: list[bytes] = []
        self._raw_size = array("i")

    def __len__(self) -> int:
        return len(self._ids) + len(self._lines)

    def add(self, lines: Sequence[Line]) -> frozenset[str]:
        """Adds these at the end, and says of which devices they are."""
        self._lines += lines
        if len(self._lines) >= _TOGETHER:
            self._write_lines()
        names = [each.device for each in lines]
        return frozenset(names if _differ(names) else names[:1])

    def add_items(self, items: Sequence[Item]) -> None:
        """Adds what was decoded one by one at the end."""
        self._write_lines()
        shown = [each.device_time for each in items]
        self._write_times(
            [each.taken_at.isoformat() for each in items],
            [None if each is None else each.isoformat() for each in shown],
        )
        self._write_others(items)

    def _write_lines(self) -> None:
        lines, self._lines = self._lines, []
        self._write_times([each.taken_at for each in lines], [each.device_time for each in lines])
        self._write_others(lines)

    def _write_times(self, taken_at: Sequence[str], shown: Sequence[str | None]) -> None:
        self._taken_at.add(taken_at)
        self._is_shown += bytes([each is not None for each in shown])
        self._shown.add([each for each in shown if each is not None])

    def _write_others(self, lines: Sequence[Any]) -> None:
        names = [each.device for each in lines]
        for name in names if _differ(names) else names[:1]:
            self._places.setdefault(name, len(self._places))
        self._device.fromlist(_codes(names, self._places))
        self._kind += bytes(_codes([each.kind for each in lines], KINDS))
        self._unit += bytes(_codes([each.unit for each in lines], UNITS))
        self._clock += bytes(_codes([each.clock for each in lines], CLOCKS))
        self._meal += bytes(_codes([each.meal for each in lines], _MEAL_OR_NONE))
        self._sequence.fromlist([each.sequence for each in lines])
        self._value.fromlist([each.value for each in lines])
        self._clock_offset_s.fromlist([each.clock_offset_s for each in lines])
        self._slot.fromlist(_codes([each.user for each in lines], _SLOTS))
        flags = [each.flags for each in lines]
        self._flags.fromlist([bits(each) for each in flags] if any(flags) else [0] * len(flags))
        raw = [each.raw for each in lines]
        self._raw.append(b"".join(raw))
        self._raw_size.fromlist(list(map(len, raw)))
        self._ids += [each.id for each in lines]

    def sheet(self) -> Sheet:
        """What was added."""
        self._write_lines()
        taken_at, legible = self._taken_at.read()
        device_time = np.full(len(self), NO_TIME)
        is_shown = np.frombuffer(self._is_shown, np.bool_)
        device_time[is_shown], good = self._shown.read()
        legible[is_shown] &= good
        raw_size = np.array(self._raw_size)
        columns = Columns(
            device=np.array(self._device),
            kind=np.array(self._kind, np.int16),
            sequence=np.array(self._sequence),
            taken_at=taken_at,
            value=np.array(self._value),
            unit=np.array(self._unit, np.int16),
            clock=np.array(self._clock, np.int16),
            device_time=device_time,
            clock_offset_s=np.array(self._clock_offset_s),
            slot=np.array(self._slot),
            meal=np.array(self._meal, np.int16),
            flags=np.array(self._flags),
            gateway=np.zeros(len(self), np.int32),
            raw_begin=np.cumsum(raw_size, dtype=np.int64) - raw_size,
            raw_size=raw_size,
            raw=np.frombuffer(b"".join(self._raw), np.uint8),
        )
        return Sheet(ids=self._ids, names=tuple(self._places), columns=columns, legible=legible)


def _differ(words: Sequence[Any]) -> bool:
    """Is there more than one? Mostly not, in an envelope; a look is cheaper than many."""
    return len(words) > 0 and words.count(words[0]) < len(words)


def _codes(words: Sequence[Any], table: Mapping[Any, int]) -> list[int]:
    if _differ(words):
        return [table[each] for each in words]
    return [table[each] for each in words[:1]] * len(words)


def bits(flags: Sequence[str]) -> int:
    """Flags as the database keeps them."""
    found = 0
    for each in flags:
        found |= FLAGS[each]
    return found
