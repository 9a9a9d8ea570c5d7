"""The mean of cuff readings over several days: a guideline's protocol block, or a short window.

With `protocol` the block is that protocol's and must have the `standing` the rule asks for (valid,
or preliminary); without, the rule's own `window_days`, `min_days` and `min_readings` hold. One mark
a measured day.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from rules.episode import Level, Mark, episodes
from rules.finding import Evidence
from rules.history import CuffReading, History
from rules.metrics.blood_pressure import DayMean, day_means
from rules.metrics.home_protocol import PROTOCOLS, Block, Protocol, Standing, dated_block
from rules.pack import Rule
from rules.personal import with_targets
from rules.seen import MAX_EVIDENCE, Seen, beyond, fires, is_clear, pressures
from rules.words import day_text, number_text, same
from vitals.kinds import Kind
from vitals.units import Unit


def mean_of_block(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of blocks beyond the limits."""
    rule = with_targets(rule, history.patient)
    readings, zone = history.cuff(), history.patient.timezone
    protocol = PROTOCOLS.get(rule.protocol) or _own_protocol(rule)
    dated = [(history.day_of(each.at), each) for each in readings]
    last_at: dict[date, datetime] = {day: each.at for day, each in dated}
    first_at: dict[date, datetime] = {day: each.at for day, each in reversed(dated)}
    marks = []
    for day, at in sorted(last_at.items()):
        newest = bisect_right(dated, day, key=lambda pair: pair[0])
        first = day - timedelta(days=protocol.window_days)
        oldest = bisect_right(dated, first, key=lambda pair: pair[0])
        found = dated_block(dated[oldest:newest], last_day=day, protocol=protocol)
        marks.append(Mark(at=at, level=_level(rule, found), seen=found, since=first_at[day]))
    for episode in episodes(marks, gap=timedelta(hours=rule.stale_h)):
        found = episode.firing[-1].seen
        yield _seen(
            rule,
            found,
            _days(readings, found, zone),
            last_at,
            started_at=episode.started_at,
            ended_at=episode.ended_by.at if episode.ended_by else None,
        )


def _own_protocol(rule: Rule) -> Protocol:
    return Protocol(
        id="",
        window_days=rule.window_days,
        min_days=rule.min_days,
        min_readings=rule.min_readings,
        preliminary_readings=rule.min_readings,
        drops_first_day=False,
    )


def _level(rule: Rule, found: Block) -> Level:
    enough = {Standing.VALID.value, rule.standing}
    if found.standing.value not in enough:
        return Level.BETWEEN
    values = pressures(found.systolic, found.diastolic)
    if is_clear(rule, values):
        return Level.CLEAR
    # a high that has become valid is told by the rule for valid blocks; the preliminary one waits
    if found.standing.value != rule.standing:
        return Level.BETWEEN
    return Level.FIRING if fires(rule, values) else Level.BETWEEN


def _days(readings: Sequence[CuffReading], found: Block, zone: str) -> list[DayMean]:
    return [
        each for each in day_means(readings, zone) if found.first_day <= each.day <= found.last_day
    ]


def _seen(
    rule: Rule,
    found: Block,
    days: list[DayMean],
    last_at: dict[date, datetime],
    *,
    started_at: datetime,
    ended_at: datetime | None,
) -> Seen:
    limits = {limit.kind: limit.number(Unit.MMHG) for limit in rule.when}
    # a rule may look at one of the two only
    systolic, diastolic = limits.get(Kind.SYSTOLIC), limits.get(Kind.DIASTOLIC)
    return Seen(
        started_at=started_at,
        at=last_at[found.last_day],
        ended_at=ended_at,
        severity=rule.severity,
        numbers={
            "systolic": round(found.systolic, 4),
            "diastolic": round(found.diastolic, 4),
            "n": found.n,
            "days": found.days,
            "protocol": found.protocol,
            "standing": found.standing.value,
            **{
                f"limit_{kind}": limits[kind]
                for kind in (Kind.SYSTOLIC, Kind.DIASTOLIC)
                if kind in limits
            },
            "beyond": round(beyond(rule, pressures(found.systolic, found.diastolic)), 4),
        },
        texts={
            "systolic": same(number_text(found.systolic)),
            "diastolic": same(number_text(found.diastolic)),
            "n": same(str(found.n)),
            "days": same(str(found.days)),
            "limit_systolic": same(_limit_text(systolic)),
            "limit_diastolic": same(_limit_text(diastolic)),
            "from": day_text(days[0].day),
            "to": day_text(days[-1].day),
        },
        evidence=_evidence(days, last_at),
    )


def _limit_text(limit: float | None) -> str:
    return "-" if limit is None else f"{limit:.0f}"


def _evidence(days: list[DayMean], last_at: dict[date, datetime]) -> tuple[Evidence, ...]:
    found = [
        Evidence(at=last_at[each.day], kind=kind, value=round(value, 1), unit=Unit.MMHG, n=each.n)
        for each in days
        for kind, value in ((Kind.SYSTOLIC, each.systolic), (Kind.DIASTOLIC, each.diastolic))
    ]
    return tuple(found[-MAX_EVIDENCE:])
