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
from types import TracebackType

from kangban.embedded.guarded import FolderLock, Guarded
from vitals.errors import MendSettings, TryAgain

_HOST = "127.0.0.1"
# Debian and Homebrew put mosquitto where an ordinary user's PATH does not look
_MORE_PATH = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/sbin",
    # what `make services` unpacked, when this runs from a checkout
    str(Path(__file__).parents[2] / ".services/root/usr/sbin"),
)
_START_PATIENCE_S = 30.0
_STOP_PATIENCE_S = 20.0
_USER = "kangban"
# MQTT 3.1.1 §3.1.2: protocol name and level, flags (user name, password, clean session), keep alive
_ANYONE = b"\x00\x04MQTT\x04\x02\x00\x05"
_SOMEONE = b"\x00\x04MQTT\x04\xc2\x00\x05"
_CONNACK_ACCEPTED = b"\x20\x02\x00\x00"
_DISCONNECT = b"\xe0\x00"


class Broker:
    """A running broker while it is entered as a context; `url` says where.

    The folder remembers the port, so that clients find a restarted broker where it was.
    """

    def __init__(
        self, data: Path, port: int = 0, *, program: Path | None = None, anonymous: bool = False
    ) -> None:
        self.data = data.absolute()
        self.program = program or find_mosquitto()
        self.port = port
        self._wanted_port = port
        self._anonymous = anonymous
        self._password = ""
        self._lock: FolderLock | None = None
        self._server: Guarded | None = None

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where to connect: mqtt://user:password@127.0.0.1:port, or without a name if anonymous."""
        return (
            f"mqtt://{'' if self._anonymous else f'{_USER}:{self._password}@'}{_HOST}:{self.port}"
        )

    @property
    def pid(self) -> int:
        """The broker's process id, 0 while it is down."""
        return self._server.listen() if self._server else 0

    def start(self) -> None:
        """Returns when the broker accepts clients.

        Raises MendSettings if the folder or the port is in use, TryAgain with the end of the log
        if the broker does not come up.
        """
        if self._server and self._server.is_guarded():
            return self.wait()
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        if self._lock is None:
            self._lock = FolderLock(self.data, patience_s=_STOP_PATIENCE_S)
        try:
            self.port = self._choose_port()
            self._password = self._remembered_password()
            self._server = self._under_guard(self._lock)
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self, patience_s: float = _START_PATIENCE_S) -> None:
        """Returns when the broker accepts a client, after a crash or a start."""
        if self._server is None:
            raise TryAgain(f"The broker in {self.data} is not running: start it first.")
        self._server.wait_until(self.answers, patience_s=patience_s)

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

    def stop(self) -> None:
        """Returns when the broker has saved its queues and stopped."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

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

    def _under_guard(self, lock: FolderLock) -> Guarded:
        return Guarded(
            self._mosquitto(self.program) if self.program else self._amqtt(),
            log=self.data / "broker.log",
            lock=lock,
            stop=signal.SIGTERM,
            force=signal.SIGKILL,
            patience_s=_STOP_PATIENCE_S,
        )

    def _remembered_password(self) -> str:
        if not (self.data / "password").exists():
            self._written("password", secrets.token_urlsafe(24))
        return (self.data / "password").read_text()

    def _mosquitto(self, program: Path) -> list[str]:
        settings = resources.files("kangban.embedded").joinpath("mosquitto.conf").read_text()
        settings += f"listener {self.port} {_HOST}\npersistence_location {self.data}/\n"
        if self._anonymous:
            settings += "allow_anonymous true\n"
        else:
            users = self._written("users", f"{_USER}:{_for_mosquitto(self._password)}\n")
            settings += f"allow_anonymous false\npassword_file {users}\n"
        if os.getuid() == 0:
            settings += "user root\n"  # else it gives itself to a user who may not write here
        return [str(program), "-c", str(self._written("mosquitto.conf", settings))]

    def _amqtt(self) -> list[str]:
        door: dict[str, dict[str, object]] = {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
        }
        if not self._anonymous:
            users = self._written("users", f"{_USER}:{_for_amqtt(self._password)}\n")
            door = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(users)}}
        listener = {"type": "tcp", "bind": f"{_HOST}:{self.port}"}
        # every JSON is YAML, which amqtt reads
        settings = json.dumps({"listeners": {"default": listener}, "plugins": door}, indent=2)
        return [sys.executable, "-c", _RUN_AMQTT, "-c", str(self._written("amqtt.yaml", settings))]

    def _written(self, name: str, text: str) -> Path:
        file = self.data / name
        file.write_text(text)
        file.chmod(0o600)
        return file


_RUN_AMQTT = "from amqtt.scripts.broker_script import main; main()"


def find_mosquitto() -> Path | None:
    """The mosquitto of this machine, or None."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_MORE_PATH])
    found = shutil.which("mosquitto", path=path)
    return Path(found) if found else None


def _for_mosquitto(password: str) -> str:
    # as mosquitto_passwd writes it: PBKDF2 with SHA-512, 101 rounds; ours is random and long
    salt = os.urandom(12)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def _for_amqtt(password: str) -> str:
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
