"""Moments of a whole column at once, from the texts of the wire to the database's microseconds.

Gateways write every moment in one of two plain forms; a column of texts of one length is a table of
digits, which costs thirty times less than a parser for each. Any other form of ISO 8601 that
msgspec takes for a moment is taken here, one by one. Pure. May hold: this reading. May not: what a
moment may be (`validate.py`), clocks.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from store.columns import EPOCH

_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]
_NAIVE = Annotated[datetime, msgspec.Meta(tz=False)]
_MICROSECOND = timedelta(microseconds=1)
# "2026-11-22T07:02:00", and then ".123456" or nothing
_SECONDS, _MICROSECONDS = 19, 26
_MARKS = {4: "-", 7: "-", 10: "T", 13: ":", 16: ":", _SECONDS: "."}
_BETWEEN = "\n"
_DAYS_TO_EPOCH = np.datetime64(EPOCH.date(), "D").astype(np.int64)


def microseconds(moment: datetime) -> int:
    """The database's number for a moment; a naive one is taken as the database does, as it is."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // _MICROSECOND


class Moments:
    """The texts of one column, gathered envelope by envelope, and read together.

    `aware`: the texts carry their offset from UTC, and otherwise none.
    """

    def __init__(self, *, aware: bool) -> None:
        self._aware = aware
        self._pieces: list[str] = []
        self._counts: list[int] = []

    def add(self, texts: Sequence[str]) -> None:
        """Adds some texts at the end."""
        if texts:
            # one text for an envelope's, while they are still near the processor
            self._pieces.append(_BETWEEN.join(texts))
            self._counts.append(len(texts))

    def read(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Microseconds of each text, and which texts were moments at all."""
        count = sum(self._counts)
        letters = _BETWEEN.join([*self._pieces, ""])
        for size in (_SECONDS + self._aware, _MICROSECONDS + self._aware):
            if len(letters) == count * (size + 1):
                found, good = _read(letters, size, aware=self._aware)
                # Each line is a moment and ends where one text ended: so many lines as texts, so
                # that no text holds a line's end.
                if good.all():
                    return found, good
        return self._read_mixed()

    def _read_mixed(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        texts: list[str] = []
        for piece, count in zip(self._pieces, self._counts, strict=True):
            lines = piece.split(_BETWEEN)
            # a text that holds a line's end is no moment, nor are then its neighbours for now
            texts += lines if len(lines) == count else [""] * count
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        found, good = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
        for size in (_SECONDS + self._aware, _MICROSECONDS + self._aware):
            places = np.flatnonzero(sizes == size)
            lines = [texts[place] for place in places.tolist()]
            letters = _BETWEEN.join([*lines, ""])
            found[places], good[places] = _read(letters, size, aware=self._aware)
        for place in np.flatnonzero(~good).tolist():
            moment = _read_one(texts[place], aware=self._aware)
            if moment is not None:
                found[place], good[place] = microseconds(moment), True
        return found, good


def _read_one(text: str, *, aware: bool) -> datetime | None:
    try:
        moment: datetime = msgspec.convert(text, _AWARE if aware else _NAIVE)
    except msgspec.ValidationError:
        return None
    return moment


def _read(lines: str, size: int, *, aware: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Moments of one plain form, each on a line of its own, and which lines are such moments."""
    letters = np.frombuffer(lines.encode("ascii", "replace"), np.uint8)
    table = letters.reshape(-1, size + 1).T
    marks = {place: mark for place, mark in _MARKS.items() if place < size - aware}
    marks[size] = _BETWEEN
    if aware:
        marks[size - 1] = "Z"
    good = np.ones(table.shape[1], np.bool_)
    for place, mark in marks.items():
        good &= table[place] == ord(mark)
    digits = table - np.uint8(ord("0"))
    for place in range(size):
        if place not in marks:
            good &= digits[place] <= 9
    day, day_exists = _days(digits)
    hour, minute, second = (_number(digits[place : place + 2]) for place in (11, 14, 17))
    good &= day_exists & (hour < 24) & (minute < 60) & (second < 60)
    seconds = day * 86_400 + hour * 3600 + minute * 60 + second
    fraction: Any = _number(digits[20:26]) if size >= _MICROSECONDS else 0
    return seconds * 1_000_000 + fraction, good


def _days(digits: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since EPOCH, and whether the calendar has them."""
    year, month, day = _number(digits[:4]), _number(digits[5:7]), _number(digits[8:10])
    # months since 1970, as numpy counts them; it knows the leap years
    months = (year - 1970) * 12 + month - 1
    first, next_first = (
        (months + more).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        for more in (0, 1)
    )
    exists = (year > 0) & (month > 0) & (month < 13) & (day > 0) & (day <= next_first - first)
    return first + day - 1 - _DAYS_TO_EPOCH, exists


def _number(digits: NDArray[np.uint8]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = digits[0].astype(np.int64)
    for each in digits[1:]:
        found *= 10
        found += each
    return found
