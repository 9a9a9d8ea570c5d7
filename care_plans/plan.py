"""The nouns of a care plan: what is measured when, within which bounds, and how that changed.

A plan is a list of measuring tasks, each in force between two days. A *protocol block* is a task
that stands in for the ordinary tasks of its kind on its days, so that a plan returns to what it was
when the block ends, without anybody doing anything. Nothing here knows a drug, a dose, a target or
a diagnosis. May hold: frozen nouns that check themselves. May not: decisions, JSON
(`document.py`), I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from vitals.errors import MendData
from vitals.kinds import Kind

# Readings that one sitting may ask for: 2-3 in every home protocol (clinical check §4.1a).
MOST_READINGS = 3


class Session(StrEnum):
    """What a task measures in one sitting."""

    BP = "bp"
    GLUCOSE = "glucose"


# The kind whose measurements say that a session was done: one of a cuff's values counts readings.
COUNTED_KIND: Mapping[Session, Kind] = {
    Session.BP: Kind.SYSTOLIC,
    Session.GLUCOSE: Kind.GLUCOSE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One text in both languages."""

    zh: str
    en: str

    def document(self) -> dict[str, str]:
        """The pair as it stands in JSON."""
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a session is asked for: local times, ISO weekdays (1 Monday - 7 Sunday), readings."""

    times: tuple[time, ...]
    weekdays: tuple[int, ...]
    readings: int
    words: Words
    hint: Words

    def __post_init__(self) -> None:
        if not self.times or list(self.times) != sorted(set(self.times)):
            raise MendData("a task needs its local times, each once, in order: 07:00, 20:00.")
        if not self.weekdays or not set(self.weekdays) <= set(range(1, 8)):
            raise MendData("weekdays are 1 (Monday) to 7 (Sunday).")
        if not 1 <= self.readings <= MOST_READINGS:
            raise MendData(f"a session asks for 1 to {MOST_READINGS} readings.")

    @property
    def readings_a_week(self) -> int:
        """How many readings this asks for in a week."""
        return len(self.times) * len(set(self.weekdays)) * self.readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A schedule in force from `starts_on` to `ends_on` (included; None: until changed).

    `is_block`: on its days it stands in for the other tasks of its session. `proposal_id`: the
    proposal that brought it, None for the template's own.
    """

    session: Session
    schedule: Schedule
    starts_on: date
    ends_on: date | None = None
    is_block: bool = False
    proposal_id: int | None = None
    id: int | None = None

    def covers(self, day: date) -> bool:
        """Is the task in force on this day?"""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the doctor lets the system do with the plan; everything else is the doctor's alone."""

    # may it propose a protocol block when home pressure is above the target?
    may_propose_block: bool = True
    # days after which a block ends by itself, recovered or not
    block_days_at_most: int = 14
    # may it go back to the ordinary schedule by itself, or must it propose that too?
    may_relax_alone: bool = True

    def __post_init__(self) -> None:
        # a block needs its seven days (clinical check §4.1a); four weeks is an engineering
        # choice, unconfirmed: nobody measures four times a day for longer
        if not 7 <= self.block_days_at_most <= 28:
            raise MendData("block_days_at_most must be 7 to 28 days.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A block as its guideline describes it: `days` whole days before it may be judged.

    It is valid from `min_days` days and `min_readings` readings on.
    """

    session: Session
    schedule: Schedule
    days: int
    min_days: int
    min_readings: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One patient's plan: the tasks that stand, oldest first."""

    id: int
    patient_id: int
    template: str
    bounds: Bounds
    tasks: tuple[Task, ...]

    def block_on(self, session: Session, day: date) -> Task | None:
        """The block of this session that is in force or still to come on this day."""
        for each in self.tasks:
            is_past = each.ends_on is not None and each.ends_on < day
            if each.is_block and each.session is session and not is_past:
                return each
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A task that an adjustment adds, for so many days."""

    session: Session
    schedule: Schedule
    days: int
    is_block: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a proposal would do to a plan: tasks that end, and tasks that are added."""

    ends: tuple[int, ...] = ()
    adds: tuple[Addition, ...] = ()


class ProposalKind(StrEnum):
    """What may be proposed."""

    BP_BLOCK = "bp.block"
    BP_RELAX = "bp.relax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan change that a clinician may accept, with its reason and the numbers behind it.

    `acts_alone`: within the doctor's bounds the system may carry it out at once; it is logged and
    can be undone like any other.
    """

    kind: ProposalKind
    episode: str
    reason: Words
    numbers: Mapping[str, float | int | str]
    adjustment: Adjustment
    proposed_at: datetime
    acts_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a plan: the tasks before and after. What was before can be put back.

    `explained` is why and what, with the numbers; `becomes` only what is measured from then on.
    """

    before: tuple[Task, ...]
    after: tuple[Task, ...]
    explained: Words
    becomes: Words
    at: datetime
