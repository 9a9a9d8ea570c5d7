"""What a load keeps apart: refused measurements, dead letters, and those that wait for a person.

A measurement that waits in quarantine, or of which somebody decided, never comes in by a second
arrival: only by a release (`release.py`). One that waited for its time alone, and comes again with
a time that can be (the clock was set right and the memory read again), is taken in instead. May
hold: these steps within a load's transaction. May not: SQL (`store/`), judgement (`dismantle.py`).
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from ingest.arrival import DeadLetter, Delivery, Item, Rejection, record_digest
from ingest.reason import OF_TIME
from store import quarantine, refused
from store.quarantine import Held, State
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit


def keep_refused(
    connection: Connection[Any], deliveries: Sequence[Delivery], letters: Sequence[DeadLetter]
) -> None:
    """Keeps what these deliveries could not bring, and these letters."""
    rejections = [(one, each) for one in deliveries for each in one.rejections]
    apart = [
        refused.Refused(
            digest=each.digest,
            gateway=each.gateway,
            id=each.id,
            document=each.document,
            reasons=each.reasons,
            codes=each.codes,
            resync=delivery.resync,
        )
        for delivery, each in rejections
        if each.quarantined is None
    ]
    if apart:
        refused.reject(connection, apart)
    if letters:
        refused.bury(connection, [_buried(each) for each in letters])
    held = [
        _held(each, item, resync=delivery.resync)
        for delivery, each in rejections
        if (item := each.quarantined) is not None
    ]
    if held:
        quarantine.keep(connection, held)


def without_held(connection: Connection[Any], deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The deliveries without what is, or was, in quarantine; a receipt names it all the same."""
    devices = {name for each in deliveries if not each.released for name in each.devices}
    known = quarantine.known(connection, devices) if devices else {}
    if not known:
        return list(deliveries)
    found = {
        digest: known[digest]
        for each in deliveries
        if not each.released
        for item in each.items
        if (digest := record_digest(item)) in known
    }
    waited = [
        digest
        for digest, each in found.items()
        if each.state is State.WAITING and OF_TIME.issuperset(each.codes)
    ]
    in_again = quarantine.come_sound(connection, waited) if waited else set()
    in_again |= {digest for digest, each in found.items() if each.state is State.CAME_SOUND}
    out = found.keys() - in_again
    return [each if each.released else _without(each, out) for each in deliveries]


def _without(delivery: Delivery, out: set[bytes]) -> Delivery:
    if not out:
        return delivery
    return delivery.only(
        *[item for item in delivery.items if record_digest(item) not in out],
        rejections=delivery.rejections,
    )


def _held(rejection: Rejection, item: Item, *, resync: bool) -> Held:
    return Held(
        digest=rejection.digest,
        gateway=rejection.gateway,
        device=item.device,
        kind=VITALS[Kind(item.kind)].code,
        sequence=item.sequence,
        taken_at=item.taken_at,
        value=item.value,
        unit=UNIT_CODE[Unit(item.unit)],
        slot=-1 if item.user is None else item.user,
        resync=resync,
        document=rejection.document,
        codes=rejection.codes,
        reasons=rejection.reasons,
    )


def _buried(letter: DeadLetter) -> refused.Buried:
    return refused.Buried(
        digest=letter.digest,
        topic=letter.message.topic,
        payload=letter.message.payload,
        reasons=letter.reasons,
        code=letter.code,
    )
