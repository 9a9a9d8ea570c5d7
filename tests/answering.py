"""A stand-in for a gateway that is asked things: hears commands at a real broker, answers as told.

It speaks the bytes of `vitals/command.py` and nothing of the gateway's own code. By itself it is
silent; `on(Do.SCAN, …)` says what it answers, in events without their numbers.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from vitals.broker import broker
from vitals.command import (
    Candidate,
    Command,
    Do,
    Event,
    Failure,
    Step,
    decode_command,
    encode_event,
)
from vitals.wire import topic

METER = "ble:C0:00:00:00:00:01"
CUFF = "ble:C0:00:00:00:00:02"


@dataclass(frozen=True, kw_only=True)
class Say:
    """One answer; the gateway adds its name, the moment, the command and the number."""

    step: Step
    more: dict[str, Any]


def say(step: Step, **more: Any) -> Say:
    return Say(step=step, more=more)


TAKEN, DONE = say(Step.TAKEN), say(Step.DONE)


def failed(failure: Failure) -> Say:
    return say(Step.FAILED, failure=failure, said="the gateway's own words")


def found(device: str, name: str, **more: Any) -> Say:
    return say(Step.CANDIDATE, device=device, candidate=Candidate(device=device, name=name, **more))


class Answering:
    """A gateway at a broker while it is entered as a context."""

    def __init__(self, url: str, *, gateway: str = "g1") -> None:
        where = broker(url)
        self.gateway = gateway
        # each command as often as it came, and each once
        self.came: Counter[str] = Counter()
        self.commands: list[Command] = []
        self._script: dict[Do, Sequence[Say]] = {}
        self._numbers: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"answering-{gateway}", clean_session=False
        )
        if where.user is not None:
            self._client.username_pw_set(where.user, where.password)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(topic(gateway, "command"), 1)
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect_async(where.host, where.port)

    def __enter__(self) -> "Answering":
        self._client.loop_start()
        assert self._subscribed.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def on(self, do: Do, *says: Say) -> None:
        """From now on this is what it answers to such a command, at once."""
        self._script[do] = says

    def answer(self, command: Command | str, *says: Say) -> None:
        """Says more about a command."""
        id = command if isinstance(command, str) else command.id
        for each in says:
            event = Event(
                gateway=self.gateway,
                at=datetime.now(UTC),
                command=id,
                number=self._numbers[id],
                step=each.step,
                **each.more,
            )
            self._numbers[id] += 1
            self.publish(encode_event(event))

    def publish(self, payload: bytes) -> None:
        """Bytes that may be no event at all."""
        self._client.publish(topic(self.gateway, "event"), payload, qos=1)

    def wait(self, do: Do, *, nth: int = 1, wait_s: float = 20) -> Command:
        """The nth command of this kind, once it has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._of(do)) >= nth, wait_s), (
                f"{do} did not come, but {[each.do for each in self.commands]}"
            )
            return self._of(do)[nth - 1]

    def until(self, enough: Callable[[], bool], *, wait_s: float = 20) -> None:
        """Returns when `enough` is true, looked at after each arrival."""
        with self._changed:
            assert self._changed.wait_for(enough, wait_s)

    def _of(self, do: Do) -> list[Command]:
        return [each for each in self.commands if each.do is do]

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        command = decode_command(message.payload)
        with self._changed:
            self.came[command.id] += 1
            is_new = self.came[command.id] == 1
            if is_new:
                self.commands.append(command)
            self._changed.notify_all()
        if is_new:
            self.answer(command, *self._script.get(command.do, ()))
