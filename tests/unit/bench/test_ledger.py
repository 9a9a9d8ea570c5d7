"""The ledger survives its writer, and says what the meter has to offer again."""

from pathlib import Path

from bench.ledger import LIVE, PRIVATE, Household, Ledger, Offer, is_cuff
from bench.reckoning import Truth

HOUSEHOLD = Household(gateway="home-1", shared="ble:shared:0:08", begin_s=1_764_000_000, seed=3)
NOW_S = 1_764_000_000


def offer(number: int) -> Offer:
    """A reading with this number."""
    return Offer(number, "ble:meter", number, NOW_S, NOW_S, False, [("glucose", 5.6)])


def read(path: Path) -> Truth:
    """What the campaign makes of it."""
    truth = Truth()
    truth.read("home-1", path)
    return truth


def test_a_reading_that_was_offered_and_not_kept_is_offered_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.offered(offer(1))
    ledger.kept(1)
    ledger.offered(offer(2))
    # killed here
    again = Ledger(path)
    assert (again.next_number, again.pending) == (2, offer(2))
    truth = read(path)
    assert (truth.readings, truth.waiting("home-1")) == (2, 1)
    again.kept(2)
    truth.read("home-1", path)
    assert (truth.readings, truth.waiting("home-1")) == (2, 0)
    assert (Ledger(path).next_number, Ledger(path).pending) == (3, None)


def test_a_line_that_a_kill_cut_off_is_no_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.offered(offer(1))
    path.write_bytes(path.read_bytes() + b'["kep')
    truth = read(path)
    again = Ledger(path)
    assert again.pending == offer(1)
    again.kept(1)
    truth.read("home-1", path)
    assert truth.waiting("home-1") == 0


def test_a_meter_hands_over_the_same_record_again() -> None:
    for number in range(1, 200):
        device, reading = HOUSEHOLD.reading(number, now_s=NOW_S)
        later = HOUSEHOLD.reading(number, now_s=NOW_S + 999)
        if device in HOUSEHOLD.live:
            # the ledger remembers when it was measured
            later = HOUSEHOLD.reading(number, now_s=NOW_S)
        assert later == (device, reading)


def test_neighbours_read_the_same_records_from_the_meter_they_share() -> None:
    neighbour = Household(gateway="home-2", shared=HOUSEHOLD.shared, begin_s=NOW_S, seed=3)
    for number in (10, 20, 30):
        assert HOUSEHOLD.reading(number, now_s=1) == neighbour.reading(number, now_s=2)


def test_new_and_old_devices_of_both_kinds_give_values_that_would_wake_somebody() -> None:
    found = {
        (device in HOUSEHOLD.live, is_cuff(device))
        for device, reading in (HOUSEHOLD.reading(each, now_s=NOW_S) for each in range(2000))
        if reading.values[0].value < 2.9 or reading.values[0].value > 180
    }
    assert found == {(True, True), (True, False), (False, True), (False, False)}
    assert 0 < LIVE < PRIVATE
