"""What keeps a gateway from working, and how to mend it: judged from facts that were gathered.

May hold: this judgement. May not: looking at anything (`examination.py`), the rows of the table
(`ailments.py`).
"""

from dataclasses import dataclass

from gateway_agent.ailments import CHECKS, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One problem and its remedy, in one language."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend."""

    key: str
    zh: Said
    en: Said


def examine(facts: Facts) -> list[Problem]:
    """All problems, in the order in which to mend them."""
    found = []
    for check in CHECKS:
        parts = check.wrong(facts)
        if parts is not None:
            zh, en = ([each.format(**parts) for each in words] for words in (check.zh, check.en))
            found.append(
                Problem(
                    key=check.key,
                    zh=Said(problem=zh[0], remedy=zh[1]),
                    en=Said(problem=en[0], remedy=en[1]),
                )
            )
    return found
