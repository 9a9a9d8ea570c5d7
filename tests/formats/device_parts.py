"""What devices of every kind share: time types, battery status, numbers of Device Information."""

import payloads
from hypothesis import strategies as st

from formats import Format
from formats.profiles import TEXT
from gateway_agent.drivers.battery import BatteryLevelStatus
from gateway_agent.drivers.current_time import LocalTime, ReferenceTime
from gateway_agent.drivers.device_information import PnpId, Regulatory, SystemId

FORMATS = {
    "2A0F": Format(
        LocalTime.decode,
        st.builds(LocalTime, zone_quarters=st.integers(-128, 127), dst_quarters=payloads.u8),
    ),
    "2A14": Format(
        ReferenceTime.decode,
        st.builds(
            ReferenceTime,
            source=payloads.u8,
            accuracy_eighths_s=payloads.u8,
            days_since_update=payloads.u8,
            hours_since_update=payloads.u8,
        ),
    ),
    "2BED": Format(
        BatteryLevelStatus.decode,
        st.builds(
            BatteryLevelStatus,
            power_state=payloads.u16,
            identifier=st.none() | payloads.u16,
            percent=st.none() | payloads.u8,
            additional_status=st.none() | payloads.u8,
        ),
    ),
    "2A27": TEXT,
    "2A28": TEXT,
    "2A23": Format(
        SystemId.decode,
        st.builds(
            SystemId,
            manufacturer_id=st.integers(0, 2**40 - 1),
            oui=st.integers(0, 2**24 - 1),
        ),
    ),
    "2A50": Format(
        PnpId.decode,
        st.builds(
            PnpId,
            vendor_source=payloads.u8,
            vendor=payloads.u16,
            product=payloads.u16,
            version=payloads.u16,
        ),
    ),
    # opaque: any bytes are one
    "2A2A": Format(
        Regulatory.decode,
        st.builds(Regulatory, data=st.binary(max_size=24)),
        says_it_all=lambda data: True,
    ),
}
