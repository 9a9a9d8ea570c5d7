"""Which rules concern a patient: by locale, conditions, age, and the targets that the doctor set.

A pack's international variant holds the rules that differ; they take the place of those of the same
name for a patient whose locale is not Chinese, and never run beside them.

A pack with `conditions` is for those of whom one of its words is written ("慢性心力衰竭" holds
"心力衰竭"); an age that nobody wrote down is no age. May hold: this choice. May not: judging.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from rules.history import Patient, local_day
from rules.pack import Pack, Rule


def of_locale(packs: Sequence[Pack], patient: Patient) -> tuple[Pack, ...]:
    """The packs as they are where this patient lives: the zh-CN default, or international."""
    if patient.locale.lower().startswith("zh"):
        return tuple(packs)
    return tuple(map(_abroad, packs))


def _abroad(pack: Pack) -> Pack:
    there = pack.international
    if there is None:
        return pack
    instead = {rule.id: rule for rule in there.rules}
    rules = tuple(instead.get(rule.id, rule) for rule in pack.rules)
    return replace(
        pack, locale=there.locale, version=there.version, rules=rules, international=None
    )


def concerning(
    packs: Sequence[Pack], patient: Patient, now: datetime
) -> Iterator[tuple[Pack, Rule]]:
    """The rules that are for this patient now, each with its pack."""
    today = local_day(now, patient.timezone)
    for pack in of_locale(packs, patient):
        if _has_condition(pack, patient):
            yield from ((pack, rule) for rule in pack.rules if _is_for(rule, patient, today))


def _has_condition(pack: Pack, patient: Patient) -> bool:
    said = " / ".join(patient.conditions).casefold()
    return not pack.conditions or any(each.casefold() in said for each in pack.conditions)


def _is_for(rule: Rule, patient: Patient, today: date) -> bool:
    if rule.with_target and rule.with_target not in patient.targets:
        return False
    if rule.without_target and rule.without_target in patient.targets:
        return False
    return not rule.from_age or _age(patient.born_on, today) >= rule.from_age


def _age(born_on: date | None, today: date) -> int:
    if born_on is None:
        return 0
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
