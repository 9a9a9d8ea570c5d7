"""Numbers of readings that are counted by the day rise with the day and are what they say."""

from datetime import UTC, date, datetime

import pytest

from gateway_agent.drivers.day_number import What, day_number, day_of, is_news

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)


def test_a_number_rises_with_the_day_and_within_it_with_what_it_counts() -> None:
    numbers = [
        day_number(day, what, part)
        for day in (TODAY, TOMORROW)
        for what in What
        for part in (0, 1439)
    ]
    assert numbers == sorted(set(numbers))
    assert {day_of(each) for each in numbers} == {TODAY, TOMORROW}


def test_a_number_lies_above_every_moment_in_ms_and_fits_the_database() -> None:
    in_2100 = datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000
    assert in_2100 < day_number(TODAY, What.PULSE, 0) < 2**63
    assert day_of(round(in_2100)) is None
    assert day_of(None) is None
    assert day_of(2**62) is None


def test_more_steps_than_twenty_bits_are_the_most_there_can_be() -> None:
    most = day_number(TODAY, What.STEPS, 2**32)
    assert day_of(most) == TODAY
    assert most < day_number(TOMORROW, What.PULSE, 0)


@pytest.mark.parametrize(
    ("total", "last", "news"),
    [
        (0, None, True),
        (101, day_number(TODAY, What.STEPS, 100), True),
        (100, day_number(TODAY, What.STEPS, 100), False),
        # counted anew after a restart: the day keeps its highest
        (99, day_number(TODAY, What.STEPS, 100), False),
        # midnight
        (0, day_number(date(2026, 11, 21), What.STEPS, 100), True),
        # its clock was wrong when it was read last
        (5, day_number(date(2030, 1, 1), What.STEPS, 100), True),
        (5, day_number(TODAY, What.PULSE, 100), True),
        (5, 1_795_306_500_000, True),
    ],
)
def test_a_total_is_news_where_it_says_more_than_what_is_on_disk(
    total: int, last: int | None, news: bool
) -> None:
    assert is_news(total, TODAY, last) is news
