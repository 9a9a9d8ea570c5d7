"""The metrics of one person as plain names and numbers, for a file or a shell.

Keys are those of R iglu's tables where it has them. Finger-sticks have neither GMI nor time in
range, whatever their number: there these are None. May hold: which number stands under which key.
May not: formulas (`rules/metrics/`).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from rules.history import CuffReading, Point, local_day
from rules.metrics.blood_pressure import (
    EVENING_H,
    MORNING_H,
    DayMean,
    control,
    day_means,
    in_hours,
    mean_arterial,
    mean_of_days,
    sessions,
)
from rules.metrics.cgm import cgm
from rules.metrics.glucose_episodes import Tally
from rules.metrics.home_protocol import Protocol, block
from rules.metrics.series import Series
from rules.metrics.share import Share
from rules.metrics.smbg import Smbg, numbers, smbg
from rules.metrics.spread import spread
from rules.metrics.target_range import HOME_RANGE, time_in_target
from vitals.units import Unit


def cgm_table(series: Series) -> dict[str, Any]:
    """Every metric of a continuous series; mean, SD, MODD, MAGE and avg_ep_gl in its unit."""
    found = cgm(series)
    glycemia, share = found.glycemia, found.glycemia.bands
    return {
        "source": "cgm",
        "n": glycemia.n,
        "unit": glycemia.unit.value,
        "n_low": glycemia.n_below,
        "n_high": glycemia.n_above,
        "weighted_by": "time" if glycemia.by_time else "readings",
        "mean": glycemia.mean,
        "sd": glycemia.sd,
        "cv": glycemia.cv,
        "median": glycemia.median,
        "q1": glycemia.quartiles[0],
        "q3": glycemia.quartiles[1],
        "gmi": glycemia.gmi,
        "ea1c": glycemia.ea1c,
        "tir": share.in_range,
        "titr": glycemia.tight_range,
        "below_54": share.very_low,
        "below_70": share.very_low + share.low,
        "above_180": share.high + share.very_high,
        "above_250": share.very_high,
        "lbgi": glycemia.lbgi,
        "hbgi": glycemia.hbgi,
        "gri": glycemia.gri,
        "j_index": glycemia.j_index,
        "modd": found.modd,
        "mage": found.mage,
        "episodes": [_tally(each) for each in found.episodes.tallies],
        "active_percent": found.sufficiency.active_percent,
        "days": round(found.sufficiency.days, 1),
        "cadence_min": found.sufficiency.cadence_min,
        "standing": found.sufficiency.standing.value,
    }


def _tally(found: Tally) -> dict[str, Any]:
    return {
        "type": "hypo" if found.is_low else "hyper",
        "level": found.level.value,
        "avg_ep_per_day": found.per_day,
        "avg_ep_duration": found.minutes,
        "avg_ep_gl": found.mean,
        "total_episodes": len(found.episodes),
    }


def smbg_table(points: Sequence[Point], unit: Unit, zone: str) -> dict[str, Any]:
    """The metrics of finger-sticks, shares with their interval; values in their own unit."""
    found = smbg(points, zone)
    if found is None:
        return {"source": "smbg", "n": 0, "unit": unit.value}
    whole = spread(numbers(points, found.unit))
    risk = found.risk or (math.nan, math.nan)
    return {
        "source": "smbg",
        "n": found.n,
        "unit": found.unit.value,
        "n_low": found.coded_low,
        "n_high": found.coded_high,
        "mean": whole.mean,
        "sd": whole.sd,
        "cv": whole.cv,
        "in_target": _share(found.in_target),
        "n_below_54": found.very_lows,
        "n_below_70": len(found.lows),
        "n_above_250": len(found.very_highs),
        "lbgi": risk[0],
        "hbgi": risk[1],
        "gmi": None,
        "ea1c": None,
        "tir": None,
        "slots": _slots(found),
        "days": found.days,
    }


def _slots(found: Smbg) -> dict[str, Any]:
    return {
        row.slot.value: {
            "n": row.n,
            "mean": row.mean,
            "median": row.median,
            "min": row.min,
            "max": row.max,
            "in_target": _share(row.in_target),
            "n_below_54": row.very_lows,
            "n_below_70": row.lows,
            "n_above_250": row.very_highs,
        }
        for row in found.slots
    }


def _share(share: Share) -> dict[str, Any]:
    percent = 100 * share.k / share.n if share.n else math.nan
    low, high = 100 * share.low, 100 * share.high
    return {"k": share.k, "n": share.n, "percent": percent, "low": low, "high": high}


def pressure_table(cuff: Sequence[CuffReading], zone: str, protocol: Protocol) -> dict[str, Any]:
    """The metrics of cuff readings in order of time, mmHg; `block` is the last protocol block."""
    if not cuff:
        return {"n": 0}
    held, days = control(sessions(cuff)), day_means(cuff, zone)
    ttr = time_in_target(
        [each.day for each in days],
        [each.systolic for each in days],
        low=HOME_RANGE[0],
        high=HOME_RANGE[1],
    )
    last = block(
        cuff,
        last_day=local_day(cuff[-1].at, zone),
        zone=zone,
        protocol=protocol,
    )
    return {
        "n": len(cuff),
        "days": round((cuff[-1].at - cuff[0].at).total_seconds() / 86400, 1),
        "systolic": _spread(each.systolic for each in cuff),
        "diastolic": _spread(each.diastolic for each in cuff),
        "pulse": _spread(each.pulse for each in cuff if each.pulse is not None),
        "pulse_pressure": _spread(each.systolic - each.diastolic for each in cuff),
        "map": _spread(mean_arterial(each.systolic, each.diastolic) for each in cuff),
        "control_rate": held.rate_percent,
        "load": held.load_percent,
        "sessions": held.sessions,
        "ttr": ttr.percent,
        "ttr_range": [ttr.low, ttr.high],
        "ttr_days": ttr.days,
        "by_day": _days(len(cuff), days),
        "morning": _part(in_hours(cuff, MORNING_H, zone), zone),
        "evening": _part(in_hours(cuff, EVENING_H, zone), zone),
        "block": asdict(last),
    }


def _part(readings: Sequence[CuffReading], zone: str) -> dict[str, Any]:
    return _days(len(readings), day_means(readings, zone))


def _days(n: int, days: Sequence[DayMean]) -> dict[str, Any]:
    return {
        "n": n,
        "days": len(days),
        "systolic": mean_of_days(days, lambda each: each.systolic),
        "diastolic": mean_of_days(days, lambda each: each.diastolic),
        "systolic_sd": spread([each.systolic for each in days]).sd,
        "systolic_arv": spread([each.systolic for each in days]).arv,
    }


def _spread(values: Iterable[float]) -> dict[str, Any]:
    found = asdict(spread(np.asarray(list(values), dtype=np.float64)))
    return {key: found[key] for key in ("n", "mean", "sd", "cv", "arv")}
