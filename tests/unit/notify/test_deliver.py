"""Whom a message reaches, in which words, and when a failed one is tried again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify.deliver import WAITS_S, answer, next_try_at, refusal, wanted, words
from vitals.errors import MendData

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BODY: dict[str, Any] = {
    "title": {"zh": "该量血压了", "en": "Time to measure"},
    "text": {"zh": "请坐着休息五分钟。", "en": "Sit and rest for five minutes."},
    "link": "/patient",
}


@dataclass(frozen=True)
class Contact:
    id: int
    min_severity: int


@pytest.mark.parametrize(
    ("severity", "reached"),
    [(0, []), (1, [1]), (2, [1, 2]), (3, [1, 2]), (4, [1, 2, 3])],
)
def test_a_contact_hears_its_own_severity_and_what_is_graver(
    severity: int, reached: list[int]
) -> None:
    contacts = [Contact(1, 1), Contact(2, 2), Contact(3, 4)]
    assert [each.id for each in wanted(contacts, severity=severity, log=[])] == reached


def test_a_contact_that_took_the_message_is_not_asked_again() -> None:
    log = [
        answer(contact=1, said=None, now=NOW),
        answer(contact=2, said="the channel answered 500", now=NOW),
    ]
    again = wanted([Contact(1, 0), Contact(2, 0)], severity=3, log=log)
    assert [each.id for each in again] == [2]


@pytest.mark.parametrize(
    ("attempts", "wait_s"), [(1, 5), (2, 15), (3, 45), (len(WAITS_S), WAITS_S[-1])]
)
def test_a_failed_message_waits_longer_each_time(attempts: int, wait_s: int) -> None:
    assert next_try_at(attempts=attempts, now=NOW) == NOW + timedelta(seconds=wait_s)


def test_after_the_last_wait_the_message_is_given_up() -> None:
    assert next_try_at(attempts=len(WAITS_S) + 1, now=NOW) is None


@pytest.mark.parametrize(
    ("expires_in_s", "refused"), [(1, False), (0, True), (-1, True), (None, False)]
)
def test_a_reminder_of_this_morning_is_not_told_at_night(
    expires_in_s: int | None, refused: bool
) -> None:
    expires_at = None if expires_in_s is None else NOW + timedelta(seconds=expires_in_s)
    assert (refusal(may_be_told=True, expires_at=expires_at, now=NOW) is not None) is refused


def test_nobody_hears_of_a_patient_to_whom_the_relation_has_ended() -> None:
    assert refusal(may_be_told=False, expires_at=None, now=NOW) is not None


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("zh-CN", "该量血压了"),
        ("zh", "该量血压了"),
        ("en", "Time to measure"),
        ("de", "Time to measure"),
    ],
)
def test_a_message_is_in_the_language_of_its_account(locale: str, title: str) -> None:
    assert words(BODY, locale=locale, public_url="").title == title


@pytest.mark.parametrize(
    ("public_url", "link"),
    [
        ("", ""),
        ("https://care.example.org", "https://care.example.org/patient"),
        ("https://care.example.org/", "https://care.example.org/patient"),
    ],
)
def test_a_link_is_absolute_or_left_out(public_url: str, link: str) -> None:
    assert words(BODY, locale="en", public_url=public_url).link == link


@pytest.mark.parametrize("broken", [{}, {"title": "x", "text": "y"}, {"title": {"en": "x"}}])
def test_a_message_without_words_in_the_language_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(MendData, match="no zh title"):
        words(broken, locale="zh-CN", public_url="")
