"""A shell's words for moments, reasons and bytes."""

from datetime import UTC, datetime, timedelta

import pytest

from kangban.commands.refused import known_reason, moment, safe
from vitals.errors import MendData

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T08:00:00+08:00", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_day_or_a_span_ago(text: str, expected: datetime) -> None:
    assert moment(text, now=NOW) == expected


@pytest.mark.parametrize("text", ["", "d", "yesterday", "-3d", "7w", "²d", "9999999d"])
def test_what_is_no_moment_is_said_to_be_none(text: str) -> None:
    with pytest.raises(MendData, match="no moment"):
        moment(text, now=NOW)


def test_a_reason_that_does_not_exist_is_answered_with_those_that_do() -> None:
    assert known_reason(None) is None
    assert known_reason("future") == "future"
    with pytest.raises(MendData, match="unknown_gateway"):
        known_reason("because")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("血压 310/190\nOK", "血压 310/190\nOK"),
        # a terminal would clear its screen, ring, or write from right to left
        ("\x1b[2J", "\\x1b[2J"),
        ("\x07\x9b", "\\x07\\x9b"),
        ("\u202eabc", "\\u202eabc"),
    ],
)
def test_nothing_that_a_terminal_obeys_reaches_it(text: str, shown: str) -> None:
    assert safe(text) == shown
