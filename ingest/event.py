"""A gateway's answer to a command, as it stands at the server's door.

Pure. May hold: the judgement of one message on an `event` topic. May not: what follows from an
event (`store/commands.py`), I/O.
"""

import json

from ingest.arrival import DeadLetter, EventSeen, Message
from ingest.dismantle import storable
from ingest.reason import Reason
from vitals.command import decode_event
from vitals.errors import MendData

# Answers to one command; a gateway that counts 20,000 records one by one is out of order. An
# engineering choice.
MOST_EVENTS = 20_000
# letters of a reason that make two letters the same
_SAME = 60


def judge_event(message: Message, *, gateway: str) -> EventSeen | DeadLetter:
    """What a message on a gateway's `event` topic brings. Never raises for what it says."""
    try:
        event = decode_event(message.payload)
        document = json.loads(message.payload)
    except MendData as error:
        return _dead(message, gateway=gateway, reason=str(error))
    if event.gateway != gateway:
        reason = f"comes from {event.gateway!r}, not from {gateway!r}"
        return _dead(message, gateway=gateway, reason=reason, code=Reason.OTHER_GATEWAY)
    if event.number >= MOST_EVENTS:
        reason = f"event {event.number} of one command; at most {MOST_EVENTS}"
        return _dead(message, gateway=gateway, reason=reason)
    if storable(document) != document:
        # it would not be the same event when a page reads it
        reason = "holds what the database cannot (NUL, lone surrogates, infinities)"
        return _dead(message, gateway=gateway, reason=reason)
    return EventSeen(message=message, gateway=gateway, event=event, document=document)


def stray(seen: EventSeen) -> DeadLetter:
    """What is kept of an event that answers no command of its gateway, or one long forgotten."""
    reason = "answers no command that is known"
    return _dead(seen.message, gateway=seen.gateway, reason=reason, code=Reason.STRAY_EVENT)


def _dead(
    message: Message, *, gateway: str, reason: str, code: Reason = Reason.MALFORMED
) -> DeadLetter:
    # one letter for each gateway and reason, as for its health: it may say the same again and again
    text = storable(reason)
    about = f"event|{gateway}|{text[:_SAME]}"
    return DeadLetter(message=message, reasons=(text,), about=about, code=code)
