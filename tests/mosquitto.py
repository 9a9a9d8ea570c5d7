"""A mosquitto that saves its queue only when told: for tests of what a broker's death loses."""

import os
import signal
import socket
import subprocess
from pathlib import Path


class Mosquitto:
    """One broker on one port; anybody is let in."""

    def __init__(self, folder: Path, program: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        self._program, self._config = program, folder / "mosquitto.conf"
        self._saved = folder / "mosquitto.db"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"user {os.environ.get('USER', 'root')}\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 0\n"
        )
        self.start()

    def start(self) -> None:
        """Returns when it lets clients in."""
        self._process = subprocess.Popen(
            [self._program, "-c", self._config], stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        next(each for each in self._process.stderr if "running" in each)

    def save(self) -> None:
        """Has what it holds written; returns when it is."""
        assert self._process.stderr is not None
        self._process.send_signal(signal.SIGUSR1)
        next(each for each in self._process.stderr if "Saving" in each)
        # it serves nobody while it writes: whom it serves again, it has written for
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00")
            assert line.recv(4) == b"\x20\x02\x00\x00"

    def hold_still(self) -> None:
        """It takes bytes in, and does nothing with them any more."""
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Ends it in good order: it saves what it holds."""
        self._process.terminate()
        self._process.communicate(timeout=20)

    def kill(self) -> None:
        """Ends it at once: what was not saved is gone."""
        self._process.kill()
        self._process.communicate(timeout=20)
