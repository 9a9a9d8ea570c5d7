"""One visit: its clock, its order, what must be read anew, and what the next visit knows of it."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from test_agent import DRIVER, METER, sent

from gateway_agent.agent import Agent
from gateway_agent.quirk import STANDARD, ClockSetting, Quirk
from gateway_agent.spool import Spool
from gateway_agent.talk import About, ClockSeen
from vitals.errors import MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Meal, Reading, Value
from vitals.units import Unit

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool.sqlite")
    yield opened
    opened.close()


class Home:
    """An agent with a clock that the test moves, and a meter with a clock of its own."""

    def __init__(self, spool: Spool) -> None:
        self.spool, self.now = spool, NOON
        # what the meter shows more than local time
        self.ahead = timedelta(0)
        self.sure: bool | None = True
        self.agent = Agent(
            "g1",
            spool,
            zone=ZoneInfo("Asia/Shanghai"),
            now=lambda: self.now,
            time_is_sure=lambda: self.sure,
        )

    def shows(self) -> datetime:
        """The meter's clock now."""
        return self.now.replace(tzinfo=None) + 8 * HOUR + self.ahead

    def test(self, number: int, *, ago: timedelta = MINUTE, value: float = 5.6) -> Reading:
        """A record that the meter made so long ago, by the clock that it has now."""
        return Reading(
            sequence=number,
            device_time=self.shows() - ago,
            values=(Value(kind=Kind.GLUCOSE, value=value, unit=Unit.MMOL_PER_L),),
            raw=bytes([number % 256]),
        )

    async def visit(self, *, quirk: Quirk = STANDARD, clock: bool = True, **said: Any) -> Any:
        visit = await self.agent.begin(METER, DRIVER, name="", rssi_dbm=-60, quirk=quirk)
        if clock:
            visit.clock_seen(ClockSeen(device_time=self.shows(), at=self.now))
        visit.about(About(**said))
        return visit

    async def read(self, *readings: Reading, **more: Any) -> None:
        visit = await self.visit(**more)
        for each in readings:
            await visit.keep(each)
        await visit.finished()

    def spooled(self) -> dict[int, tuple[str, str]]:
        """Sequence → time taken (UTC) and clock of what waits."""
        found, place = {}, 0
        while waiting := self.spool.oldest(1_000, after=place):
            for each in waiting:
                said, place = each.document, each.place
                found[said["sequence"]] = (said["taken_at"][11:16], said["clock"])
        return found


@pytest.fixture
def home(spool: Spool) -> Iterator[Home]:
    made = Home(spool)
    yield made
    made.agent.close()


async def test_a_clock_changed_between_two_visits_moves_no_record_to_a_wrong_hour(
    home: Home,
) -> None:
    await home.read(home.test(1))
    home.now += 8 * HOUR
    # made a quarter of an hour after the visit, before somebody set the clock on by an hour
    before = home.test(2, ago=7 * HOUR + 45 * MINUTE)
    home.ahead = HOUR
    after = home.test(3, ago=2 * HOUR)
    await home.read(before, after, home.test(4))
    assert home.spooled() == {
        1: ("11:59", "measured"),
        # by the new offset it would lie before the visit that did not find it
        2: ("12:15", "measured"),
        # 18:00, or 19:00 by the old offset
        3: ("18:00", "unsure"),
        # what the meter came on the air for
        4: ("19:59", "measured"),
    }


async def test_a_time_that_falls_back_in_a_first_visit_casts_doubt_on_what_came_before(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    # an hour fast, until somebody set it right
    home.ahead = HOUR
    early = [home.test(number, ago=(20 - number) * 10 * MINUTE) for number in (1, 2, 3)]
    home.ahead = timedelta(0)
    await home.read(*early, home.test(4, ago=150 * MINUTE), home.test(5))
    assert home.spooled() == {
        # an hour late, and said to be unsure
        1: ("09:50", "unsure"),
        2: ("10:00", "unsure"),
        3: ("10:10", "unsure"),
        4: ("09:30", "measured"),
        5: ("11:59", "measured"),
    }
    assert "set back between records 3 and 4" in caplog.text


async def test_what_was_delivered_already_is_not_doubted_in_vain(home: Home, spool: Spool) -> None:
    visit = await home.visit()
    await visit.keep(home.test(1, ago=2 * HOUR))
    spool.forget([each.id for each in spool.oldest(50)], {}, now=NOON)
    await visit.keep(home.test(2, ago=3 * HOUR))
    await visit.finished()
    assert home.spooled() == {2: ("09:00", "measured")}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"battery_percent": 95}, "its battery was changed"),
        ({"serial": "S2"}, "it has another serial number"),
        ({"firmware": "2.0"}, "it has another firmware"),
    ],
)
async def test_a_device_that_may_be_another_is_read_anew_once_and_marked(
    home: Home, spool: Spool, caplog: pytest.LogCaptureFixture, said: dict[str, Any], why: str
) -> None:
    first = {"battery_percent": 40, "serial": "S1", "firmware": "1.0"}
    old = [home.test(number) for number in (1, 2)]
    await home.read(*old, **first)
    home.now += HOUR
    second = await home.visit(**{**first, **said})
    assert second.visit.read_anew()
    assert why in caplog.text
    # all it has comes again: two known, one new
    for each in (*old, home.test(3)):
        await second.keep(each)
    await second.finished()
    assert sent(spool) == [(1, True), (2, True), (3, True)]
    home.now += HOUR
    third = await home.visit(**{**first, **said})
    assert not third.visit.read_anew()
    assert third.visit.last_sequence == 3
    await third.keep(home.test(4))
    await third.finished()
    assert sent(spool)[-1] == (4, False)


