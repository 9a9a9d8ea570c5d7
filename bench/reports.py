"""A week of N patients' reports, numbers and PDFs: patients a second, and what 10,000 would take.

Each patient is simulated: of ten, six have a cuff, three a cuff and a meter, one a sensor. What is
timed is what a Monday does once the readings are in memory: judge with the standard packs, compute
the week, write its canonical JSON and its PDF. Reading from the store is not in it (`bench.reads`
tells that). Processor time per patient, in a quarter of the patients and in all, says whether the
cost is flat. The last line is JSON.

    python -m bench.reports [--patients 400] [--workers 2]
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock

from kangban.samples import WEEK, ZONE, Sample, judged, points_of
from rules.history import Patient
from rules.report.build import build, to_json
from rules.report.pdf import page_pdf
from rules.report.week import first_day_of, patient_week
from simulator.sensor_story import SensorStory
from simulator.story import BloodPressureStory, GlucoseStory

# days of values that rules look at (rules.evaluate)
_DAYS = 70
# what the time is told for, and what is asked: minutes on two cores
_CITY, _ASKED_MIN = 10_000, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds of processor time of one patient, by step; `kind` is what they wear or use."""

    kind: str
    judge_ms: float
    numbers_ms: float
    pdf_ms: float
    pdf_bytes: int

    @property
    def whole_ms(self) -> float:
        """All steps together."""
        return self.judge_ms + self.numbers_ms + self.pdf_ms


def one(number: int) -> Cost:
    """Make the report of one simulated patient."""
    kind, sample = patient(number)
    start = time.process_time()
    inputs, as_of = judged(sample, "zh-CN")
    judged_at = time.process_time()
    report = build(patient_week(inputs, week=WEEK, as_of=as_of))
    to_json(report)
    computed_at = time.process_time()
    paper = page_pdf(report, "zh-CN")
    end = time.process_time()
    return Cost(
        kind=kind,
        judge_ms=1000 * (judged_at - start),
        numbers_ms=1000 * (computed_at - judged_at),
        pdf_ms=1000 * (end - computed_at),
        pdf_bytes=len(paper),
    )


def patient(number: int) -> tuple[str, Sample]:
    """The story of the n-th patient, always the same."""
    begins = first_day_of(WEEK) - timedelta(days=_DAYS - 7)
    end = datetime.combine(first_day_of(WEEK) + timedelta(days=7), clock(), ZONE)
    span = datetime.combine(begins, clock(), ZONE), end
    seed, place = f"bench-{number}", number % 10
    if place == 9:
        sensor = SensorStory(seed=seed, begins=begins, level=6.5 + number % 7 / 2, wander=1.5)
        return "sensor", _sample(number, points_of(sensor.records(*span), "sensor"))
    cuff = BloodPressureStory(
        seed=seed, begins=begins, systolic=120 + number % 30, diastolic=72 + number % 20
    )
    found = points_of(cuff.records(*span), "cuff")
    if place < 6:
        return "cuff", _sample(number, found)
    sticks = GlucoseStory(seed=seed, begins=begins, fasting=6 + number % 4, after_meal=9)
    both = (*found, *points_of(sticks.records(*span), "meter"))
    return "cuff and meter", _sample(number, tuple(sorted(both, key=lambda each: each.at)))


def _sample(number: int, points: tuple) -> Sample:  # type: ignore[type-arg]
    who = Patient(id=number, name=f"病人{number}", sex="female", born_on=date(1960, 1, 1))
    return Sample(key=str(number), patient=who, points=points, measuring=())


def run(numbers: Sequence[int], workers: int) -> tuple[list[Cost], float]:
    """The cost of each, and seconds by the clock on the wall."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        # fonts and packs are read once for each worker
        pool.map(one, range(workers), chunksize=1)
        start = time.perf_counter()
        found = pool.map(one, numbers, chunksize=8)
        return found, time.perf_counter() - start


def main() -> None:
    """Run, print, and say what is extrapolated."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    quarter, _ = run(range(max(10, asked.patients // 4)), asked.workers)
    found, wall_s = run(range(asked.patients), asked.workers)
    each_ms = statistics.fmean(each.whole_ms for each in found)
    first_ms = statistics.fmean(each.whole_ms for each in quarter)
    for kind in ("cuff", "cuff and meter", "sensor"):
        some = [each for each in found if each.kind == kind]
        if some:
            print(
                f"{kind:15} {len(some):5} patients, ms of processor time: "
                f"judge {statistics.median(each.judge_ms for each in some):6.1f}, "
                f"numbers {statistics.median(each.numbers_ms for each in some):6.1f}, "
                f"pdf {statistics.median(each.pdf_ms for each in some):6.1f}"
            )
    wall_min = _CITY / asked.patients * wall_s / 60
    cpu_min = _CITY * each_ms / 1000 / asked.workers / 60
    how = "" if asked.patients >= _CITY else f", extrapolated from {asked.patients:,}"
    print(f"{asked.patients / wall_s:.1f} patients/s with {asked.workers} workers")
    print(
        f"{_CITY:,} patients: {wall_min:.1f} min by the clock, {cpu_min:.1f} min of processor time "
        f"a worker{how}; asked: {_ASKED_MIN} min"
    )
    print(f"cost a patient: {first_ms:.1f} ms in a quarter, {each_ms:.1f} ms in all")
    told = {
        "patients": asked.patients,
        "workers": asked.workers,
        "patients_per_s": round(asked.patients / wall_s, 2),
        "ten_thousand_min": round(wall_min, 2),
        "ten_thousand_cpu_min": round(cpu_min, 2),
        "extrapolated": asked.patients < _CITY,
        "ms_per_patient": round(each_ms, 2),
        "ms_per_patient_in_a_quarter": round(first_ms, 2),
        "load": os.getloadavg()[0],
        "largest": asdict(max(found, key=lambda each: each.whole_ms)),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
