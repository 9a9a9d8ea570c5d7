"""What people ask of gateways and what gateways answer: written by pages, carried by ingest.

A talk with a gateway is several commands (`vitals/command.py`): they share a `flow`, the id of the
first. Pages `ask`; ingest takes what nobody has answered, and stores each event with what follows
from it: a pairing that failed gives back the device that it made somebody's, a removal that went
well takes the device from everybody. May hold: the calls over `sql/commands.sql`. May not: who may
ask (`api`), MQTT, words.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg.types.json import Jsonb

from store.named import queries
from vitals.command import (
    ENDS,
    Command,
    Do,
    Event,
    Failure,
    Step,
    decode_event,
    encode_command,
)
from vitals.wire import shard

_SQL = queries("commands")

# wakes the couriers of ingest
CHANNEL = "kangban_command"
# How long commands and events are kept: somebody who asks for help does so within days; an
# engineering choice.
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command as it was asked; `about` as in `Command`. `bound`: it made `device` the patient's,
    `bound_from` whose it was before; `heard_at`, `ended_at`: of its events, by our clock."""

    id: str
    flow: str
    gateway_id: int
    gateway: str
    account_id: int
    asked_by: str
    patient_id: int
    verb: Do
    device: str | None
    about: str | None
    bound: bool
    bound_from: int | None
    created_at: datetime
    expires_at: datetime
    heard_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer, and when it came: the gateway's own clock may be wrong."""

    event: Event
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A command that is to be carried; `payload` is what travels."""

    id: str
    gateway: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wearer:
    """Whose readings a slot of a device gives (-1: whoever uses it)."""

    slot: int
    patient_id: int
    name: str
    household_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """A device in a home; `wearers` are the patients whose readings it gives."""

    id: int
    name: str
    kind: str
    model: str
    battery_percent: int | None
    clock_offset_s: int | None
    last_seen_at: datetime | None
    failure: str | None
    wearers: list[int]


# -- pages -----------------------------------------------------------------------------------------


def ask(
    connection: Connection[Any],
    command: Command,
    *,
    gateway_id: int,
    flow: str,
    account_id: int,
    patient_id: int,
    bound: bool = False,
    bound_from: int | None = None,
) -> None:
    """Leaves a command for the worker that carries it, and wakes the worker on commit."""
    connection.execute(
        _SQL["ask"],
        {
            "id": command.id,
            "flow": flow,
            "gateway_id": gateway_id,
            "shard": shard(command.gateway),
            "account_id": account_id,
            "patient_id": patient_id,
            "verb": command.do.value,
            "device": command.device,
            "bound": bound,
            "bound_from": bound_from,
            "document": Jsonb(json.loads(encode_command(command))),
            "created_at": command.at,
            "expires_at": command.expires_at,
        },
    )
    connection.execute(_SQL["wake_courier"])
    # other pages of this patient show the same talk
    connection.execute(_SQL["look"], {"patient_id": patient_id})


def lock_gateway(connection: Connection[Any], gateway_id: int) -> None:
    """Holds a gateway until the transaction ends, so that two people do not begin at once."""
    connection.execute(_SQL["lock_gateway"], {"gateway_id": gateway_id})


def talk(
    connection: Connection[Any], flow: str, *, patient_id: int
) -> tuple[list[Asked], list[Heard]]:
    """The commands of one talk about one patient in order, and what was answered; empty for a
    flow that is none of this patient's."""
    which = {"flow": flow, "patient_id": patient_id}
    with connection.cursor(row_factory=dict_row) as cursor:
        asked = [_asked(each) for each in cursor.execute(_SQL["commands_of_flow"], which)]
    rows = connection.execute(_SQL["events_of_flow"], which).fetchall()
    return asked, [Heard(event=_event(body), received_at=at) for body, at in rows]


def talk_in_progress(
    connection: Connection[Any], *, gateway_id: int, since: datetime
) -> Asked | None:
    """The search or pairing that a gateway is busy with; one that was silent since then is over."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            _SQL["talk_in_progress"], {"gateway_id": gateway_id, "since": since}
        ).fetchone()
    return None if found is None else _asked(found)


def asked_since(
    connection: Connection[Any], *, account_id: int, since: datetime
) -> tuple[datetime, ...]:
    """When an account asked anything since then."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return tuple(
            cursor.execute(_SQL["asked_since"], {"account_id": account_id, "since": since})
        )


def wearers_of(connection: Connection[Any], device: str) -> list[Wearer]:
    """Whose readings a device gives."""
    with connection.cursor(row_factory=class_row(Wearer)) as cursor:
        return cursor.execute(_SQL["wearers_of"], {"device": device}).fetchall()


def devices_around(
    connection: Connection[Any], *, patient_id: int, named: Collection[str] = ()
) -> list[Around]:
    """The devices of a patient's home, and those named."""
    with connection.cursor(row_factory=class_row(Around)) as cursor:
        return cursor.execute(
            _SQL["devices_around"], {"patient_id": patient_id, "named": list(named)}
        ).fetchall()