async def test_a_corrected_record_is_no_sign_that_the_numbers_began_anew(
    home: Home, spool: Spool
) -> None:
    old = [home.test(number) for number in (1, 2, 3)]
    await home.read(*old)
    home.now += HOUR
    second = await home.visit()
    await second.keep(replace(old[0], meal=Meal.FASTING))
    assert not second.visit.read_anew()
    await second.keep(home.test(4))
    await second.finished()
    spool.forget([each.id for each in spool.oldest(50)], {}, now=NOON)
    assert sent(spool) == [(1, True), (4, False)]
    assert spool.known(METER).last_sequence == 4


async def test_reading_anew_goes_on_after_a_link_that_broke(home: Home, spool: Spool) -> None:
    old = [home.test(number) for number in (1, 2, 3)]
    await home.read(*old, battery_percent=40)
    second = await home.visit(battery_percent=95)
    await second.keep(old[0])
    await second.failed(TryAgain("the link went down"))
    third = await home.visit(battery_percent=95)
    assert third.visit.last_sequence == 1
    await third.keep(old[1])
    await third.keep(old[2])
    await third.keep(home.test(4))
    await third.finished()
    assert sent(spool)[-1] == (4, True)
    assert (await home.visit(battery_percent=95)).visit.last_sequence == 4


async def test_a_link_that_broke_before_the_first_record_does_not_forget_the_new_battery(
    home: Home,
) -> None:
    await home.read(home.test(1), home.test(2), battery_percent=40)
    second = await home.visit(battery_percent=95)
    await second.failed(TryAgain("the link went down"))
    third = await home.visit(battery_percent=95)
    assert third.visit.last_sequence is None


async def test_a_clock_back_at_its_factory_date_has_the_memory_read_anew(home: Home) -> None:
    await home.read(home.test(1))
    home.now += HOUR
    home.ahead = datetime(2019, 1, 1) - datetime(2026, 11, 22, 21)
    assert (await home.visit()).visit.read_anew()


