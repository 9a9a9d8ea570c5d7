"""What the production broker lets each name say and hear: the file itself, on a real mosquitto.

In production the name is the certificate's; here clients just say it, because only the rules are
looked at.
"""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from vitals.wire import topic

ACL = Path(__file__).parents[2] / "deploy" / "mosquitto" / "acl"
INGEST, HOME, OTHER = "kangban.ingest", "home-wang", "home-chen"


@pytest.fixture(scope="module")
def port(services_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    settings = tmp_path_factory.mktemp("acl") / "mosquitto.conf"
    settings.write_text(
        f"listener {number} 127.0.0.1\nallow_anonymous true\nacl_file {ACL}\nuser root\n"
    )
    running = subprocess.Popen([services_root / "usr/sbin/mosquitto", "-c", settings])
    deadline_s = time.monotonic() + 10
    while socket.socket().connect_ex(("127.0.0.1", number)) != 0:
        assert running.poll() is None, "mosquitto does not start"
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    yield number
    running.terminate()
    running.wait(10)


class Named:
    """A client under a name."""

    def __init__(self, port: int, name: str) -> None:
        self.heard: list[str] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(name)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe("kangban/#", 1)
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> "Named":
        self._client.loop_start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, where: str) -> None:
        self._client.publish(where, b"x", qos=1).wait_for_publish(10)

    def until(self, where: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: where in self.heard, 10), self.heard

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        with self._changed:
            self.heard.append(message.topic)
            self._changed.notify_all()


@pytest.mark.parametrize("leaf", ["up", "health", "event"])
def test_a_gateway_says_in_its_own_tree_and_ingest_hears(port: int, leaf: str) -> None:
    with Named(port, INGEST) as ingest, Named(port, HOME) as home, Named(port, OTHER) as other:
        # in the name of another: dropped; what comes after it arrives
        other.say(topic(HOME, leaf))
        other.say(topic(OTHER, leaf))
        ingest.until(topic(OTHER, leaf))
        home.say(topic(HOME, leaf))
        ingest.until(topic(HOME, leaf))
        assert ingest.heard == [topic(OTHER, leaf), topic(HOME, leaf)]
        assert home.heard == other.heard == []


@pytest.mark.parametrize("leaf", ["receipt", "command"])
def test_ingest_says_and_one_gateway_alone_hears(port: int, leaf: str) -> None:
    with Named(port, INGEST) as ingest, Named(port, HOME) as home, Named(port, OTHER) as other:
        # a gateway commands nobody, not even itself
        home.say(topic(HOME, leaf))
        home.say(topic(OTHER, leaf))
        ingest.say(topic(HOME, leaf))
        home.until(topic(HOME, leaf))
        ingest.say(topic(OTHER, leaf))
        other.until(topic(OTHER, leaf))
        assert (home.heard, other.heard) == ([topic(HOME, leaf)], [topic(OTHER, leaf)])
