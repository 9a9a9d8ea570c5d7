"""The line hop by hop: what is silent, what is not known, what to do."""

from datetime import datetime
from typing import Any

from page_builders import NOW, ago, alert_row

from api.view import alerts
from api.view.alerts import AlertShown, Reader
from api.view.chain import Chain, HopShown, chain_of
from api.view.glance import Mood
from rules.line import Hop
from store.pages import DeviceRow, GatewayRow


def gateway(
    last_seen_at: datetime | None, *, spooled: int = 0, health: dict[str, Any] | None = None
) -> GatewayRow:
    return GatewayRow(
        health=health or {},
        patient_id=1,
        id=1,
        name="home",
        last_seen_at=last_seen_at,
        spooled=spooled,
        registered_at=ago(days=60),
    )


def device(**changes: Any) -> DeviceRow:
    fields: dict[str, Any] = {
        "patient_id": 1,
        "id": 1,
        "name": "ble:aa",
        "kind": "blood_pressure_cuff",
        "model": "",
        "battery_percent": 80,
        "last_seen_at": ago(hours=5),
        "failure": None,
        "first_seen_at": ago(days=60),
    }
    return DeviceRow(**{**fields, **changes})


def chain(**changes: Any) -> Chain:
    fields: dict[str, Any] = {
        "gateways": [gateway(ago(minutes=4))],
        "devices": [device()],
        "server_seen_at": ago(seconds=20),
        "alerts": [],
        "has_data": True,
        "now": NOW,
        "locale": "en",
    }
    return chain_of(**{**fields, **changes})


def hop(found: Chain, which: Hop) -> HopShown:
    return next(each for each in found.hops if each.hop is which)


def silence(which: str) -> list[AlertShown]:
    body = {
        "title": {"zh": "没有收到数据", "en": "No data"},
        "sentences": {"family": {"zh": "没有数据。", "en": "No data for 4 days."}},
        "numbers": {"hop": which},
    }
    row = alert_row(rule="silence.no_data", severity=2, body=body)
    return alerts.shown([row], reader=Reader.FAMILY, locale="en")


def test_a_working_line_is_green_at_every_hop_from_the_home_to_the_server() -> None:
    found = chain()
    assert [each.hop for each in found.hops] == [Hop.DEVICE, Hop.GATEWAY, Hop.NETWORK, Hop.SERVER]
    assert {each.mood for each in found.hops} == {Mood.WELL}
    assert not found.is_broken


def test_a_silent_server_leaves_everything_behind_it_unknown() -> None:
    found = chain(server_seen_at=ago(minutes=10))
    assert hop(found, Hop.SERVER).word == "hop_silent"
    assert hop(found, Hop.SERVER).do == "do_server"
    for which in (Hop.DEVICE, Hop.GATEWAY, Hop.NETWORK):
        assert hop(found, which).mood is Mood.NONE
    assert found.is_broken


def test_a_gateway_without_a_word_for_hours_is_named_with_its_remedy() -> None:
    found = chain(gateways=[gateway(ago(hours=6))])
    assert hop(found, Hop.GATEWAY).word == "hop_silent"
    assert hop(found, Hop.GATEWAY).do == "do_gateway"
    assert "6 h" in hop(found, Hop.GATEWAY).said
    assert hop(found, Hop.NETWORK).word == "hop_unknown"
    assert hop(found, Hop.DEVICE).word == "hop_unknown"
    assert hop(found, Hop.SERVER).mood is Mood.WELL


def test_a_gateway_whose_bluetooth_is_gone_is_named_and_not_its_devices() -> None:
    told = {"troubles": {"adapter": "The Bluetooth adapter does not work."}}
    found = chain(gateways=[gateway(ago(minutes=4), health=told)])
    assert hop(found, Hop.GATEWAY).mood is Mood.LOOK
    assert "Bluetooth" in hop(found, Hop.GATEWAY).said
    assert hop(found, Hop.DEVICE).mood is Mood.NONE
    # a disk that fills up keeps no device from being heard
    told = {"troubles": {"disk": "The disk is nearly full."}}
    found = chain(gateways=[gateway(ago(minutes=4), health=told)])
    assert hop(found, Hop.GATEWAY).mood is Mood.WELL


def test_readings_left_in_the_gateway_point_at_the_network() -> None:
    found = chain(gateways=[gateway(ago(hours=6), spooled=12)])
    assert hop(found, Hop.NETWORK).word == "hop_silent"
    assert hop(found, Hop.NETWORK).do == "do_network"
    assert hop(found, Hop.GATEWAY).word == "hop_unknown"


def test_a_living_silence_alert_of_the_device_names_the_device() -> None:
    found = chain(alerts=silence("device"))
    assert hop(found, Hop.DEVICE).word == "hop_silent"
    assert hop(found, Hop.DEVICE).said == "No data for 4 days."


def test_a_low_battery_is_said_before_it_becomes_silence() -> None:
    assert hop(chain(devices=[device(battery_percent=20)]), Hop.DEVICE).word == "hop_battery"
    assert hop(chain(devices=[device(battery_percent=21)]), Hop.DEVICE).mood is Mood.WELL
    assert hop(chain(devices=[device(battery_percent=None)]), Hop.DEVICE).mood is Mood.WELL


def test_nothing_registered_and_nothing_heard_are_never_green() -> None:
    found = chain(gateways=[], devices=[], server_seen_at=None, has_data=False)
    assert {each.mood for each in found.hops} == {Mood.NONE}
    assert not found.is_broken


def test_a_device_that_never_gave_data_is_not_green() -> None:
    assert hop(chain(has_data=False), Hop.DEVICE).mood is Mood.NONE


def test_a_gateway_that_never_reported_is_silent() -> None:
    found = chain(gateways=[gateway(None)])
    assert hop(found, Hop.GATEWAY).word == "hop_silent"
