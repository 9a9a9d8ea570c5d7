"""Every decoder against every value that can be, cut short, drawn out, and against noise.

The round trip is a second opinion only: published bytes judge in `test_vectors.py`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import payloads
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway_agent.drivers import record_access
from gateway_agent.drivers.battery import BatteryLevel
from gateway_agent.drivers.blood_pressure import (
    BloodPressure,
    BloodPressureFeature,
    IntermediateCuffPressure,
)
from gateway_agent.drivers.current_time import CurrentTime
from gateway_agent.drivers.device_information import Text
from gateway_agent.drivers.glucose_record import (
    GlucoseContext,
    GlucoseFeature,
    GlucoseMeasurement,
)
from gateway_agent.drivers.heart_rate import BodySensorLocation, HeartRate
from gateway_agent.drivers.registry import DECODERS
from gateway_agent.gatt import CannotDecode, DateTime

Decode = Callable[[bytes], Any]


@dataclass(frozen=True)
class Format:
    """A decoder and every value that it can meet."""

    decode: Decode
    values: st.SearchStrategy[Any]


FORMATS = {
    "2A18": Format(GlucoseMeasurement.decode, payloads.glucose_measurements()),
    "2A34": Format(GlucoseContext.decode, payloads.glucose_contexts()),
    "2A51": Format(GlucoseFeature.decode, st.builds(GlucoseFeature, bits=payloads.u16)),
    "2A52": Format(record_access.decode, payloads.record_accesses),
    "2A35": Format(BloodPressure.decode, payloads.blood_pressures),
    "2A36": Format(
        IntermediateCuffPressure.decode,
        payloads.blood_pressures.map(
            lambda rest: IntermediateCuffPressure(cuff_pressure=rest.systolic, rest=rest)
        ),
    ),
    "2A49": Format(BloodPressureFeature.decode, st.builds(BloodPressureFeature, bits=payloads.u16)),
    "2A37": Format(HeartRate.decode, payloads.heart_rates),
    "2A38": Format(BodySensorLocation.decode, st.builds(BodySensorLocation, location=payloads.u8)),
    "2A2B": Format(CurrentTime.decode, payloads.current_times),
    "2A08": Format(DateTime.decode, payloads.date_times),
    "2A19": Format(BatteryLevel.decode, st.builds(BatteryLevel, percent=payloads.u8)),
}
# strings may have any length
TEXTS = {"2A29", "2A24", "2A25", "2A26"}

every_format = pytest.mark.parametrize("name", FORMATS)


def test_every_decoder_is_tried_here() -> None:
    assert set(FORMATS) | TEXTS == set(DECODERS)


@every_format
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_combination_of_fields_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    value = data.draw(FORMATS[name].values)
    assert FORMATS[name].decode(value.encode()) == value


@every_format
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_truncated_value_is_refused_whole(name: str, data: st.DataObject) -> None:
    whole = data.draw(FORMATS[name].values).encode()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assume(not _ends_between_rr_intervals(name, cut))
    with pytest.raises(CannotDecode):
        FORMATS[name].decode(cut)


@every_format
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_value_with_more_at_its_end_is_refused_whole(name: str, data: st.DataObject) -> None:
    long = data.draw(FORMATS[name].values).encode() + data.draw(st.binary(min_size=1, max_size=20))
    assume(not _ends_between_rr_intervals(name, long))
    assume(not _is_a_full_structure_without_concentration(name, long))
    with pytest.raises(CannotDecode):
        FORMATS[name].decode(long)


@every_format
@settings(max_examples=500, deadline=None)
@given(data=st.binary(max_size=24))
def test_noise_is_a_value_or_is_refused_and_nothing_else(name: str, data: bytes) -> None:
    try:
        value = FORMATS[name].decode(data)
    except CannotDecode:
        return
    assert json.dumps(value.document(), allow_nan=False)


@given(data=st.binary(max_size=40))
def test_any_bytes_are_some_text(data: bytes) -> None:
    assert "\0" not in Text.decode(data).text[-1:]


def _ends_between_rr_intervals(name: str, data: bytes) -> bool:
    """Cut or drawn out by whole RR intervals, a heart rate still says what it says: the number of
    intervals is told by the length alone. No other field can be lost so."""
    if name != "2A37" or not data or not data[0] & 0x10:
        return False
    head = 1 + (2 if data[0] & 0x01 else 1) + (2 if data[0] & 0x08 else 0)
    return len(data) > head + 1 and (len(data) - head) % 2 == 0


def _is_a_full_structure_without_concentration(name: str, data: bytes) -> bool:
    """The one exception: 17 octets of a record that carries nothing to be shown."""
    return name == "2A18" and len(data) == 17 and not data[0] & 0x02
