"""The irregular-pulse mark of a cuff: in two of three readings of a sitting, or on several days.

A mark of a cuff is no diagnosis: in the study behind the rule 4 of 12 flagged people had atrial
fibrillation. The words ask for an ECG.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rules.episode import Level, Mark, episodes
from rules.history import CuffReading, History
from rules.metrics.blood_pressure import Session, sessions
from rules.pack import Rule
from rules.seen import Seen, cuff_evidence
from rules.words import same
from vitals.measurement import Flag

# share of a sitting's readings, "2 of 3": Microlife screening study, PMC4838727
_SHARE = 2 / 3


def irregular(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of irregular-pulse marks."""
    if not any(map(is_flagged, history.cuff())):
        return
    sittings = sessions(history.cuff())
    window = timedelta(days=rule.window_days)
    marks = []
    for found in sittings:
        at = found.readings[-1].at
        inside = tuple(
            reading
            for each in sittings
            for reading in each.readings
            if at - window < reading.at <= at
        )
        level = _level(rule, found, inside, history)
        marks.append(Mark(at=at, level=level, seen=inside, since=found.readings[0].at))
    for episode in episodes(marks, gap=timedelta(hours=rule.stale_h)):
        readings = episode.firing[-1].seen
        flagged = [each for each in readings if is_flagged(each)]
        days = {history.day_of(each.at) for each in flagged}
        yield Seen(
            started_at=episode.started_at,
            at=episode.at,
            ended_at=episode.ended_by.at if episode.ended_by else None,
            severity=rule.severity,
            numbers={"n": len(flagged), "of": len(readings), "days": len(days)},
            texts={
                "n": same(str(len(flagged))),
                "of": same(str(len(readings))),
                "days": same(str(len(days))),
                "window": same(str(rule.window_days)),
            },
            evidence=cuff_evidence(flagged),
        )


def is_flagged(reading: CuffReading) -> bool:
    """Did the cuff mark an irregular pulse?"""
    return Flag.IRREGULAR_PULSE in reading.flags


def _level(rule: Rule, found: Session, inside: tuple[CuffReading, ...], history: History) -> Level:
    flagged = [each for each in inside if is_flagged(each)]
    if not flagged:
        return Level.CLEAR
    here = sum(map(is_flagged, found.readings))
    if not here:
        return Level.BETWEEN
    days = {history.day_of(each.at) for each in flagged}
    sitting = here >= rule.min_readings and here >= _SHARE * len(found.readings)
    return Level.FIRING if sitting or len(days) >= rule.min_days else Level.BETWEEN
