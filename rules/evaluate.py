"""History, packs and now become findings: the same three give the same findings, byte for byte.

Each rule is handed to its evaluator (`evaluators/`); what it saw is put into the rule's words. May
hold: this. May not: I/O, a clock, the life of an alert (`alert.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rules.evaluators.block import mean_of_block
from rules.evaluators.change import change
from rules.evaluators.irregular import irregular
from rules.evaluators.median import median
from rules.evaluators.repeat import repeat
from rules.evaluators.session import session
from rules.evaluators.silence import silence
from rules.evaluators.single import single
from rules.evaluators.trend import rising
from rules.evaluators.week import week
from rules.finding import Finding, utc_text
from rules.history import History
from rules.pack import AUDIENCES, Pack, Rule
from rules.scope import concerning
from rules.seen import Evaluator, Seen
from rules.words import LOCALES, Said

EVALUATORS: dict[str, Evaluator] = {
    "single": single,
    "repeat": repeat,
    "median": median,
    "session": session,
    "block": mean_of_block,
    "trend": rising,
    "change": change,
    "week": week,
    "irregular": irregular,
    "silence": silence,
}
# days of values that rules want: 28 days of trend behind 28 days of findings, and two weeks
HISTORY_DAYS = 70
# days of weights that they want: half a year, three days of slack, and those of HISTORY_DAYS
WEIGHT_DAYS = 182 + 3 + HISTORY_DAYS
# days whose counts they want: a silence is told for up to 90 days, after 28 days of habit
COUNT_DAYS = 120
# days behind `now` of which ended findings are given; what lies before was said when it was news
FINDING_DAYS = 28


def evaluate(history: History, packs: Sequence[Pack], now: datetime) -> tuple[Finding, ...]:
    """The findings of the last four weeks and those that last, ordered by rule and beginning.

    What lies in the future of `now` is not seen. A finding with `ended_at` is over.
    """
    known = replace(history, points=tuple(each for each in history.points if each.at <= now))
    since = now - timedelta(days=FINDING_DAYS)
    found = [
        conclude(pack, rule, seen)
        for pack, rule in concerning(packs, history.patient, now)
        for seen in EVALUATORS[rule.evaluator](rule, known, now)
        if seen.ended_at is None or seen.at > since
    ]
    return tuple(sorted(found, key=lambda each: (each.rule, each.started_at, each.episode)))


def conclude(pack: Pack, rule: Rule, seen: Seen) -> Finding:
    """The finding for what an evaluator saw, in the rule's words."""
    return Finding(
        rule=rule.id,
        pack=pack.id,
        pack_version=pack.version,
        severity=seen.severity,
        started_at=seen.started_at,
        at=seen.at,
        ended_at=seen.ended_at,
        episode=seen.name or utc_text(seen.started_at),
        title=rule.title,
        numbers=dict(seen.numbers),
        evidence=seen.evidence,
        sentences={audience: _said(rule.words[audience], seen) for audience in AUDIENCES},
    )


def _said(words: Said, seen: Seen) -> Said:
    texts = {
        locale: words.to(locale).format(
            **{name: said.to(locale) for name, said in seen.texts.items()}
        )
        for locale in LOCALES
    }
    if seen.later is None:
        return Said(**texts)
    return Said(zh=f"{texts['zh']}{seen.later.zh}", en=f"{texts['en']} {seen.later.en}")
