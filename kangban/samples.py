"""Three weekly reports of people who do not exist, as they stand under `docs/samples/`.

`python -m kangban.samples` writes them anew: the same bytes on every machine, since stories, week
and fonts are fixed. They show what a doctor sees, and a test says when they are out of date. May
hold: these three people. May not: numbers or wording of a report (`rules/report/`).
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rules.evaluate import evaluate
from rules.history import DayCount, GatewaySeen, History, Line, Patient, Point, local_day
from rules.pack import standard_packs
from rules.report.build import build
from rules.report.pdf import page_pdf, page_pngs
from rules.report.shape import Report
from rules.report.week import AlertSeen, Inputs, Measuring, first_day_of, patient_week
from simulator.record import CuffRecord, GlucoseRecord, SensorRecord
from simulator.sensor_story import SensorStory
from simulator.story import BloodPressureStory, GlucoseStory
from vitals.kinds import Kind
from vitals.units import Unit, convert

FOLDER = Path(__file__).parent.parent / "docs" / "samples"
WEEK = "2026-W47"
LOCALES = ("zh-CN", "en")
# days of readings before the week's end
_DAYS = 35
ZONE = ZoneInfo("Asia/Shanghai")
_MONDAY = first_day_of(WEEK)
_BEGINS = _MONDAY - timedelta(days=_DAYS - 7)
_AS_OF = datetime.combine(_MONDAY + timedelta(days=7), time(), ZONE) - timedelta(microseconds=1)


_DOCTOR = {"zh-CN": "刘医生", "en": "Dr Liu"}
_IN_ENGLISH = {
    "张秀兰": "Zhang Xiulan",
    "李明": "Li Ming",
    "陈国强": "Chen Guoqiang",
    "高血压": "hypertension",
    "1型糖尿病": "type 1 diabetes",
    "2型糖尿病": "type 2 diabetes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One person's week; `key` names the files."""

    key: str
    patient: Patient
    points: tuple[Point, ...]
    measuring: tuple[Measuring, ...]


def samples() -> tuple[Sample, ...]:
    """The three people, in the order of the files."""
    return (_stable_hypertension(), _sensor_type_1(), _finger_stick_type_2())


def report_of(sample: Sample, locale: str) -> Report:
    """The report of a sample's week."""
    inputs, as_of = judged(sample, locale)
    return build(patient_week(inputs, week=WEEK, as_of=as_of))


def judged(sample: Sample, locale: str) -> tuple[Inputs, datetime]:
    """A sample's history with the concerns that the standard packs have, and up to when."""
    patient = sample.patient
    if locale.startswith("en"):
        name, *conditions = (_IN_ENGLISH[each] for each in (patient.name, *patient.conditions))
        patient = replace(patient, locale=locale, name=name, conditions=tuple(conditions))
    history = History(
        patient=patient,
        points=sample.points,
        days=tuple(_days(sample.points, patient.timezone)),
        line=Line(gateways=(GatewaySeen(name="home", last_seen_at=_AS_OF),), server_seen_at=_AS_OF),
    )
    monday = datetime.combine(_MONDAY, time(), ZONE)
    concerns = tuple(
        AlertSeen(finding=each, state="open", severity=each.severity, opened_at=each.at)
        for each in evaluate(history, standard_packs(), _AS_OF)
        if each.at >= monday
    )
    # the doctor took on what was grave, twenty minutes after it was raised
    taken = tuple(
        replace(
            each,
            state="acknowledged",
            acknowledged_by=_DOCTOR[locale],
            acknowledged_at=each.opened_at + timedelta(minutes=20),
        )
        if each.severity >= 3
        else each
        for each in concerns
    )
    inputs = Inputs(
        history=history, concerns=taken, alerts=_by_time(taken), measuring=sample.measuring
    )
    return inputs, _AS_OF


def _by_time(alerts: Iterable[AlertSeen]) -> tuple[AlertSeen, ...]:
    return tuple(sorted(alerts, key=lambda each: (each.opened_at, each.finding.rule)))


def files() -> Iterator[tuple[str, bytes]]:
    """Name and content of every file under `docs/samples/`."""
    for sample in samples():
        for locale in LOCALES:
            name = f"{sample.key}.{locale[:2]}"
            report = report_of(sample, locale)
            yield f"{name}.pdf", page_pdf(report, locale)
            for number, page in enumerate(page_pngs(report, locale), start=1):
                yield f"{name}.{number}.png", page


