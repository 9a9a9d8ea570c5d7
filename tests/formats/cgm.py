"""Continuous Glucose Monitoring Service: measurement, features, session, specific operations."""

import payloads
from hypothesis import strategies as st

from formats import Format
from gateway_agent.drivers.cgm_control import OPERANDS, Calibration, Outcome, SpecificOp
from gateway_agent.drivers.cgm_measurement import CgmFeature, CgmMeasurement, CgmRecord
from gateway_agent.drivers.cgm_session import CgmRunTime, CgmSessionStart, CgmStatus
from gateway_agent.drivers.crc import Seal

u8, u16, nibble, sfloats = payloads.u8, payloads.u16, payloads.nibble, payloads.sfloats
u24 = st.integers(0, 0xFFFFFF)
some_seal = st.builds(Seal, crc=u16)
any_seal = st.none() | some_seal

records = st.builds(
    CgmRecord,
    concentration=sfloats,
    time_offset_min=u16,
    status=st.none() | u8,
    cal_temp=st.none() | u8,
    warning=st.none() | u8,
    trend=st.none() | sfloats,
    quality=st.none() | sfloats,
    reserved_flags=st.sampled_from([0, 0x04, 0x08, 0x10, 0x1C]),
    seal=any_seal,
)
calibrations = st.builds(
    Calibration,
    concentration=sfloats,
    time_min=u16,
    type=nibble,
    sample_location=nibble,
    next_time_min=u16,
    record_number=u16,
    status=u8,
)
_OF_KIND = {
    "none": st.none(),
    "u8": u8,
    "u16": u16,
    "sfloat": sfloats,
    "calibration": calibrations,
    "response": st.builds(Outcome, request=u8, code=u8),
}


@st.composite
def specific_ops(draw: st.DrawFn) -> SpecificOp:
    op_code = draw(st.sampled_from(sorted(OPERANDS)))
    operand = draw(_OF_KIND[OPERANDS[op_code][1]])
    return SpecificOp(op_code=op_code, operand=operand, seal=draw(any_seal))


def _is_whole_records(data: bytes) -> bool:
    """Cut or drawn out by whole records, the value still says what it says: each names its size."""
    if not data:
        return False
    while data:
        size = data[0]
        if size < 6 or size > len(data):
            return False
        flags = data[1]
        fields = 6 + sum(flags >> bit & 1 for bit in (5, 6, 7)) + 2 * (flags & 1) + (flags & 2)
        if size not in (fields, fields + 2):
            return False
        data = data[size:]
    return True


def _sealed_or_not(*lengths: int):  # type: ignore[no-untyped-def]
    """Without its CRC a value is whole, and two more octets are a CRC, right or wrong."""
    return lambda data: len(data) in {*lengths, *(each + 2 for each in lengths)}


def _is_an_operation(data: bytes) -> bool:
    octets = {"none": 0, "u8": 1, "u16": 2, "sfloat": 2, "calibration": 10, "response": 2}
    if not data or data[0] not in OPERANDS:
        return False
    length = 1 + octets[OPERANDS[data[0]][1]]
    return len(data) in (length, length + 2)


FORMATS = {
    "2AA7": Format(
        CgmMeasurement.decode,
        st.lists(records, min_size=1, max_size=3).map(
            lambda found: CgmMeasurement(records=tuple(found))
        ),
        says_it_all=_is_whole_records,
    ),
    "2AA8": Format(
        CgmFeature.decode,
        st.builds(CgmFeature, bits=u24, type=nibble, sample_location=nibble, seal=some_seal),
    ),
    "2AA9": Format(
        CgmStatus.decode,
        st.builds(CgmStatus, time_offset_min=u16, annunciation=u24, seal=any_seal),
        says_it_all=_sealed_or_not(5),
    ),
    "2AAA": Format(
        CgmSessionStart.decode,
        st.builds(
            CgmSessionStart,
            date_time=payloads.date_times,
            time_zone_quarters=st.integers(-128, 127),
            dst_code=u8,
            seal=any_seal,
        ),
        says_it_all=_sealed_or_not(9),
    ),
    "2AAB": Format(
        CgmRunTime.decode,
        st.builds(CgmRunTime, hours=u16, seal=any_seal),
        says_it_all=_sealed_or_not(2),
    ),
    "2AAC": Format(SpecificOp.decode, specific_ops(), says_it_all=_is_an_operation),
}
