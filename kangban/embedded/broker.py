"""An MQTT broker of our own on the loopback: mosquitto where there is one, else amqtt.

The settings are in `mosquitto.conf`. With mosquitto's defaults 19,000 of 20,000 messages for a
client that was away were dropped (its queue holds 1,000), and a kill -9 lost all of them (it saves
every half hour); saving every 5 s and a queue of a million keep them. A message may have 8 MiB, so
that one that is far too large reaches ingest, which stores it as a dead letter with its reason.
amqtt forgets its queues when it stops; the gateway's spool and the receipts make that harmless,
only slower. Other users of the machine reach the port too, so the URL holds a password. May hold:
the life of one broker. May not: topics, messages.
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import resources
from pathlib import Path

from kangban.embedded.guarded import FolderLock, Guarded
from kangban.embedded.running import started_as
from kangban.embedded.service import Service
from vitals.errors import MendSettings

_HOST = "127.0.0.1"
# Debian and Homebrew put mosquitto where an ordinary user's PATH does not look
_MORE_PATH = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/sbin",
    # what `make services` unpacked, when this runs from a checkout
    str(Path(__file__).parents[2] / ".services/root/usr/sbin"),
)
_USER = "kangban"
_MOSQUITTO_SETTINGS = "mosquitto.conf"
_AMQTT_SETTINGS = "amqtt.yaml"
_RUN_AMQTT = "from amqtt.scripts.broker_script import main; main()"
# MQTT 3.1.1 §3.1.2: protocol name and level, flags (user name, password, clean session), keep alive
_ANYONE = b"\x00\x04MQTT\x04\x02\x00\x05"
_SOMEONE = b"\x00\x04MQTT\x04\xc2\x00\x05"
_CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
_DISCONNECT = b"\xe0\x00"


class Broker(Service):
    """A running broker while it is entered as a context; `url` says where.

    The folder remembers the port, so that clients find a restarted broker where it was.
    """

    start_patience_s = 30.0
    stop_patience_s = 20.0

    def __init__(
        self, data: Path, port: int = 0, *, program: Path | None = None, anonymous: bool = False
    ) -> None:
        super().__init__(data)
        self.program = program or find_mosquitto()
        self.port = port
        self._wanted_port = port
        self._anonymous = anonymous
        self._password = ""

    @property
    def url(self) -> str:
        """Where to connect: mqtt://user:password@127.0.0.1:port, or without a name if anonymous."""
        return (
            f"mqtt://{'' if self._anonymous else f'{_USER}:{self._password}@'}{_HOST}:{self.port}"
        )

    def answers(self) -> bool:
        """Whether an MQTT client with our name and password is let in."""
        names = [] if self._anonymous else [_USER.encode(), self._password.encode()]
        words = b"".join(len(each).to_bytes(2, "big") + each for each in [b"", *names])
        body = (_SOMEONE if names else _ANYONE) + words
        try:
            with socket.create_connection((_HOST, self.port), timeout=2) as line:
                line.sendall(b"\x10" + bytes([len(body)]) + body)
                accepted = line.recv(4) == _CONNACK_ACCEPTED
                line.sendall(_DISCONNECT)
                return accepted
        except OSError:
            return False

    def _begin(self, lock: FolderLock) -> Guarded:
        # one that outlived its guard still holds the port
        for pid in started_as(self._command()):
            self._end_stray(pid, (signal.SIGTERM, signal.SIGKILL))
        self.port = self._choose_port()
        self._password = self._remembered_password()
        self._write_settings()
        return Guarded(
            self._command(),
            log=self.data / "broker.log",
            lock=lock,
            stop=signal.SIGTERM,
            force=signal.SIGKILL,
            patience_s=self.stop_patience_s,
        )

    def _choose_port(self) -> int:
        remembered = self.data / "port"
        for port in self._ports(remembered):
            if _is_free(port):
                remembered.write_text(f"{port}\n")
                return port
        raise MendSettings(
            f"Port {self._wanted_port} of {_HOST} is in use: stop what listens there,"
            " or give another port (0 chooses a free one)."
        )

    def _ports(self, remembered: Path) -> Iterator[int]:
        if self._wanted_port:
            yield self._wanted_port
            return
        if self.port:
            yield self.port
        with suppress(OSError, ValueError):
            yield int(remembered.read_text())
        yield _free_port()

    def _remembered_password(self) -> str:
        if not (self.data / "password").exists():
            self._written("password", secrets.token_urlsafe(24))
        return (self.data / "password").read_text()

    def _command(self) -> list[str]:
        if self.program:
            return [str(self.program), "-c", str(self.data / _MOSQUITTO_SETTINGS)]
        return [sys.executable, "-c", _RUN_AMQTT, "-c", str(self.data / _AMQTT_SETTINGS)]

    def _write_settings(self) -> None:
        if self.program:
            self._written(_MOSQUITTO_SETTINGS, self._for_mosquitto())
        else:
            self._written(_AMQTT_SETTINGS, self._for_amqtt())

    def _for_mosquitto(self) -> str:
        settings = resources.files("kangban.embedded").joinpath(_MOSQUITTO_SETTINGS).read_text()
        settings += f"listener {self.port} {_HOST}\npersistence_location {self.data}/\n"
        if self._anonymous:
            settings += "allow_anonymous true\n"
        else:
            users = self._written("users", f"{_USER}:{_hash_for_mosquitto(self._password)}\n")
            settings += f"allow_anonymous false\npassword_file {users}\n"
        if os.getuid() == 0:
            settings += "user root\n"  # else it gives itself to a user who may not write here
        return settings

    def _for_amqtt(self) -> str:
        door: dict[str, dict[str, object]] = {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
        }
        if not self._anonymous:
            users = self._written("users", f"{_USER}:{_hash_for_amqtt(self._password)}\n")
            door = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(users)}}
        listener = {"type": "tcp", "bind": f"{_HOST}:{self.port}"}
        # every JSON is YAML, which amqtt reads
        return json.dumps({"listeners": {"default": listener}, "plugins": door}, indent=2)

    def _written(self, name: str, text: str) -> Path:
        file = self.data / name
        file.write_text(text)
        file.chmod(0o600)
        return file


def find_mosquitto() -> Path | None:
    """The mosquitto of this machine, or None."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_MORE_PATH])
    found = shutil.which("mosquitto", path=path)
    return Path(found) if found else None


def _hash_for_mosquitto(password: str) -> str:
    # as mosquitto_passwd writes it: PBKDF2 with SHA-512, 101 rounds; ours is random and long
    salt = os.urandom(12)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def _hash_for_amqtt(password: str) -> str:
    from pwdlib import PasswordHash  # amqtt's own; absent where mosquitto serves

    return PasswordHash.recommended().hash(password)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
