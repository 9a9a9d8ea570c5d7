"""Keeps one server program running for as long as its owner lives, and never longer.

Runs as a process of its own between the owner (the demo, `kangban serve`, a test) and a server
(postgres, mosquitto). A server that dies is started again; when the owner lets go of the pipe, by
word or by dying, the server is stopped. On Linux the server also dies with the guard itself. May
hold: processes, signals and pipes, standard library only, since it starts in a few milliseconds.
May not: anything about a particular server.
"""

import argparse
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# a server that falls at once again is tried after these pauses, then always after the last
_PAUSES_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
# one that stood for so long fell for a new reason: the pauses begin anew
_STEADY_AFTER_S = 2.0

Server = subprocess.Popen[bytes]


def main() -> int:
    """0 once the owner is gone and the server has stopped."""
    wanted = _arguments()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # only the owner's pipe ends a guard
    for pipe in (0, 1):
        os.set_blocking(pipe, False)
    child_ended = _wake_when_a_child_ends()
    server, falls, begun, due = None, 0, 0.0, 0.0
    while True:
        now = time.monotonic()
        if server is None and now >= due:
            server, begun = _start(wanted), now
        if server is None or server.poll() is not None:
            if begun > due:
                _say(f"ended {'' if server is None else server.returncode}")
                falls = 0 if now - begun > _STEADY_AFTER_S else falls + 1
                due = now + _PAUSES_S[min(falls, len(_PAUSES_S) - 1)]
            server = None
        if _owner_let_go(child_ended, wait_s=None if server else max(0.0, due - now)):
            _stop(server, wanted)
            return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stop", type=_signal, required=True, help="asks for a clean stop")
    parser.add_argument("--force", type=_signal, required=True, help="when patience has run out")
    parser.add_argument("--patience", type=float, required=True, help="seconds")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _signal(name: str) -> signal.Signals:
    return signal.Signals[name]


def _wake_when_a_child_ends() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _start(wanted: argparse.Namespace) -> Server | None:
    with wanted.log.open("ab") as log:
        try:
            server = subprocess.Popen(
                wanted.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_guard(wanted.stop),
            )
        except OSError as error:
            log.write(f"{wanted.command[0]} does not start: {error}\n".encode())
            return None
    _say(f"started {server.pid}")
    return server


def _die_with_guard(stop: signal.Signals) -> Callable[[], None]:
    guard = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before_exec() -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(stop))
            if os.getppid() != guard:  # the guard died before the kernel was told
                os._exit(1)

    return before_exec


def _owner_let_go(child_ended: int, *, wait_s: float | None) -> bool:
    readable, _, _ = select.select([0, child_ended], [], [], wait_s)
    if child_ended in readable:
        os.read(child_ended, 512)
    if 0 not in readable:
        return False
    try:
        return os.read(0, 512) == b""
    except BlockingIOError:
        return False


def _stop(server: Server | None, wanted: argparse.Namespace) -> None:
    if server is None:
        return
    for each in (wanted.stop, wanted.force, signal.SIGKILL):
        server.send_signal(each)
        with suppress(subprocess.TimeoutExpired):
            server.wait(wanted.patience)
            return


def _say(line: str) -> None:
    # nobody listens, or not for long: what the server does says the same
    with suppress(OSError):
        os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
