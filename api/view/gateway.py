"""The boxes of one home in plain sentences: does it work, what is wrong, until when it may go on.

Built from what a gateway last said of itself, as far as it was said: an older gateway says less.
May hold: this reading of a word of health. May not: when a gateway is silent (`rules/line.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.view.glance import Mood
from rules.line import GATEWAY_SILENT
from rules.words import age_text
from store.enrolment import EnrolledRow

# megabytes; below it a person should make room. A month of readings takes about ten; engineering
# choice
DISK_LOW_MB = 500
# °C from which a Raspberry Pi slows itself down (its documentation, "frequency management")
HOT_C = 80.0
# a home without any advertisement has no Bluetooth: phones, televisions and neighbours are always
# heard; engineering choice
DEAF_AFTER = timedelta(hours=2)
# days left at which the gateway should long have renewed its certificate (90, vitals/enrol.py)
EXPIRY_NEAR = timedelta(days=30)
# troubles that the page has words for; others are told in the gateway's own
_KNOWN_TROUBLES = ("adapter", "bluetooth", "bus", "silence", "disk", "clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence: the key of its words and what is put in."""

    word: str
    parts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayShown:
    """One box. `facts` are small print; `sentences` say how it is, the worst first."""

    name: str
    mood: Mood
    sentences: tuple[Sentence, ...]
    facts: tuple[Sentence, ...]
    expires_at: datetime | None
    allowed_by: str | None
    revoked_at: datetime | None


def shown(row: EnrolledRow, *, now: datetime, locale: str) -> GatewayShown:
    """One box of a home."""
    is_in = row.revoked_at is None
    troubles = tuple(_troubles(row, now=now, locale=locale)) if is_in else ()
    return GatewayShown(
        name=row.name,
        mood=Mood.NONE if not is_in else Mood.LOOK if troubles else Mood.WELL,
        sentences=troubles if troubles or not is_in else (_well(row, now=now, locale=locale),),
        facts=tuple(_facts(row.health)),
        expires_at=row.expires_at,
        allowed_by=row.allowed_by,
        revoked_at=row.revoked_at,
    )


def _well(row: EnrolledRow, *, now: datetime, locale: str) -> Sentence:
    since = now - (row.last_seen_at or now)
    return Sentence(word="gateway_well", parts={"age": _age(since, locale)})


def _troubles(row: EnrolledRow, *, now: datetime, locale: str) -> Iterator[Sentence]:
    left = row.expires_at - now if row.expires_at else None
    if left is not None and left <= timedelta(0):
        yield Sentence(word="gateway_expired", parts={})
    elif left is not None and left < EXPIRY_NEAR:
        yield Sentence(word="gateway_expires", parts={"days": left.days})
    seen = row.last_seen_at
    if seen is None:
        yield Sentence(word="gateway_never", parts={})
        return
    if now - seen > GATEWAY_SILENT:
        yield Sentence(word="box_silent", parts={"age": _age(now - seen, locale)})
        if row.spooled:
            yield Sentence(word="gateway_waiting", parts={"n": row.spooled})
        return
    yield from _of_the_box(row.health, seen=seen, locale=locale)


def _of_the_box(health: dict[str, Any], *, seen: datetime, locale: str) -> Iterator[Sentence]:
    """What a living gateway says is wrong with it."""
    troubles = health.get("troubles")
    told = troubles if isinstance(troubles, dict) else {}
    for key, said in told.items():
        if key in _KNOWN_TROUBLES:
            yield Sentence(word=f"gateway_trouble_{key}", parts={})
        else:
            yield Sentence(word="gateway_trouble_other", parts={"said": str(said)})
    heard = _moment(health.get("last_advert_at"))
    if heard and seen - heard > DEAF_AFTER and not {"adapter", "silence"} & told.keys():
        yield Sentence(word="gateway_deaf", parts={"age": _age(seen - heard, locale)})
    free_mb = _number(health.get("disk_free_mb"))
    if free_mb is not None and free_mb < DISK_LOW_MB and "disk" not in told:
        yield Sentence(word="gateway_disk", parts={"mb": round(free_mb)})
    celsius = _number(health.get("temperature_c"))
    if celsius is not None and celsius >= HOT_C:
        yield Sentence(word="gateway_hot", parts={"celsius": round(celsius)})


def _facts(health: dict[str, Any]) -> Iterator[Sentence]:
    version = health.get("software")
    if isinstance(version, str) and version:
        yield Sentence(word="gateway_software", parts={"version": version})
    if (free_mb := _number(health.get("disk_free_mb"))) is not None:
        yield Sentence(word="gateway_free", parts={"mb": round(free_mb)})
    if (celsius := _number(health.get("temperature_c"))) is not None:
        yield Sentence(word="gateway_warm", parts={"celsius": round(celsius)})


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None


def _age(span: timedelta, locale: str) -> str:
    return age_text(span).to(locale)
