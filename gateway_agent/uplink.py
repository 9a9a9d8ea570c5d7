"""The way out of the home: envelopes and answers to the broker, receipts and commands back.

MQTT 3.1.1 with a fixed client id and a session that the broker keeps; QoS 1 both ways. The broker's
acknowledgement means nothing for the spool: only a receipt does (`docs/adr/0001-receipts.md`). Two
threads: paho's, which only puts what it hears into a queue, and ours, which decides with
`delivery.py` and `orders.py` and acts. What a lost link has left unacknowledged paho sends again by
itself: then we do not. May hold: paho, alone in the home. May not: SQL, Bluetooth, judgement of
measurements.
"""

import logging
import queue
import random
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from gateway_agent.config import GatewaySettings
from gateway_agent.delivery import Delivery, Flight, fits
from gateway_agent.orders import answer_key
from gateway_agent.post import Post
from gateway_agent.spool import Spool, Waiting
from gateway_agent.unacknowledged import Unacknowledged
from vitals.command import Command, Event, decode_command, encode_event
from vitals.errors import KangbanError, MendData, MendSettings
from vitals.wire import (
    MAX_MEASUREMENTS,
    Health,
    Receipt,
    decode_receipt,
    encode_documents,
    encode_health,
    topic,
)

log = logging.getLogger(__name__)

# seconds between two words about the gateway's health when nothing changes: three silences are
# noticed within a quarter of an hour
HEALTH_EVERY_S = 240.0
# seconds; a change is told at once, but not more often than this
HEALTH_AT_MOST_EVERY_S = 2.0
# seconds between two pings of the broker (MQTT 3.1.1, 3.1.2.10)
KEEPALIVE_S = 30
# seconds, how paho spaces its attempts to connect
RECONNECT_FIRST_S, RECONNECT_MOST_S = 1, 30
# seconds to lose when the spool itself could not be read or written
AFTER_FAILURE_S = 5.0


@dataclass(frozen=True, slots=True)
class _Connected:
    """A new link; `repeated` names what paho sends again over it by itself."""

    session_kept: bool
    repeated: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Answer:
    event: Event
    command: Command


# None: there may be something to send
_News = _Connected | Receipt | Command | _Answer | None


