"""Blood Pressure Service 1.1: enhanced measurement, cuff pressure and record segments."""

import payloads
from hypothesis import strategies as st

from formats import Format
from gateway_agent.drivers.blood_pressure_enhanced import (
    EnhancedBloodPressure,
    EnhancedCuffPressure,
    Tail,
)
from gateway_agent.drivers.blood_pressure_record import Segment

u32 = st.integers(0, 0xFFFFFFFF)
sfloats = payloads.sfloats

tails = st.builds(
    Tail,
    time_stamp_s=st.none() | u32,
    pulse_rate=st.none() | sfloats,
    user_id=st.none() | payloads.u8,
    status=st.none() | payloads.u16,
    shown_s=st.none() | u32,
    since_2000=st.booleans(),
)
enhanced_pressures = st.builds(
    EnhancedBloodPressure,
    systolic=sfloats,
    diastolic=sfloats,
    mean_arterial_pressure=sfloats,
    in_kpa=st.booleans(),
    tail=tails,
)

FORMATS = {
    "2B34": Format(EnhancedBloodPressure.decode, enhanced_pressures),
    "2B35": Format(
        EnhancedCuffPressure.decode,
        st.builds(EnhancedCuffPressure, cuff_pressure=sfloats, in_kpa=st.booleans(), tail=tails),
    ),
    # how much a segment carries, its length alone says
    "2B36": Format(
        Segment.decode,
        st.builds(
            Segment,
            is_first=st.booleans(),
            is_last=st.booleans(),
            counter=st.integers(0, 63),
            payload=st.binary(max_size=20),
        ),
        says_it_all=bool,
    ),
}
