"""The time of a row, however it is written: which number is the month, which of two hours it is.

A file has one order of day and month: it is the one in which every row is a date; where both are,
AM and PM mean the American order, and else the one that gives the shorter span. A wall clock shows
an hour twice in autumn: in a file in order of time, a row that goes back is in the second. May
hold: this. May not: values.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vitals.errors import MendData


class Order(StrEnum):
    """Which number of a date is which, where the year is not the first."""

    DMY = "DMY"
    MDY = "MDY"


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = re.compile(
    r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?"
    r"\s*([AaPp]\.?[Mm]\.?)?"
)
_NAMED = re.compile(
    r"(?:(\d{1,2})\s+)?([A-Za-z]{3})[a-z]*\.?\s+(?:(\d{1,2}),?\s+)?(\d{4}),?\s+"
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp]\.?[Mm]\.?)?"
)
# milliseconds since 1970: thirteen digits since 2001
_EPOCH_MS = re.compile(r"\d{12,14}(?:\.\d*)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name. Raises MendData for what is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MendData(f"{name!r} is no time zone; write it like Asia/Shanghai.") from None


def order_of(texts: Sequence[str], asked: Order | None) -> Order | None:
    """The order of day and month of a column of times; None where the year comes first.

    Raises MendData where the file does not tell: then the person must say.
    """
    open_texts = [each for each in texts if _is_open(each)]
    if not open_texts:
        return None
    if asked is not None:
        return asked
    possible = {order: _all(open_texts, order) for order in Order}
    told = {order: found for order, found in possible.items() if found is not None}
    if len(told) < 2:
        return next(iter(told), None)
    if any(re.search(r"[AaPp]\.?[Mm]", each) for each in open_texts):
        return Order.MDY
    spans = {order: max(found) - min(found) for order, found in told.items()}
    if spans[Order.DMY] == spans[Order.MDY]:
        if told[Order.DMY] == told[Order.MDY]:
            return Order.DMY
        raise MendData(
            f"{open_texts[0]!r}: the file does not tell whether the day or the month comes first; "
            "say --date-order DMY or MDY."
        )
    return min(spans, key=lambda order: spans[order])


def read_moment(text: str, order: Order | None) -> datetime:
    """The time in a cell, aware where it says its offset. Raises ValueError for what is none."""
    if _EPOCH_MS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=float(text))
    numbers = _NUMBERS.fullmatch(text)
    if numbers and (len(numbers.group(1)) == 4 or order is not None):
        return _of_numbers(numbers, order)
    named = _NAMED.fullmatch(text)
    if named:
        return _of_named(named)
    return datetime.fromisoformat(text)


def placed(found: Sequence[datetime], zones: Sequence[ZoneInfo]) -> tuple[list[datetime], int]:
    """The moments in UTC, and how many stand in an hour that the clock skipped in spring.

    Of the hour that comes twice, a row is taken as the first unless it would go back in time. In
    the hour that was skipped, the clock was not yet set: it is taken as standing on the old time.
    """
    rising = len(found) < 2 or _naive(found[0]) <= _naive(found[-1])
    numbers = range(len(found)) if rising else range(len(found) - 1, -1, -1)
    utc: list[datetime] = list(found)
    skipped, before = 0, None
    for number in numbers:
        at = found[number]
        if at.tzinfo is None:
            first = at.replace(tzinfo=zones[number], fold=0).astimezone(UTC)
            second = at.replace(tzinfo=zones[number], fold=1).astimezone(UTC)
            skipped += first > second
            goes_back = before is not None and first < before and second > first
            at = second if goes_back else first
        utc[number] = before = at.astimezone(UTC)
    return utc, skipped


def _naive(at: datetime) -> datetime:
    return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)


def _is_open(text: str) -> bool:
    match = _NUMBERS.fullmatch(text)
    return match is not None and len(match.group(1)) < 4


def _all(texts: Sequence[str], order: Order) -> list[datetime] | None:
    try:
        return [read_moment(each, order) for each in texts]
    except ValueError:
        return None


def _of_numbers(match: "re.Match[str]", order: Order | None) -> datetime:
    a, b, c = (int(each) for each in match.group(1, 2, 3))
    if len(match.group(1)) == 4:
        year, month, day = a, b, c
    else:
        year = c if c > 99 else 2000 + c
        month, day = (b, a) if order is Order.DMY else (a, b)
    return _with_clock(year, month, day, match.group(4, 5, 6, 7))


def _of_named(match: "re.Match[str]") -> datetime:
    day = match.group(1) or match.group(3)
    name = match.group(2).lower()
    if day is None or name not in _MONTHS:
        raise ValueError(match.group(0))
    month = _MONTHS.index(name) + 1
    return _with_clock(int(match.group(4)), month, int(day), match.group(5, 6, 7, 8))


def _with_clock(year: int, month: int, day: int, clock: tuple[str | None, ...]) -> datetime:
    hour, minute, second = int(clock[0] or 0), int(clock[1] or 0), int(clock[2] or 0)
    half = (clock[3] or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} {half}")
        hour = hour % 12 + (12 if half == "pm" else 0)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall clock
