"""The settings of a gateway: each wrong one is named with its meaning, no password is repeated."""

import pytest

from gateway_agent.config import GatewaySettings
from vitals.broker import Broker, broker
from vitals.errors import MendSettings
from vitals.settings import read

GOOD = {"KANGBAN_GATEWAY_NAME": "g1", "KANGBAN_MQTT_URL": "mqtt://broker"}


def test_two_settings_are_enough() -> None:
    settings = read(GatewaySettings, GOOD)
    assert settings.mqtt == Broker(host="broker", port=1883, tls=False)
    assert (settings.adapter, str(settings.timezone)) == ("hci0", "Asia/Shanghai")


def test_a_broker_address_carries_user_password_and_tls() -> None:
    assert broker("mqtts://g1:p%40ss@mqtt.clinic.example:8884") == Broker(
        host="mqtt.clinic.example", port=8884, tls=True, user="g1", password="p@ss"
    )
    assert broker("mqtts://h").port == 8883


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KANGBAN_GATEWAY_NAME", "Küche"),
        ("KANGBAN_GATEWAY_NAME", ""),
        ("KANGBAN_MQTT_URL", "http://broker"),
        ("KANGBAN_MQTT_URL", "mqtt://"),
        ("KANGBAN_MQTT_URL", "mqtt://broker:port"),
        ("KANGBAN_GATEWAY_TIMEZONE", "Asia/Peking"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(MendSettings, match=name):
        read(GatewaySettings, {**GOOD, name: value})


def test_a_wrong_broker_address_does_not_show_its_password() -> None:
    with pytest.raises(MendSettings) as caught:
        read(GatewaySettings, {**GOOD, "KANGBAN_MQTT_URL": "tcp://g1:secret@broker"})
    assert "secret" not in str(caught.value)
