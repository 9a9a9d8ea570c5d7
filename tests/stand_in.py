"""A stand-in for ingest: keeps what gateways send and answers as it is told.

For tests of the home's side alone, where a real ingest would bring a database along. It counts how
often each measurement came, and can be silent, refuse, or answer with nonsense.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from vitals.broker import broker
from vitals.command import Command, Event, decode_event, encode_command
from vitals.wire import Receipt, encode_receipt, gateway_of, topic

Document = dict[str, Any]


class StandIn:
    """Listens at a broker while it is entered as a context."""

    def __init__(self, url: str, *, name: str = "stand-in") -> None:
        where = broker(url)
        self.silent = False
        self.refuse: Callable[[Document], Sequence[str]] = lambda measurement: ()
        self.envelopes: list[Document] = []
        self.health: list[Document] = []
        self.events: list[Event] = []
        self.arrived: Counter[str] = Counter()
        self.measurements: dict[str, Document] = {}
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        if where.user is not None:
            self._client.username_pw_set(where.user, where.password)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async(where.host, where.port)

    def __enter__(self) -> "StandIn":
        self._client.loop_start()
        assert self._subscribed.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, enough: Callable[[], bool], *, wait_s: float = 60) -> None:
        """Returns when `enough` is true, looked at after each arrival."""
        with self._changed:
            assert self._changed.wait_for(enough, wait_s), f"{len(self.measurements)} arrived"

    def receipt(self, gateway: str, receipt: Receipt | bytes) -> None:
        """Sends a receipt, or bytes that are none."""
        payload = receipt if isinstance(receipt, bytes) else encode_receipt(receipt)
        self._client.publish(topic(gateway, "receipt"), payload, qos=1).wait_for_publish(10)

    def command(self, command: Command | bytes, *, gateway: str = "g1", wait: bool = True) -> None:
        """Sends a command, or bytes that are none; `wait` until the broker has it."""
        payload = command if isinstance(command, bytes) else encode_command(command)
        sent = self._client.publish(topic(gateway, "command"), payload, qos=1)
        if wait:
            sent.wait_for_publish(10)

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe([(f"kangban/v1/+/+/{leaf}", 1) for leaf in ("up", "health", "event")])

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        document = json.loads(message.payload)
        with self._changed:
            if message.topic.endswith("/event"):
                self.events.append(decode_event(bytes(message.payload)))
            elif message.topic.endswith("/health"):
                self.health.append(document)
            else:
                self._take(document)
            self._changed.notify_all()
        if not self.silent and message.topic.endswith("/up"):
            self._answer(gateway_of(message.topic), document)

    def _take(self, envelope: Document) -> None:
        self.envelopes.append(envelope)
        for each in envelope["measurements"]:
            self.arrived[each["id"]] += 1
            known = self.measurements.setdefault(each["id"], each)
            assert known == each, "a resend must say the same"

    def _answer(self, gateway: str, envelope: Document) -> None:
        rejected = {
            each["id"]: tuple(self.refuse(each))
            for each in envelope["measurements"]
            if self.refuse(each)
        }
        committed = tuple(
            each["id"] for each in envelope["measurements"] if each["id"] not in rejected
        )
        receipt = Receipt(v=1, batch=envelope["batch"], committed=committed, rejected=rejected)
        self._client.publish(topic(gateway, "receipt"), encode_receipt(receipt), qos=1)
