"""Watches, rings, and formats of single makers."""

from collections.abc import Callable
from functools import partial

import payloads
from hypothesis import strategies as st

from formats import Format
from gateway_agent.drivers.caresens_clock import CARESENS_CLOCK, CareSensClock
from gateway_agent.drivers.colmi_packet import BIG_NOTIFY, NOTIFY, Packet
from gateway_agent.drivers.colmi_sleep import Night, SleepLog
from gateway_agent.drivers.contour_clock import CONTOUR_CLOCK, ContourClock
from gateway_agent.drivers.infinitime import STEPS, StepCount
from gateway_agent.drivers.omron_record import BIG_ENDIAN, LITTLE_ENDIAN, OmronRecord, Order
from gateway_agent.gatt import DateTime

u8, u16 = payloads.u8, payloads.u16

nights = st.builds(
    Night,
    days_ago=u8,
    start_min=u16,
    end_min=u16,
    stages=st.lists(st.tuples(u8, u8), max_size=12).map(tuple),
)


def _omron(order: Order) -> st.SearchStrategy[OmronRecord]:
    return st.builds(
        OmronRecord,
        order=st.just(order),
        systolic=st.integers(25, 280),
        diastolic=u8,
        # FF in all fields is an empty slot
        pulse_rate=st.integers(0, 254),
        time=st.builds(
            DateTime,
            year=st.integers(2000, 2255),
            month=st.integers(0, 15),
            day=st.integers(0, 31),
            hours=st.integers(0, 31),
            minutes=st.integers(0, 63),
            seconds=st.integers(0, 63),
        ),
        rest=st.tuples(st.integers(0, 3), st.integers(0, 15), st.binary(min_size=6, max_size=6)),
    )


def _omron_format(order: Order) -> Format:
    decode: Callable[[bytes], OmronRecord] = partial(OmronRecord.decode, order=order)
    return Format(decode, _omron(order))


FORMATS = {
    STEPS: Format(StepCount.decode, st.builds(StepCount, steps=st.integers(0, 0xFFFFFFFF))),
    NOTIFY: Format(
        Packet.decode,
        st.builds(Packet, command=u8, data=st.binary(min_size=14, max_size=14)),
    ),
    BIG_NOTIFY: Format(
        SleepLog.decode,
        st.builds(SleepLog, nights=st.lists(nights, max_size=4).map(tuple), crc=u16),
    ),
    CARESENS_CLOCK: Format(
        CareSensClock.decode, st.builds(CareSensClock, date_time=payloads.date_times)
    ),
    CONTOUR_CLOCK: Format(
        ContourClock.decode,
        st.builds(ContourClock, date_time=payloads.date_times, offset_min=payloads.s16),
    ),
    LITTLE_ENDIAN: _omron_format("little"),
    BIG_ENDIAN: _omron_format("big"),
}
