"""Glucose, blood pressure, heart rate, clock, battery and device information."""

import payloads
from hypothesis import strategies as st

from formats import Format
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
from gateway_agent.gatt import DateTime


def _ends_between_rr_intervals(data: bytes) -> bool:
    """Cut or drawn out by whole RR intervals, a heart rate still says what it says: the number of
    intervals is told by the length alone. No other field can be lost so."""
    if not data or not data[0] & 0x10:
        return False
    head = 1 + (2 if data[0] & 0x01 else 1) + (2 if data[0] & 0x08 else 0)
    return len(data) > head + 1 and (len(data) - head) % 2 == 0


def _is_a_full_structure_without_concentration(data: bytes) -> bool:
    """The one exception: 17 octets of a record that carries nothing to be shown."""
    return len(data) == 17 and not data[0] & 0x02


# strings may have any length
TEXT = Format(
    Text.decode,
    st.text(st.characters(codec="utf-8", exclude_characters="\0 \t\r\n"), max_size=20).map(
        lambda t: Text(text=t)
    ),
    says_it_all=lambda data: True,
)

FORMATS = {
    "2A18": Format(
        GlucoseMeasurement.decode,
        payloads.glucose_measurements(),
        says_it_all=_is_a_full_structure_without_concentration,
    ),
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
    "2A37": Format(HeartRate.decode, payloads.heart_rates, says_it_all=_ends_between_rr_intervals),
    "2A38": Format(BodySensorLocation.decode, st.builds(BodySensorLocation, location=payloads.u8)),
    "2A2B": Format(CurrentTime.decode, payloads.current_times),
    "2A08": Format(DateTime.decode, payloads.date_times),
    "2A19": Format(BatteryLevel.decode, st.builds(BatteryLevel, percent=payloads.u8)),
    "2A29": TEXT,
    "2A24": TEXT,
    "2A25": TEXT,
    "2A26": TEXT,
}
