"""Stories of what is measured once a day: the same however the time is divided."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from simulator.daily_story import OxygenStory, TemperatureStory, WeightStory
from simulator.record import OximeterRecord, TemperatureRecord, WeightRecord
from simulator.story import Story
from vitals.kinds import Kind, is_plausible
from vitals.units import Unit

BEGINS = date(2026, 9, 1)
START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 60
STORIES = [
    OxygenStory(seed="s", begins=BEGINS),
    WeightStory(seed="s", begins=BEGINS, body_fat_percent=24.0, drift_kg_per_day=0.1),
    TemperatureStory(seed="s", begins=BEGINS),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: type(story).__name__)
def test_a_story_is_the_same_in_one_step_and_in_many(story: Story) -> None:
    whole = story.records(START, START + timedelta(days=DAYS))
    steps = [START + timedelta(hours=7 * n) for n in range(DAYS * 24 // 7 + 2)]
    parts = [
        each
        for start, end in pairwise(steps)
        for each in story.records(start, min(end, START + timedelta(days=DAYS)))
    ]
    assert parts == whole
    assert len(whole) == DAYS


def test_what_a_story_tells_could_be_measured() -> None:
    for story in STORIES:
        for each in story.records(START, START + timedelta(days=DAYS)):
            assert each.measurements in (1, 2)
            match each:
                case OximeterRecord():
                    assert is_plausible(Kind.SPO2, float(each.spo2 or 0), Unit.PERCENT)
                case WeightRecord():
                    assert is_plausible(Kind.WEIGHT, float(each.weight or 0), Unit.KG)
                    assert is_plausible(Kind.BODY_FAT, float(each.body_fat or 0), Unit.PERCENT)
                case TemperatureRecord():
                    celsius = float(each.value or 0)
                    assert is_plausible(Kind.BODY_TEMPERATURE, celsius, Unit.CELSIUS)


AT = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "count"),
    [
        (OximeterRecord(at=AT, spo2=Decimal(97), pulse=Decimal(68)), 2),
        (OximeterRecord(at=AT, spo2=Decimal(97)), 1),
        (OximeterRecord(at=AT, spo2=None, pulse=Decimal(68)), 0),
        (OximeterRecord(at=AT, spo2=Decimal(97), finger=False), 0),
        (OximeterRecord(at=AT, spo2=Decimal(97), demonstration=True), 0),
        (OximeterRecord(at=AT, spo2=Decimal(97), streamed=12), 1),
        (WeightRecord(at=AT, weight=Decimal(70), body_fat=Decimal(22)), 2),
        (WeightRecord(at=AT, weight=Decimal(70)), 1),
        (WeightRecord(at=AT, weight=None), 0),
        (TemperatureRecord(at=AT, value=Decimal("36.6")), 1),
        (TemperatureRecord(at=AT, value=None), 0),
    ],
)
def test_a_record_knows_how_many_measurements_it_is(
    record: OximeterRecord | WeightRecord | TemperatureRecord, count: int
) -> None:
    assert record.measurements == count
