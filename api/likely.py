"""Whose a reading probably is, and why: by usual values, usual hours, last uses of a number.

A guess for a person to confirm, never an assignment: a button stands larger, nothing else. It names
somebody only with a clear lead, and counts a guest among those it may have been; a value that fits
nobody, such as a dangerous one, names nobody. Each hint's likelihood is multiplied (naive Bayes),
weakened where hints depend on each other, as systolic and diastolic do. All numbers below are
engineering choices, none is of medicine. May hold: this guess. May not: clocks, SQL, words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import atan2 as angle_of
from math import cos, exp, fsum, log, pi, sin, sqrt, tau
from zoneinfo import ZoneInfo

from store.inbox import UsualDay
from store.measurements import Stored
from vitals.kinds import Kind
from vitals.units import Unit, convert

# days over which is looked at what is usual
USUAL_DAYS = 90
# readings from which on somebody's own values count, and moments from which on the hours do
LEAST = 5
# the lead over the second, in probability, with which somebody is named
LEAD = 0.4
# how often a reading is a guest's
GUEST = 0.05
# uses of a number count as at most so many, so that a household may change
MOST_USES = 10
# the part of somebody's readings that fit no habit
_UNUSUAL = 0.05
_UNUSUAL_HOUR = 0.2
# hours; how far around a usual hour a reading is still usual
_HOUR_SD = 1.0
# how much the hour counts beside the values: it depends on the day
_HOUR_WEIGHT = 0.5
# hours around a reading, and the part of all moments in them, for "usually at about …"
_NEAR_H, _OFTEN = 2.0, 0.25
# standard deviations within which a value is told as the reason
_FITS = 1.5
# uses, and their part of all, for "used this number the last times"
_USED, _USED_PART = 3, 0.6
_DAY_H = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a kind is spread, in one unit: over a day or two in a person at least, and over people.

    `weight`: how much it counts, since values of one reading depend on each other.
    """

    unit: Unit
    least_sd: float
    people_mean: float
    people_sd: float
    weight: float


