"""Times in words, in the patient's zone: "今天 07:12", "2 小时前". Pure: `now` is an argument.

A page always says when its newest number was measured, in the days of the person who was measured,
whoever reads it and wherever. May hold: wording of moments, days and ages. May not: clocks.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS_ZH = "一二三四五六日"
# the parts of a day, each until an hour
_PARTS_ZH = ((5, "凌晨"), (9, "早上"), (11, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_chinese(locale: str) -> bool:
    """Chinese is the default: only a locale that says English is English."""
    return not locale.lower().startswith("en")


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day of a moment in a zone."""
    return at.astimezone(zone).date()


def clock_time(at: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes in a zone: "07:12"."""
    return at.astimezone(zone).strftime("%H:%M")


def hour_of_day(hour: int, *, locale: str) -> str:
    """A full hour as people say it: "早上 7 点", "around 7:00"."""
    if not is_chinese(locale):
        return f"around {hour}:00"
    part = next(name for until, name in _PARTS_ZH if hour < until)
    return f"{part} {hour if hour <= 12 else hour - 12} 点"


def when(at: datetime, *, now: datetime, zone: ZoneInfo, locale: str) -> str:
    """A moment as people say it: "今天 07:12", "yesterday 21:03", "11月3日 07:12"."""
    days_ago = (local_day(now, zone) - local_day(at, zone)).days
    near = {0: ("今天", "today"), 1: ("昨天", "yesterday"), -1: ("明天", "tomorrow")}.get(days_ago)
    if near:
        named = near[0] if is_chinese(locale) else near[1]
    else:
        named = day(local_day(at, zone), locale=locale, year=local_day(now, zone).year)
    return f"{named} {clock_time(at, zone)}"


def day(on: date, *, locale: str, year: int | None = None) -> str:
    """A day: "11月3日" or "3 Nov", with the year where it is not the given one."""
    with_year = year is not None and on.year != year
    if is_chinese(locale):
        return (f"{on.year}年" if with_year else "") + f"{on.month}月{on.day}日"
    return f"{on.day} {_MONTHS[on.month - 1]}" + (f" {on.year}" if with_year else "")


def weekday(on: date, *, locale: str) -> str:
    """The day of the week: "星期日" or "Sun"."""
    if is_chinese(locale):
        return f"星期{_WEEKDAYS_ZH[on.weekday()]}"
    return _WEEKDAYS_EN[on.weekday()]


def age(span: timedelta, *, locale: str) -> str:
    """How long ago, rounded down: "刚刚", "5 分钟前", "3 小时前", "2 天前"."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "刚刚" if is_chinese(locale) else "just now"
    hours, days = minutes // 60, minutes // (24 * 60)
    if hours < 1:
        return f"{minutes} 分钟前" if is_chinese(locale) else f"{minutes} min ago"
    if days < 2:
        return f"{hours} 小时前" if is_chinese(locale) else f"{hours} h ago"
    return f"{days} 天前" if is_chinese(locale) else f"{days} days ago"
