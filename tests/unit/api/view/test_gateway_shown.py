"""The box at home in plain sentences: what is wrong, and nothing where all is well."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from page_builders import NOW, ago

from api.view.gateway import DEAF_AFTER, DISK_LOW_MB, HOT_C, GatewayShown, shown
from api.view.glance import Mood
from api.words import WORDS, say
from rules.line import GATEWAY_SILENT
from store.enrolment import EnrolledRow

SEEN = ago(minutes=4)


def box(*, health: dict[str, Any] | None = None, **changes: Any) -> GatewayShown:
    row: dict[str, Any] = {
        "id": 1,
        "name": "home-wang",
        "last_seen_at": SEEN,
        "spooled": 0,
        "health": health or {},
        "registered_at": ago(days=60),
        "revoked_at": None,
        "issued_at": ago(days=60),
        "expires_at": NOW + timedelta(days=700),
        "allowed_by": "王芳",
    }
    return shown(EnrolledRow(**{**row, **changes}), now=NOW, locale="en")


def words(found: GatewayShown) -> list[str]:
    return [each.word for each in found.sentences]


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_a_box_that_works_says_so_and_when_it_was_heard() -> None:
    found = box(health={"disk_free_mb": 9000, "temperature_c": 45.2, "software": "kangban 0.1.0"})
    assert (found.mood, words(found)) == (Mood.WELL, ["gateway_well"])
    assert (
        say("gateway_well", "en", **found.sentences[0].parts) == "It works; it reported 4 min ago."
    )
    assert [each.word for each in found.facts] == [
        "gateway_software",
        "gateway_free",
        "gateway_warm",
    ]


@pytest.mark.parametrize(
    ("health", "word"),
    [
        ({"disk_free_mb": DISK_LOW_MB - 1}, "gateway_disk"),
        ({"disk_free_mb": DISK_LOW_MB}, "gateway_well"),
        ({"temperature_c": HOT_C}, "gateway_hot"),
        ({"temperature_c": HOT_C - 0.1}, "gateway_well"),
        ({"last_advert_at": iso(SEEN - DEAF_AFTER - timedelta(seconds=1))}, "gateway_deaf"),
        ({"last_advert_at": iso(SEEN - DEAF_AFTER)}, "gateway_well"),
        ({"troubles": {"adapter": "x"}}, "gateway_trouble_adapter"),
        ({"troubles": {"clock": "x"}}, "gateway_trouble_clock"),
        ({"troubles": {"spool": "The spool was damaged."}}, "gateway_trouble_other"),
        # an older gateway, or one that says what cannot be
        ({"disk_free_mb": None, "temperature_c": "hot", "troubles": []}, "gateway_well"),
        ({"last_advert_at": "yesterday", "disk_free_mb": True}, "gateway_well"),
    ],
)
def test_what_a_box_says_of_itself_becomes_a_sentence(health: dict[str, Any], word: str) -> None:
    found = box(health=health)
    assert words(found) == [word]
    assert found.mood is (Mood.WELL if word == "gateway_well" else Mood.LOOK)


def test_one_cause_is_told_once() -> None:
    deaf = iso(SEEN - 2 * DEAF_AFTER)
    told = {"troubles": {"adapter": "x", "disk": "y"}, "last_advert_at": deaf, "disk_free_mb": 1}
    assert words(box(health=told)) == ["gateway_trouble_adapter", "gateway_trouble_disk"]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (NOW - GATEWAY_SILENT, ["gateway_well"]),
        (NOW - GATEWAY_SILENT - timedelta(seconds=1), ["box_silent", "gateway_waiting"]),
        (None, ["gateway_never"]),
    ],
)
def test_a_silent_box_is_silent_and_says_nothing_else(
    seen: datetime | None, expected: list[str]
) -> None:
    assert words(box(last_seen_at=seen, spooled=14)) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [(timedelta(days=30), "gateway_well"), (timedelta(days=29), "gateway_expires")],
)
def test_a_certificate_that_was_not_renewed_is_told(left: timedelta, expected: str) -> None:
    assert words(box(expires_at=NOW + left)) == [expected]
    assert words(box(expires_at=NOW))[0] == "gateway_expired"


def test_a_box_that_was_shut_out_alarms_nobody() -> None:
    found = box(revoked_at=ago(days=1), last_seen_at=ago(days=1))
    assert (found.mood, found.sentences) == (Mood.NONE, ())


def test_every_sentence_has_its_words() -> None:
    for key in ("adapter", "bluetooth", "bus", "silence", "disk", "clock", "other"):
        assert f"gateway_trouble_{key}" in WORDS
