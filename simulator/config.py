"""The settings of simulated devices that run for themselves.

May hold: the settings dataclass and the reading of its values.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway_agent.config import GatewaySettings
from simulator.panel import Device
from vitals.settings import setting


class Fault(StrEnum):
    """What may go wrong with each simulated device, again and again."""

    NONE = "none"
    DROP = "drop"
    REPEAT = "repeat"
    TRUNCATE = "truncate"
    CLOCK = "clock"


def devices(text: str) -> tuple[Device, ...]:
    """The devices of "cuff,glucose_meter". Raises ValueError for one that is not known."""
    return tuple(Device(each.strip()) for each in text.split(","))


def _pause(text: str) -> float:
    pause_s = float(text)
    if not pause_s > 0:
        raise ValueError("it must be more than 0")
    return pause_s


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("it is neither yes nor no")
    return text == "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings(GatewaySettings):
    """What a simulated household needs: the settings of its gateway, and its devices."""

    devices: tuple[Device, ...] = setting(
        "KANGBAN_SIMULATE_DEVICES",
        "which devices, with commas: cuff, glucose_meter, wristband, oximeter, scale, body_scale, "
        "thermometer",
        default=(Device.CUFF, Device.GLUCOSE_METER, Device.WRISTBAND),
        parse=devices,
    )
    every_s: float = setting(
        "KANGBAN_SIMULATE_EVERY_S",
        "seconds between two measurements of each device",
        default=60.0,
        parse=_pause,
    )
    stored: int = setting(
        "KANGBAN_SIMULATE_STORED",
        "glucose tests in the meter's memory at the start, always the same ones (at most 65000)",
        default=0,
        parse=int,
    )
    unpaired: bool = setting(
        "KANGBAN_SIMULATE_UNPAIRED",
        "yes: nobody has added the devices yet, they wait on the air for `kangban gateway pair`",
        default=False,
        parse=_yes,
    )
    fault: Fault = setting(
        "KANGBAN_SIMULATE_FAULT",
        "what goes wrong: none, drop (the link, in mid-transfer), repeat (every record), truncate "
        "(a payload) or clock (a device set to the year 2000)",
        default=Fault.NONE,
        parse=Fault,
    )
