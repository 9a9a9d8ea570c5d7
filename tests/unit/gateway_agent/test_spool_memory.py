"""What the spool remembers of devices and commands, and how far that goes back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from test_spool import METER, NOW, keep

from gateway_agent import spool_memory as module
from gateway_agent.spool import ClockRow, Spool
from vitals.command import LIFE, LONGEST_LIFE


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "g1.sqlite")
    yield opened
    opened.close()


def test_a_consent_code_is_kept_by_user_until_its_device_is_removed(spool: Spool) -> None:
    spool.add_device(METER, now=NOW)
    for user, code in ((2, 4321), (1, 1), (2, 1234)):
        spool.note_consent(METER, user, code)
    spool.note_consent("ble:other", 1, 9)
    assert spool.consents(METER) == {1: 1, 2: 1234}
    spool.remove_device(METER)
    assert spool.consents(METER) == {}
    assert spool.consents("ble:other") == {1: 9}


def test_a_command_is_obeyed_once_even_after_a_restart(spool: Spool) -> None:
    expires_at = NOW + LIFE
    assert spool.take_command("a" * 32, expires_at=expires_at, now=NOW)
    assert not spool.take_command("a" * 32, expires_at=expires_at, now=NOW)
    again = Spool(spool.path)
    assert not again.take_command("a" * 32, expires_at=expires_at, now=NOW)
    assert again.take_command("b" * 32, expires_at=expires_at, now=NOW)
    again.close()


@pytest.mark.parametrize(
    ("later", "remembered"), [(LONGEST_LIFE, True), (LONGEST_LIFE + timedelta(seconds=1), False)]
)
def test_a_command_is_forgotten_when_none_could_live_so_long(
    spool: Spool, later: timedelta, remembered: bool
) -> None:
    expires_at = NOW + LIFE
    spool.take_command("a" * 32, expires_at=expires_at, now=NOW)
    spool.take_command("b" * 32, expires_at=expires_at, now=expires_at + later)
    rows = spool._base.execute("SELECT id FROM command ORDER BY id").fetchall()
    assert (("a" * 32,) in rows) is remembered


def test_the_history_of_a_clock_comes_back_in_order_and_is_bounded(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOCK_ROWS", 3)
    rows = [
        ClockRow(at=NOW + timedelta(days=day), before_s=-day, after_s=-day, why="measured")
        for day in range(5)
    ]
    for row in rows:
        spool.note_clock(METER, row)
    spool.note_clock("ble:OTHER", rows[0])
    assert spool.clock_history(METER) == tuple(rows[2:])
    assert spool.clock_history("ble:OTHER") == (rows[0],)
    assert spool.clock_history("ble:NOBODY") == ()


def test_a_device_that_is_read_anew_is_a_resync_until_its_end(spool: Spool) -> None:
    keep(spool, 9)
    spool.read_to_the_end(METER, 9, now=NOW)
    assert spool.known(METER).read_at == NOW
    spool.read_anew(METER, 2)
    known = spool.known(METER)
    assert (known.whole, known.last_sequence, known.read_at) == (False, 2, NOW)
    spool.read_to_the_end(METER, 9)
    assert (spool.known(METER).whole, spool.known(METER).read_at) == (True, NOW)


def test_what_a_device_once_said_of_itself_is_not_unsaid_by_silence(spool: Spool) -> None:
    about = {"kind": "glucose_meter"}
    spool.note(
        METER, last_seen_at=NOW, about=about, clock_offset_s=None, serial="S1", firmware="1.0"
    )
    spool.note(METER, last_seen_at=NOW, about=about, clock_offset_s=None)
    assert (spool.known(METER).serial, spool.known(METER).firmware) == ("S1", "1.0")
