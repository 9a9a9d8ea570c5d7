"""What a rule may say in a pack: the fields of each evaluator and the words it can fill in.

`pack.py` reads packs against this table, `document.py` prints it, and a test holds every evaluator
to the placeholders that stand here. May hold: the table. May not: reading, judging.
"""

from dataclasses import dataclass

# fields that every rule has
COMMON = frozenset(
    {
        "id",
        "evaluator",
        "title",
        "severity",
        "fresh_h",
        "stale_h",
        "cooldown_h",
        "source",
        "status",
        "words",
    }
)

# fields that any rule may have: whom it is for
ANYWHERE = frozenset({"from_age", "with_target", "without_target"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One evaluator: what it does, its own fields, and the placeholders of its words."""

    does: str
    required: frozenset[str]
    optional: frozenset[str]
    placeholders: frozenset[str]


def _form(does: str, *, required: str, placeholders: str, optional: str = "") -> Form:
    return Form(
        does=does,
        required=frozenset(required.split()),
        optional=frozenset(optional.split()),
        placeholders=frozenset(placeholders.split()),
    )


FORMS: dict[str, Form] = {
    "single": _form(
        "each reading by itself; readings in a row are one episode",
        required="kind when clear gap_h",
        optional="unless worse_by hold_min severity_unheld",
        placeholders="value unit time n limit",
    ),
    "repeat": _form(
        "single readings that come again within a window",
        required="kind when window_days min_readings",
        optional="unless min_days apart_min worse_by personal",
        placeholders="n days worst unit window limit",
    ),
    "median": _form(
        "the median of a window of glucose readings with certain meal marks",
        required="kind meals when clear window_days min_readings",
        optional="personal",
        placeholders="median unit n limit from to",
    ),
    "session": _form(
        "the mean of one sitting with the cuff",
        required="when clear gap_h",
        optional="min_readings hold_min severity_unheld worse_by",
        placeholders="systolic diastolic n time",
    ),
    "block": _form(
        "the mean of cuff readings over several days",
        required="when clear",
        optional="protocol standing window_days min_days min_readings personal worse_by",
        placeholders="systolic diastolic n days limit_systolic limit_diastolic from to",
    ),
    "trend": _form(
        "a rise of daily medians: Theil-Sen slope with Mann-Kendall test",
        required="kind window_days min_days rise_per_14d p_below hold_days",
        optional="level_from",
        placeholders="rise first last n p window",
    ),
    "change": _form(
        "how much a weight changed over some days, by daily medians",
        required="kind when clear over_days within_days",
        optional="measure personal worse_by",
        placeholders="change before after unit days limit from to",
    ),
    "week": _form(
        "a week of days: its level, or how far it lies from the weeks before",
        required="kind when clear measure window_days min_days",
        optional="baseline_days min_baseline_days min_readings",
        placeholders="recent baseline change unit days limit",
    ),
    "irregular": _form(
        "the irregular-pulse mark of the cuff, within a sitting or on several days",
        required="window_days min_days min_readings",
        placeholders="n of days window",
    ),
    "silence": _form(
        "no data of the patient's usual kinds, and the hop at which the line is broken",
        required="kinds silent_days dark_days severity_partial",
        placeholders="kinds age last hop",
    ),
}
