"""Stands for all gateways at once: publishes messages that are ready, counts receipts. A process.

A raw socket and bytes made beforehand, so that the sender takes little of the two cores that are
measured. It keeps no more messages without a receipt than the gateways together would. Reads
packets from the file given, each with SIZE measurements, prints one line of JSON. May hold: as
much MQTT 3.1.1 as this needs.

    python -m bench.sender URL FILE WINDOW SIZE
"""

import json
import select
import socket
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK = 0x10, 0x30, 0x40, 0x82, 0x90
# seconds without any receipt after which the sender gives up
_PATIENCE_S = 60.0


def text(value: str) -> bytes:
    """MQTT's UTF-8 string (MQTT 3.1.1 §1.5.3)."""
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def packet(head: int, body: bytes) -> bytes:
    """A packet: head, remaining length (§2.2.3), body."""
    length, size = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        size.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([head]) + bytes(size) + body


def publication(topic: str, payload: bytes, mid: int) -> bytes:
    """A PUBLISH with QoS 1 (§3.3)."""
    return packet(_PUBLISH | 2, text(topic) + mid.to_bytes(2, "big") + payload)


def write_packets(file: Path, sent: list[tuple[str, bytes]]) -> None:
    """Keeps publications for this process, each with its length before it."""
    with file.open("wb") as out:
        for number, (topic, payload) in enumerate(sent):
            data = publication(topic, payload, number % 65535 + 1)
            out.write(len(data).to_bytes(4, "big") + data)


def _read_packets(file: Path) -> list[bytes]:
    data, found, at = file.read_bytes(), [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


class Sender:
    """One connection that stands for all gateways."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._line = socket.create_connection((where.hostname, where.port))
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.sendall(_connect(where.username, where.password))
        self._line.sendall(
            packet(_SUBSCRIBE, b"\x00\x01" + text("kangban/v1/+/+/receipt") + b"\x01")
        )
        self._heard = bytearray()
        self.receipts: list[bytes] = []
        # measurements named so far
        self._named = 0
        while not self._hear(_SUBACK):
            self._listen()

    def send_all(self, packets: list[bytes], *, window: int, size: int) -> None:
        """Returns when each measurement was named. Raises TimeoutError when no receipt comes.

        `window`: messages without a receipt at most; `size`: measurements in each.
        """
        self._line.setblocking(False)
        waiting, at, out = len(packets), 0, bytearray()
        while self._named < waiting * size:
            room = window - (at - self._named // size)
            if room > 0 and at < waiting and len(out) < 1 << 20:
                chosen = packets[at : at + min(room, 50)]
                out += b"".join(chosen)
                at += len(chosen)
            readable, writable, _ = select.select(
                [self._line], [self._line] if out else [], [], _PATIENCE_S
            )
            if not readable and not writable:
                raise TimeoutError(f"{self._named} of {waiting * size} measurements were named")
            if writable:
                del out[: self._line.send(memoryview(out)[:262144])]
            if readable:
                self._listen()
                self._hear(None)
                out += self._answers

    def _listen(self) -> None:
        heard = self._line.recv(262144)
        if not heard:
            raise ConnectionError("the broker has closed the connection")
        self._heard += heard

    def _hear(self, wanted: int | None) -> bool:
        """Takes whole packets out of what was heard; is `wanted` among them?"""
        self._answers = bytearray()
        at, found = 0, False
        while True:
            size, begin = _length(self._heard, at + 1)
            if begin is None or begin + size > len(self._heard):
                break
            head = self._heard[at]
            found = found or head == wanted
            if head & 0xF0 == _PUBLISH:
                self._take(bytes(self._heard[begin : begin + size]), qos=head >> 1 & 3)
            at = begin + size
        del self._heard[:at]
        return found

    def _take(self, body: bytes, *, qos: int) -> None:
        begin = 2 + int.from_bytes(body[:2], "big")
        if qos:
            self._answers += packet(_PUBACK, body[begin : begin + 2])
            begin += 2
        receipt = body[begin:]
        self.receipts.append(receipt)
        # an id of 16 digits in quotation marks, and a comma after each but the last
        first = receipt.index(b"[") + 1
        self._named += (receipt.index(b"]", first) - first + 1) // 19


def _connect(user: str | None, password: str | None) -> bytes:
    """A CONNECT with a clean session and no keep-alive (§3.1)."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if password else 0)
    names = [text("bench"), *(text(unquote(each)) for each in (user, password) if each)]
    return packet(_CONNECT, text("MQTT") + bytes([4, flags, 0, 0]) + b"".join(names))


def _length(data: bytearray, at: int) -> tuple[int, int | None]:
    size, shift = 0, 0
    while at < len(data):
        size |= (data[at] & 127) << shift
        if not data[at] & 128:
            return size, at + 1
        at, shift = at + 1, shift + 7
    return 0, None


def main() -> None:
    """Sends everything and says how long it took and what the receipts named."""
    url, file, window, size = sys.argv[1:]
    packets = _read_packets(Path(file))
    sender = Sender(url)
    begin_s, cpu_s = time.monotonic(), time.process_time()
    sender.send_all(packets, window=int(window), size=int(size))
    took_s, cpu_s = time.monotonic() - begin_s, time.process_time() - cpu_s
    documents = [json.loads(each) for each in sender.receipts]
    result = {
        "seconds": took_s,
        "cpu_s": cpu_s,
        "receipts": len(documents),
        "committed": len({each for document in documents for each in document["committed"]}),
        "rejected": sum(len(document["rejected"]) for document in documents),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
