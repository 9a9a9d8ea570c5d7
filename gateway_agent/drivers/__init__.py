"""Drivers, one file for each kind of device; pure. `DRIVERS` by kind, `decode` for support."""

from gateway_agent.drivers.registry import DRIVERS, decode, driver_of

__all__ = ["DRIVERS", "decode", "driver_of"]
