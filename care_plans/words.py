"""What patients and doctors read of a plan, in Chinese and English, with the numbers.

Nothing here speaks of drugs, doses, targets to be changed or diagnoses: the text may only say what
is measured when, and why. May hold: words, pure. May not: decisions.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from care_plans.plan import ProposalKind, Schedule, Words

_DAYS_ZH = "一二三四五六日"
_DAYS_EN = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

TITLES: Mapping[ProposalKind, Words] = {
    ProposalKind.BP_BLOCK: Words(zh="规范测量血压", en="A protocol block of blood pressure"),
    ProposalKind.BP_RELAX: Words(zh="恢复原来的测量安排", en="Back to the ordinary schedule"),
}


def schedule_text(schedule: Schedule) -> Words:
    """When a session is asked for: 每天 07:00、20:00，每次测2遍."""
    times = [each.strftime("%H:%M") for each in schedule.times]
    days = sorted(set(schedule.weekdays))
    if len(days) == 7:
        zh, en = "每天", "every day"
    else:
        zh = "每周" + "、".join(_DAYS_ZH[each - 1] for each in days)
        en = ", ".join(_DAYS_EN[each - 1] for each in days)
    readings = schedule.readings
    return Words(
        zh=f"{zh} {'、'.join(times)}，每次测{readings}遍",
        en=f"{en} at {' and '.join(times)}, {readings} reading{'s' if readings > 1 else ''} each",
    )


def day_text(day: date) -> Words:
    """A day without its year: 11月22日, 22 Nov."""
    return Words(zh=f"{day.month}月{day.day}日", en=f"{day.day} {_MONTHS[day.month - 1]}")


def pressure_text(systolic_mmhg: float, diastolic_mmhg: float) -> str:
    """A mean pressure with one decimal, so that 134.7 never reads as 135: 141.8/86.3."""
    return f"{systolic_mmhg:.1f}/{diastolic_mmhg:.1f}"


def limit_text(systolic_mmhg: float, diastolic_mmhg: float) -> str:
    """A limit as the guideline or the doctor wrote it: 135/85."""
    return f"{systolic_mmhg:g}/{diastolic_mmhg:g}"


def then(*parts: Words) -> Words:
    """Sentences one after another."""
    return Words(zh="".join(each.zh for each in parts), en=" ".join(each.en for each in parts))


def reminder_body(sessions: Sequence[Schedule], *, link: str) -> dict[str, object]:
    """The message of a reminder: what to do now, nothing about values."""
    return {
        "title": {
            "zh": "该" + "、".join(each.words.zh for each in sessions) + "了",
            "en": "Now: " + ", ".join(each.words.en.lower() for each in sessions),
        },
        "text": {
            "zh": " ".join(f"{each.hint.zh}每次测{each.readings}遍。" for each in sessions),
            "en": " ".join(f"{each.hint.en} {_times(each.readings)}." for each in sessions),
        },
        "link": link,
    }


def change_body(explained: Words, *, link: str) -> dict[str, object]:
    """The message that a patient's reminders have changed."""
    return {
        "title": {"zh": "测量提醒有变化", "en": "Your reminders have changed"},
        "text": explained.document(),
        "link": link,
    }


def _times(readings: int) -> str:
    return {1: "Measure once", 2: "Measure twice"}.get(readings, f"Measure {readings} times")
