"""`docs/rules.md`, written from the packs: what is judged, by which numbers, from which source.

A test holds the page to the packs that ship. May hold: this page. May not: rules.
"""

from collections.abc import Iterable, Sequence

from rules.escalation import QUIET_FROM, QUIET_UNTIL, QUIET_UP_TO, TOLD
from rules.form import FORMS
from rules.pack import AUDIENCES, Limit, Pack, Rule, standard_packs
from rules.words import unit_text, value_text
from vitals.kinds import VITALS, Kind
from vitals.units import Unit

_MEASURE = {
    "level": "the level itself",
    "difference": "the difference",
    "percent": "in per cent (of the earlier weight, or of what was usual)",
}
_OPENING = """# Rules

Written by `kangban rules document` from `rules/packs/*.toml`; do not edit it by hand. Every rule
waits for a clinician's sign-off. *Confirmed* means that the number stands in the source named;
everything else about the rule (hold, hysteresis, cooldown, severity) is an engineering choice until
a clinician confirms it.

- Glucose is compared in the unit in which it was measured, with that unit's number of the
  published pair. kPa is converted to mmHg: the scale is one.
- An episode begins when a rule fires and ends when *all* of its clearing limits hold, or when
  nothing has fired for so long that it is stale.
- A finding raises an alert only while its newest evidence is fresh: history that arrives late
  wakes nobody. A stale alert closes; silence takes over.
- Readings that the device itself doubts (cuff loose, movement, strip error …) are kept and shown,
  and judged by no rule. A reading whose time is a guess wakes nobody.
- What a doctor sets as a personal target goes before the pack's number where a rule says so;
  safety rules take none.
- The heart rate of a band is judged by its trend over weeks only; single values are judged where a
  cuff or an oximeter counted the pulse of a seated person.
"""


def document(packs: Sequence[Pack] | None = None) -> str:
    """The page, for the packs that ship or for those given."""
    parts = [_OPENING, _severities()]
    parts += [_pack(pack) for pack in packs or standard_packs()]
    return "\n".join(parts)


def _severities() -> str:
    names = {"self": "patient", "family": "family", "doctor": "doctor"}
    meaning = {
        0: "kept, nobody is told",
        1: "the patient: measure again, or what to do",
        2: "patient and family; the doctor sees it in the list and the weekly report",
        3: "patient, family and doctor at once; the doctor the same working day",
        4: "emergency: call 120",
    }
    rows = [
        f"| S{severity} | {', '.join(names[each] for each in told) or '-'} | {meaning[severity]} |"
        for severity, told in TOLD.items()
    ]
    return "\n".join(
        [
            "## Severities",
            "",
            "| | told | meaning |",
            "|---|---|---|",
            *rows,
            "",
            f"Between {QUIET_FROM:%H:%M} and {QUIET_UNTIL:%H:%M} on the patient's clock, messages"
            f" up to S{QUIET_UP_TO} wait for the morning, but for what would not be fresh then.",
            "",
        ]
    )


def _pack(pack: Pack) -> str:
    head = [
        f"## {pack.title.en} · {pack.title.zh}",
        "",
        f"Pack `{pack.id}` {pack.version}, {pack.locale}; review: **{pack.review_status}**.",
        "",
        *_conditions(pack),
    ]
    abroad = pack.international
    variant = [] if abroad is None else [_variant(abroad)]
    return "\n".join([*head, *(_rule(rule) for rule in pack.rules), *variant])


def _variant(pack: Pack) -> str:
    head = [
        f"### International variant: {pack.title.en} · {pack.title.zh}",
        "",
        f"Version {pack.version}, {pack.locale}; review: **{pack.review_status}**. For patients"
        " whose locale is not Chinese these rules take the place of those of the same name above.",
        "",
    ]
    return "\n".join([*head, *(_rule(rule).replace("### ", "#### ", 1) for rule in pack.rules)])


def _conditions(pack: Pack) -> Iterable[str]:
    if pack.conditions:
        words = ", ".join(f"“{each}”" for each in pack.conditions)
        yield f"Only for patients whose conditions name one of: {words}."
        yield ""