def describe_device(connection: Connection[Any], device: str, *, kind: str) -> None:
    """Notes what kind a device is, where its gateway has not said so yet."""
    connection.execute(_SQL["describe_device"], {"device": device, "kind": kind})


def leave_household(connection: Connection[Any], *, device: str, patient_id: int) -> None:
    """Takes a device from a patient and from everybody who lives with them."""
    connection.execute(_SQL["leave_household"], {"device": device, "patient_id": patient_id})


# -- ingest ----------------------------------------------------------------------------------------


def take(
    connection: Connection[Any],
    *,
    first: int,
    last: int,
    now: datetime,
    again_after: timedelta,
    limit: int,
) -> list[Waiting]:
    """Commands of the shards `first` to `last` that nobody answered and that were not sent within
    `again_after`, locked until the transaction ends."""
    rows = connection.execute(
        _SQL["take"],
        {
            "first": first,
            "last": last,
            "now": now,
            "sent_before": now - again_after,
            "limit": limit,
        },
    ).fetchall()
    return [
        Waiting(id=id, gateway=gateway, payload=_bytes(document)) for id, gateway, document in rows
    ]


def mark_sent(connection: Connection[Any], ids: Sequence[str], *, now: datetime) -> None:
    """These are on their way, once more."""
    connection.execute(_SQL["mark_sent"], {"ids": list(ids), "now": now})


def hear(connection: Connection[Any], event: Event, *, body: Any, now: datetime) -> bool:
    """Whether the event answers a command of its gateway; it is kept then, with what follows.

    One that was kept before changes nothing. `body` is the event as it came, fit for the database.
    """
    row = connection.execute(
        _SQL["command_of_gateway"], {"command": event.command, "gateway": event.gateway}
    ).fetchone()
    if row is None:
        return False
    is_new = connection.execute(
        _SQL["keep_event"],
        {
            "command": event.command,
            "number": event.number,
            "step": event.step.value,
            "at": event.at,
            "body": Jsonb(body),
            "now": now,
        },
    ).fetchone()
    if is_new is not None:
        connection.execute(
            _SQL["was_heard"], {"command": event.command, "ends": event.step in ENDS, "now": now}
        )
        _follow(connection, event, row, now=now)
        connection.execute(_SQL["look"], {"patient_id": row[3]})
    return True


def sweep(connection: Connection[Any], now: datetime) -> None:
    """Ends what no gateway took in time, and removes what is old."""
    for id, device, patient_id, bound_from in connection.execute(
        _SQL["give_up"], {"now": now}
    ).fetchall():
        _give_back(
            connection, command=id, device=device, patient_id=patient_id, bound_from=bound_from
        )
        connection.execute(_SQL["close"], {"command": id, "now": now})
        connection.execute(_SQL["look"], {"patient_id": patient_id})
    connection.execute(_SQL["forget_passkeys"], {"now": now})
    connection.execute(_SQL["forget_old"], {"before": now - KEPT})


def _follow(
    connection: Connection[Any], event: Event, row: tuple[Any, ...], *, now: datetime
) -> None:
    """Does what follows from an event: whose the device is now, and which gateway has it."""
    id, verb, device, patient_id, bound, bound_from = row
    match (verb, event.step):
        case (Do.PAIR, Step.FAILED) if bound:
            _give_back(
                connection, command=id, device=device, patient_id=patient_id, bound_from=bound_from
            )
        case (Do.PAIR, Step.DONE):
            if bound:
                # it may have been given back while the gateway was silent
                connection.execute(_SQL["bind_free"], {"device": device, "patient_id": patient_id})
            # by the gateway's own clock, as its word of health will say it
            near = {"device": device, "command": id, "now": now}
            connection.execute(_SQL["was_near"], near)
            connection.execute(
                _SQL["gateway_has"], {"gateway": event.gateway, "device": device, "now": now}
            )
        case (Do.FORGET, Step.DONE):
            _let_go(connection, event, device=device, patient_id=patient_id)
        case (Do.FORGET, Step.FAILED) if event.failure is Failure.UNKNOWN_DEVICE:
            _let_go(connection, event, device=device, patient_id=patient_id)


def _let_go(connection: Connection[Any], event: Event, *, device: str, patient_id: int) -> None:
    leave_household(connection, device=device, patient_id=patient_id)
    connection.execute(_SQL["gateway_let_go"], {"gateway": event.gateway, "device": device})


def _give_back(
    connection: Connection[Any],
    *,
    command: str,
    device: str,
    patient_id: int,
    bound_from: int | None,
) -> None:
    taken = connection.execute(
        _SQL["give_back"], {"command": command, "device": device, "patient_id": patient_id}
    ).fetchone()
    if taken is not None and bound_from is not None:
        connection.execute(_SQL["bind_free"], {"device": device, "patient_id": bound_from})


def _asked(row: dict[str, Any]) -> Asked:
    return Asked(**{**row, "verb": Do(row["verb"])})


def _event(body: Any) -> Event:
    return decode_event(_bytes(body))


def _bytes(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
