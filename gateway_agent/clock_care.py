"""What ails a device's clock, how fast it goes, and when it may be set.

A wrong clock is recognised by how it is wrong: exactly twelve hours are morning and evening
swapped, exactly an hour in a zone with summer time is a clock that nobody moved, whole hours are
another zone, a right day and hour of another year is a slip at the first switch-on. None of that is
needed to place a record (`clock.py` measures the offset); it tells people what happened. A clock is
set only after its records were read, only where that is allowed, and only by a gateway that is sure
of its own time. Pure. May hold: these judgements. May not: placing records, bytes, I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from gateway_agent.clock import EARLIEST, Before, clock_offset, is_changed
from gateway_agent.quirk import ClockSetting, Quirk
from gateway_agent.talk import ClockSeen

# seconds; a clock that is off by less is right: people do not see it, and setting it at every visit
# would wear it out. An engineering choice.
SET_BEYOND_S = 60
# how near to exactly twelve hours, an hour or a year a clock must be to be called so: it drifts on
# top of that. An engineering choice.
NEAR = timedelta(minutes=5)
# zones lie a quarter of an hour apart: NEAR would take one clock in three for a traveller
NEAR_ZONE = timedelta(minutes=1)
# the zones of the world go from UTC-12 to UTC+14
_FARTHEST_ZONES = timedelta(hours=26)
# a clock that was set, or could not be, is left alone for so long: an engineering choice
SET_AGAIN_AFTER = timedelta(days=1)
REFUSED_FOR = timedelta(days=7)
# a device is looked at for its drift no more often than this
LOOK_AGAIN_AFTER = timedelta(days=1)
# the gateway's own clock may be behind what it has on disk by a correction, not by hours
BEHIND = timedelta(hours=1)
# years in which a zone had summer time, so that a clock may still be on it
_SUMMERS_BACK = 10


class Ailment(StrEnum):
    """How a clock is wrong."""

    NONE = "none"
    # it shows a time from before there were such devices: it was never set, or its battery was out
    UNSET = "unset"
    WRONG_YEAR = "wrong_year"
    WRONG_DAY = "wrong_day"
    TWELVE_HOURS = "twelve_hours"
    SUMMER_TIME = "summer_time"
    OTHER_ZONE = "other_zone"
    OFF = "off"


AILMENT_TEXT = {
    Ailment.NONE: "its clock is right",
    Ailment.UNSET: "its clock was never set, or its battery was out",
    Ailment.WRONG_YEAR: "its clock shows another year",
    Ailment.WRONG_DAY: "its clock shows another day",
    Ailment.TWELVE_HOURS: "its clock has morning and evening swapped",
    Ailment.SUMMER_TIME: "its clock was not moved with summer time",
    Ailment.OTHER_ZONE: "its clock shows the time of another zone",
    Ailment.OFF: "its clock is wrong",
}


class Happened(StrEnum):
    """Why a row stands in the history of a clock."""

    FIRST = "first"
    LOOKED = "looked"
    CHANGED = "changed"
    SET = "set"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One row of a clock's history: the offset (to be added to get UTC) before and after `at`."""

    at: datetime
    before: timedelta | None
    after: timedelta
    happened: Happened


def error_of(seen: ClockSeen, zone: tzinfo) -> timedelta:
    """How far the clock is ahead of local time; negative: behind."""
    return seen.device_time - seen.at.astimezone(zone).replace(tzinfo=None)


def ailment(seen: ClockSeen, zone: tzinfo) -> Ailment:
    """How the clock is wrong, in a home of this zone.

    In Shanghai at 08:00: 20:01 is TWELVE_HOURS, 09:00 another zone (Tokyo), 08:07 is OFF; in
    Berlin in November 09:00 is SUMMER_TIME.
    """
    error, local = error_of(seen, zone), seen.at.astimezone(zone).replace(tzinfo=None)
    if abs(error) <= timedelta(seconds=SET_BEYOND_S):
        return Ailment.NONE
    if seen.device_time < EARLIEST.replace(tzinfo=None):
        return Ailment.UNSET
    if _differs_by_years(seen.device_time, local):
        return Ailment.WRONG_YEAR
    if abs(abs(error) - timedelta(hours=12)) <= NEAR:
        return Ailment.TWELVE_HOURS
    if abs(abs(error) - timedelta(hours=1)) <= NEAR and _has_summer_time(zone, seen.at):
        return Ailment.SUMMER_TIME
    if abs(error) <= _FARTHEST_ZONES and _beside(error, timedelta(minutes=15)) <= NEAR_ZONE:
        return Ailment.OTHER_ZONE
    if abs(error) > timedelta(hours=12) and _beside(error, timedelta(days=1)) <= NEAR:
        return Ailment.WRONG_DAY
    return Ailment.OFF


