"""The judge of the campaign can condemn: each sort of fault is put in, and is found."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bench.ledger import Offer
from bench.reckoning import Alarm, Key, Row, Truth, compare, old_alarms
from rules.pack import standard_packs

AT_S = 1_764_000_000
KEY = Key("ble:meter", 7, "glucose")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def offer(**changes: object) -> Offer:
    """A glucose of 5.6 mmol/L, record 7 of its meter."""
    sound = Offer(
        number=1,
        device=KEY.device,
        sequence=KEY.sequence,
        measured_at_s=AT_S,
        taken_at_s=AT_S,
        is_ahead=False,
        values=[("glucose", 5.6)],
    )
    return sound._replace(**changes)


def row(**changes: object) -> Row:
    """That glucose, stored."""
    return Row(KEY, 5.6, AT_S)._replace(**changes)


def truth(*offers: tuple[str, Offer], kept: Sequence[str] = ()) -> Truth:
    """What gateways have offered, and which of them have kept all of theirs."""
    known = Truth()
    for gateway, each in offers:
        known.offer(gateway, each)
        if gateway in kept:
            known.kept[gateway].add(each.number)
    return known


AHEAD = offer(is_ahead=True, taken_at_s=AT_S + 259_200)


@pytest.mark.parametrize(
    ("known", "rows", "refused", "lost_doubled_changed"),
    [
        # kept: there exactly once
        (truth(("g", offer()), kept="g"), [row()], (), (0, 0, 0)),
        (truth(("g", offer()), kept="g"), [], (), (1, 0, 0)),
        (truth(("g", offer()), kept="g"), [row(), row()], (), (0, 1, 0)),
        # the same record under another time is there twice
        (
            truth(("g", offer()), ("g", offer(taken_at_s=AT_S + 60)), kept="g"),
            [row(), row(taken_at_s=AT_S + 60)],
            (),
            (0, 1, 0),
        ),
        # only offered: there at most once
        (truth(("g", offer())), [], (), (0, 0, 0)),
        (truth(("g", offer())), [row()], (), (0, 0, 0)),
        (truth(("g", offer())), [row(), row()], (), (0, 1, 0)),
        # never measured
        (truth(), [row()], (), (0, 1, 0)),
        # another value, another time than any that was offered
        (truth(("g", offer()), kept="g"), [row(value=6.5)], (), (0, 0, 1)),
        (truth(("g", offer()), kept="g"), [row(taken_at_s=AT_S + 1)], (), (0, 0, 1)),
        # refused because its gateway's clock was days ahead: kept with that reason, or lost
        (truth(("g", AHEAD), kept="g"), [], {KEY}, (0, 0, 0)),
        (truth(("g", AHEAD), kept="g"), [], (), (1, 0, 0)),
        # nothing refuses what was read by a right clock
        (truth(("g", offer()), kept="g"), [], {KEY}, (1, 0, 0)),
        # a meter of two households: the one whose clock is right must have got it in
        (truth(("g", AHEAD), ("h", offer()), kept="gh"), [row()], {KEY}, (0, 0, 0)),
        (truth(("g", AHEAD), ("h", offer()), kept="gh"), [], {KEY}, (1, 0, 0)),
        (truth(("g", offer()), ("h", offer()), kept="gh"), [row()], (), (0, 0, 0)),
    ],
)
def test_what_is_lost_doubled_or_changed_is_found(
    known: Truth, rows: list[Row], refused: set[Key], lost_doubled_changed: tuple[int, int, int]
) -> None:
    found = compare(known, rows, refused)
    assert (found.lost, found.doubled, found.changed) == lost_doubled_changed
    assert found.is_well is (lost_doubled_changed == (0, 0, 0))


# the rule for very low glucose lets its evidence be six hours old
@pytest.mark.parametrize(
    ("alarm", "is_old"),
    [
        (Alarm("live", "glu.hypo.l2", NOON, NOON - timedelta(hours=6)), False),
        (Alarm("live", "glu.hypo.l2", NOON, NOON - timedelta(hours=6, seconds=1)), True),
        # nobody measures with this device these days: whatever it says is old
        (Alarm("drawer", "glu.hypo.l2", NOON, NOON), True),
        # silence has no evidence but the clock
        (Alarm("drawer", "silence.no_data", NOON, NOON - timedelta(days=9)), False),
    ],
)
def test_an_alarm_from_old_data_is_found(alarm: Alarm, is_old: bool) -> None:
    assert old_alarms([alarm], standard_packs(), live={"live"}) == ([alarm] if is_old else [])
