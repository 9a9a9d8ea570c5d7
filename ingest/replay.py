"""Judges again what was refused, with this release, and loads what is sound now.

As if it had come by MQTT once more: the same judgement, the same loader. It is judged as of the
moment when it came, for a clock that was wrong then does not become right by waiting. What was
replayed stays, marked with what became of it; what is still refused keeps its new reasons. May
hold: these steps. May not: SQL (`store/refused.py`), judgement itself, printing.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ingest.arrival import DeadLetter, Delivery, EventSeen, Message, Verdict
from ingest.load import Loaded, Loader
from ingest.reason import Reason
from ingest.validate import judge
from store import refused
from store.pool import Pool, transaction
from store.refused import Letter, Rejection
from vitals.errors import KangbanError, MendData
from vitals.wire import encode_documents, topic

# R7: the seventh rejection; L12: the twelfth letter
_NAME = re.compile(r"([RL])([0-9]{1,18})", re.ASCII)


class End(StrEnum):
    """What became of a replay."""

    TAKEN_IN = "taken_in"
    STILL_REFUSED = "still_refused"
    # it was replayed before, or somebody else was quicker
    ALREADY = "already"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of one; `text` holds no value of anybody."""

    name: str
    end: End
    text: str
    codes: tuple[str, ...] = ()


def find(pool: Pool, name: str) -> Rejection | Letter | None:
    """What was refused under a name like R7 or L12. Raises MendData for what is no such name."""
    found = _NAME.fullmatch(name.upper())
    if found is None:
        raise MendData(f"{name!r} names nothing: write R7 or L12, as the list does.")
    with transaction(pool) as connection:
        read = refused.letter if found[1] == "L" else refused.rejection
        return read(connection, int(found[2]))


def replay(pool: Pool, loader: Loader, name: str, *, now: datetime) -> Replayed:
    """What became of one. Raises TryAgain where the database is away; it may be done again."""
    kept = find(pool, name)
    if kept is None:
        return Replayed(name=name, end=End.ABSENT, text="there is no such one")
    if kept.replayed_at is not None:
        return Replayed(name=name, end=End.ALREADY, text=f"was replayed before: {kept.became}")
    verdict = _judged(kept)
    if (still := _against(kept, verdict)) is not None:
        return _still(pool, name, kept, *still)
    loaded = loader.load([verdict], now=now)
    if not loaded.receipts and loaded.refused:
        # an unknown gateway, or an answer to nothing: the loader says so, as it said then
        again = find(pool, name) or kept
        codes = (again.code,) if isinstance(again, Letter) else tuple(again.codes)
        return Replayed(name=name, end=End.STILL_REFUSED, text="is still refused", codes=codes)
    became = _became(verdict, loaded)
    with transaction(pool) as connection:
        is_first = refused.mark_replayed(connection, kept, became=became, now=now)
    return Replayed(name=name, end=End.TAKEN_IN if is_first else End.ALREADY, text=became)


def _judged(kept: Rejection | Letter) -> Verdict:
    message = _message(kept)
    try:
        return judge(message, now=kept.received_at)
    except KangbanError:
        raise
    except Exception as error:
        reason = f"this release of ingest failed on it: {type(error).__name__}"
        return DeadLetter(message=message, reasons=(reason,), code=Reason.FAILED_HERE)


def _message(kept: Rejection | Letter) -> Message:
    if isinstance(kept, Letter):
        return Message(topic=kept.topic, payload=kept.payload)
    payload = encode_documents(
        gateway=kept.gateway,
        batch=f"replay-R{kept.id}",
        sent_at=kept.received_at,
        documents=[kept.document],
        resync=kept.resync,
    )
    return Message(topic=topic(kept.gateway, "up"), payload=payload)


def _against(
    kept: Rejection | Letter, verdict: Verdict
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Reasons and their words where it is refused as before; None where something can be loaded."""
    if isinstance(verdict, DeadLetter):
        return verdict.reasons, (verdict.code,)
    if isinstance(kept, Rejection) and isinstance(verdict, Delivery):
        for each in verdict.rejections:
            if each.quarantined is None:
                return each.reasons, each.codes
    return None


def _still(
    pool: Pool,
    name: str,
    kept: Rejection | Letter,
    reasons: tuple[str, ...],
    codes: tuple[str, ...],
) -> Replayed:
    with transaction(pool) as connection:
        refused.mark_still(connection, kept, reasons=reasons, codes=codes)
    return Replayed(name=name, end=End.STILL_REFUSED, text="is still refused", codes=codes)


def _became(verdict: Verdict, loaded: Loaded) -> str:
    if isinstance(verdict, Delivery):
        apart = sum(each.quarantined is not None for each in verdict.rejections)
        return (
            f"{loaded.inserted} new and {len(verdict.items) - loaded.inserted} known measurements, "
            f"{apart} in quarantine, {len(verdict.rejections) - apart} refused"
        )
    return "an answer of the gateway" if isinstance(verdict, EventSeen) else "the gateway's health"
