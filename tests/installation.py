"""One installation for tests: the authority of deploy/, its broker with deploy/'s own rules.

`Installation` makes certificates with the script that operators use and starts a real mosquitto
with the settings and the access list that ship.
"""

import os
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).parents[1]
_PLACES = {
    "/run/secrets/broker_authority": "authority.crt",
    "/run/secrets/broker_revoked": "revoked.crl",
    "/run/secrets/broker_certificate": "broker.crt",
    "/run/secrets/broker_key": "broker.key",
    "/mosquitto/data/": "",
}


class Installation:
    """Secrets in a folder, a broker on a port."""

    def __init__(self, folder: Path, program: Path) -> None:
        folder.mkdir()
        self.secrets, self.program = folder, program
        for words in (["authority"], ["broker", "localhost"], ["ingest"]):
            self.certificates(*words)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text()
        for place, name in _PLACES.items():
            text = text.replace(place, f"{folder}/{name}")
        text = text.replace("/mosquitto/config/acl", str(ROOT / "deploy/mosquitto/acl"))
        text = text.replace("log_dest stdout", "log_dest stderr\nlog_type information")
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1")
        # the server's own door
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.inner_port: int = free.getsockname()[1]
        text = text.replace("listener 8884", f"listener {self.inner_port} 127.0.0.1")
        (folder / "mosquitto.conf").write_text(f"user {os.environ.get('USER', 'root')}\n{text}")
        self._start()

    @property
    def mqtt(self) -> str:
        """The broker as homes reach it."""
        return f"mqtts://localhost:{self.port}"

    def for_ingest(self) -> dict[str, str]:
        """What ingest must know to work at the inner door."""
        return {
            "KANGBAN_MQTT_URL": f"mqtts://localhost:{self.inner_port}",
            "KANGBAN_MQTT_CA_PATH": str(self.secrets / "authority.crt"),
            "KANGBAN_MQTT_CERTIFICATE_PATH": str(self.secrets / "ingest.crt"),
            "KANGBAN_MQTT_KEY_PATH": str(self.secrets / "ingest.key"),
        }

    def settings(self) -> dict[str, Any]:
        """What the pages must know to sign and to shut out."""
        return {
            "authority_certificate": self.secrets / "authority.crt",
            "authority_key": self.secrets / "authority.key",
            "authority_revoked": self.secrets / "revoked.crl",
            "gateway_mqtt_url": self.mqtt,
        }

    def certificates(self, *words: str) -> None:
        """Runs deploy/certificates.sh."""
        environment = {**os.environ, "KANGBAN_SECRETS": str(self.secrets)}
        script = ROOT / "deploy/certificates.sh"
        subprocess.run([script, *words], env=environment, check=True, capture_output=True)

    def reload(self) -> None:
        """Lets the broker read its files again (SIGHUP), as an operator does."""
        self._process.send_signal(signal.SIGHUP)
        assert self._process.stderr is not None
        next(each for each in self._process.stderr if "Reloading config" in each)

    def restart(self) -> None:
        """Stops the broker and starts it again."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """Ends the broker."""
        self._process.terminate()
        self._process.communicate(timeout=20)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [self.program, "-c", self.secrets / "mosquitto.conf"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        next(each for each in self._process.stderr if "running" in each)


class Talker:
    """One client of the broker, by a certificate; `heard` are the topics that reached it."""

    def __init__(self, port: int, *, authority: Path, certificate: Path | None, key: Path | None):
        self.heard: list[str] = []
        self.is_in = False
        self._news = threading.Condition()
        self._grants: list[int] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="x")
        self._client.tls_set(
            str(authority),
            certfile=str(certificate) if certificate else None,
            keyfile=str(key) if key else None,
        )
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self.refusal: Exception | None = None
        try:
            self._client.connect("localhost", port)
            self._client.loop_start()
        except OSError as error:
            self.refusal = error

    def __enter__(self) -> "Talker":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def got_in(self, *, within_s: float = 10.0) -> bool:
        """Was it let in?"""
        with self._news:
            return self._news.wait_for(lambda: self.is_in, within_s)

    def listen(self, topics: str) -> None:
        """Subscribes; returns when the broker has answered. It grants whatever is asked, and holds
        back what the access list does not let this client hear."""
        with self._news:
            self._grants.clear()
            self._client.subscribe(topics, 1)
            assert self._news.wait_for(lambda: self._grants, 10)

    def say(self, topic: str, payload: bytes = b"x") -> None:
        """Publishes; returns when the broker has taken it (whether or not it passes it on)."""
        self._client.publish(topic, payload, qos=1).wait_for_publish(10)

    def hears(self, topic: str, *, within_s: float = 10.0) -> bool:
        """Did a message on this topic come?"""
        with self._news:
            return self._news.wait_for(lambda: topic in self.heard, within_s)

    def _on_connect(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        with self._news:
            self.is_in = not reason.is_failure
            self._news.notify_all()

    def _on_subscribe(self, _: Any, __: Any, ___: Any, reasons: Any, ____: Any) -> None:
        with self._news:
            self._grants += [each.value for each in reasons]
            self._news.notify_all()

    def _on_message(self, _: Any, __: Any, message: Any) -> None:
        with self._news:
            self.heard.append(message.topic)
            self._news.notify_all()
