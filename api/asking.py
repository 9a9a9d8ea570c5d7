"""Asking gateways: the one way in which a page or a program lets a gateway do something.

Only gateways of the patient's own household are asked, only for devices that such a gateway found,
and nobody takes a device from another home. A device is made the patient's before it is read, so
that its history is theirs; ingest takes that back when the pairing fails. May hold: these checks
and the commands that follow. May not: who may ask for whom (`access.py`), SQL, what is shown.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from api.access import MINUTE, is_too_often
from api.errors import AnotherHomes, Busy, SomebodyElses, TooOften, Unknown
from api.view.devices import added
from api.view.pairing import Pairing, Stage, pairing_of
from store import commands, people
from store.commands import Asked, Heard
from store.people import Gateway
from vitals.command import LIFE, MOST_PASSKEY, Command, Do
from vitals.errors import MendData


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks for whom, now, in an open transaction."""

    connection: Connection[Any]
    account_id: int
    patient_id: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A talk that is going on, or was."""

    flow: str
    asked: Sequence[Asked]
    heard: Sequence[Heard]
    pairing: Pairing


def household_gateways(connection: Connection[Any], patient_id: int) -> list[Gateway]:
    """The gateways of a patient's household: those that may be asked for them."""
    patient = people.patient(connection, patient_id)
    if patient is None or patient.household_id is None:
        return []
    return people.gateways(connection, patient.household_id)


def home_zone(connection: Connection[Any], patient_id: int) -> ZoneInfo:
    """What the clocks of a patient's devices should show. Raises Unknown."""
    patient = people.patient(connection, patient_id)
    if patient is None:
        raise Unknown("There is no such patient.")
    return ZoneInfo(patient.timezone)


def busy_with(connection: Connection[Any], gateway_id: int, *, now: datetime) -> Asked | None:
    """The search or pairing that a gateway is busy with, whoever asked for it."""
    return commands.talk_in_progress(connection, gateway_id=gateway_id, since=now - LIFE)


def talk_of(asker: Asker, flow: str) -> Talk:
    """A talk about this patient. Raises Unknown where there is none."""
    asked, heard = commands.talk(asker.connection, flow, patient_id=asker.patient_id)
    if not any(each.verb in (Do.SCAN, Do.PAIR) for each in asked):
        raise Unknown("There is no such search.")
    pairing = pairing_of(asked, heard, now=asker.now)
    return Talk(flow=flow, asked=asked, heard=heard, pairing=pairing)


def search(asker: Asker, gateway: str) -> str:
    """The id of a new talk, which begins with a search; or of the same account's that goes on.

    Raises Unknown for a gateway of another household, Busy where somebody else is at it.
    """
    found = _gateway(asker, gateway)
    commands.lock_gateway(asker.connection, found.id)
    going_on = busy_with(asker.connection, found.id, now=asker.now)
    if going_on is not None:
        if (going_on.account_id, going_on.patient_id) == (asker.account_id, asker.patient_id):
            return going_on.flow
        raise Busy(f"{going_on.asked_by} is adding a device with this gateway.")
    return _ask(asker, found, Do.SCAN)


def go_on(asker: Asker, talk: Talk, *, do: str, device: str, whose: str, digits: str) -> None:
    """Does what a person pressed; what does not fit the moment changes nothing."""
    match do:
        case "search":
            search_again(asker, talk)
        case "pair":
            pair(asker, talk, device, whose=whose)
        case "passkey":
            give_passkey(asker, talk, digits)
        case "same" | "different":
            confirm(asker, talk, yes=do == "same")
        case "stop":
            stop(asker, talk)


def search_again(asker: Asker, talk: Talk) -> None:
    """Searches once more in the same talk; nothing happens while one goes on."""
    if talk.pairing.is_over:
        _ask(asker, _free_gateway(asker, talk), Do.SCAN, flow=talk.flow)


def pair(asker: Asker, talk: Talk, device: str, *, whose: str = "") -> None:
    """Adds a device that was found, and makes it the patient's.

    `whose` decides over one that somebody else in the household has: "mine" or "theirs". Raises
    SomebodyElses where it is left open, AnotherHomes, MendData for a device that was not found or
    that cannot be used.
    """
    if talk.pairing.stage not in (Stage.SEARCHING, Stage.SEARCHED, Stage.STOPPED, Stage.FAILED):
        return
    if not talk.pairing.found and device == talk.pairing.device:
        # it is paired again: whose it is stays as it is
        _ask(asker, _free_gateway(asker, talk), Do.PAIR, flow=talk.flow, device=device)
        return
    found = next((each for each in talk.pairing.found if each.device == device), None)
    if found is None or not found.supported:
        raise MendData("Choose one of the devices that were found.")
    gateway = _free_gateway(asker, talk)
    bound, bound_from = _bind(asker, talk, device, whose=whose)
    commands.describe_device(asker.connection, device, kind=found.kind)
    if talk.pairing.stage is Stage.SEARCHING:
        # the radio does one thing at a time
        _ask(asker, gateway, Do.CANCEL, flow=talk.flow, about=talk.pairing.about)
    _ask(asker, gateway, Do.PAIR, flow=talk.flow, device=device, bound=bound, bound_from=bound_from)


def pair_again(asker: Asker, device: str) -> str:
    """The talk in which a gateway makes a new key with a device that it has; whose the device is
    stays as it is. Raises Unknown where no gateway has it, Busy where one is at something else."""
    has = added(household_gateways(asker.connection, asker.patient_id))
    gateway = _gateway(asker, has.get(device, ""))
    commands.lock_gateway(asker.connection, gateway.id)
    going_on = busy_with(asker.connection, gateway.id, now=asker.now)
    if going_on is not None:
        raise Busy(f"{going_on.asked_by} is adding a device with this gateway.")
    return _ask(asker, gateway, Do.PAIR, device=device)


