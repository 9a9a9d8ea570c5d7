"""The words of the pages, Chinese and English, as one table.

What a rule, a report or a plan says comes with its own words; here stands only what the pages add.
Wording follows clinical reference §7: sums up, points out, suggests asking the doctor; never
diagnoses, never advises a drug. May hold: the look-up; the words
stand in `vocabulary/`. May not: formatting of numbers.
"""

from api.moment import is_chinese
from api.vocabulary import (
    devices,
    doctor,
    family,
    frame,
    gateway,
    inbox,
    kinds,
    patient,
    quarantine,
)

# the first is the default
LOCALES = ("zh-CN", "en")


def say(key: str, locale: str, **parts: object) -> str:
    """The words of a key in a language, with the parts put in."""
    zh, en = WORDS[key]
    text = zh if is_chinese(locale) else en
    return text.format(**parts) if parts else text


def unit_in(locale: str, unit: str) -> str:
    """A unit as people of a language write it."""
    return kinds.UNITS_ZH.get(unit, unit) if is_chinese(locale) else unit


def _joined(*parts: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """All words together. Raises ValueError where two pages call different words the same."""
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        if twice := found.keys() & part.keys():
            raise ValueError(f"these words are there twice: {', '.join(sorted(twice))}")
        found |= part
    return found


WORDS: dict[str, tuple[str, str]] = _joined(
    frame.FRAME,
    frame.DOORS,
    frame.ERRORS,
    kinds.KINDS,
    patient.PATIENT,
    family.FAMILY,
    doctor.DOCTOR,
    inbox.INBOX,
    inbox.USERS,
    quarantine.QUARANTINE,
    devices.DEVICES,
    devices.ADDING,
    devices.FAILURES,
    devices.REMOVING,
    gateway.GATEWAY,
)
