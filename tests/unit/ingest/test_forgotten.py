"""A reading of somebody who was erased stays out; everybody else's comes in."""

from datetime import UTC, datetime, timedelta

import pytest
from arriving import METER, delivery, glucose

from ingest.forgotten import remembered
from store.forgotten import Bar, Bars

# the moment of the erasure; what the meter's own clock showed at its last erased reading
UNTIL = datetime(2024, 11, 2, 0, 0, tzinfo=UTC)
SHOWN = datetime.fromisoformat("2024-11-02T07:00:00")
DEVICE = 7
MINUTE = timedelta(minutes=1)
DAY_AND_TWO = timedelta(hours=26)


def bars(slot: int | None = None, shown: datetime | None = SHOWN) -> Bars:
    return Bars(of_device={DEVICE: (Bar(slot=slot, until=UNTIL, device_time=shown),)})


def shows(text: str) -> str:
    return f"2024-11-{text}"


AFTER = UNTIL + MINUTE


@pytest.mark.parametrize(
    ("reading", "which", "comes_in"),
    [
        # by its time: one minute before the erasure, at it, after it
        ({"at": UNTIL - MINUTE, "device_time": shows("02T07:59:00")}, bars(), False),
        ({"at": UNTIL, "device_time": shows("02T08:00:00")}, bars(), True),
        # another gateway places it 12 hours later, but the meter's clock says that it is an old one
        ({"at": UNTIL + 12 * 60 * MINUTE, "device_time": shows("02T07:00:00")}, bars(), False),
        ({"at": UNTIL + 12 * 60 * MINUTE, "device_time": shows("02T07:00:01")}, bars(), True),
        # the meter's battery was changed and its clock began anew: days after, it is a new one
        ({"at": UNTIL + timedelta(days=15), "device_time": "2000-01-01T00:00:00"}, bars(), True),
        # the edges of 26 hours
        ({"at": UNTIL + DAY_AND_TWO - MINUTE, "device_time": shows("01T00:00:00")}, bars(), False),
        ({"at": UNTIL + DAY_AND_TWO, "device_time": shows("01T00:00:00")}, bars(), True),
        # no clock of its own, or none that was erased
        ({"at": AFTER, "device_time": None}, bars(), True),
        ({"at": AFTER, "device_time": shows("01T00:00:00")}, bars(shown=None), True),
        # on a shared meter only the number that was theirs
        ({"at": UNTIL - MINUTE, "user": 2}, bars(slot=2), False),
        ({"at": UNTIL - MINUTE, "user": 3}, bars(slot=2), True),
        ({"at": UNTIL - MINUTE}, bars(slot=2), True),
        ({"at": UNTIL - MINUTE}, bars(slot=-1), False),
        # single records, by number and user
        ({"sequence": 5}, Bars(records=frozenset({(DEVICE, -1, 5)})), False),
        ({"sequence": 6}, Bars(records=frozenset({(DEVICE, -1, 5)})), True),
        ({"sequence": 5, "user": 1}, Bars(records=frozenset({(DEVICE, -1, 5)})), True),
        # another device
        ({"at": UNTIL - MINUTE}, Bars(of_device={8: bars().of_device[DEVICE]}), True),
        # older than is kept
        ({"at": UNTIL - MINUTE}, Bars(raw_since=UNTIL), False),
        ({"at": UNTIL}, Bars(raw_since=UNTIL), True),
    ],
)  # fmt: skip
def test_a_reading_comes_in_unless_it_is_forgotten(reading, which, comes_in) -> None:
    came = delivery(glucose(**reading), glucose(9, at=AFTER + timedelta(days=9), user=9))

    (kept,) = remembered([came], which, devices={METER: DEVICE})

    assert len(kept.items) == 1 + comes_in
    assert len(came.receipt().committed) == 2


def test_nothing_is_looked_for_where_nothing_is_forgotten() -> None:
    assert not Bars()
    assert Bars(raw_since=UNTIL)
    assert bars()