def give_passkey(asker: Asker, talk: Talk, text: str) -> None:
    """Hands over the digits that the device shows; nothing happens where none are wanted.

    Raises MendData for what is not one to six digits.
    """
    if talk.pairing.stage is not Stage.PASSKEY:
        return
    number = passkey_of(text)
    gateway = _gateway(asker, talk.asked[0].gateway)
    _ask(asker, gateway, Do.PASSKEY, flow=talk.flow, about=talk.pairing.about, number=number)


def passkey_of(text: str) -> int:
    """The number that a person typed. Raises MendData for what is not one to six digits."""
    digits = "".join(text.split())
    # digits of other scripts count too: int() reads them, and an input method may give them
    if not digits.isdecimal() or int(digits) > MOST_PASSKEY or len(digits) > len(str(MOST_PASSKEY)):
        raise MendData("Type the digits that the device shows, six at most.")
    return int(digits)


def confirm(asker: Asker, talk: Talk, *, yes: bool) -> None:
    """Says whether both sides show the same number; nothing happens where nobody asked."""
    if talk.pairing.stage is Stage.CONFIRM:
        gateway = _gateway(asker, talk.asked[0].gateway)
        _ask(asker, gateway, Do.CONFIRM, flow=talk.flow, about=talk.pairing.about, yes=yes)


def stop(asker: Asker, talk: Talk) -> None:
    """Ends the search or the pairing; nothing happens where it is over."""
    if not talk.pairing.is_over and talk.pairing.stage is not Stage.STOPPING:
        gateway = _gateway(asker, talk.asked[0].gateway)
        _ask(asker, gateway, Do.CANCEL, flow=talk.flow, about=talk.pairing.about)


def remove(asker: Asker, device: str) -> str | None:
    """The talk in which a gateway lets a device go; None where no gateway of the household has it,
    and the device has left the household at once. Raises Unknown for a device of another home."""
    gateways = household_gateways(asker.connection, asker.patient_id)
    has = added(gateways).get(device)
    if has is None:
        leave(asker, device)
        return None
    return _ask(asker, _gateway(asker, has), Do.FORGET, device=device)


def leave(asker: Asker, device: str) -> None:
    """Takes a device from the household without asking a gateway: for one that is gone."""
    commands.leave_household(asker.connection, device=device, patient_id=asker.patient_id)


def _bind(asker: Asker, talk: Talk, device: str, *, whose: str) -> tuple[bool, int | None]:
    """Makes the device the patient's; gives back whether a failure undoes that, and to whom."""
    wearers = commands.wearers_of(asker.connection, device)
    mine = next((each for each in wearers if each.slot == -1), None)
    if not wearers:
        people.bind_device(asker.connection, device, patient_id=asker.patient_id)
        return True, None
    if any(each.patient_id == asker.patient_id for each in wearers):
        # made the patient's by an attempt before, in this talk: still undone by a failure
        before = [each for each in talk.asked if each.device == device and each.bound]
        return bool(before), before[-1].bound_from if before else None
    patient = people.patient(asker.connection, asker.patient_id)
    home = None if patient is None else patient.household_id
    if home is None or any(each.household_id != home for each in wearers):
        raise AnotherHomes("This device belongs to another home: remove it there first.")
    if whose == "theirs" or (mine is None and whose == "mine"):
        # a device whose users are told apart keeps them
        return False, None
    if whose != "mine" or mine is None:
        raise SomebodyElses("Somebody else in this home has this device.")
    people.bind_device(asker.connection, device, patient_id=asker.patient_id)
    return True, mine.patient_id


def _gateway(asker: Asker, name: str) -> Gateway:
    for each in household_gateways(asker.connection, asker.patient_id):
        if each.name == name:
            return each
    raise Unknown("There is no such gateway in this patient's home.")


def _free_gateway(asker: Asker, talk: Talk) -> Gateway:
    """The talk's gateway, held. Raises Busy where another talk is going on."""
    gateway = _gateway(asker, talk.asked[0].gateway)
    commands.lock_gateway(asker.connection, gateway.id)
    going_on = busy_with(asker.connection, gateway.id, now=asker.now)
    if going_on is not None and going_on.flow != talk.flow:
        raise Busy(f"{going_on.asked_by} is adding a device with this gateway.")
    return gateway


def _ask(
    asker: Asker,
    gateway: Gateway,
    do: Do,
    *,
    flow: str | None = None,
    bound: bool = False,
    bound_from: int | None = None,
    **more: Any,
) -> str:
    """The flow that the new command belongs to: its own id where it begins one.

    Raises TooOften, but never for stopping.
    """
    asked_at = commands.asked_since(
        asker.connection, account_id=asker.account_id, since=asker.now - MINUTE
    )
    if do is not Do.CANCEL and is_too_often(asked_at, now=asker.now):
        raise TooOften("Wait a minute before you ask the gateway again.")
    command = Command(
        id=uuid.uuid4().hex,
        gateway=gateway.name,
        at=asker.now,
        expires_at=asker.now + LIFE,
        do=do,
        **more,
    )
    commands.ask(
        asker.connection,
        command,
        gateway_id=gateway.id,
        flow=flow or command.id,
        account_id=asker.account_id,
        patient_id=asker.patient_id,
        bound=bound,
        bound_from=bound_from,
    )
    return flow or command.id