async def test_numbers_that_began_anew_are_read_and_marked_and_the_mark_goes_with_them(
    home: Home, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    await home.read(*(home.test(number) for number in (8, 9)))
    home.now += DAY
    await home.read(*(home.test(number) for number in (1, 2)))
    assert "its record numbers began anew" in caplog.text
    assert spool.known(METER).last_sequence == 2
    # the record that showed it is matched by the server like any other that is new
    assert sent(spool) == [(8, True), (9, True), (1, False), (2, True)]
    home.now += DAY
    await home.read(home.test(3))
    assert sent(spool)[-1] == (3, False)


async def test_a_device_that_sends_everything_each_time_costs_no_rows(
    home: Home, spool: Spool
) -> None:
    everything = [home.test(number) for number in range(1, 30)]
    for _ in range(3):
        await home.read(*everything)
        home.now += HOUR
    assert spool.depth() == 29
    assert home.agent.device(METER).failure is None


async def test_drift_and_what_ails_the_clock_are_part_of_the_health(home: Home) -> None:
    await home.read(home.test(1))
    assert home.agent.device(METER).clock_drift_s_per_day is None
    home.now, home.ahead = home.now + 10 * DAY, timedelta(seconds=20)
    await home.read(home.test(2))
    health = home.agent.device(METER)
    assert (health.clock_drift_s_per_day, health.clock_ails) == (2.0, "")
    home.now, home.ahead = home.now + DAY, 12 * HOUR
    await home.read(home.test(3))
    health = home.agent.device(METER)
    assert (health.clock_ails, health.clock_offset_s) == ("twelve_hours", -20 * 3600)
    assert [each.why for each in home.spool.clock_history(METER)] == ["first", "looked", "changed"]


async def test_a_clock_is_set_once_written_down_and_moves_nothing_that_was_placed(
    home: Home, spool: Spool
) -> None:
    home.ahead = HOUR
    visit = await home.visit()
    old = home.test(1, ago=6 * MINUTE)
    await visit.keep(old)
    shows = visit.clock_to_set(home.now)
    assert shows == datetime(2026, 11, 22, 20, 0)
    visit.clock_was_set(shows=shows, at=home.now)
    # stamped before the setting, sent after it
    late = home.test(2, ago=5 * MINUTE)
    await visit.keep(late)
    await visit.finished()
    assert home.spooled() == {1: ("11:54", "measured"), 2: ("11:55", "measured")}
    row = spool.clock_history(METER)[-1]
    assert (row.before_s, row.after_s, row.why) == (-9 * 3600, -8 * 3600, "set")
    assert home.agent.device(METER).clock_offset_s == -8 * 3600

    home.ahead, home.now = timedelta(0), home.now + DAY
    # old and new come together: the old ones are where they were, the new ones are right
    await home.read(old, late, home.test(3))
    assert home.spooled()[1] == ("11:54", "measured")
    assert home.spooled()[3] == ("11:59", "measured")
    assert spool.depth() == 3
    assert home.agent.device(METER).clock_ails == ""


async def test_a_clock_that_was_not_read_in_this_visit_is_not_set(home: Home) -> None:
    home.ahead = HOUR
    await home.read(home.test(1))
    visit = await home.visit(clock=False)
    assert visit.clock_to_set(home.now) is None


async def test_a_clock_that_can_never_be_read_is_set_and_written_down(
    home: Home, spool: Spool
) -> None:
    visit = await home.visit(clock=False)
    await visit.keep(home.test(1))
    shows = visit.clock_to_set(home.now, readable=False)
    assert shows == datetime(2026, 11, 22, 20, 0)
    visit.clock_was_set(shows=shows, at=home.now)
    # what is still to come is taken for local time, as before
    await visit.keep(home.test(2))
    await visit.finished()
    assert {clock for _, clock in home.spooled().values()} == {"assumed"}
    (row,) = spool.clock_history(METER)
    assert (row.before_s, row.after_s, row.why) == (None, -8 * 3600, "set")
    # what it shows was never seen
    assert home.agent.device(METER).clock_offset_s is None
    again = await home.visit(clock=False)
    assert again.clock_to_set(home.now, readable=False) is None


async def test_an_unreadable_clock_that_refuses_is_left_alone_too(home: Home) -> None:
    visit = await home.visit(clock=False)
    visit.clock_was_refused(at=home.now)
    await visit.finished()
    assert (await home.visit(clock=False)).clock_to_set(home.now, readable=False) is None


async def test_a_clock_is_not_set_by_a_gateway_that_is_unsure_or_against_its_row(
    home: Home,
) -> None:
    home.ahead = HOUR
    home.sure = False
    assert (await home.visit()).clock_to_set(home.now) is None
    home.sure = True
    never = Quirk(id="x", zh="", en="", names=("X",), clock_setting=ClockSetting.NEVER)
    assert (await home.visit(quirk=never)).clock_to_set(home.now) is None
    assert (await home.visit()).clock_to_set(home.now) is not None


async def test_a_clock_that_refuses_is_left_alone_for_a_week(home: Home) -> None:
    home.ahead = HOUR
    visit = await home.visit()
    assert visit.clock_to_set(home.now) is not None
    # the link went down in the midst of it: nothing was denied
    await visit.finished()
    visit = await home.visit()
    assert visit.clock_to_set(home.now) is not None
    visit.clock_was_refused(at=home.now)
    await visit.finished()
    home.now += 6 * DAY
    again = await home.visit()
    assert again.clock_to_set(home.now) is None
    await again.finished()
    home.now += 2 * DAY
    assert (await home.visit()).clock_to_set(home.now) is not None


async def test_a_gateway_whose_clock_fell_behind_its_spool_calls_on_nobody(home: Home) -> None:
    await home.read(home.test(1))
    home.now -= 2 * HOUR
    home.sure = None
    with pytest.raises(TryAgain, match="what it has on disk is from 2026-11-22 12:00"):
        await home.visit()
    home.sure = True
    await home.visit()


async def test_no_device_is_called_on_while_the_reserve_of_the_disk_is_used_up(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: Callable[[], bool] = lambda: False  # noqa: E731
    home.spool._full = "The gateway's disk is nearly full: free some space."
    monkeypatch.setattr(home.spool, "has_room", held)
    with pytest.raises(TryAgain, match="nearly full"):
        await home.visit()
    assert "nearly full" in home.agent.health().troubles["disk"]


async def test_a_failure_is_told_and_the_clocks_history_is_kept_all_the_same(
    home: Home, spool: Spool
) -> None:
    visit = await home.visit()
    await visit.failed(MendDevice("pair it anew"))
    assert home.agent.device(METER).failure == "pair it anew"
    assert [each.why for each in spool.clock_history(METER)] == ["first"]
