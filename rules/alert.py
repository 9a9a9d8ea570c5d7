"""The life of an alert, as a table: none, open, acknowledged, closed.

                    open          acknowledged   closed
    raised    none→ open
    repeated        open          acknowledged
    worse           open          open (told again)
    acknowledged    acknowledged  acknowledged
    recovered       closed        closed
    stale           closed        closed
    withdrawn       closed        closed

*Raised* needs a fresh finding: history that arrives late wakes nobody. *Recovered* is later
evidence beyond the hysteresis; *stale*: no new evidence for long, so that an old value keeps no
alarm alive (silence takes over); *withdrawn*: data that came later took the finding back. Closed
stays closed: only newer evidence raises a new alert, after the rule's cooldown unless it is worse.
Only what was withdrawn and is found again lives again, and tells nobody twice (`escalation.key`).
May hold: this table and its conditions. May not: who is told (`escalation.py`), I/O.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.finding import Finding
from rules.pack import Rule

# From this severity on an episode is told even if it was over before it arrived.
_TOLD_WHEN_OVER = 3
# Evaluators whose finding is simply gone when the trouble is over.
_GONE_IS_RECOVERED = frozenset({"silence"})


class State(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Event(StrEnum):
    """What happens to an alert."""

    RAISED = "raised"
    REPEATED = "repeated"
    WORSE = "worse"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"
    STALE = "stale"
    WITHDRAWN = "withdrawn"


NEXT: dict[tuple[State | None, Event], State] = {
    (None, Event.RAISED): State.OPEN,
    (State.OPEN, Event.REPEATED): State.OPEN,
    (State.ACKNOWLEDGED, Event.REPEATED): State.ACKNOWLEDGED,
    (State.OPEN, Event.WORSE): State.OPEN,
    (State.ACKNOWLEDGED, Event.WORSE): State.OPEN,
    (State.OPEN, Event.ACKNOWLEDGED): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.ACKNOWLEDGED): State.ACKNOWLEDGED,
    **{
        (state, event): State.CLOSED
        for state in (State.OPEN, State.ACKNOWLEDGED)
        for event in (Event.RECOVERED, Event.STALE, Event.WITHDRAWN)
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert. `evidence_at` and `beyond` are those of its newest finding."""

    rule: str
    episode: str
    state: State
    severity: int
    opened_at: datetime
    evidence_at: datetime
    beyond: float = 0.0
    id: int | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: int | None = None
    closed_at: datetime | None = None
    closed_because: str | None = None

    @property
    def is_living(self) -> bool:
        """Open or acknowledged?"""
        return self.state is not State.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of an alert: what happened, how it stands now, and the finding behind it.

    None: the finding is gone.
    """

    event: Event
    alert: Alert
    finding: Finding | None


def advance(
    rule: Rule,
    *,
    living: Alert | None,
    last: Alert | None,
    findings: Sequence[Finding],
    now: datetime,
) -> list[Step]:
    """The moves of one rule's alerts of one patient, in order; none where nothing changes.

    `living` is the alert that is open or acknowledged, `last` the newest closed one, `findings`
    those of this rule, as `adopt` gives them.
    """
    steps: list[Step] = []
    if living is not None:
        step = _follow(rule, living, findings, now)
        steps.append(step)
        if step.alert.is_living:
            return steps
        last = step.alert
    raised = _raise(rule, last, findings, now)
    if raised is not None:
        steps.append(raised)
        assert raised.finding is not None
        if raised.finding.ended_at is not None:
            steps.append(_move(raised.alert, Event.RECOVERED, raised.finding, now))
    return steps


def adopt(findings: Iterable[Finding], living: Iterable[Alert]) -> tuple[Finding, ...]:
    """The findings, those that alerts live on under the alert's episode.

    Data that arrive late, or a window that moves on, can shift the beginning of an episode and so
    its name; the finding that reaches over the alert's evidence is the same trouble still.
    """
    found = list(findings)
    for alert in living:
        mine = [place for place, each in enumerate(found) if each.rule == alert.rule]
        if any(found[place].episode == alert.episode for place in mine):
            continue
        over = [place for place in mine if _reaches_over(found[place], alert)]
        if over:
            place = max(over, key=lambda place: found[place].at)
            found[place] = replace(found[place], episode=alert.episode)
    return tuple(found)


def acknowledged(alert: Alert, *, by: int, now: datetime) -> Alert:
    """The alert after a person has taken it on; a second time changes nothing.

    Raises KeyError for a closed alert.
    """
    state = NEXT[alert.state, Event.ACKNOWLEDGED]
    if alert.state is State.ACKNOWLEDGED:
        return alert
    return replace(alert, state=state, acknowledged_at=now, acknowledged_by=by)


def _reaches_over(finding: Finding, alert: Alert) -> bool:
    return finding.started_at <= alert.evidence_at <= finding.at


def _follow(rule: Rule, living: Alert, findings: Sequence[Finding], now: datetime) -> Step:
    finding = next((each for each in findings if each.episode == living.episode), None)
    if finding is None:
        gone = rule.evaluator in _GONE_IS_RECOVERED
        return _move(living, Event.RECOVERED if gone else Event.WITHDRAWN, None, now)
    alert = replace(living, evidence_at=finding.at, beyond=_beyond(finding))
    if finding.severity > living.severity and _is_fresh(rule, finding, now):
        worse = replace(
            alert, severity=finding.severity, acknowledged_at=None, acknowledged_by=None
        )
        return _move(worse, Event.WORSE, finding, now)
    if finding.ended_at is not None:
        return _move(alert, Event.RECOVERED, finding, now)
    if now - finding.at > timedelta(hours=rule.stale_h):
        return _move(alert, Event.STALE, finding, now)
    return _move(alert, Event.REPEATED, finding, now)


def _raise(
    rule: Rule, last: Alert | None, findings: Sequence[Finding], now: datetime
) -> Step | None:
    news = [each for each in findings if _is_news(rule, last, each, now)]
    if not news:
        return None
    finding = max(news, key=lambda each: each.at)
    alert = Alert(
        rule=rule.id,
        episode=finding.episode,
        state=NEXT[None, Event.RAISED],
        severity=finding.severity,
        opened_at=now,
        evidence_at=finding.at,
        beyond=_beyond(finding),
    )
    return Step(event=Event.RAISED, alert=alert, finding=finding)


def _is_news(rule: Rule, last: Alert | None, finding: Finding, now: datetime) -> bool:
    if finding.severity < 1 or not _is_fresh(rule, finding, now):
        return False
    if finding.ended_at is not None and finding.severity < _TOLD_WHEN_OVER:
        return False
    if last is None:
        return True
    if finding.episode == last.episode:
        # what was taken back and is found again: its alert lives again
        return last.closed_because == Event.WITHDRAWN.value
    if finding.at <= last.evidence_at:
        return False
    # by the newest evidence: what still lasts when the rule may speak again is told. Silence has
    # no evidence but the clock
    newest = now if rule.evaluator in _GONE_IS_RECOVERED else finding.at
    quiet = newest - last.evidence_at < timedelta(hours=rule.cooldown_h)
    return not quiet or _is_worse(rule, last, finding)


def _is_worse(rule: Rule, last: Alert, finding: Finding) -> bool:
    if finding.severity > last.severity:
        return True
    # 2.3 - 0.3 is a hair below 2
    by = round(_beyond(finding) - last.beyond, 4)
    return rule.worse_by is not None and by >= rule.worse_by


def _is_fresh(rule: Rule, finding: Finding, now: datetime) -> bool:
    return now - finding.at <= timedelta(hours=rule.fresh_h)


def _beyond(finding: Finding) -> float:
    return float(finding.numbers.get("beyond", 0.0))


def _move(alert: Alert, event: Event, finding: Finding | None, now: datetime) -> Step:
    state = NEXT[alert.state, event]
    if state is State.CLOSED:
        alert = replace(alert, state=state, closed_at=now, closed_because=event.value)
    else:
        alert = replace(alert, state=state)
    return Step(event=event, alert=alert, finding=finding)