def look(history: Sequence[Look], seen: ClockSeen) -> Look | None:
    """What is worth a row of the history: the first look, a change, and one look a day."""
    offset = clock_offset(seen)
    last = _last_offset(history)
    if last is None:
        return Look(at=seen.at, before=None, after=offset, happened=Happened.FIRST)
    if is_changed(offset, Before(offset=last.after, read_at=last.at), seen.at):
        return Look(at=seen.at, before=last.after, after=offset, happened=Happened.CHANGED)
    if abs(seen.at - last.at) >= LOOK_AGAIN_AFTER:
        return Look(at=seen.at, before=last.after, after=offset, happened=Happened.LOOKED)
    return None


def drift_s_per_day(history: Sequence[Look], seen: ClockSeen) -> float | None:
    """Seconds that the clock gains in a day, since it was last changed; None within a day of that.

    Set right ten days ago, now 20 s ahead: 2.0.
    """
    since = [each for each in history if each.happened in (Happened.FIRST, *_CHANGES)]
    if not since:
        return None
    days = (seen.at - since[-1].at) / timedelta(days=1)
    if days < 1:
        return None
    return round((since[-1].after - clock_offset(seen)).total_seconds() / days, 2)


def should_set(
    seen: ClockSeen | None,
    *,
    at: datetime,
    zone: tzinfo,
    quirk: Quirk,
    history: Sequence[Look],
    time_is_sure: bool | None,
    readable: bool = True,
) -> datetime | None:
    """What the clock should be made to show at `at` (naive, whole seconds); None: leave it.

    It is left where it could not be read in this visit, where it is right enough, where its row
    forbids it, where it was set or refused lately, in the hour around a change of summer time, and
    where the gateway is not sure of its own time; `time_is_sure` None: that cannot be told. One
    that can never be read (`readable` False) is set without that, once a day: it may have been dead
    meanwhile, and nobody would see it.
    """
    if quirk.clock_setting is ClockSetting.NEVER or (seen is None and readable):
        return None
    if time_is_sure is False or at < EARLIEST or _changes_soon(zone, at):
        return None
    beyond_s = SET_BEYOND_S if quirk.clock_set_beyond_s is None else quirk.clock_set_beyond_s
    if seen is not None and abs(error_of(seen, zone)) <= timedelta(seconds=beyond_s):
        return None
    for each in history:
        pause = {Happened.SET: SET_AGAIN_AFTER, Happened.REFUSED: REFUSED_FOR}.get(each.happened)
        if pause is not None and abs(at - each.at) < pause:
            return None
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0)


def own_clock_trouble(
    now: datetime, *, last_spooled_at: datetime | None, time_is_sure: bool | None
) -> str | None:
    """Why the gateway cannot place anything in time now; None: it can."""
    if now < EARLIEST:
        # what is placed by such a clock is refused by the server, and a cuff has forgotten it
        return (
            f"the clock of this gateway shows {now:%Y-%m-%d}: connect it to the network "
            "or set its clock. Until then records stay in their devices."
        )
    if time_is_sure is not True and last_spooled_at is not None and now < last_spooled_at - BEHIND:
        return (
            f"the clock of this gateway shows {now:%Y-%m-%d %H:%M} UTC, and what it has on disk is "
            f"from {last_spooled_at:%Y-%m-%d %H:%M}: connect it to the network or set its clock. "
            "Until then records stay in their devices."
        )
    return None


# what begins a clock's run anew
_CHANGES = (Happened.CHANGED, Happened.SET)


def _last_offset(history: Sequence[Look]) -> Look | None:
    return next((each for each in reversed(history) if each.happened != Happened.REFUSED), None)


def _beside(error: timedelta, grid: timedelta) -> timedelta:
    """How far this is from the nearest multiple of the grid."""
    rest = abs(error) % grid
    return min(rest, grid - rest)


def _differs_by_years(shown: datetime, local: datetime) -> bool:
    if shown.year == local.year:
        return False
    try:
        return abs(shown.replace(year=local.year) - local) <= NEAR
    except ValueError:
        # the 29th of February, which this year does not have
        return False


def _has_summer_time(zone: tzinfo, at: datetime) -> bool:
    """Has, or had not long ago: a clock may still show it."""
    offsets = {
        datetime(year, month, 1, 12, tzinfo=UTC).astimezone(zone).utcoffset()
        for year in range(at.year - _SUMMERS_BACK, at.year + 1)
        for month in (1, 4, 7, 10)
    }
    return len(offsets) > 1


def _changes_soon(zone: tzinfo, at: datetime) -> bool:
    hour = timedelta(hours=1)
    return (at - hour).astimezone(zone).utcoffset() != (at + hour).astimezone(zone).utcoffset()
