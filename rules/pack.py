"""Rule packs: what is judged, as data. Each rule carries its source, its status and its words.

A pack is a TOML file of `[pack]` and `[[rule]]` (fields: `form.py`). Cut-points of glucose stand as
pairs in both units and are compared in the unit of the value; pressures are one scale, so kPa is
converted. `problems` names every fault with file, line and reason; `load` raises them together. May
hold: the nouns and their reading. May not: judging (`evaluate.py`).
"""

import operator
import string
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from rules.form import ANYWHERE, COMMON, FORMS
from rules.words import LOCALES, Said
from vitals.errors import MendData
from vitals.kinds import VITALS, Kind
from vitals.measurement import Meal
from vitals.units import Unit, convert

AUDIENCES = ("patient", "family", "doctor")
STATUSES = ("confirmed", "unconfirmed")
REVIEW = "pending clinician sign-off"

_IS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# what a limit is compared with: a week's own level, a difference in the kind's unit, a share
MEASURES = ("level", "difference", "percent")
# kinds whose guidelines print two units: both numbers stand in a pack
_PAIRED: dict[Kind, tuple[str, str]] = {
    Kind.GLUCOSE: ("mmol/L", "mg/dL"),
    Kind.WEIGHT: ("kg", "[lb_av]"),
    Kind.BODY_TEMPERATURE: ("Cel", "[degF]"),
}
# whole days, readings and years
_WHOLE = frozenset(
    {
        "window_days",
        "min_days",
        "min_readings",
        "over_days",
        "within_days",
        "baseline_days",
        "min_baseline_days",
        "from_age",
    }
)
# What may never be said to a patient or a family: drugs, doses and diagnoses are the doctor's.
_FORBIDDEN = ("确诊", "加药", "停药", "剂量", "治疗方案", "dose", "diagnosed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A cut-point of one kind: `value is limit`, in every unit that the guideline publishes."""

    kind: Kind
    compares: str
    by_unit: Mapping[Unit, float]

    def holds(self, value: float, unit: Unit) -> bool:
        """Does the value fulfil it? Compared in the value's own unit where that is published."""
        if unit in self.by_unit:
            return _IS[self.compares](value, self.by_unit[unit])
        there = next(iter(self.by_unit))
        return _IS[self.compares](convert(value, unit, there), self.by_unit[there])

    def number(self, unit: Unit) -> float:
        """The cut-point for values of this unit."""
        if unit in self.by_unit:
            return self.by_unit[unit]
        there = next(iter(self.by_unit))
        return convert(self.by_unit[there], there, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Hours, minutes and days as the names say; `rise_per_14d` in the kind's unit."""

    id: str
    evaluator: str
    title: Said
    severity: int
    source: str
    status: str
    words: Mapping[str, Said]
    # a finding whose newest evidence is older than this raises no alert
    fresh_h: float
    # an alert without newer evidence for so long closes: a stale value keeps nothing alive, and
    # what fires after it is a new episode
    stale_h: float
    # how long after its last evidence the same rule keeps quiet, unless worse by `worse_by`
    cooldown_h: float
    worse_by: float | None = None
    kind: Kind | None = None
    kinds: tuple[Kind, ...] = ()
    meals: tuple[Meal, ...] = ()
    # any of `when` and none of `unless` fires; all of `clear` ends the episode
    when: tuple[Limit, ...] = ()
    unless: tuple[Limit, ...] = ()
    clear: tuple[Limit, ...] = ()
    gap_h: float = 0
    apart_min: float = 0
    hold_min: float = 0
    severity_unheld: int | None = None
    window_days: int = 0
    min_days: int = 1
    min_readings: int = 1
    hold_days: int = 1
    protocol: str = ""
    standing: str = "valid"
    personal: str = ""
    rise_per_14d: float = 0
    p_below: float = 0.05
    level_from: float | None = None
    silent_days: int = 0
    dark_days: int = 0
    severity_partial: int = 0
    # what a limit of `change` and `week` is about (see MEASURES), and the days that are compared
    measure: str = "difference"
    over_days: int = 0
    within_days: int = 0
    baseline_days: int = 0
    min_baseline_days: int = 0
    # whom the rule is for (`scope.py`): years of age, targets that the doctor set or did not set
    from_age: int = 0
    with_target: str = ""
    without_target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A named, versioned set of rules with the state of its clinical review.

    With `conditions` it is for patients of whom one of these words is written; without, for all.
    `international`: the rules that take another's place where a patient's locale is not Chinese.
    """

    id: str
    version: str
    locale: str
    review_status: str
    title: Said
    conditions: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = field(default_factory=tuple)
    international: "Pack | None" = None


@cache
def standard_packs() -> tuple[Pack, ...]:
    """The packs that ship, in order of their names. Raises MendData for a broken one.

    Each is the zh-CN default, with its international variant (`packs/intl`) where there is one.
    """
    folder = resources.files("rules").joinpath("packs")
    abroad = {each.id: each for each in _in_folder(folder.joinpath("intl"))}
    return tuple(replace(each, international=abroad.get(each.id)) for each in _in_folder(folder))


def _in_folder(folder: Traversable) -> list[Pack]:
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=str)
    return [load(each.read_text(encoding="utf-8"), name=each.name) for each in files]


def load(text: str, *, name: str) -> Pack:
    """The pack in a TOML text. Raises MendData with every problem, one a line."""
    found = problems(text, name=name)
    if found:
        raise MendData("Mend the rule pack:\n  " + "\n  ".join(found))
    document = tomllib.loads(text)
    head = document["pack"]
    return Pack(
        id=head["id"],
        version=head["version"],
        locale=head["locale"],
        review_status=head["review_status"],
        title=_said(head["title"]),
        conditions=tuple(head.get("conditions", ())),
        rules=tuple(_rule(each) for each in document["rule"]),
    )


def problems(text: str, *, name: str) -> list[str]:
    """Every fault of a pack as "file:line: rule: reason"; empty for a sound one."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [f"{name}: not TOML: {error}"]
    found = [f"{name}:1: [pack] {reason}" for reason in _pack_faults(document.get("pack"))]
    seen: set[str] = set()
    for each in document.get("rule", []):
        id_ = str(each.get("id", "?"))
        place = f"{name}:{_line_of(text, id_)}: rule {id_}:"
        reasons = list(_rule_faults(each))
        if id_ in seen:
            reasons.append("the id is used twice")
        seen.add(id_)
        found += [f"{place} {reason}" for reason in reasons]
    return found or ([] if seen else [f"{name}:1: no [[rule]]"])


def _line_of(text: str, id_: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.replace(" ", "").startswith(f'id="{id_}"'):
            return number
    return 1


def _pack_faults(head: Any) -> Iterable[str]:
    if not isinstance(head, dict):
        yield "is missing: id, version, locale, review_status, title"
        return
    for key in ("id", "version", "locale", "review_status"):
        if not head.get(key) or not isinstance(head[key], str):
            yield f"'{key}' is missing"
    conditions = head.get("conditions", [])
    if not isinstance(conditions, list) or not all(
        each and isinstance(each, str) for each in conditions
    ):
        yield "'conditions' must be a list of words"
    yield from _said_faults("title", head.get("title"))


def _rule_faults(entry: dict[str, Any]) -> Iterable[str]:
    form = FORMS.get(entry.get("evaluator", ""))
    if form is None:
        yield f"evaluator {entry.get('evaluator')!r} is not one of: {', '.join(FORMS)}"
        return
    needed = COMMON | form.required
    yield from (f"'{key}' is missing" for key in sorted(needed - entry.keys()))
    known = needed | form.optional | ANYWHERE
    yield from (f"'{key}' is not known here" for key in sorted(entry.keys() - known))
    if needed - entry.keys() or entry.keys() - known:
        return
    yield from _value_faults(entry)
    yield from _scope_faults(entry)
    yield from _said_faults("title", entry["title"])
    yield from _words_faults(entry, form.placeholders)
    for key in ("when", "unless", "clear"):
        for limit in entry.get(key, []):
            faults = _limit_faults(limit, is_share=entry.get("measure") == "percent")
            yield from (f"{key}: {reason}" for reason in faults)
    try:
        _rule(entry)
    except (KeyError, TypeError, ValueError) as error:
        yield f"cannot be read: {error}"


def _value_faults(entry: dict[str, Any]) -> Iterable[str]:
    for key in ("severity", "severity_unheld", "severity_partial"):
        if key in entry and entry[key] not in range(5):
            yield f"'{key}' must be 0-4, not {entry[key]!r}"
    for key in ("fresh_h", "stale_h", "cooldown_h"):
        if not isinstance(entry[key], int | float) or entry[key] < 0:
            yield f"'{key}' must be hours, 0 or more"
    if entry["status"] not in STATUSES:
        yield f"'status' must be one of {', '.join(STATUSES)}"
    if not str(entry["source"]).strip():
        yield "'source' is empty: name the guideline and its section"


def _scope_faults(entry: dict[str, Any]) -> Iterable[str]:
    for key in sorted(_WHOLE & entry.keys()):
        if not isinstance(entry[key], int) or entry[key] < 1:
            yield f"'{key}' must be a whole number, 1 or more"
    for key in ("with_target", "without_target"):
        if key in entry and not (entry[key] and isinstance(entry[key], str)):
            yield f"'{key}' must be the name of a target"
    if entry.get("measure", MEASURES[0]) not in MEASURES:
        yield f"'measure' must be one of {', '.join(MEASURES)}"


def _limit_faults(limit: dict[str, Any], *, is_share: bool) -> Iterable[str]:
    try:
        kind = Kind(limit["kind"])
    except (KeyError, ValueError):
        yield f"kind {limit.get('kind')!r} is not known"
        return
    if limit.get("is") not in _IS:
        yield f"'is' must be one of {' '.join(_IS)}"
    units = {key for key in limit if key not in ("kind", "is")}
    known = {scale.unit.value for scale in VITALS[kind].scales}
    if is_share:
        if units != {Unit.PERCENT.value}:
            yield 'with measure "percent" it must be in: %'
    elif kind in _PAIRED and units != known:
        yield f"{kind} needs the published pair: " + " and ".join(
            f'"{each}"' for each in _PAIRED[kind]
        )
    elif not units or units - known:
        yield f"{kind} may be in: {', '.join(sorted(known))}"
    elif kind in _PAIRED and not _is_pair(limit, *map(Unit, _PAIRED[kind])):
        yield " and ".join(f"{limit[each]} {each}" for each in _PAIRED[kind]) + " are not a pair"


def _is_pair(limit: dict[str, Any], one: Unit, other: Unit) -> bool:
    exact = convert(float(limit[one]), one, other)
    # published numbers are rounded: 13.9 mmol/L and 250 mg/dL, 1.4 kg and 3 lb (3.1); 37.3 °C and
    # 99.1 °F (99.14)
    wide = 0.1 if one is Unit.CELSIUS else 0.035 * abs(exact)
    return abs(float(limit[other]) - exact) <= wide


def _said_faults(key: str, value: Any) -> Iterable[str]:
    if not isinstance(value, dict) or any(not value.get(each) for each in LOCALES):
        yield f"'{key}' needs words in zh and en"


def _words_faults(entry: dict[str, Any], known: frozenset[str]) -> Iterable[str]:
    for audience in AUDIENCES:
        said = entry["words"].get(audience)
        yield from _said_faults(f"words.{audience}", said)
        for locale, text in (said or {}).items():
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for name in sorted(used - known):
                yield f"words.{audience}.{locale}: {{{name}}} is not one of {sorted(known)}"
            if entry["severity"] == 4 and "120" not in text:
                yield f"words.{audience}.{locale}: severity 4 must say to call 120"
            if audience != "doctor":
                for word in _FORBIDDEN:
                    if word in text:
                        yield f"words.{audience}.{locale}: must not say {word!r}"


def _said(document: Mapping[str, str]) -> Said:
    return Said(zh=document["zh"], en=document["en"])


def _limits(entries: list[dict[str, Any]]) -> tuple[Limit, ...]:
    return tuple(
        Limit(
            kind=Kind(each["kind"]),
            compares=each["is"],
            by_unit={
                Unit(key): float(value) for key, value in each.items() if key not in ("kind", "is")
            },
        )
        for each in entries
    )


def _rule(entry: dict[str, Any]) -> Rule:
    readers: dict[str, Callable[[Any], Any]] = {
        "title": _said,
        "words": lambda words: {each: _said(words[each]) for each in AUDIENCES},
        "kind": Kind,
        "kinds": lambda kinds: tuple(Kind(each) for each in kinds),
        "meals": lambda meals: tuple(Meal(each) for each in meals),
        "when": _limits,
        "unless": _limits,
        "clear": _limits,
    }
    return Rule(**{key: readers.get(key, _as_is)(value) for key, value in entry.items()})


def _as_is(value: Any) -> Any:
    return value
