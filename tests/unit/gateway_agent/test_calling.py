"""On whom the gateway calls, and when: every moment is an argument."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway_agent.calling import MOST_DEVICES, CallBook, Patience

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
METER, BAND = "F0:00:00:00:00:01", "F0:00:00:00:00:02"
METER_S, BAND_S = 60.0, 300.0


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def called(book: CallBook, device: str, *, revisit_s: float, well: bool, till_s: float) -> None:
    assert book.is_due(device, revisit_s=revisit_s, now=START)
    book.called(device, START)
    book.ended(device, at(till_s), well=well)


def test_a_stranger_is_called_on_at_once() -> None:
    assert CallBook().is_due(METER, revisit_s=METER_S, now=START)


def test_nobody_is_called_on_twice_at_a_time() -> None:
    book = CallBook()
    book.is_due(METER, revisit_s=METER_S, now=START)
    book.called(METER, START)
    assert not book.is_due(METER, revisit_s=METER_S, now=at(500))


def test_a_band_that_is_always_on_air_is_called_on_every_five_minutes() -> None:
    book = CallBook()
    called(book, BAND, revisit_s=BAND_S, well=True, till_s=10)
    heard = [s for s in range(11, 700) if book.is_due(BAND, revisit_s=BAND_S, now=at(s))]
    assert heard[0] == 310


def test_a_meter_that_was_silent_and_is_on_air_again_is_called_on_at_once() -> None:
    book = CallBook()
    called(book, METER, revisit_s=METER_S, well=True, till_s=1)
    assert not book.is_due(METER, revisit_s=METER_S, now=at(2))
    # a twentieth of 60 s: 3 s are no silence yet, more are
    assert not book.is_due(METER, revisit_s=METER_S, now=at(5))
    assert book.is_due(METER, revisit_s=METER_S, now=at(8.1))


# seconds of one call: connecting to a device that does not answer takes far longer than a silence
@pytest.mark.parametrize(("well", "pause_s"), [(False, 4), (True, METER_S)])
def test_the_length_of_a_call_is_no_silence_of_the_device(well: bool, pause_s: float) -> None:
    book = CallBook()
    called(book, METER, revisit_s=METER_S, well=False, till_s=40)
    assert book.is_due(METER, revisit_s=METER_S, now=at(42))
    book.called(METER, at(42))
    book.ended(METER, at(82), well=well)
    heard = next(s for s in range(83, 700) if book.is_due(METER, revisit_s=METER_S, now=at(s)))
    assert heard == 82 + pause_s


def test_a_device_that_is_waiting_for_its_turn_stays_due() -> None:
    book = CallBook()
    called(book, METER, revisit_s=METER_S, well=True, till_s=1)
    assert book.is_due(METER, revisit_s=METER_S, now=at(10))
    assert book.is_due(METER, revisit_s=METER_S, now=at(10.5))


# the pause after a failure begins at its end and doubles: 2, 4, 8 s
@pytest.mark.parametrize(("failures", "pause_s"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 600)])
def test_a_device_that_fails_is_left_alone_for_longer_each_time(
    failures: int, pause_s: float
) -> None:
    book = CallBook()
    book.is_due(METER, revisit_s=METER_S, now=START)
    for _ in range(failures):
        book.called(METER, START)
        book.ended(METER, START, well=False)
    # on air all the time: an advert each second
    heard = next(s for s in range(1, 700) if book.is_due(METER, revisit_s=METER_S, now=at(s)))
    assert heard == pause_s


def test_one_success_ends_the_pauses() -> None:
    book = CallBook()
    book.is_due(METER, revisit_s=METER_S, now=START)
    for well in (False, False, True):
        book.called(METER, START)
        book.ended(METER, START, well=well)
    heard = next(s for s in range(1, 700) if book.is_due(METER, revisit_s=METER_S, now=at(s)))
    assert heard == METER_S


def test_a_clock_that_was_set_back_keeps_no_device_waiting() -> None:
    book = CallBook()
    called(book, METER, revisit_s=METER_S, well=True, till_s=1)
    assert book.is_due(METER, revisit_s=METER_S, now=START - timedelta(days=20_000))


def test_devices_that_speak_only_when_they_have_news_are_called_on_whenever_heard() -> None:
    book = CallBook(patience=Patience(first=timedelta(0), revisit=timedelta(0)))
    called(book, METER, revisit_s=METER_S, well=False, till_s=0)
    assert book.is_due(METER, revisit_s=METER_S, now=START)


def test_a_device_that_was_forgotten_is_a_stranger_again() -> None:
    book = CallBook()
    called(book, METER, revisit_s=METER_S, well=False, till_s=0)
    assert not book.is_due(METER, revisit_s=METER_S, now=at(1))
    book.forget(METER)
    assert book.is_due(METER, revisit_s=METER_S, now=at(1))


def test_a_call_on_a_device_that_was_forgotten_meanwhile_ends_in_peace() -> None:
    book = CallBook()
    book.is_due(METER, revisit_s=METER_S, now=START)
    book.called(METER, START)
    book.forget(METER)
    book.ended(METER, at(1), well=True)
    assert book.is_due(METER, revisit_s=METER_S, now=at(2))


def test_ten_thousand_strangers_do_not_fill_the_book() -> None:
    book = CallBook()
    book.is_due(METER, revisit_s=METER_S, now=START)
    book.called(METER, START)
    for number in range(10_000):
        book.is_due(f"stranger {number}", revisit_s=METER_S, now=at(number))
    assert len(book._heard) == MOST_DEVICES
    # who is being called on is not forgotten
    assert not book.is_due(METER, revisit_s=METER_S, now=at(10_000))
