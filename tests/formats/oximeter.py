"""Pulse oximeter: spot check, stream, features."""

import payloads
from hypothesis import strategies as st

from formats import Format
from gateway_agent.drivers.pulse_oximeter_record import (
    Continuous,
    Features,
    Oxygen,
    Signs,
    SpotCheck,
)

u24 = st.integers(0, 0xFFFFFF)
oxygens = st.builds(Oxygen, spo2=payloads.sfloats, pulse_rate=payloads.sfloats)
signs = st.builds(
    Signs,
    status=st.none() | payloads.u16,
    sensor_status=st.none() | u24,
    amplitude_index_percent=st.none() | payloads.sfloats,
)
spot_checks = st.builds(
    SpotCheck,
    oxygen=oxygens,
    time_stamp=st.none() | payloads.date_times,
    signs=signs,
    clock_not_set=st.booleans(),
)
continuous = st.builds(
    Continuous,
    normal=oxygens,
    fast=st.none() | oxygens,
    slow=st.none() | oxygens,
    signs=signs,
)

FORMATS = {
    "2A5E": Format(SpotCheck.decode, spot_checks),
    "2A5F": Format(Continuous.decode, continuous),
    "2A60": Format(
        Features.decode,
        st.builds(
            Features,
            bits=payloads.u16.map(lambda bits: bits & ~0b11),
            status_support=st.none() | payloads.u16,
            sensor_support=st.none() | u24,
        ),
    ),
}