# Temperature, ketone, steps and sleep tell people apart too little to stand here. In the order in
# which they are told as a reason.
SPREADS: dict[Kind, Spread] = {
    Kind.WEIGHT: Spread(
        unit=Unit.KG, least_sd=0.8, people_mean=65, people_sd=14, weight=1.0
    ),
    Kind.SYSTOLIC: Spread(
        unit=Unit.MMHG, least_sd=6, people_mean=130, people_sd=22, weight=0.7
    ),
    Kind.GLUCOSE: Spread(
        unit=Unit.MMOL_PER_L, least_sd=1.0, people_mean=7.5, people_sd=3, weight=0.5
    ),
    Kind.DIASTOLIC: Spread(
        unit=Unit.MMHG, least_sd=4, people_mean=78, people_sd=13, weight=0.5
    ),
    Kind.PULSE: Spread(
        unit=Unit.PER_MINUTE, least_sd=5, people_mean=72, people_sd=13, weight=0.5
    ),
    Kind.HEART_RATE: Spread(
        unit=Unit.PER_MINUTE, least_sd=8, people_mean=75, people_sd=15, weight=0.3
    ),
    Kind.SPO2: Spread(unit=Unit.PERCENT, least_sd=1, people_mean=96, people_sd=3, weight=0.3),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Mean and standard deviation of `n` readings, in the unit of SPREADS."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What is usual for one person: values by kind, and the local hours of measuring (0-24)."""

    patient_id: int
    zone: ZoneInfo
    values: Mapping[Kind, Usual] = field(default_factory=dict)
    hours: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How probable it is that a reading is this patient's; None: a guest's."""

    patient_id: int | None
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why somebody is named: an hour at which they usually measure, a value that is usual, uses.

    `mean` is in the unit of SPREADS. What is None or 0 is no reason.
    """

    hour: int | None = None
    kind: Kind | None = None
    mean: float | None = None
    uses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Chances of everybody and of a guest, the likeliest first; they sum to 1.

    `named` is who leads clearly, None where it is not sure.
    """

    chances: tuple[Chance, ...]
    named: int | None = None
    reason: Reason = field(default_factory=Reason)


def habit(patient_id: int, days: Iterable[UsualDay], *, zone: ZoneInfo) -> Habit:
    """What is usual for a person by their days; days of others are passed over."""
    own = [each for each in days if each.patient_id == patient_id and each.kind in SPREADS]
    kinds = {each.kind for each in own}
    moments = sorted({moment for each in own for moment in (each.first_at, each.last_at)})
    return Habit(
        patient_id=patient_id,
        zone=zone,
        values={
            kind: _usual([each for each in own if each.kind == kind], SPREADS[kind].unit)
            for kind in kinds
        },
        hours=tuple(_hour(moment, zone) for moment in moments),
    )


def guess(
    values: Mapping[Kind, Stored],
    *,
    at: datetime | None,
    habits: Sequence[Habit],
    uses: Mapping[int, int],
) -> Guess:
    """Whose the values of one reading probably are.

    `at` is when they were measured, None where the clock is in doubt; `uses` how many of the last
    readings of the same number of the device were each patient's.
    """
    seen = _in_units(values)
    scores: dict[int | None, float] = {None: log(GUEST) + _of_people(seen)}
    scores |= {
        each.patient_id: log((1 - GUEST) * _prior(each.patient_id, habits, uses))
        + _of_values(seen, each)
        + _of_hour(at, each)
        for each in habits
    }
    chances = _normal(scores)
    first, second = (*chances, Chance(patient_id=None, probability=0.0))[:2]
    if first.patient_id is None or first.probability - second.probability < LEAD:
        return Guess(chances=chances)
    (named,) = (each for each in habits if each.patient_id == first.patient_id)
    return Guess(chances=chances, named=named.patient_id, reason=_reason(seen, at, named, uses))


# -- hints -----------------------------------------------------------------------------------------


def _prior(patient_id: int, habits: Sequence[Habit], uses: Mapping[int, int]) -> float:
    """The share of the last uses, with one use lent to everybody: nobody is ruled out."""
    counts = {each.patient_id: uses.get(each.patient_id, 0) for each in habits}
    total = sum(counts.values())
    counted = min(total, MOST_USES)
    share = counts[patient_id] / total if total else 0.0
    return (counted * share + 1) / (counted + len(habits))


def _of_values(seen: Mapping[Kind, float], person: Habit) -> float:
    return fsum(
        SPREADS[kind].weight * log(_density(value, SPREADS[kind], person.values.get(kind)))
        for kind, value in seen.items()
    )


def _of_people(seen: Mapping[Kind, float]) -> float:
    hour = _HOUR_WEIGHT * log(1 / _DAY_H)
    return hour + fsum(
        SPREADS[kind].weight * log(_density(value, SPREADS[kind], None))
        for kind, value in seen.items()
    )


def _density(value: float, spread: Spread, usual: Usual | None) -> float:
    people = _bell(value, spread.people_mean, spread.people_sd)
    if usual is None or usual.n < LEAST:
        return people
    own = _bell(value, usual.mean, _sd(usual, spread))
    return (1 - _UNUSUAL) * own + _UNUSUAL * people


def _sd(usual: Usual, spread: Spread) -> float:
    # the mean of few readings is itself in doubt
    return max(usual.sd, spread.least_sd) * sqrt(1 + 1 / usual.n)


def _of_hour(at: datetime | None, person: Habit) -> float:
    even = 1 / _DAY_H
    if at is None or len(person.hours) < LEAST:
        return _HOUR_WEIGHT * log(even)
    hour = _hour(at, person.zone)
    own = fsum(_bell(_apart(hour, each), 0, _HOUR_SD) for each in person.hours)
    density = (1 - _UNUSUAL_HOUR) * own / len(person.hours) + _UNUSUAL_HOUR * even
    return _HOUR_WEIGHT * log(density)


def _reason(
    seen: Mapping[Kind, float], at: datetime | None, person: Habit, uses: Mapping[int, int]
) -> Reason:
    fitting = [
        (kind, person.values[kind].mean)
        for kind, spread in SPREADS.items()
        if kind in seen
        and kind in person.values
        and person.values[kind].n >= LEAST
        and abs(seen[kind] - person.values[kind].mean) <= _FITS * _sd(person.values[kind], spread)
    ]
    kind, mean = fitting[0] if fitting else (None, None)
    own, total = uses.get(person.patient_id, 0), sum(uses.values())
    return Reason(
        hour=_usual_hour(at, person),
        kind=kind,
        mean=mean,
        uses=own if own >= _USED and own >= _USED_PART * total else 0,
    )


def _usual_hour(at: datetime | None, person: Habit) -> int | None:
    """The full hour around which this person often measures, near the moment."""
    if at is None or len(person.hours) < LEAST:
        return None
    hour = _hour(at, person.zone)
    near = [each for each in person.hours if abs(_apart(hour, each)) <= _NEAR_H]
    if len(near) < _OFTEN * len(person.hours):
        return None
    angles = [each / _DAY_H * tau for each in near]
    mean = angle_of(fsum(map(sin, angles)), fsum(map(cos, angles)))
    return round(mean / tau * _DAY_H) % 24


# -- numbers ---------------------------------------------------------------------------------------


def _usual(days: Sequence[UsualDay], unit: Unit) -> Usual:
    """Mean and spread over days: between their means, and within each by its lowest and highest.

    Two values of a day lie half their distance from its mean, so their variance is distance² / 4;
    more are taken as spread evenly, distance² / 12.
    """
    parts = []
    for each in days:
        distance = convert(each.max, each.unit, unit) - convert(each.min, each.unit, unit)
        within = distance**2 / (4 if each.n <= 2 else 12)
        parts.append((each.n, convert(each.sum / each.n, each.unit, unit), within))
    n = sum(count for count, _, _ in parts)
    mean = fsum(count * middle for count, middle, _ in parts) / n
    variance = fsum(count * ((middle - mean) ** 2 + within) for count, middle, within in parts) / n
    return Usual(mean=mean, sd=sqrt(variance), n=n)


def _in_units(values: Mapping[Kind, Stored]) -> dict[Kind, float]:
    return {
        kind: convert(values[kind].value, values[kind].unit, spread.unit)
        for kind, spread in SPREADS.items()
        if kind in values
    }


def _normal(scores: Mapping[int | None, float]) -> tuple[Chance, ...]:
    """Chances from logarithms, the likeliest first, a guest last among equals."""
    top = max(scores.values())
    parts = {who: exp(score - top) for who, score in scores.items()}
    total = fsum(parts.values())
    found = [Chance(patient_id=who, probability=part / total) for who, part in parts.items()]
    return tuple(
        sorted(
            found,
            key=lambda each: (-each.probability, each.patient_id is None, each.patient_id or 0),
        )
    )


def _bell(value: float, mean: float, sd: float) -> float:
    # nothing is impossible: the logarithm of 0 would be
    return max(exp(-(((value - mean) / sd) ** 2) / 2) / (sd * sqrt(2 * pi)), 1e-12)


def _hour(moment: datetime, zone: ZoneInfo) -> float:
    local = moment.astimezone(zone)
    return local.hour + local.minute / 60


def _apart(one: float, other: float) -> float:
    """Hours between two times of the day, by the shorter way: 23:30 and 0:30 are one hour apart."""
    return (one - other + _DAY_H / 2) % _DAY_H - _DAY_H / 2
