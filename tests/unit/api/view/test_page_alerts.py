"""Alerts in the words of each reader."""

import pytest
from page_builders import ago, alert_row

from api.view.alerts import Reader, mood_of, shown
from api.view.glance import Mood


@pytest.mark.parametrize(
    ("reader", "locale", "sentence"),
    [
        (Reader.PATIENT, "zh-CN", "请马上吃糖。"),
        (Reader.FAMILY, "zh-CN", "请马上打电话。"),
        (Reader.DOCTOR, "en", "Glucose 2.8 mmol/L."),
    ],
)
def test_each_reader_gets_their_own_sentence(reader: Reader, locale: str, sentence: str) -> None:
    (alert,) = shown([alert_row()], reader=reader, locale=locale)
    assert alert.sentence == sentence


@pytest.mark.parametrize(
    ("severity", "readers"),
    [
        (0, set()),
        (1, {Reader.PATIENT, Reader.DOCTOR}),
        (2, set(Reader)),
        (4, set(Reader)),
    ],
)
def test_nobody_is_bothered_below_their_severity(severity: int, readers: set[Reader]) -> None:
    row = alert_row(severity=severity)
    assert {each for each in Reader if shown([row], reader=each, locale="en")} == readers


def test_a_finding_without_words_for_a_reader_still_shows_its_title() -> None:
    row = alert_row(body={"title": {"zh": "甲", "en": "A"}})
    (alert,) = shown([row], reader=Reader.FAMILY, locale="zh-CN")
    assert (alert.title, alert.sentence) == ("甲", "")


@pytest.mark.parametrize(
    ("severity", "mood"),
    [(0, Mood.NONE), (1, Mood.LOOK), (2, Mood.LOOK), (3, Mood.CALL), (4, Mood.CALL)],
)
def test_the_mood_follows_the_severity(severity: int, mood: Mood) -> None:
    assert mood_of(severity) is mood


def test_what_is_over_has_no_colour() -> None:
    row = alert_row(state="closed", closed_at=ago(minutes=1))
    (alert,) = shown([row], reader=Reader.FAMILY, locale="en")
    assert alert.mood is Mood.NONE
    assert alert.is_closed
    assert not alert.is_open
