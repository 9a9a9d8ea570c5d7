"""People's words: a text in Chinese and English, and how times, values and kinds are written.

Every text that a rule or a report says exists in both languages; the reader's locale picks one.
May hold: the pair of texts and the writing of numbers, moments and units. May not: thresholds,
medical judgement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_TEXT, Unit

LOCALES = ("zh", "en")

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One text in both languages."""

    zh: str
    en: str

    def to(self, locale: str) -> str:
        """The text for a reader's locale ("zh-CN", "en", …): Chinese unless English is asked."""
        return self.en if locale.lower().startswith("en") else self.zh

    def document(self) -> dict[str, str]:
        """The pair as it stands in JSON."""
        return {"zh": self.zh, "en": self.en}


def said_of(document: Mapping[str, str]) -> Said:
    """The pair from its JSON."""
    return Said(zh=document["zh"], en=document["en"])


def same(text: str) -> Said:
    """A text that is the same in both languages: a number, a code."""
    return Said(zh=text, en=text)


def joined(parts: list[Said], *, zh: str = "、", en: str = ", ") -> Said:
    """Several texts as one enumeration."""
    return Said(zh=zh.join(each.zh for each in parts), en=en.join(each.en for each in parts))


def local(at: datetime, zone: str) -> datetime:
    """The moment on the patient's wall clock."""
    return at.astimezone(ZoneInfo(zone))


def day_text(day: date) -> Said:
    """A day without its year: 11月22日, 22 Nov."""
    return Said(zh=f"{day.month}月{day.day}日", en=f"{day.day} {_MONTHS[day.month - 1]}")


def moment_text(at: datetime, zone: str) -> Said:
    """A moment on the patient's wall clock: 11月22日14:05, 22 Nov 14:05."""
    there = local(at, zone)
    day = day_text(there.date())
    return Said(zh=f"{day.zh}{there:%H:%M}", en=f"{day.en} {there:%H:%M}")


def age_text(age: timedelta) -> Said:
    """How long ago, roughly: 25分钟 / 3小时 / 4天."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return Said(zh=f"{minutes}分钟", en=f"{minutes} min")
    if minutes < 48 * 60:
        return Said(zh=f"{minutes // 60}小时", en=f"{minutes // 60} h")
    return Said(zh=f"{minutes // 1440}天", en=f"{minutes // 1440} days")


def value_text(kind: Kind, value: float, unit: Unit) -> str:
    """A measured value with the decimals of its kind and unit, without the unit."""
    return f"{value:.{VITALS[kind].scale(unit).decimals}f}"


def unit_text(unit: Unit) -> str:
    """How people read a unit: mm[Hg] is mmHg."""
    return UNIT_TEXT[unit]


def number_text(value: float) -> str:
    """A computed number (a mean, a slope) with one decimal."""
    # -0.04 would print as "-0.0"
    return f"{round(value, 1) + 0.0:.1f}"


def kind_text(kind: Kind) -> Said:
    """What a kind of measurement is called; a cuff's kinds are all blood pressure."""
    if kind in (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.MEAN_ARTERIAL_PRESSURE):
        return Said(zh="血压", en="blood pressure")
    row = VITALS[kind]
    return Said(zh=row.zh, en=row.en if row.en.isupper() or kind is Kind.SPO2 else row.en.lower())
