"""Many gateways' lines to a broker from one process: each a TCP connection with its own session.

A gateway publishes at QoS 1 at the moment that its plan says, whatever became of the messages
before, and hears its receipts; where there are fewer lines than gateways, one line carries several
gateways' topics. May hold: as much MQTT 3.1.1 as this needs. May not: what messages hold.
"""

import json
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from bench.sender import packet, publication, text
from vitals.wire import topic

_CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK = 0x20, 0x30, 0x40, 0x82, 0x90
# seconds until the broker says that it will keep the line open without a word
_KEEP_ALIVE_S = 600
# seconds without any receipt after which nothing more is expected
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A message of one gateway, to be sent so many seconds after the beginning."""

    at_s: float
    gateway: int
    # the name of its first measurement: one receipt may answer several messages
    first_id: str
    topic: str
    payload: bytes


@dataclass(slots=True, kw_only=True)
class Heard:
    """What came back: seconds from the moment each message was due to its receipt, and counts."""

    lags_s: list[float] = field(default_factory=list)
    committed: int = 0
    rejected: int = 0
    sent: int = 0
    took_s: float = 0.0


@dataclass(slots=True)
class _Line:
    socket: socket.socket
    heard: bytearray = field(default_factory=bytearray)
    out: bytearray = field(default_factory=bytearray)
    mid: int = 0

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """Takes the whole packets out of what was heard: head and body."""
        at = 0
        while at + 1 < len(self.heard):
            size, shift, begin = 0, 0, at + 1
            while begin < len(self.heard):
                digit = self.heard[begin]
                size |= (digit & 127) << shift
                begin, shift = begin + 1, shift + 7
                if not digit & 128:
                    break
            else:
                break
            if begin + size > len(self.heard):
                break
            yield self.heard[at], bytes(self.heard[begin : begin + size])
            at = begin + size
        del self.heard[:at]


class Lines:
    """The lines of `gateways` (their names) over so many connections."""

    def __init__(self, url: str, gateways: Sequence[str], *, connections: int) -> None:
        self._url, self._names = url, gateways
        self._lines: list[_Line] = []
        self._poll = select.epoll()
        self._of_file: dict[int, _Line] = {}
        for number in range(connections):
            line = _open(url, f"fleet-{number}", list(gateways[number::connections]))
            self._lines.append(line)
            self._of_file[line.socket.fileno()] = line
            self._poll.register(line.socket, select.EPOLLIN)

    def close(self) -> None:
        """Hangs up."""
        for each in self._lines:
            each.socket.close()
        self._poll.close()

    def play(self, plan: Sequence[Due]) -> Heard:
        """Sends each message when it is due, in the plan's order.

        Returns when each has its receipt, or when none has come for a while.
        """
        found, due_s = Heard(), {each.first_id: each.at_s for each in plan}
        begin_s = last_s = time.monotonic()
        while found.sent < len(plan) or len(found.lags_s) < found.sent:
            now_s = time.monotonic() - begin_s
            while found.sent < len(plan) and plan[found.sent].at_s <= now_s:
                self._publish(plan[found.sent])
                found.sent += 1
            rest_s = plan[found.sent].at_s - now_s if found.sent < len(plan) else 1.0
            if self._listen(max(0.0, min(rest_s, 1.0)), due_s, found, begin_s):
                last_s = time.monotonic()
            elif found.sent == len(plan) and time.monotonic() - last_s > PATIENCE_S:
                break
        found.took_s = last_s - begin_s
        return found

    def _publish(self, each: Due) -> None:
        line = self._lines[each.gateway % len(self._lines)]
        line.mid = line.mid % 65535 + 1
        line.out += publication(each.topic, each.payload, line.mid)
        self._write(line)

    def _write(self, line: _Line) -> None:
        with suppress(BlockingIOError):
            del line.out[: line.socket.send(line.out)]
        wanted = select.EPOLLIN | (select.EPOLLOUT if line.out else 0)
        self._poll.modify(line.socket, wanted)

    def _listen(self, wait_s: float, due_s: dict[str, float], found: Heard, begin_s: float) -> bool:
        """Hears what there is; was a receipt among it?"""
        before = len(found.lags_s)
        for file, event in self._poll.poll(wait_s):
            line = self._of_file[file]
            if event & select.EPOLLOUT:
                self._write(line)
            if event & (select.EPOLLIN | select.EPOLLHUP):
                data = line.socket.recv(65536)
                if not data:
                    raise ConnectionError("the broker has closed a line")
                line.heard += data
                for head, body in line.packets():
                    if head & 0xF0 == _PUBLISH:
                        self._take(line, body, due_s, found, begin_s)
        return len(found.lags_s) > before

    def _take(
        self, line: _Line, body: bytes, due_s: dict[str, float], found: Heard, begin_s: float
    ) -> None:
        at = 2 + int.from_bytes(body[:2], "big")
        line.out += packet(_PUBACK, body[at : at + 2])
        self._write(line)
        receipt: Any = json.loads(body[at + 2 :])
        answered = [
            at_s for each in receipt["committed"] if (at_s := due_s.pop(each, None)) is not None
        ]
        if answered:
            now_s = time.monotonic() - begin_s
            found.lags_s += [now_s - at_s for at_s in answered]
            found.committed += len(receipt["committed"])
            found.rejected += len(receipt["rejected"])


def _open(url: str, client: str, gateways: list[str]) -> _Line:
    """A line that has subscribed to the receipts of its gateways."""
    where = urlsplit(url)
    line = _Line(socket.create_connection((where.hostname, where.port)))
    line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    user, password = unquote(where.username or ""), unquote(where.password or "")
    # a session that outlives the line, as a gateway's (MQTT 3.1.1 §3.1.2)
    flags = (0x80 if user else 0) | (0x40 if password else 0)
    names = [text(client), *(text(each) for each in (user, password) if each)]
    head = text("MQTT") + bytes([4, flags]) + _KEEP_ALIVE_S.to_bytes(2, "big")
    line.socket.sendall(packet(0x10, head + b"".join(names)))
    wanted = b"".join(text(topic(each, "receipt")) + b"\x01" for each in gateways)
    line.socket.sendall(packet(_SUBSCRIBE, b"\x00\x01" + wanted))
    answered: set[int] = set()
    while answered < {_CONNACK, _SUBACK}:
        data = line.socket.recv(4096)
        if not data:
            raise ConnectionError("the broker has refused a line")
        line.heard += data
        answered |= {head & 0xF0 for head, _ in line.packets()}
    line.socket.setblocking(False)
    return line
