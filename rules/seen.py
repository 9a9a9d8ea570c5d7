"""What an evaluator hands back: what it saw, before it is put into words and becomes a Finding.

May hold: the noun and the pieces that evaluators share. May not: judgement.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.finding import Evidence, Number
from rules.history import CuffReading, History, Point
from rules.pack import Limit, Rule
from rules.words import Said
from vitals.kinds import Kind
from vitals.units import Unit, convert

# no more pieces of evidence than this stand in a finding: the newest, which a person will read
MAX_EVIDENCE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One episode as an evaluator saw it. `texts` fill the placeholders of the rule's words.

    `later` tells what came after, where that ended the episode. `name` names the episode where its
    beginning would not.
    """

    started_at: datetime
    at: datetime
    ended_at: datetime | None
    severity: int
    numbers: Mapping[str, Number]
    texts: Mapping[str, Said]
    evidence: tuple[Evidence, ...]
    later: Said | None = None
    name: str = ""


Evaluator = Callable[[Rule, History, datetime], Iterable[Seen]]


def fires(rule: Rule, values: Mapping[Kind, tuple[float, Unit]]) -> bool:
    """Does any `when` hold and no `unless`?"""
    return _any(rule.when, values) and not _any(rule.unless, values)


def is_clear(rule: Rule, values: Mapping[Kind, tuple[float, Unit]]) -> bool:
    """Do all `clear` limits hold?"""
    return bool(rule.clear) and all(each.holds(*values[each.kind]) for each in rule.clear)


def beyond(rule: Rule, values: Mapping[Kind, tuple[float, Unit]]) -> float:
    """How far the worst value lies beyond its limit: mmol/L for glucose, mmHg, kg, Celsius."""
    return max(
        abs(_scale(limit, *values[limit.kind]) - limit.number(_scale_unit(limit)))
        for limit in rule.when
        if limit.holds(*values[limit.kind])
    )


def point_evidence(points: Iterable[Point]) -> tuple[Evidence, ...]:
    """Points as evidence: the newest of them."""
    found = [Evidence(at=p.at, kind=p.kind, value=p.value, unit=p.unit) for p in points]
    return tuple(found[-MAX_EVIDENCE:])


def cuff_evidence(readings: Iterable[CuffReading]) -> tuple[Evidence, ...]:
    """Cuff readings as evidence, a systolic and a diastolic each: the newest of them."""
    found = [
        Evidence(at=each.at, kind=kind, value=round(value, 1), unit=Unit.MMHG)
        for each in readings
        for kind, value in ((Kind.SYSTOLIC, each.systolic), (Kind.DIASTOLIC, each.diastolic))
    ]
    return tuple(found[-MAX_EVIDENCE:])


def pressures(systolic: float, diastolic: float) -> dict[Kind, tuple[float, Unit]]:
    """Two pressures in mmHg as limits want them."""
    return {Kind.SYSTOLIC: (systolic, Unit.MMHG), Kind.DIASTOLIC: (diastolic, Unit.MMHG)}


def _any(limits: tuple[Limit, ...], values: Mapping[Kind, tuple[float, Unit]]) -> bool:
    return any(each.holds(*values[each.kind]) for each in limits)


def _scale(limit: Limit, value: float, unit: Unit) -> float:
    # only to say how far beyond: whether it is beyond was compared in the unit of the value
    return convert(value, unit, _scale_unit(limit))


def _scale_unit(limit: Limit) -> Unit:
    return Unit.MMOL_PER_L if limit.kind is Kind.GLUCOSE else next(iter(limit.by_unit))
