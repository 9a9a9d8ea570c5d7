"""What patients read of their plan."""

from datetime import UTC, date, datetime, time

import pytest
from care_plan_builders import schedule

from care_plans.schedule import outside_the_night, zone_of
from care_plans.words import day_text, limit_text, pressure_text, reminder_body, schedule_text


@pytest.mark.parametrize(
    ("weekdays", "readings", "zh", "en"),
    [
        (
            (1, 2, 3, 4, 5, 6, 7),
            2,
            "每天 07:00、20:00，每次测2遍",
            "every day at 07:00 and 20:00, 2 readings each",
        ),
        (
            (1, 3, 5),
            1,
            "每周一、三、五 07:00、20:00，每次测1遍",
            "Mon, Wed, Fri at 07:00 and 20:00, 1 reading each",
        ),
        (
            (7,),
            3,
            "每周日 07:00、20:00，每次测3遍",
            "Sun at 07:00 and 20:00, 3 readings each",
        ),
    ],
)
def test_a_schedule_reads_as_people_say_it(
    weekdays: tuple[int, ...], readings: int, zh: str, en: str
) -> None:
    text = schedule_text(schedule(weekdays=weekdays, readings=readings))
    assert (text.zh, text.en) == (zh, en)


def test_a_mean_just_below_the_limit_does_not_read_as_the_limit() -> None:
    assert pressure_text(134.7, 84.9) == "134.7/84.9"
    assert limit_text(135.0, 85.0) == "135/85"


def test_a_day_is_named_without_its_year() -> None:
    assert day_text(date(2026, 12, 6)).zh == "12月6日"
    assert day_text(date(2026, 12, 6)).en == "6 Dec"


def test_a_reminder_says_what_to_do_and_no_value() -> None:
    body = reminder_body([schedule(times=(time(7),))], link="/patient")
    assert body == {
        "title": {"zh": "该量血压了", "en": "Now: blood pressure"},
        "text": {"zh": "坐着休息5分钟。每次测2遍。", "en": "Sit and rest. Measure twice."},
        "link": "/patient",
    }


@pytest.mark.parametrize(
    ("told", "waits_until"),
    [
        ("2026-11-22T06:59", "2026-11-22T07:00"),
        ("2026-11-22T07:00", "2026-11-22T07:00"),
        ("2026-11-22T21:59", "2026-11-22T21:59"),
        ("2026-11-22T22:00", "2026-11-23T07:00"),
        ("2026-11-22T00:00", "2026-11-22T07:00"),
    ],
)
def test_news_about_a_plan_let_the_patient_sleep(told: str, waits_until: str) -> None:
    berlin = zone_of("Europe/Berlin")

    def utc(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=berlin).astimezone(UTC)

    assert outside_the_night(utc(told), berlin) == utc(waits_until)