class Uplink:
    """Sends what the spool holds until it is empty, for ever.

    `health` gives the gateway's word about itself; `now` is the clock of the envelopes' `sent_at`.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        spool: Spool,
        *,
        health: Callable[[], Health],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        software: str = "",
    ) -> None:
        self._settings, self._spool, self._health, self._now = settings, spool, health, now
        self._software = software
        self._up, self._receipt = topic(settings.name, "up"), topic(settings.name, "receipt")
        self._command, self._event = topic(settings.name, "command"), topic(settings.name, "event")
        self._delivery = Delivery()
        self._post = Post(settings.name, spool, now=now)
        self._unacknowledged = Unacknowledged()
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._connected = threading.Event()
        self._stopping = threading.Event()
        # told once, until the broker has been reached
        self._unreachable = False
        self._health_wanted = threading.Event()
        self._health_sent_s = -HEALTH_EVERY_S
        self._batches = 0
        self._turned_s = time.monotonic()
        self._context = _tls(settings) if settings.mqtt.tls else None
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._work, name=f"uplink {settings.name}")

    def start(self) -> None:
        """Begins to connect and to send; never waits for either."""
        where = self._settings.mqtt
        self._unwatch = self._spool.watch(self.nudge)
        self._client.connect_async(where.host, where.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        """Says good-bye and ends both threads; what was not named stays in the spool."""
        self._stopping.set()
        self._unwatch()
        self.nudge()
        self._thread.join()
        if self._connected.is_set():
            self._send_answers()
            if self._health_wanted.is_set():
                self._publish_health()
        self._client.disconnect()
        self._client.loop_stop()

    def nudge(self) -> None:
        """There may be something to send."""
        self._news.put(None)

    def obey(self, on_command: Callable[[Command], object]) -> None:
        """Has each command that may be obeyed given to `on_command`, once, in our thread."""
        self._post.on_command = on_command

    def answer(self, event: Event, command: Command) -> None:
        """Sends an answer to a command, behind those before it, as soon as there is a link."""
        self._news.put(_Answer(event, command))

    @property
    def is_alive(self) -> bool:
        """Does the thread that sends still turn? It does so at least once between two words."""
        turned_s = time.monotonic() - self._turned_s
        return self._thread.is_alive() and turned_s < 2 * HEALTH_EVERY_S

    def certificate_renewed(self) -> None:
        """The next link to the broker is made with the certificate that is on disk now."""
        if self._context is not None:
            _show_certificate(self._context, self._settings)

    def tell_health(self) -> None:
        """Something about the gateway has changed: its word is sent soon."""
        self._health_wanted.set()
        self.nudge()

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"kangban-gateway-{settings.name}",
            clean_session=False,
        )
        client.reconnect_delay_set(RECONNECT_FIRST_S, RECONNECT_MOST_S)
        if settings.mqtt.user is not None:
            client.username_pw_set(settings.mqtt.user, settings.mqtt.password)
        if self._context is not None:
            client.tls_set_context(self._context)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    # what follows runs in paho's thread

    def _on_connect(self, client: Client, _: Any, flags: Any, reason: Any, __: Any) -> None:
        if reason.is_failure:
            log.error(
                "The broker refuses this gateway (%s): check user and password in "
                "KANGBAN_MQTT_URL and the gateway's certificate.",
                reason,
            )
            return
        # at each connect: a broker that came back may have forgotten what we subscribed to
        client.subscribe([(self._receipt, 1), (self._command, 1)])
        log.info("Connected to the broker at %s.", self._settings.mqtt.host)
        self._unreachable = False
        self._connected.set()
        self._news.put(
            _Connected(
                session_kept=bool(flags.session_present),
                # paho sends these when this returns
                repeated=self._unacknowledged.names(),
            )
        )

    def _on_connect_fail(self, _: Client, __: Any) -> None:
        if self._unreachable:
            return
        self._unreachable = True
        # paho calls from within the handler of the error
        log.error(
            "The broker at %s:%d cannot be reached (%s): check KANGBAN_MQTT_URL, the network and "
            "the certificates. Readings are kept in the spool; it is tried again.",
            self._settings.mqtt.host,
            self._settings.mqtt.port,
            sys.exc_info()[1],
        )

    def _on_disconnect(self, _: Client, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        self._connected.clear()
        if not self._stopping.is_set():
            log.warning(
                "The link to the broker at %s is lost (%s): readings are kept in the spool and "
                "sent when it is back.",
                self._settings.mqtt.host,
                reason,
            )

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        is_command = message.topic == self._command
        try:
            self._news.put(decode_command(payload) if is_command else decode_receipt(payload))
        except MendData as error:
            log.warning(
                "A %s on %s was not understood: %s If this goes on, update this gateway.",
                "command" if is_command else "receipt",
                message.topic,
                error,
            )

    # what follows runs in our thread

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._turned_s = time.monotonic()
            try:
                self._wait()
                if self._connected.is_set():
                    self._send_health()
                    self._send_answers()
                    self._send_again()
                    self._send_new()
            except KangbanError as error:
                log.error("%s", error)
                self._stopping.wait(AFTER_FAILURE_S)
            except Exception:
                # whatever it is, what is in the spool must go on being sent
                log.exception("A fault in this program held up sending; it goes on.")
                self._stopping.wait(AFTER_FAILURE_S)

    def _wait(self) -> None:
        """Takes in what came; waits for news or for the next thing that falls due."""
        now_s = time.monotonic()
        due = [self._health_due_s()]
        if (next_due_s := self._delivery.next_due_s()) is not None:
            due.append(next_due_s)
        wait_s = max(0.0, min(due) - now_s) if self._connected.is_set() else HEALTH_EVERY_S
        try:
            news = self._news.get(timeout=wait_s)
        except queue.Empty:
            return
        while True:
            self._take(news)
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                return

    def _take(self, news: _News) -> None:
        if isinstance(news, _Connected):
            self._delivery.reconnected(
                session_kept=news.session_kept,
                repeated=news.repeated,
                now_s=time.monotonic(),
                chance=_chance(),
            )
            if not news.session_kept:
                self._post.answers.broker_forgot(news.repeated)
            self._health_wanted.set()
        elif isinstance(news, Command):
            self._post.came(news)
        elif isinstance(news, _Answer):
            self._post.answer(news.event, news.command)
        elif isinstance(news, Receipt):
            self._spool.forget(news.committed, news.rejected, now=datetime.now(UTC))
            self._delivery.named([*news.committed, *news.rejected])
            for each, reasons in news.rejected.items():
                log.error(
                    "The server refuses measurement %s: %s. It is kept in the spool's table of "
                    "rejected measurements: mend the device or its settings, or tell support.",
                    each,
                    "; ".join(reasons),
                )

    def _send_answers(self) -> None:
        for event in self._post.due():
            info = self._client.publish(self._event, encode_event(event), qos=1)
            self._unacknowledged.add(answer_key(event), info)
            self._post.answers.handed_over(event)

    def _send_new(self) -> None:
        while self._connected.is_set():
            waiting = self._spool.oldest(MAX_MEASUREMENTS, after=self._delivery.cursor)
            fitting = waiting[: fits(each.octets for each in waiting)]
            full = len(fitting) == MAX_MEASUREMENTS or len(fitting) < len(waiting)
            waiting = fitting
            if not self._delivery.may_take_off(full=full, now_s=time.monotonic()) or not waiting:
                return
            self._batches += 1
            # a batch is named for people who read logs; receipts go by measurement
            batch = f"{self._spool.identity}-{waiting[0].place}-{self._batches}"
            self._delivery.took_off(
                batch,
                [each.id for each in waiting],
                last_place=waiting[-1].place,
                now_s=time.monotonic(),
                chance=_chance(),
            )
            self._publish(batch, waiting)

    def _send_again(self) -> None:
        for flight in self._delivery.overdue(time.monotonic()):
            self._send_flight_again(flight)

    def _send_flight_again(self, flight: Flight) -> None:
        waiting = self._spool.those(sorted(flight.waiting))
        if not waiting:
            self._delivery.named(list(flight.waiting))
            return
        if flight.attempt > 1:
            log.warning(
                "No receipt for %d measurements after %d attempts: is the server's ingest running?",
                len(waiting),
                flight.attempt,
            )
        self._publish(flight.batch, waiting)
        self._delivery.sent_again(flight, now_s=time.monotonic(), chance=_chance())

    def _publish(self, batch: str, waiting: list[Waiting]) -> None:
        info = self._client.publish(
            self._up,
            encode_documents(
                gateway=self._settings.name,
                batch=batch,
                sent_at=self._now(),
                documents=[each.document for each in waiting],
                resync=waiting[0].resync,
                software=self._software,
            ),
            qos=1,
        )
        self._unacknowledged.add(batch, info)

    def _health_due_s(self) -> float:
        wanted = self._health_wanted.is_set()
        return self._health_sent_s + (HEALTH_AT_MOST_EVERY_S if wanted else HEALTH_EVERY_S)

    def _send_health(self) -> None:
        now_s = time.monotonic()
        if now_s < self._health_due_s():
            return
        self._health_sent_s = now_s
        self._publish_health()

    def _publish_health(self) -> None:
        self._health_wanted.clear()
        payload = encode_health(self._health())
        self._client.publish(topic(self._settings.name, "health"), payload, qos=1)


def _tls(settings: GatewaySettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        _show_certificate(context, settings)
    except OSError as error:
        raise MendSettings(
            f"The TLS files cannot be read ({error}): check KANGBAN_MQTT_CA_PATH, "
            "KANGBAN_MQTT_CERTIFICATE_PATH and KANGBAN_MQTT_KEY_PATH."
        ) from error
    return context


def _show_certificate(context: ssl.SSLContext, settings: GatewaySettings) -> None:
    if settings.tls_certificate is not None:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)


def _chance() -> float:
    return random.random()
