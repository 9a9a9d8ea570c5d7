"""Home protocols: which readings a guideline averages, and how much evidence it wants."""

import math
from datetime import date, timedelta

import pytest
from rule_builders import SHANGHAI, every_day, points

from rules.history import CuffReading, cuff_readings, local_day
from rules.metrics.home_protocol import (
    CN2025,
    PROTOCOLS,
    Protocol,
    Standing,
    block,
    dated_block,
    standing,
)

TODAY = date(2026, 11, 22)


def cuff(*lines: str) -> list[CuffReading]:
    return cuff_readings(points(lines))


@pytest.mark.parametrize(
    ("days", "n", "is_"),
    [
        (3, 12, Standing.VALID),
        (2, 12, Standing.PRELIMINARY),
        (3, 11, Standing.PRELIMINARY),
        (7, 6, Standing.PRELIMINARY),
        (5, 5, Standing.INSUFFICIENT),
        (0, 0, Standing.INSUFFICIENT),
    ],
)
def test_a_block_says_what_it_is_good_for(days: int, n: int, is_: Standing) -> None:
    assert standing(days=days, n=n, protocol=CN2025) is is_


def test_a_block_averages_every_reading_of_seven_days_and_drops_none() -> None:
    readings = cuff(
        "-7d 07:00 bp 200/120",  # the eighth day back is outside
        *every_day(["07:00 bp 130/80"], first=6, last=1),
        "07:00 bp 170/100",
    )
    found = block(readings, last_day=TODAY, zone=SHANGHAI)
    # (6 * 130 + 170) / 7, (6 * 80 + 100) / 7
    assert (found.n, found.days) == (7, 7)
    assert found.systolic == pytest.approx(950 / 7)
    assert found.diastolic == pytest.approx(580 / 7)


def test_a_block_without_readings_has_no_mean() -> None:
    found = block([], last_day=TODAY, zone=SHANGHAI)
    assert found.standing is Standing.INSUFFICIENT
    assert math.isnan(found.systolic)


TWICE = ["07:00 bp 130/80", "07:01 bp 130/80", "20:00 bp 130/80", "20:01 bp 130/80"]
FIRST = ["07:00 bp 150/95", "07:01 bp 150/95", "20:00 bp 150/95", "20:01 bp 150/95"]


def week(days: int) -> list[CuffReading]:
    """So many days with four readings each; the first is 20/15 mmHg higher than the others."""
    first = [f"-{days - 1}d {line}" for line in FIRST]
    return cuff(*first, *every_day(TWICE, first=days - 2) if days > 1 else [])


@pytest.mark.parametrize(
    ("protocol", "days", "n", "systolic", "is_"),
    [
        # nothing dropped: (4 * 150 + 24 * 130) / 28
        ("CN2025", 7, 28, 3720 / 28, Standing.VALID),
        ("CN2025", 3, 12, (600 + 8 * 130) / 12, Standing.VALID),
        ("CN2025", 2, 8, 140, Standing.PRELIMINARY),
        # day 1 dropped
        ("CN2019", 7, 24, 130, Standing.VALID),
        ("CN2019", 3, 8, 130, Standing.VALID),
        ("CN2019", 2, 4, 130, Standing.INSUFFICIENT),
        ("NICE", 7, 24, 130, Standing.VALID),
        ("NICE", 4, 12, 130, Standing.VALID),
        ("NICE", 3, 8, 130, Standing.PRELIMINARY),
        ("TW722", 4, 12, 130, Standing.VALID),
        ("TW722", 3, 8, 130, Standing.PRELIMINARY),
    ],
)
def test_the_same_days_have_another_mean_by_another_guideline(
    protocol: str, days: int, n: int, systolic: float, is_: Standing
) -> None:
    found = block(week(days), last_day=TODAY, zone=SHANGHAI, protocol=PROTOCOLS[protocol])
    assert (found.protocol, found.n, found.standing) == (protocol, n, is_)
    assert found.systolic == pytest.approx(systolic)


@pytest.mark.parametrize("protocol", [each for each in PROTOCOLS.values() if each.drops_first_day])
def test_a_block_says_which_day_it_dropped(protocol: Protocol) -> None:
    found = block(week(5), last_day=TODAY, zone=SHANGHAI, protocol=protocol)
    assert (found.dropped, found.n_dropped) == (TODAY - timedelta(days=4), 4)
    assert found.days == 4


@pytest.mark.parametrize("protocol", [each for each in PROTOCOLS.values() if each.drops_first_day])
def test_of_a_single_day_that_is_dropped_nothing_is_left(protocol: Protocol) -> None:
    found = block(week(1), last_day=TODAY, zone=SHANGHAI, protocol=protocol)
    assert (found.n, found.standing) == (0, Standing.INSUFFICIENT)
    assert math.isnan(found.systolic)


def test_a_block_that_began_before_the_window_loses_no_day_of_it() -> None:
    dated = [(local_day(each.at, SHANGHAI), each) for each in week(7)]
    begun = TODAY - timedelta(days=20)
    found = dated_block(dated, last_day=TODAY, protocol=PROTOCOLS["CN2019"], begun=begun)
    assert (found.dropped, found.n) == (None, 28)


def test_the_chinese_default_drops_nothing() -> None:
    assert not CN2025.drops_first_day
    assert next(iter(PROTOCOLS)) == "CN2025"
