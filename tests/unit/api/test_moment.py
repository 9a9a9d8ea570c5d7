"""Times in words, in the days of the person who was measured."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.moment import age, day, hour_of_day, is_chinese, weekday, when

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
# 12:30 in Shanghai on Sunday 22 November 2026
NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zh", "en"),
    [
        (datetime(2026, 11, 22, 4, 30, tzinfo=UTC), "今天 12:30", "today 12:30"),
        # midnight in Shanghai is 16:00 the day before in UTC
        (datetime(2026, 11, 21, 16, 0, tzinfo=UTC), "今天 00:00", "today 00:00"),
        (datetime(2026, 11, 21, 15, 59, tzinfo=UTC), "昨天 23:59", "yesterday 23:59"),
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), "明天 07:00", "tomorrow 07:00"),
        (datetime(2026, 11, 3, 1, 0, tzinfo=UTC), "11月3日 09:00", "3 Nov 09:00"),
        (datetime(2025, 12, 31, 1, 0, tzinfo=UTC), "2025年12月31日 09:00", "31 Dec 2025 09:00"),
    ],
)
def test_a_moment_is_said_in_the_patients_days(at: datetime, zh: str, en: str) -> None:
    assert when(at, now=NOW, zone=SHANGHAI, locale="zh-CN") == zh
    assert when(at, now=NOW, zone=SHANGHAI, locale="en") == en


def test_the_same_moment_is_another_day_elsewhere() -> None:
    at = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
    assert when(at, now=NOW, zone=SHANGHAI, locale="en") == "today 06:00"
    assert when(at, now=NOW, zone=BERLIN, locale="en") == "yesterday 23:00"


@pytest.mark.parametrize(
    ("span", "zh", "en"),
    [
        (timedelta(seconds=59), "刚刚", "just now"),
        (timedelta(minutes=1), "1 分钟前", "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 分钟前", "59 min ago"),
        (timedelta(hours=1), "1 小时前", "1 h ago"),
        (timedelta(hours=47, minutes=59), "47 小时前", "47 h ago"),
        (timedelta(days=2), "2 天前", "2 days ago"),
    ],
)
def test_an_age_is_rounded_down(span: timedelta, zh: str, en: str) -> None:
    assert age(span, locale="zh-CN") == zh
    assert age(span, locale="en") == en


def test_days_and_weekdays_have_both_languages() -> None:
    sunday = date(2026, 11, 22)
    assert (day(sunday, locale="zh-CN"), day(sunday, locale="en")) == ("11月22日", "22 Nov")
    assert weekday(sunday, locale="zh-CN") == "星期日"
    assert weekday(sunday, locale="en") == "Sun"


@pytest.mark.parametrize(
    ("locale", "chinese"),
    [("zh-CN", True), ("", True), ("fr", True), ("en", False), ("EN-gb", False)],
)
def test_chinese_is_the_default(locale: str, chinese: bool) -> None:
    assert is_chinese(locale) is chinese


@pytest.mark.parametrize(
    ("hour", "zh", "en"),
    [
        (0, "凌晨 0 点", "around 0:00"),
        (5, "早上 5 点", "around 5:00"),
        (7, "早上 7 点", "around 7:00"),
        (12, "中午 12 点", "around 12:00"),
        (13, "下午 1 点", "around 13:00"),
        (20, "晚上 8 点", "around 20:00"),
    ],
)
def test_a_full_hour_is_said_as_people_say_it(hour: int, zh: str, en: str) -> None:
    assert hour_of_day(hour, locale="zh-CN") == zh
    assert hour_of_day(hour, locale="en") == en
