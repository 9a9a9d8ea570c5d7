"""Moments read by the column are those that a parser reads one by one."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.moment import Moments, microseconds
from store.columns import EPOCH


def read(*envelopes: list[str], aware: bool = True) -> list[int | None]:
    column = Moments(aware=aware)
    for texts in envelopes:
        column.add(texts)
    found, good = column.read()
    return [
        each if is_good else None
        for each, is_good in zip(found.tolist(), good.tolist(), strict=True)
    ]


def one_by_one(*envelopes: list[str], aware: bool = True) -> list[int | None]:
    found: list[int | None] = []
    for text in [text for texts in envelopes for text in texts]:
        try:
            moment = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=aware)])
        except msgspec.ValidationError:
            found.append(None)
        else:
            found.append(microseconds(moment))
    return found


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2000-01-01T00:00:00Z", EPOCH),
        ("1999-12-31T23:59:59.999999Z", EPOCH - timedelta(microseconds=1)),
        ("2026-11-22T07:02:03Z", datetime(2026, 11, 22, 7, 2, 3, tzinfo=UTC)),
        ("2024-02-29T00:00:00.000001Z", datetime(2024, 2, 29, 0, 0, 0, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        # other forms of the same ISO 8601
        ("2026-11-22T15:02:03+08:00", datetime(2026, 11, 22, 7, 2, 3, tzinfo=UTC)),
        ("2026-11-22T07:02:03.5Z", datetime(2026, 11, 22, 7, 2, 3, 500_000, tzinfo=UTC)),
        ("2026-11-22 07:02:03z", datetime(2026, 11, 22, 7, 2, 3, tzinfo=UTC)),
    ],
)
def test_a_moment_is_so_many_microseconds_from_postgresql_s_epoch(
    text: str, moment: datetime
) -> None:
    assert read([text]) == [(moment - EPOCH) // timedelta(microseconds=1)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-22T07:02:03",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T07:60:00Z",
        "2026-11-22T07:02:60Z",
        "2026-11-22T07:02:0٣Z",
        "2026-11-22T07:02:03\n",
        "2026-11-22T07:02:03Z\n2026-11-22T07:02:03Z",
    ],
)
def test_what_is_no_moment_spoils_no_other_envelope(text: str) -> None:
    sound = "2026-11-22T07:02:03Z"

    before, *_, after = read([sound], [text, sound], [sound])

    assert before == after == microseconds(datetime(2026, 11, 22, 7, 2, 3, tzinfo=UTC))
    assert read([text]) == [None]


def test_an_end_of_line_cannot_make_two_texts_of_three() -> None:
    # both columns have the letters of two moments, one on each line
    moment = "2026-11-22T07:02:03Z"

    assert read([f"{moment}\n{moment}"]) == [None]
    assert read(["", f"{moment}\n{moment[:-1]}"]) == [None, None]


def test_of_no_texts_there_are_no_moments() -> None:
    assert read() == read([]) == []


_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda least: timezone(timedelta(minutes=least)))
_MOMENTS = st.datetimes(timezones=st.one_of(st.just(UTC), _OFFSETS)).map(datetime.isoformat)
_TEXTS = st.one_of(
    _MOMENTS.map(lambda text: text.replace("+00:00", "Z")),
    # one letter of a moment spoilt, or one lost
    st.builds(
        lambda text, place, letter: text[:place] + letter + text[place + 1 :],
        _MOMENTS.map(lambda text: text.replace("+00:00", "Z")),
        st.integers(0, 27),
        st.sampled_from([*"0123456789TZ:-.+ \n٣", ""]),
    ),
    st.datetimes().map(datetime.isoformat),
    st.text(max_size=30).filter(lambda text: "\n" not in text),
)


@given(st.lists(st.lists(_TEXTS, max_size=3), max_size=4), st.booleans())
def test_a_column_is_read_as_its_texts_are_one_by_one(
    envelopes: list[list[str]], aware: bool
) -> None:
    found, expected = read(*envelopes, aware=aware), one_by_one(*envelopes, aware=aware)

    if not any("\n" in text for texts in envelopes for text in texts):
        assert found == expected
    # an end of line makes its envelope illegible, whoever else is in it; nothing is ever misread
    assert all(each in (None, right) for each, right in zip(found, expected, strict=True))
