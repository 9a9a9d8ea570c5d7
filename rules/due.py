"""When a patient must be judged again even if nothing arrives.

Most judgement follows data. Time alone changes it where a hold ends, an alert grows stale, or a
usual reading stays away. May hold: this moment, pure. May not: I/O, a clock.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rules.alert import Alert
from rules.evaluators.silence import expected
from rules.finding import Finding
from rules.history import History
from rules.pack import Pack

# nobody is left alone for longer; engineering choice
_AT_MOST = timedelta(hours=6)
# how often a living silence is looked at: its hop may have come back; engineering choice
_SILENT_EVERY = timedelta(minutes=10)
# the least time between two looks without news
_AT_LEAST = timedelta(seconds=10)


def next_look(
    history: History,
    packs: Sequence[Pack],
    *,
    findings: Iterable[Finding],
    living: Iterable[Alert],
    now: datetime,
) -> datetime:
    """The moment at which to judge this patient again without news."""
    rules = {rule.id: rule for pack in packs for rule in pack.rules}
    moments = [now + _AT_MOST]
    for finding in findings:
        rule = rules[finding.rule]
        if finding.ended_at is None and finding.severity < rule.severity and rule.hold_min:
            moments.append(finding.started_at + timedelta(minutes=rule.hold_min))
    for alert in living:
        rule = rules[alert.rule]
        moments.append(alert.evidence_at + timedelta(hours=rule.stale_h))
        if rule.evaluator == "silence":
            moments.append(now + _SILENT_EVERY)
    for rule in rules.values():
        if rule.evaluator == "silence":
            for each in expected(rule, history.days):
                moments += [each.dark_at, each.silent_at]
                if each.settled_at is not None:
                    moments.append(each.settled_at)
    return max(now + _AT_LEAST, min(each for each in moments if each > now))
