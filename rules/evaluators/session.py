"""One sitting with the cuff: its mean, and whether a repeat confirms a single high reading.

A guideline's severe value is confirmed by repeating after five minutes of rest. So a first reading
alone tells the patient only (`severity_unheld`); the mean of a repeated sitting, or a first reading
that stood unrepeated for `hold_min`, has the rule's full severity.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rules.episode import Episode, Level, Mark, episodes
from rules.history import History
from rules.metrics.blood_pressure import Session, sessions
from rules.pack import Rule
from rules.seen import Seen, beyond, cuff_evidence, fires, is_clear, pressures
from rules.words import Said, moment_text, same


def session(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of sittings."""
    marks = [
        Mark(
            at=each.readings[-1].at,
            level=_level(rule, each),
            seen=each,
            since=each.readings[0].at,
        )
        for each in sessions(history.cuff())
    ]
    for episode in episodes(marks, gap=timedelta(hours=rule.gap_h)):
        yield _seen(rule, episode, now, history.patient.timezone)


def _level(rule: Rule, found: Session) -> Level:
    values = pressures(found.systolic, found.diastolic)
    if fires(rule, values):
        return Level.FIRING if len(found.readings) >= rule.min_readings else Level.BETWEEN
    return Level.CLEAR if is_clear(rule, values) else Level.BETWEEN


def _seen(rule: Rule, episode: Episode[Session], now: datetime, zone: str) -> Seen:
    sittings = [mark.seen for mark in episode.firing]
    worst = max(sittings, key=lambda each: (_beyond(rule, each), each.readings[-1].at))
    ended = episode.ended_by
    recovered = ended is not None and ended.level is Level.CLEAR
    after = [ended.seen] if ended and recovered else []
    return Seen(
        started_at=episode.started_at,
        at=episode.at,
        ended_at=ended.at if ended else None,
        severity=_severity(rule, episode, now),
        numbers={
            "systolic": round(worst.systolic, 4),
            "diastolic": round(worst.diastolic, 4),
            "n": len(worst.readings),
            "beyond": round(_beyond(rule, worst), 4),
        },
        texts={
            "systolic": same(f"{worst.systolic:.0f}"),
            "diastolic": same(f"{worst.diastolic:.0f}"),
            "n": same(str(len(worst.readings))),
            "time": moment_text(worst.readings[-1].at, zone),
        },
        evidence=cuff_evidence(each for found in [*sittings, *after] for each in found.readings),
        later=_later(after[0], zone) if after else None,
    )


def _severity(rule: Rule, episode: Episode[Session], now: datetime) -> int:
    if rule.severity_unheld is None:
        return rule.severity
    confirmed = any(len(mark.seen.readings) > 1 for mark in episode.firing)
    repeated = len(episode.firing) > 1
    until = episode.ended_by.at if episode.ended_by else now
    held = until - episode.started_at >= timedelta(minutes=rule.hold_min)
    return rule.severity if confirmed or repeated or held else rule.severity_unheld


def _beyond(rule: Rule, found: Session) -> float:
    return beyond(rule, pressures(found.systolic, found.diastolic))


def _later(found: Session, zone: str) -> Said:
    value = f"{found.systolic:.0f}/{found.diastolic:.0f} mmHg"
    when = moment_text(found.readings[-1].at, zone)
    return Said(zh=f"其后 {when.zh} 测得 {value}。", en=f"Later, {when.en}: {value}.")
