"""A code may be typed in any way, and what is none of ours is refused before it is sent."""

import json
from datetime import UTC, datetime

import pytest

from vitals.enrol import (
    CODE_LENGTH,
    LETTERS,
    Enrolled,
    decode_enrolled,
    encode_enrolled,
    grouped,
    renewal_words,
    tidied,
)
from vitals.errors import MendData

CODE = "ACDE3467HJKM"


@pytest.mark.parametrize(
    "typed", ["ACDE-3467-HJKM", "acde 3467 hjkm", "ACDE3467HJKM", " a-cde3467HJKM"]
)
def test_a_code_may_be_typed_in_any_way(typed: str) -> None:
    assert tidied(typed) == CODE
    assert grouped(CODE) == "ACDE-3467-HJKM"


@pytest.mark.parametrize("typed", ["", "ACDE-3467-HJK", "ACDE-3467-HJKMM", "ACDE-3467-HJKO", "中"])
def test_what_is_no_code_is_told_what_one_looks_like(typed: str) -> None:
    with pytest.raises(MendData, match="ACDE-3467-HJKM"):
        tidied(typed)


def test_no_two_letters_look_alike() -> None:
    assert not set("0O1IL2Z5S8BQUV") & set(LETTERS)
    assert len(set(LETTERS)) == len(LETTERS)
    # 2^50 codes and more
    assert len(LETTERS) ** CODE_LENGTH > 2**50


def enrolled(**changes: str) -> Enrolled:
    given = {
        "name": "home-wang",
        "certificate": "PEM",
        "authority": "PEM",
        "mqtt": "mqtts://care.example.org",
        "timezone": "Asia/Shanghai",
    }
    return Enrolled(**{**given, **changes})


def test_an_answer_comes_back_as_it_was() -> None:
    assert decode_enrolled(encode_enrolled(enrolled())) == enrolled()


@pytest.mark.parametrize(
    "payload",
    [b"", b"<html>", b"[]", b"{}", b"\xff", json.dumps({"name": 1}).encode()],
)
def test_what_is_no_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(MendData, match="address"):
        decode_enrolled(payload)


@pytest.mark.parametrize("field", ["mqtt", "timezone"])
def test_an_answer_cannot_write_settings_of_its_own(field: str) -> None:
    with pytest.raises(MendData, match="line"):
        decode_enrolled(encode_enrolled(enrolled(**{field: "x\nKANGBAN_ADAPTER=sim"})))


@pytest.mark.parametrize("name", ["", "Home", "../x", "a.b", "a\nKANGBAN_X=1"])
def test_a_name_that_could_not_stand_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(MendData):
        decode_enrolled(encode_enrolled(enrolled(name=name)))


def test_a_renewals_words_hold_all_that_must_not_be_changed() -> None:
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    words = renewal_words(name="home-wang", csr="PEM", at=at)
    assert words != renewal_words(name="home-chen", csr="PEM", at=at)
    assert words != renewal_words(name="home-wang", csr="OTHER", at=at)
    assert words != renewal_words(name="home-wang", csr="PEM", at=at.replace(minute=1))
