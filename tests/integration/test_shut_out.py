"""A gateway that was shut out: refused by the server while its line is open, then by the broker."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from arriving import envelope, glucose
from test_ingest import settings, settle, until, worker

from store import enrolment, measurements
from store.pool import connect
from tests.installation import Installation, Talker
from vitals.wire import topic


@pytest.fixture
def installation(services_root: Path, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "secrets", services_root / "usr/sbin/mosquitto")
    for name in ("lost", "kept"):
        made.certificates("gateway", name)
    yield made
    made.stop()


def talker(installation: Installation, name: str) -> Talker:
    secrets = installation.secrets
    return Talker(
        installation.port,
        authority=secrets / "authority.crt",
        certificate=secrets / f"gateway-{name}.crt",
        key=secrets / f"gateway-{name}.key",
    )


def reading(number: int, gateway: str) -> bytes:
    said = glucose(number, device=f"ble:AA:BB:CC:00:00:{ord(gateway[0]):02X}")
    return json.dumps(envelope(said, gateway=gateway, batch=f"{gateway}-{number}")).encode()


def test_a_gateway_with_an_open_line_is_refused_once_it_is_shut_out(
    embedded_url: str, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(embedded_url, "lost", "kept")
    # ten seconds, in a test too long
    monkeypatch.setattr("ingest.__main__.HEARTBEAT_EVERY_S", 0.2)
    given = settings(embedded_url, "mqtt://set-below", **installation.for_ingest())
    with (
        worker(given),
        talker(installation, "lost") as lost,
        talker(installation, "kept") as kept,
        connect(embedded_url, autocommit=True) as connection,
    ):
        for each, name in ((lost, "lost"), (kept, "kept")):
            assert each.got_in()
            each.listen(topic(name, "receipt"))
            each.say(topic(name, "up"), reading(1, name))
            assert each.hears(topic(name, "receipt"))
        assert enrolment.revoke_gateway(connection, "lost", now=datetime.now(UTC))

        def is_refused() -> bool:
            number = len(measurements.dead_letters(connection)) + 2
            lost.say(topic("lost", "up"), reading(number, "lost"))
            return bool(measurements.dead_letters(connection))

        until(is_refused)
        before = measurements.counts(connection).measurements
        lost.say(topic("lost", "up"), reading(900, "lost"))
        kept.say(topic("kept", "up"), reading(2, "kept"))
        until(lambda: kept.heard.count(topic("kept", "receipt")) == 2)
        assert measurements.counts(connection).measurements == before + 1
        assert "unknown gateway" in measurements.dead_letters(connection)[0].reasons[0]


def test_a_line_that_is_open_when_the_list_changes_ends_with_the_broker_s_next_start(
    installation: Installation,
) -> None:
    with talker(installation, "lost") as lost, talker(installation, "kept") as kept:
        assert lost.got_in()
        assert kept.got_in()
        secrets = installation.secrets
        for end in ("crt", "key"):
            (secrets / f"stolen.{end}").write_bytes((secrets / f"gateway-lost.{end}").read_bytes())
        installation.certificates("revoke", "lost")
        installation.reload()
        installation.restart()
        stolen = Talker(
            installation.port,
            authority=secrets / "authority.crt",
            certificate=secrets / "stolen.crt",
            key=secrets / "stolen.key",
        )
        with stolen:
            assert not stolen.got_in(within_s=1.0)
        with talker(installation, "kept") as again:
            assert again.got_in()
