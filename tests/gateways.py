"""Stands for gateways at a real broker: publishes envelopes, gathers receipts, sends again."""

import json
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from arriving import envelope
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from vitals.broker import broker
from vitals.wire import topic


class Gateways:
    """One connection that speaks for any gateway; use it as a context manager."""

    def __init__(self, url: str, *, client_id: str = "test-gateways") -> None:
        where = broker(url)
        self.committed: set[str] = set()
        self.rejected: dict[str, list[str]] = {}
        self.receipts = 0
        self._news = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(1, 1)
        if where.user:
            self._client.username_pw_set(where.user, where.password)
        self._ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe("kangban/v1/+/+/receipt", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.connect(where.host, where.port)

    def __enter__(self) -> "Gateways":
        self._client.loop_start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, payload: Any, *, gateway: str = "g1", leaf: str = "up") -> None:
        """Hands a message to the broker; what is not bytes becomes JSON."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(topic(gateway, leaf), data, qos=1)

    def send(self, documents: Iterable[dict[str, Any]], *, gateway: str = "g1") -> None:
        """Publishes measurements, fifty in an envelope."""
        waiting = list(documents)
        for begin in range(0, len(waiting), 50):
            part = waiting[begin : begin + 50]
            self.publish(
                envelope(*part, gateway=gateway, batch=f"{gateway}-{begin}"), gateway=gateway
            )

    def await_named(self, ids: Iterable[str], *, within_s: float = 60.0) -> float:
        """Seconds until receipts had named all of these. Raises AssertionError when they do not."""
        wanted, begin_s = set(ids), time.monotonic()
        with self._news:
            assert self._news.wait_for(
                lambda: wanted <= self.committed | self.rejected.keys(), within_s
            ), f"{len(wanted - self.committed - self.rejected.keys())} of {len(wanted)} unnamed"
        return time.monotonic() - begin_s

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        document = json.loads(message.payload)
        with self._news:
            self.receipts += 1
            self.committed |= set(document["committed"])
            self.rejected |= document["rejected"]
            self._news.notify_all()
