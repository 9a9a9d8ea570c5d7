"""Drivers are found by being there; any characteristic of theirs can be decoded by hand."""

import json

import pytest

from gateway_agent.drivers import DRIVERS, decode, driver_of
from gateway_agent.drivers.registry import DECODERS
from gateway_agent.gatt import CannotDecode
from vitals.errors import MendData


def test_meter_cuff_and_band_are_there() -> None:
    assert {kind: driver.service for kind, driver in DRIVERS.items()}.items() >= {
        "glucose_meter": "1808",
        "blood_pressure_cuff": "1810",
        "wristband": "180D",
    }.items()


def test_every_driver_is_named_in_both_languages_and_waits_between_visits() -> None:
    for driver in DRIVERS.values():
        assert driver.zh
        assert driver.en
        assert driver.revisit_s > 0
        assert set(driver.decoders) <= set(DECODERS)


@pytest.mark.parametrize("service", ["1808", "0x1808", "00001808-0000-1000-8000-00805f9b34fb"])
def test_a_service_is_known_in_its_short_and_its_long_form(service: str) -> None:
    driver = driver_of(service)
    assert driver is not None
    assert driver.kind == "glucose_meter"


@pytest.mark.parametrize("service", ["1816", "", "6e400001-b5a3-f393-e0a9-e50e24dcca9e"])
def test_a_stranger_has_no_driver(service: str) -> None:
    assert driver_of(service) is None


@pytest.mark.parametrize("name", ["2A35", "2a35", "0x2A35", "00002a35-0000-1000-8000-00805f9b34fb"])
def test_a_value_is_decoded_under_any_way_to_write_its_characteristic(name: str) -> None:
    fields = decode(name, bytes.fromhex("007800500 0ff07".replace(" ", "")))
    assert fields == {"systolic": 120.0, "diastolic": 80.0, "map": "NaN", "unit": "mmHg"}
    assert json.dumps(fields)


def test_a_bare_number_is_decoded() -> None:
    assert decode("sfloat", bytes.fromhex("72f0")) == {"value": 11.4}
    assert decode("FLOAT", bytes.fromhex("6e0100ff")) == {"value": 36.6}


def test_an_unknown_characteristic_is_answered_with_the_known_ones() -> None:
    with pytest.raises(MendData, match=r"No driver knows characteristic 2AFF; known are .*2A08, "):
        decode("2AFF", b"\x00")


def test_a_value_that_is_none_is_answered_with_what_to_do() -> None:
    with pytest.raises(CannotDecode, match=r"Blood Pressure Measurement of 1 octets where 7"):
        decode("2A35", b"\x00")
