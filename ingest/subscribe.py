"""The worker's line to the broker: messages in, receipts out, acknowledged only when committed.

MQTT 3.1.1, QoS 1, a fixed client id and a session that the broker keeps. paho's thread only puts
what it hears into a queue; everything else happens in the worker's threads. Acknowledgements carry
the number of the connection on which the message came: after a reconnect the broker sends again
what was not acknowledged, and an old acknowledgement could hit another message. May hold: paho,
alone on the server. May not: judgement, SQL.
"""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from ingest.arrival import Message
from ingest.config import IngestSettings, Shards
from vitals.errors import MendSettings
from vitals.wire import ROOT, SHARDS

log = logging.getLogger(__name__)

# Messages held at most. A broker with max_inflight_messages 1000 never fills this; another one is
# slowed down by TCP. 2000 full messages are 30 MB.
_MOST_WAITING = 2000
# Messages and bytes of one load: 500 full messages are 25,000 measurements and somewhat less than
# 7 MB, where a transaction's own cost has become small and a day is upserted once for several
# messages of a device; they are half of what the broker has in flight, so that it goes on sending
# meanwhile.
_LOAD_MESSAGES = 500
_LOAD_BYTES = 7_000_000
# seconds that a lone message waits for company; nobody notices them, and where gateways send single
# readings a load of four hundred costs the database half as much a row as one of eighty
_LINGER_S = 0.02
# seconds; a dead link is noticed within one and a half of this
_KEEPALIVE_S = 30
# seconds between attempts to reach the broker: the first, and the longest
_RECONNECT_FIRST_S, _RECONNECT_MOST_S = 1, 8
# receipts in flight at most; paho's default of 20 makes them wait for each other
_RECEIPTS_IN_FLIGHT = 1000
# what gateways say
_LEAVES = ("up", "health", "event")
# every connection of this process has another number, whichever line it belongs to
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message, and what is needed to acknowledge it."""

    message: Message
    mid: int
    connection: int


class Subscription:
    """A line for some shards; its methods may be called from different threads.

    `waiting`: where what comes is put. `may_connect` is asked before each attempt.
    """

    def __init__(
        self,
        settings: IngestSettings,
        *,
        waiting: SimpleQueue[Arrival | None],
        client_id: str | None = None,
        may_connect: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._waiting, self._may_connect = waiting, may_connect
        self._client_id = client_id or f"kangban-ingest-{settings.shards}"
        self._connected = threading.Event()
        self._stopping = threading.Event()
        # guards the connection's number: no acknowledgement may slip between two connections
        self._lock = threading.Lock()
        self._connection = 0
        self._sent = self._confirmed = 0
        self._client = self._make_client()

    def start(self) -> None:
        """Begins to connect; never waits for it."""
        where = self._settings.mqtt
        self._client.connect_async(where.host, where.port, keepalive=_KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Says good-bye; what was not acknowledged stays with the broker."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()

    def is_connected(self) -> bool:
        """Does the broker bring what this worker owns?"""
        return self._connected.is_set()

    def unconfirmed(self) -> int:
        """Messages of ours that the broker has not confirmed."""
        return self._sent - self._confirmed

    def send(self, topic: str, payload: bytes) -> None:
        """Publishes; paho keeps it over a reconnect."""
        with self._lock:
            self._sent += 1
        self._client.publish(topic, payload, qos=1)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tells the broker, in order, that these need not come again."""
        with self._lock:
            for each in arrivals:
                if each.connection == self._connection:
                    self._client.ack(each.mid, 1)

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(_RECEIPTS_IN_FLIGHT)
        client.reconnect_delay_set(_RECONNECT_FIRST_S, _RECONNECT_MOST_S)
        _introduce(client, settings)
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = _send_at_once
        client.on_publish = self._on_publish
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    # what follows runs in paho's thread

    def _on_pre_connect(self, _: Client, __: Any) -> None:
        if not self._may_connect():
            # paho takes this for a broker that is away, and asks again later
            raise ConnectionAbortedError("another worker may have these shards by now")

    def _on_publish(self, *_: Any) -> None:
        self._confirmed += 1

    def _on_connect(self, client: Client, _: Any, flags: Any, reason: Any, __: Any) -> None:
        if reason.is_failure:
            log.error(
                "The broker refuses this worker (%s): check user and password in "
                "KANGBAN_MQTT_URL and the worker's certificate.",
                reason,
            )
            return
        self._next_connection()
        others = not_ours(self._settings.shards)
        if flags.session_present and others:
            # the session may remember what this worker owned once
            client.unsubscribe(others)
        client.subscribe([(each, 1) for each in ours(self._settings.shards)])

    def _on_subscribe(self, _: Client, __: Any, ___: Any, codes: Any, ____: Any) -> None:
        if any(each.is_failure for each in codes):
            log.error(
                "The broker lets this worker not have its shards %s: check what its user or "
                "certificate may read.",
                self._settings.shards,
            )
            return
        self._connected.set()
        log.info("The broker brings the messages of shards %s.", self._settings.shards)

    def _on_disconnect(self, _: Client, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        self._connected.clear()
        self._next_connection()
        if not self._stopping.is_set():
            log.warning(
                "The link to the broker at %s is lost (%s); it is tried again.",
                self._settings.mqtt.host,
                reason,
            )

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        while self._waiting.qsize() >= _MOST_WAITING and not self._stopping.wait(0.02):
            """The broker sends faster than the database stores: let TCP slow it down."""
        self._waiting.put(
            Arrival(
                Message(topic=_topic_of(message), payload=bytes(message.payload)),
                message.mid,
                self._connection,
            )
        )

    def _next_connection(self) -> None:
        with self._lock:
            self._connection = next(_numbers)


def gather(waiting: SimpleQueue[Arrival | None], *, wait_s: float) -> list[Arrival]:
    """The messages of the next load in order of arrival, empty when none came in `wait_s`.

    None in the queue ends the wait. A signal that comes as the time runs out would else make it
    last for ever (CPython 3.11 computes a negative rest, which means no limit).
    """
    try:
        first = waiting.get(timeout=wait_s)
    except Empty:
        return []
    if first is None:
        return []
    arrivals, size = [first], len(first.message.payload)
    last_moment_s = time.monotonic() + _LINGER_S
    while len(arrivals) < _LOAD_MESSAGES and size < _LOAD_BYTES:
        try:
            each = waiting.get(timeout=max(0.0, last_moment_s - time.monotonic()))
        except Empty:
            break
        if each is None:
            break
        arrivals.append(each)
        size += len(each.message.payload)
    return arrivals


def ours(owned: Shards) -> list[str]:
    """The topics of a worker's shards: measurements, health and answers of every gateway in them.

    All are subscribed to at every connect, so that a session which an earlier release left at the
    broker learns of those that came later.
    """
    levels = ["+"] if owned.is_all else [f"{n:02d}" for n in range(owned.first, owned.last + 1)]
    return [f"{ROOT}/{level}/+/{leaf}" for level in levels for leaf in _LEAVES]


def not_ours(owned: Shards) -> list[str]:
    """The topics that another range of shards would have."""
    every = ["+", *(f"{n:02d}" for n in range(SHARDS))]
    topics = [f"{ROOT}/{level}/+/{leaf}" for level in every for leaf in _LEAVES]
    kept = set(ours(owned))
    return [each for each in topics if each not in kept]


def forget_session(settings: IngestSettings, client_id: str) -> None:
    """Ends what the broker keeps for a client id, with all that waits in it.

    Gateways send again what no receipt has named. Raises OSError where the broker is away.
    """
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=True,
        reconnect_on_failure=False,
    )
    _introduce(client, settings)

    def leave(*_: Any) -> None:
        client.disconnect()

    client.on_connect = leave
    client.connect(settings.mqtt.host, settings.mqtt.port)
    client.loop_forever()


def _introduce(client: Client, settings: IngestSettings) -> None:
    if settings.mqtt.user is not None:
        client.username_pw_set(settings.mqtt.user, settings.mqtt.password)
    if settings.mqtt.tls:
        client.tls_set_context(_tls(settings))


def _send_at_once(_: Client, __: Any, line: Any) -> None:
    # without this, receipts and acknowledgements wait 40 ms for each other (Nagle, delayed ACK)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _topic_of(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        # no topic of ours; it becomes a dead letter like any other message that is not
        return "not UTF-8"


def _tls(settings: IngestSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_certificate is not None:
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as error:
        raise MendSettings(
            f"The TLS files cannot be read ({error}): check KANGBAN_MQTT_CA_PATH, "
            "KANGBAN_MQTT_CERTIFICATE_PATH and KANGBAN_MQTT_KEY_PATH."
        ) from error
    return context
