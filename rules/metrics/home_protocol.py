"""How guidelines average home blood pressure: protocols, and the block that one of them makes.

A block names its protocol, because the same week has another mean by another guideline. Which days
are dropped is part of the protocol; a severe single reading is judged by itself before any mean,
also on a day that is dropped. May hold: protocols and their blocks. May not: limits, alarms, words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rules.history import CuffReading, local_day
from rules.metrics.blood_pressure import mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a guideline averages home readings: window, least evidence, is day one dropped.

    `min_days` counts measured days with the dropped one; `min_readings` those that are averaged.
    """

    id: str
    window_days: int
    min_days: int
    min_readings: int
    preliminary_readings: int
    drops_first_day: bool


# 国家基层高血压防治管理指南 2025 §4.1-4.2: all readings of 5-7 days, at least 3 days and 12
# readings, nothing dropped. Calling 6-11 readings preliminary: engineering choice, unconfirmed.
CN2025 = Protocol(
    id="CN2025",
    window_days=7,
    min_days=3,
    min_readings=12,
    preliminary_readings=6,
    drops_first_day=False,
)
# 2019中国家庭血压监测指南: 7 days, day 1 dropped, at least 3 days of which the last 2 are averaged,
# 2 readings morning and evening: 8 readings. Quoted at second hand (clinical check §4.1a).
CN2019 = Protocol(
    id="CN2019",
    window_days=7,
    min_days=3,
    min_readings=8,
    preliminary_readings=6,
    drops_first_day=True,
)
# NICE NG136 (2026-02-26), 1.2: at least 4, ideally 7 days, 2 readings twice a day, day 1 dropped:
# 3 days of 4 readings are 12
NICE = Protocol(
    id="NICE",
    window_days=7,
    min_days=4,
    min_readings=12,
    preliminary_readings=6,
    drops_first_day=True,
)
# Taiwan 722 protocol, PMC7677637 table 1: 7 (at least 4) days, 2 occasions, at least 2 readings,
# first day excluded
TW722 = Protocol(
    id="TW722",
    window_days=7,
    min_days=4,
    min_readings=12,
    preliminary_readings=6,
    drops_first_day=True,
)
PROTOCOLS = {each.id: each for each in (CN2025, CN2019, NICE, TW722)}


class Standing(StrEnum):
    """What a block may be used for."""

    VALID = "valid"
    PRELIMINARY = "preliminary"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The average over one protocol block; means are NaN where there is no reading.

    `days` and `n` are what was averaged; `dropped` is the day that the protocol left out.
    """

    protocol: str
    first_day: date
    last_day: date
    days: int
    n: int
    systolic: float
    diastolic: float
    standing: Standing
    dropped: date | None = None
    n_dropped: int = 0


def block(
    readings: Sequence[CuffReading], *, last_day: date, zone: str, protocol: Protocol = CN2025
) -> Block:
    """The block that ends with `last_day`, of the patient's own days."""
    dated = [(local_day(each.at, zone), each) for each in readings]
    return dated_block(dated, last_day=last_day, protocol=protocol)


def dated_block(
    dated: Sequence[tuple[date, CuffReading]],
    *,
    last_day: date,
    protocol: Protocol = CN2025,
    begun: date | None = None,
) -> Block:
    """The block that ends with `last_day`, of readings with their local days.

    A protocol that drops day one drops the day on which the block was `begun`, or else the first
    measured day of the window. Who measures all the time has no day one: for such a patient take a
    protocol that drops nothing.
    """
    first_day = last_day - timedelta(days=protocol.window_days - 1)
    inside = [(day, each) for day, each in dated if first_day <= day <= last_day]
    dropped = _dropped(inside, protocol, begun)
    counted = [(day, each) for day, each in inside if day != dropped]
    days = {day for day, _ in counted}
    return Block(
        protocol=protocol.id,
        first_day=first_day,
        last_day=last_day,
        days=len(days),
        n=len(counted),
        systolic=mean([each.systolic for _, each in counted]),
        diastolic=mean([each.diastolic for _, each in counted]),
        standing=standing(
            days=len(days) + (dropped is not None), n=len(counted), protocol=protocol
        ),
        dropped=dropped,
        n_dropped=len(inside) - len(counted),
    )


def standing(*, days: int, n: int, protocol: Protocol) -> Standing:
    """Is that much evidence valid, preliminary or insufficient under this protocol?

    `days` are those measured, with the dropped one; `n` the readings that are averaged.
    """
    if days >= protocol.min_days and n >= protocol.min_readings:
        return Standing.VALID
    return Standing.PRELIMINARY if n >= protocol.preliminary_readings else Standing.INSUFFICIENT


def _dropped(
    inside: Sequence[tuple[date, CuffReading]], protocol: Protocol, begun: date | None
) -> date | None:
    if not protocol.drops_first_day or not inside:
        return None
    first = begun or min(day for day, _ in inside)
    return first if any(day == first for day, _ in inside) else None