def _stable_hypertension() -> Sample:
    story = BloodPressureStory(
        seed="sample-stable", begins=_BEGINS, systolic=126, diastolic=78, measures=0.96
    )
    return Sample(
        key="stable-hypertension",
        patient=_patient(1, "张秀兰", "female", date(1958, 4, 2), "高血压"),
        points=points_of(story.records(*_span()), "cuff"),
        measuring=(Measuring(session="bp", planned=14, done=13),),
    )


def _sensor_type_1() -> Sample:
    story = SensorStory(
        seed="sample-sensor",
        begins=_BEGINS,
        level=7.1,
        meals=1.5,
        wander=1.7,
        lows=frozenset({17, 24, 30, 33}),
        changes=frozenset({0, 14, 28}),
        off=frozenset({13}),
    )
    return Sample(
        key="sensor-type-1",
        patient=_patient(2, "李明", "male", date(1994, 9, 17), "1型糖尿病"),
        points=points_of(story.records(*_span()), "sensor"),
        measuring=(),
    )


def _finger_stick_type_2() -> Sample:
    sticks = GlucoseStory(
        seed="sample-sticks",
        begins=_BEGINS,
        fasting=6.3,
        after_meal=9.4,
        # three lows before dinner in the week of the report
        lows=frozenset({20, 29, 31, 33}),
        measures=0.9,
    )
    cuff = BloodPressureStory(
        seed="sample-sticks", begins=_BEGINS, systolic=133, diastolic=79, measures=0.7
    )
    return Sample(
        key="finger-stick-type-2",
        patient=_patient(3, "陈国强", "male", date(1951, 12, 30), "2型糖尿病", "高血压"),
        points=_sorted(
            (
                *points_of(sticks.records(*_span()), "meter"),
                *points_of(cuff.records(*_span()), "cuff"),
            )
        ),
        measuring=(
            Measuring(session="glucose", planned=21, done=19),
            Measuring(session="bp", planned=14, done=10),
        ),
    )


def _patient(number: int, name: str, sex: str, born_on: date, *conditions: str) -> Patient:
    return Patient(id=number, name=name, sex=sex, born_on=born_on, conditions=conditions)


def _span() -> tuple[datetime, datetime]:
    return datetime.combine(_BEGINS, time(), ZONE), _AS_OF


def points_of(records: Sequence[object], device: str) -> tuple[Point, ...]:
    """What rules see of a story's records, in order of time."""
    return _sorted(
        point for number, each in enumerate(records) for point in _of(each, device, number)
    )


def _sorted(points: Iterable[Point]) -> tuple[Point, ...]:
    return tuple(sorted(points, key=lambda each: (each.at, each.device, each.kind)))


def _of(record: object, device: str, sequence: int) -> Iterator[Point]:
    if isinstance(record, SensorRecord) and record.value is not None:
        # a sensor that is set to mmol/L, as most in China are
        shown = round(convert(float(record.value), Unit.MG_PER_DL, Unit.MMOL_PER_L), 1)
        yield _point(record.at, Kind.GLUCOSE, shown, Unit.MMOL_PER_L, device, sequence)
    elif isinstance(record, GlucoseRecord) and record.value is not None:
        point = _point(record.at, Kind.GLUCOSE, float(record.value), record.unit, device, sequence)
        yield replace(point, meal=record.meal)
    elif isinstance(record, CuffRecord):
        for kind, value, unit in (
            (Kind.SYSTOLIC, record.systolic, record.unit),
            (Kind.DIASTOLIC, record.diastolic, record.unit),
            (Kind.PULSE, record.pulse, Unit.PER_MINUTE),
        ):
            if value is not None:
                yield _point(record.at, kind, float(value), unit, device, sequence)


def _point(at: datetime, kind: Kind, value: float, unit: Unit, device: str, sequence: int) -> Point:
    return Point(
        at=at.astimezone(UTC),
        kind=kind,
        value=value,
        unit=unit,
        device=device,
        sequence=sequence,
    )


def _days(points: Sequence[Point], zone: str) -> Iterator[DayCount]:
    found: dict[tuple[Kind, date], list[datetime]] = {}
    for each in points:
        found.setdefault((each.kind, local_day(each.at, zone)), []).append(each.at)
    for (kind, day), times in sorted(found.items()):
        yield DayCount(kind=kind, day=day, n=len(times), last_at=max(times))


def write(folder: Path) -> None:
    """Write all files into a folder; what is there under other names is taken away."""
    folder.mkdir(parents=True, exist_ok=True)
    made = dict(files())
    for old in folder.iterdir():
        if old.suffix in (".pdf", ".png") and old.name not in made:
            old.unlink()
    for name, content in made.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
