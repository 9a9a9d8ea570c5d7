"""The settings of ingest are read, and a wrong one is named."""

import pytest

from ingest.config import IngestSettings, Shards, shards
from ingest.subscribe import not_ours, ours
from vitals.broker import broker
from vitals.errors import MendSettings
from vitals.settings import read

GIVEN = {"KANGBAN_DATABASE_URL": "postgresql:///kangban", "KANGBAN_MQTT_URL": "mqtt://b"}


def test_the_shards_are_all_unless_said_otherwise() -> None:
    settings = read(IngestSettings, GIVEN)

    assert settings.shards.is_all
    assert settings.process == "ingest"
    leaves = ("up", "health", "event")
    assert ours(settings.shards) == [f"kangban/v1/+/+/{leaf}" for leaf in leaves]


def test_a_worker_of_a_range_has_a_name_of_its_own() -> None:
    settings = read(IngestSettings, {**GIVEN, "KANGBAN_SHARDS": "00-31"})

    assert settings.process == "ingest-00-31"
    assert ours(settings.shards)[:2] == ["kangban/v1/00/+/up", "kangban/v1/00/+/health"]
    assert len(ours(settings.shards)) == 3 * 32


def test_workers_that_share_the_shards_out_say_so() -> None:
    settings = read(IngestSettings, {**GIVEN, "KANGBAN_SHARDS": "leased"})

    assert settings.shards.leased
    assert (settings.process, str(settings.shards)) == ("ingest", "leased")


def test_what_a_worker_does_not_own_is_everything_else() -> None:
    one = Shards(first=5, last=5)

    assert set(ours(one)) == {f"kangban/v1/05/+/{leaf}" for leaf in ("up", "health", "event")}
    assert not set(ours(one)) & set(not_ours(one))
    assert len(not_ours(one)) == 3 * 64


@pytest.mark.parametrize("text", ["64", "00-64", "31-00", "-1", "a-b", ""])
def test_a_range_outside_of_the_shards_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        shards(text)


def test_a_broker_s_address_may_hold_a_user() -> None:
    assert broker("mqtt://b").port == 1883
    found = broker("mqtts://a%40b:p%2Fw@b:99/")
    assert (found.host, found.port, found.tls) == ("b", 99, True)
    assert (found.user, found.password) == ("a@b", "p/w")


def test_a_wrong_address_is_named_without_its_password() -> None:
    with pytest.raises(MendSettings, match="KANGBAN_MQTT_URL is wrong") as caught:
        read(IngestSettings, {**GIVEN, "KANGBAN_MQTT_URL": "http://user:secret@b"})

    assert "secret" not in str(caught.value)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(MendSettings, match=r"(?s)KANGBAN_DATABASE_URL.*KANGBAN_MQTT_URL"):
        read(IngestSettings, {})
