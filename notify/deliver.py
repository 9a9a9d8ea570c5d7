"""Which contacts hear a message, in which words, and when a failed one is tried again.

The page is told of every message; a contact (an Apprise URL) hears those from its own severity on.
A contact that has answered "taken" in an earlier attempt is not asked again. May hold: these
decisions, pure. May not: sending, the database, clocks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from vitals.errors import MendData

# Seconds from a failed attempt to the next one. Nearly all outages of a channel are a restart
# (seconds) or a broken line (minutes); two hours later somebody has seen the page, or the rules'
# escalation has told the next person. An engineering choice, unconfirmed.
WAITS_S = (5, 15, 45, 120, 300, 900, 1800, 3600)


class Reachable(Protocol):
    """What a contact must say of itself to be chosen."""

    @property
    def id(self) -> int:
        """Its number, which stands in a message's log."""

    @property
    def min_severity(self) -> int:
        """From which severity (0-4) on it wants to hear."""


C = TypeVar("C", bound=Reachable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message in one language; `link` is absolute, or empty."""

    title: str
    text: str
    link: str


def refusal(*, may_be_told: bool, expires_at: datetime | None, now: datetime) -> str | None:
    """Why a message must not be told any more; None where it may."""
    if not may_be_told:
        return "the account is not related to this patient any more"
    if expires_at is not None and now >= expires_at:
        return "it came too late to be of use"
    return None


def wanted(
    contacts: Sequence[C], *, severity: int, log: Iterable[Mapping[str, Any]]
) -> tuple[C, ...]:
    """The contacts that want to hear this and have not taken it in an earlier attempt."""
    taken = {entry.get("contact") for entry in log if entry.get("ok")}
    return tuple(
        each for each in contacts if each.min_severity <= severity and each.id not in taken
    )


def next_try_at(*, attempts: int, now: datetime) -> datetime | None:
    """When to try again after `attempts` failures; None: give up, visibly.

    After the first failure 5 s later, after the second 15 s later, and so on through WAITS_S.
    """
    if attempts > len(WAITS_S):
        return None
    return now + timedelta(seconds=WAITS_S[attempts - 1])


def words(body: Mapping[str, Any], *, locale: str, public_url: str) -> Words:
    """The message in the account's language: Chinese for zh-*, otherwise English.

    Raises MendData where the body lacks a title or a text in that language.
    """
    language = "zh" if locale.lower().startswith("zh") else "en"
    try:
        title, text = body["title"][language], body["text"][language]
    except (KeyError, TypeError) as error:
        raise MendData(f"the message has no {language} title and text") from error
    path = body.get("link") or ""
    link = public_url.rstrip("/") + str(path) if public_url and path else ""
    return Words(title=str(title), text=str(text), link=link)


def answer(*, contact: int | None, said: str | None, now: datetime) -> dict[str, Any]:
    """One line of a message's log: what a contact said; None means that it took the message."""
    return {
        "at": now.isoformat(),
        "contact": contact,
        "ok": said is None,
        "said": said or "taken",
    }
