"""Scales: weight, body composition, and whose they are."""

from decimal import Decimal

import payloads
from hypothesis import strategies as st

from formats import Format
from gateway_agent.drivers import user_data
from gateway_agent.drivers.composition_record import BodyComposition, BodyCompositionFeature
from gateway_agent.drivers.user_data import (
    ChangeIncrement,
    UserCommand,
    UserIndex,
    UserResponse,
)
from gateway_agent.drivers.weight_record import Weighing, WeightScaleFeature
from gateway_agent.gatt import Number, Special

u32 = st.integers(0, 0xFFFFFFFF)


def steps(step: str) -> st.SearchStrategy[Number]:
    """Every number that a field of 2 octets can hold, and that there is none."""
    exact = st.integers(0, 0xFFFE).map(lambda word: word * Decimal(step))
    return st.just(Special.NAN) | exact


percents, ones = steps("0.1"), steps("1")


@st.composite
def weighings(draw: st.DrawFn) -> Weighing:
    imperial, is_tall = draw(st.booleans()), draw(st.booleans())
    return Weighing(
        weight=draw(steps("0.01" if imperial else "0.005")),
        imperial=imperial,
        time_stamp=draw(st.none() | payloads.date_times),
        user_id=draw(st.none() | payloads.u8),
        bmi=draw(percents) if is_tall else None,
        height=draw(steps("0.1" if imperial else "0.001")) if is_tall else Special.NAN,
    )


@st.composite
def compositions(draw: st.DrawFn) -> BodyComposition:
    imperial = draw(st.booleans())
    masses = st.none() | steps("0.01" if imperial else "0.005")
    lengths = st.none() | steps("0.1" if imperial else "0.001")
    return BodyComposition(
        body_fat_percent=draw(percents),
        imperial=imperial,
        time_stamp=draw(st.none() | payloads.date_times),
        user_id=draw(st.none() | payloads.u8),
        basal_metabolism_kj=draw(st.none() | ones),
        muscle_percent=draw(st.none() | percents),
        muscle_mass=draw(masses),
        fat_free_mass=draw(masses),
        soft_lean_mass=draw(masses),
        body_water_mass=draw(masses),
        impedance_ohm=draw(st.none() | percents),
        weight=draw(masses),
        height=draw(lengths),
        multiple_packets=draw(st.booleans()),
    )


user_controls = st.one_of(
    st.builds(UserCommand, op_code=st.just(user_data.REGISTER), code=payloads.u16),
    st.builds(UserCommand, op_code=st.just(user_data.CONSENT), user=payloads.u8, code=payloads.u16),
    st.builds(UserCommand, op_code=st.sampled_from([user_data.DELETE, user_data.LIST])),
    st.builds(UserCommand, op_code=st.just(user_data.DELETE_USERS), user=payloads.u8),
    st.builds(
        UserResponse, request=payloads.u8, value=payloads.u8, parameter=st.binary(max_size=4)
    ),
)

FORMATS = {
    "2A9D": Format(Weighing.decode, weighings()),
    "2A9E": Format(WeightScaleFeature.decode, st.builds(WeightScaleFeature, bits=u32)),
    "2A9C": Format(BodyComposition.decode, compositions()),
    "2A9B": Format(BodyCompositionFeature.decode, st.builds(BodyCompositionFeature, bits=u32)),
    "2A9A": Format(UserIndex.decode, st.builds(UserIndex, index=payloads.u8)),
    "2A99": Format(ChangeIncrement.decode, st.builds(ChangeIncrement, count=u32)),
    # an answer carries a parameter of any length
    "2A9F": Format(
        user_data.decode,
        user_controls,
        says_it_all=lambda data: len(data) >= 3 and data[0] == user_data.RESPONSE,
    ),
}
