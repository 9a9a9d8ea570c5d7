"""Health thermometer."""

import payloads
from hypothesis import strategies as st

from formats import Format
from gateway_agent.drivers.thermometer import MeasurementInterval, Temperature, TemperatureType

temperatures = st.builds(
    Temperature,
    temperature=payloads.floats,
    in_fahrenheit=st.booleans(),
    time_stamp=st.none() | payloads.date_times,
    type=st.none() | payloads.u8,
)

FORMATS = {
    "2A1C": Format(Temperature.decode, temperatures),
    "2A1E": Format(Temperature.decode, temperatures),
    "2A1D": Format(TemperatureType.decode, st.builds(TemperatureType, type=payloads.u8)),
    "2A21": Format(
        MeasurementInterval.decode, st.builds(MeasurementInterval, interval_s=payloads.u16)
    ),
}
