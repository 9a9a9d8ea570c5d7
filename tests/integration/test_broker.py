"""Our broker on the loopback: one door, one port, queues that hold, and nothing left behind."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from kangban.embedded import broker as module
from kangban.embedded.broker import Broker
from vitals.errors import MendSettings

_PATIENCE_S = 30
_OWN = """
import sys
from pathlib import Path
from kangban.embedded.broker import Broker

broker = Broker(Path(sys.argv[1]))
broker.start()
print(broker.pid, broker.port, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["mosquitto", "amqtt"])
def door(request, tmp_path, services_root, monkeypatch) -> Iterator[Broker]:
    """A running broker of each kind, as the demo has it: with a password."""
    if request.param == "amqtt":
        monkeypatch.setattr(module, "find_mosquitto", lambda: None)
        program = None
    else:
        program = services_root / "usr/sbin/mosquitto"
    with Broker(tmp_path / "broker", program=program) as started:
        yield started


class Client:
    """A paho client that counts what arrives."""

    def __init__(self, url: str, *, name: str = "", password: str | None = None) -> None:
        self.parts = urlsplit(url)
        self.arrived: list[bytes] = []
        self.answer: object = None
        self._wanted = 0
        self._enough = threading.Event()
        self._answered = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=not name
        )
        self._client.username_pw_set(self.parts.username, password or self.parts.password)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect(self.parts.hostname or "", self.parts.port or 0)
        self._client.loop_start()
        assert self._answered.wait(_PATIENCE_S)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def listen(self, topic: str) -> None:
        done = threading.Event()
        self._client.on_subscribe = lambda *_: done.set()
        self._client.subscribe(topic, 1)
        assert done.wait(_PATIENCE_S)

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1).wait_for_publish(_PATIENCE_S)

    def hears(self, wanted: int) -> bool:
        self._wanted = wanted
        if len(self.arrived) >= wanted:
            return True
        return self._enough.wait(_PATIENCE_S)

    def _on_connect(self, _client, _data, _flags, reason, _properties) -> None:
        self.answer = reason
        self._answered.set()

    def _on_message(self, _client, _data, message) -> None:
        self.arrived.append(message.payload)
        if self._wanted and len(self.arrived) >= self._wanted:
            self._enough.set()


def test_a_message_reaches_its_listener(door):
    with Client(door.url) as hears, Client(door.url) as says:
        hears.listen("kangban/#")
        says.say("kangban/v1/00/home/up", b"72")
        assert hears.hears(1)
        assert hears.arrived == [b"72"]


def test_a_message_of_one_megabyte_gets_through_so_that_ingest_can_refuse_it(door):
    with Client(door.url) as hears, Client(door.url) as says:
        hears.listen("kangban/#")
        says.say("kangban/v1/00/home/up", bytes(1_000_000))
        assert hears.hears(1)
        assert len(hears.arrived[0]) == 1_000_000


def test_nobody_enters_without_the_password(door):
    with Client(door.url, password="guessed") as stranger:
        assert stranger.answer != 0
    with Client(f"mqtt://127.0.0.1:{door.port}") as stranger:
        assert stranger.answer != 0
    with Client(door.url) as friend:
        assert friend.answer == 0


def test_it_listens_on_the_loopback_only_and_shows_its_folder_to_nobody(door):
    listening = {each.laddr.ip for each in psutil.Process(door.pid).net_connections("tcp")}
    assert listening == {"127.0.0.1"}
    assert stat.S_IMODE(door.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((door.data / "password").stat().st_mode) == 0o600


def test_a_killed_broker_is_back_at_its_address(door):
    before, url = door.pid, door.url
    os.kill(before, signal.SIGKILL)
    _wait_for_end(before)
    door.wait(_PATIENCE_S)
    assert door.pid not in (0, before)
    assert door.url == url
    with Client(url) as client:
        assert client.answer == 0


def test_the_next_start_has_the_same_address(door):
    url = door.url
    door.stop()
    assert not door.answers()
    with Broker(door.data, program=door.program) as again:
        assert again.url == url


def test_mosquitto_keeps_thousands_for_a_listener_that_is_away_over_a_restart(private_broker):
    broker = private_broker()
    with Client(broker.url, name="ingest") as ingest:
        ingest.listen("kangban/#")
    with Client(broker.url) as home:
        for number in range(3000):
            home.say("kangban/v1/00/home/up", str(number).encode())
    broker.stop()
    broker.start()
    with Client(broker.url, name="ingest") as ingest:
        assert ingest.hears(3000)
        assert [int(each) for each in ingest.arrived] == list(range(3000))


def test_a_killed_owner_leaves_no_broker_behind(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWN, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert owner.stdout is not None
        pid, port = map(int, owner.stdout.readline().split())
        owner.kill()
        with Broker(tmp_path) as next_one:
            _wait_for_end(pid)
            assert next_one.port == port
    finally:
        owner.kill()
        owner.communicate()


def test_a_killed_guard_is_replaced_and_the_address_stays(private_broker):
    broker = private_broker()
    url, before = broker.url, broker.pid
    assert broker._server is not None
    guard = broker._server.guard_pid
    os.kill(guard, signal.SIGKILL)
    _wait_for_end(before)
    while broker._server.guard_pid == guard:
        """Our watcher has yet to notice."""
    broker.wait(_PATIENCE_S)
    assert (broker.url, broker.pid != before) == (url, True)


def test_a_taken_port_is_refused_with_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(MendSettings, match=f"Port {port} .* in use.*another port"):
            Broker(tmp_path, port).start()


def test_a_folder_has_one_owner_at_a_time(private_broker):
    broker = private_broker()
    with pytest.raises(MendSettings, match=f"in use by process {os.getpid()}"):
        Broker(broker.data).start()


def test_both_configurations_keep_the_same_promises():
    def promises(file: Path) -> dict[str, str]:
        lines = [each.split(maxsplit=1) for each in file.read_text().splitlines()]
        return {each[0]: each[1] for each in lines if len(each) == 2 and each[0] in kept}

    kept = [
        "persistence",
        "autosave_interval",
        "max_inflight_messages",
        "max_queued_messages",
        "max_packet_size",
        "persistent_client_expiration",
    ]
    root = Path(__file__).parents[2]
    at_home = promises(root / "kangban/embedded/mosquitto.conf")
    assert sorted(at_home) == sorted(kept)
    assert promises(root / "deploy/mosquitto/mosquitto.conf") == at_home


def _wait_for_end(pid: int) -> None:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], _PATIENCE_S)[0], f"{pid} still runs"
    finally:
        os.close(watched)
