"""No data of the kinds that a patient usually measures, and the hop at which the line is broken.

What is usual is learned from the days that hold data: a kind measured on at least four of the 28
days before its last reading is expected again within three of its usual gaps (at least
`silent_days`, at most two weeks). Where all gateways of the household are dark there is no need
to wait so long: the usual gap and `dark_days`. If only some of the usual kinds are silent, the
severity is `severity_partial`; a broken server is nobody's fault at home and tells nobody (0).

Nothing is silent while it arrives: a backlog of weeks comes in order of age, and each part of it
would look like a silence that has just ended. A kind is judged once `SETTLES` has passed since the
last commit of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from rules.history import DayCount, History
from rules.line import Hop, broken_hop, is_dark
from rules.pack import Rule
from rules.seen import Seen, point_evidence
from rules.words import age_text, joined, kind_text, moment_text
from vitals.kinds import Kind

# days before the last reading from which the rhythm is learned, and measured days needed;
# engineering choice, unconfirmed
_LEARN_DAYS, _LEARN_MIN = 28, 4
# usual gaps that may pass, and the most that is waited for in days; engineering choice, unconfirmed
_GAPS, _AT_MOST_DAYS = 3, 14
# since the last commit of a kind, before it may be called silent; a gateway sends a backlog without
# pauses. Engineering choice
SETTLES = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A usual kind: its last reading, and when it is called silent (line working, line dark)."""

    kind: Kind
    last_at: datetime
    silent_at: datetime
    dark_at: datetime
    settled_at: datetime | None


def silence(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """At most one Seen: the usual kinds that are silent now."""
    usual = expected(rule, history.days)
    dark = is_dark(history.line, now)
    silent = [
        each
        for each in usual
        if (each.dark_at if dark else each.silent_at) <= now
        and (each.settled_at is None or each.settled_at <= now)
    ]
    if silent:
        yield _seen(rule, history, silent, len(silent) == len(usual), now)


def expected(rule: Rule, days: tuple[DayCount, ...]) -> list[Expected]:
    """The kinds that this patient usually measures, in the rule's order."""
    found = []
    for kind in rule.kinds:
        mine = sorted((each for each in days if each.kind is kind), key=lambda each: each.day)
        if not mine:
            continue
        last = mine[-1]
        since = last.day - timedelta(days=_LEARN_DAYS)
        recent = [each.day for each in mine if each.day > since]
        if len(recent) < _LEARN_MIN:
            continue
        gap = median((b - a).days for a, b in pairwise(recent))
        wait = min(_AT_MOST_DAYS, max(rule.silent_days, _GAPS * gap))
        found.append(
            Expected(
                kind=kind,
                last_at=last.last_at,
                silent_at=last.last_at + timedelta(days=wait),
                dark_at=last.last_at + timedelta(days=min(wait, gap + rule.dark_days)),
                settled_at=_settled_at(mine),
            )
        )
    return found


def _settled_at(days: list[DayCount]) -> datetime | None:
    received = [each.received_at for each in days if each.received_at is not None]
    return max(received) + SETTLES if received else None


def _seen(
    rule: Rule, history: History, silent: list[Expected], all_silent: bool, now: datetime
) -> Seen:
    dark = is_dark(history.line, now)
    since = [each.dark_at if dark else each.silent_at for each in silent]
    oldest = min(silent, key=lambda each: each.last_at)
    newest = max(each.last_at for each in silent)
    # dark and not yet silent on a working line: the line may come back and end it. The silence
    # that follows without a reading is another one, and must be told
    early = oldest.silent_at > now
    broken = broken_hop(history.line, oldest.kind, now)
    severity = rule.severity if all_silent else rule.severity_partial
    last = [
        point for each in silent for point in history.of(each.kind)[-1:] if point.at == each.last_at
    ]
    return Seen(
        started_at=min(since),
        at=max(each.silent_at if each.silent_at <= now else each.dark_at for each in silent),
        ended_at=None,
        severity=0 if broken.hop is Hop.SERVER else severity,
        numbers={
            "hop": broken.hop.value,
            "kinds": ",".join(each.kind.value for each in silent),
            "all": int(all_silent),
            "silent_days": (now - oldest.last_at).days,
            "beyond": 0,
        },
        texts={
            "kinds": joined([kind_text(each.kind) for each in silent]),
            "age": age_text(now - newest),
            "last": moment_text(newest, history.patient.timezone),
            "hop": broken.said,
        },
        evidence=point_evidence(last),
        name=oldest.last_at.isoformat() + ("/dark" if early else ""),
    )