def _rule(rule: Rule) -> str:
    lines = [
        f"### `{rule.id}` {rule.title.en} · {rule.title.zh}",
        "",
        f"- Judges: {FORMS[rule.evaluator].does}{_kinds(rule)}",
        *_limits(rule),
        *_whom(rule),
        f"- Severity: {_severity(rule)}",
        *_evidence(rule),
        f"- Fresh for {_hours(rule.fresh_h)}; stale after {_hours(rule.stale_h)}; quiet for"
        f" {_hours(rule.cooldown_h)} after its last evidence{_worse(rule)}",
        *([f"- Personal target: `{rule.personal}`"] if rule.personal else []),
        f"- Source: {rule.source}",
        f"- Status: {rule.status}",
        "",
        "| to | 中文 | English |",
        "|---|---|---|",
        *(f"| {to} | {rule.words[to].zh} | {rule.words[to].en} |" for to in AUDIENCES),
        "",
    ]
    return "\n".join(lines)


def _kinds(rule: Rule) -> str:
    kinds = [rule.kind.value] if rule.kind else [kind.value for kind in rule.kinds]
    meals = [meal.value for meal in rule.meals]
    said = [", ".join(each) for each in (kinds, meals) if each]
    return f" ({'; '.join(said)})" if said else ""


def _whom(rule: Rule) -> Iterable[str]:
    said = (
        (bool(rule.from_age), f"from {rule.from_age} years of age"),
        (bool(rule.with_target), f"only where the doctor set `{rule.with_target}`"),
        (bool(rule.without_target), f"not where the doctor set `{rule.without_target}`"),
    )
    wanted = [text for applies, text in said if applies]
    if wanted:
        yield f"- For: {', '.join(wanted)}"


def _limits(rule: Rule) -> Iterable[str]:
    for name, limits, joint in (
        ("Fires", rule.when, " or "),
        ("Not", rule.unless, " or "),
        ("Clears", rule.clear, " and "),
    ):
        if limits:
            yield f"- {name}: {joint.join(_limit(each) for each in limits)}"


def _limit(limit: Limit) -> str:
    numbers = " / ".join(
        f"{_number(limit.kind, value, unit)} {unit_text(unit)}"
        for unit, value in limit.by_unit.items()
    )
    return f"{limit.kind.value} {limit.compares} {numbers}"


def _number(kind: Kind, value: float, unit: Unit) -> str:
    # a share of a weight or of steps is no value of that kind
    is_own = any(scale.unit is unit for scale in VITALS[kind].scales)
    return value_text(kind, value, unit) if is_own else f"{value:g}"


def _severity(rule: Rule) -> str:
    said = f"S{rule.severity}"
    if rule.severity_unheld is not None:
        said += f" once repeated or after {rule.hold_min:g} min, S{rule.severity_unheld} before"
    if rule.evaluator == "silence":
        said += f"; S{rule.severity_partial} while other usual kinds still arrive"
    return said


def _evidence(rule: Rule) -> Iterable[str]:
    said = (
        (rule.evaluator in ("change", "week"), _MEASURE[rule.measure]),
        (
            rule.over_days > 0,
            f"over {rule.over_days} days, {rule.within_days} at most between the two weighings",
        ),
        (
            rule.baseline_days > 0,
            f"against the {rule.baseline_days} days before, {rule.min_baseline_days} of them"
            " measured",
        ),
        (bool(rule.protocol), f"a block of protocol {rule.protocol} that is {rule.standing}"),
        (rule.window_days > 0, f"within {rule.window_days} days"),
        (rule.min_readings > 1, f"at least {rule.min_readings} readings"),
        (rule.min_days > 1, f"on at least {rule.min_days} days"),
        (rule.apart_min > 0, f"{rule.apart_min:g} min apart"),
        (rule.hold_days > 1, f"agreeing on {rule.hold_days} measured days"),
        (
            rule.rise_per_14d > 0,
            f"a rise of at least {rule.rise_per_14d:g} in 14 days with p < {rule.p_below:g}",
        ),
        (rule.level_from is not None, f"ending at {rule.level_from or 0:g} or more"),
        (
            rule.silent_days > 0,
            f"no data for {rule.silent_days} days (or three usual gaps); with the gateways dark"
            f" for a usual gap and {rule.dark_days} day",
        ),
        (rule.gap_h > 0, f"readings that fire {rule.gap_h:g} h apart are two episodes"),
    )
    wanted = [text for applies, text in said if applies]
    if wanted:
        yield f"- Evidence: {', '.join(wanted)}"


def _hours(hours: float) -> str:
    return f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h"


def _worse(rule: Rule) -> str:
    if rule.worse_by is None:
        return ""
    # the scale of `rules.seen.beyond`: the kind's first unit, mmHg for pressure
    unit = VITALS[rule.kind].scales[0].unit if rule.kind else Unit.MMHG
    return f", unless worse by {rule.worse_by:g} {unit_text(unit)}"
