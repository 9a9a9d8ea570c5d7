"""One visit to one device: what is asked of it, what came of it, what is known afterwards.

A visit begins with what the spool remembers, follows what the device says (`sync.py`: must its
memory be read anew? `clock.py`: when was this? `clock_care.py`: what ails its clock?), and writes
down at its end what the next one must know. A visit that breaks off writes down as much. May hold:
this order of things. May not: those judgements, bleak, SQL.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Protocol

from gateway_agent import clock_care, sync
from gateway_agent.clock import Before, Placement, clock_offset, fell_back, place_in_time, settle
from gateway_agent.clock_care import AILMENT_TEXT, Ailment, Happened, Look
from gateway_agent.quirk import Quirk
from gateway_agent.spool import ClockRow, Known
from gateway_agent.sync import LAST_NUMBER, Anew, Progress, Said
from gateway_agent.talk import About, ClockSeen, Refused, Visit
from vitals.errors import KangbanError, TryAgain
from vitals.measurement import Clock, Measurement, Reading, place
from vitals.wire import DeviceHealth

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[object]]


class Keeper(Protocol):
    """Who keeps what a visit brings: the agent."""

    zone: tzinfo
    now: Callable[[], datetime]
    time_is_sure: Callable[[], bool | None]
    on_clock: Callable[[str, ClockSeen], None]

    def device(self, device: str) -> DeviceHealth:
        """How this device is, as last seen."""

    async def keep(
        self,
        reading: Reading,
        measurements: tuple[Measurement, ...],
        *,
        device: str,
        resync: bool,
        last_sequence: int | None,
    ) -> bool:
        """Whether the reading was new; returns when it is on disk."""

    async def doubt(self, ids: Sequence[str]) -> None:
        """Marks measurements that still wait as unsure of their time."""

    async def read_to_the_end(self, device: str, last_sequence: int | None) -> None:
        """Notes that this device has nothing more to say."""

    async def read_anew(self, device: str, last_sequence: int | None) -> None:
        """Notes that this device is being read from its beginning, and how far it has come."""

    async def note_clock(self, device: str, row: ClockRow) -> None:
        """Writes down what happened to a device's clock."""

    async def note(self, device: str, health: DeviceHealth, *, said: About | None = None) -> None:
        """Writes down how a device is."""


class Visiting:
    """One visit: `conversation.Call` for the radio."""

    def __init__(
        self,
        agent: Keeper,
        known: Known,
        quirk: Quirk,
        history: Sequence[ClockRow] = (),
        *,
        consents: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._agent, self._known, self._quirk = agent, known, quirk
        self._history = [_look(each) for each in history]
        self._rows: list[Look] = []
        self._seen: ClockSeen | None = None
        self._before = _before(known)
        self._progress = Progress.at(known.last_sequence)
        self._resync, self._anew = not known.whole, False
        # readings of this visit placed by its offset: doubted when the time falls back behind them
        self._sure: list[str] = []
        self._newest: Reading | None = None
        self._health = agent.device(known.device)
        self._said = About()
        self._new = self._refused = 0
        self.visit = Visit(
            device=known.device,
            last_sequence=known.last_sequence,
            read_anew=lambda: self._anew,
            quirk=quirk,
            consents=consents,
        )

    async def keep(self, reading: Reading) -> None:
        """Returns when the reading is on disk, with the mark of how far this device was read."""
        number = reading.sequence
        placed = self._place(reading)
        measurements = place(
            reading,
            device=self._known.device,
            taken_at=placed.taken_at,
            clock=placed.clock,
            offset=placed.offset,
        )
        new = await self._agent.keep(
            reading,
            measurements,
            device=self._known.device,
            resync=self._resync,
            last_sequence=self._progress.mark_with(number),
        )
        began_anew = self._progress.began_anew(number, new=new)
        self._progress = self._progress.after(number, new=new)
        if began_anew and not self._resync:
            self._read_anew(Anew.NUMBERS, progress=self._progress)
        if new:
            self._new += 1
            await self._order(reading, placed, measurements)
        if new and reading.withheld is not None:
            log.info("%s: record %s withheld.", self._known.device, reading.withheld)

    def clock_seen(self, seen: ClockSeen) -> None:
        """Takes the device's clock; a second's difference to the last visit's is none."""
        zone, last_s = self._agent.zone, self._known.clock_offset_s
        last = None if last_s is None else timedelta(seconds=last_s)
        row = clock_care.look(self._history, seen)
        drift = clock_care.drift_s_per_day(self._history, seen)
        ails = clock_care.ailment(seen, zone)
        if row is not None:
            self._remember(row)
            if row.happened is not Happened.LOOKED and ails is not Ailment.NONE:
                log.warning("%s: %s; %s.", self._known.device, AILMENT_TEXT[ails], _shows(seen))
        if last is not None:
            expected = (seen.at.astimezone(UTC) - last).replace(tzinfo=None)
            self._maybe_anew(sync.anew_by_clock(seen.device_time, expected=expected))
        self._seen = settle(seen, last)
        self._agent.on_clock(self._known.device, self._seen)
        self._health = replace(
            self._health,
            clock_offset_s=round(clock_offset(self._seen).total_seconds()),
            clock_drift_s_per_day=drift,
            clock_ails="" if ails is Ailment.NONE else ails.value,
        )

    def clock_to_set(self, at: datetime, *, readable: bool = True) -> datetime | None:
        """What the device's clock should show now; None: it stays as it is."""
        return clock_care.should_set(
            self._seen,
            at=at,
            zone=self._agent.zone,
            quirk=self._quirk,
            history=self._history,
            time_is_sure=self._agent.time_is_sure(),
            readable=readable,
        )

    def clock_was_refused(self, *, at: datetime) -> None:
        """Takes down that the device denied the clock that it was to show."""
        before = None if self._seen is None else clock_offset(self._seen)
        # a clock that nobody can read is taken for local time
        assumed = -(at.astimezone(self._agent.zone).utcoffset() or timedelta(0))
        after = assumed if before is None else before
        self._remember(Look(at=at, before=before, after=after, happened=Happened.REFUSED))
        log.info("%s does not let its clock be set.", self._known.device)

    def clock_was_set(self, *, shows: datetime, at: datetime) -> None:
        """Takes down that the clock was set. Readings of this visit that are still to come were
        stamped before that: they are placed by the offset that was measured then."""
        after = clock_offset(ClockSeen(device_time=shows, at=at))
        if self._seen is None:
            # whether it obeyed cannot be seen: its records go on being taken for local time
            self._remember(Look(at=at, before=None, after=after, happened=Happened.SET))
            log.info("%s: its clock was set to %s.", self._known.device, shows)
            return
        before = clock_offset(self._seen)
        self._remember(Look(at=at, before=before, after=after, happened=Happened.SET))
        self._health = replace(
            self._health,
            clock_offset_s=round(after.total_seconds()),
            clock_drift_s_per_day=None,
            clock_ails="",
        )
        log.info("%s: its clock was set from %s to %s.", self._known.device, _shows(self._seen),
                 shows)  # fmt: skip

    def about(self, about: About) -> None:
        """Takes what the device says of itself."""
        before, percent = self._health, about.battery_percent
        self._said = about
        was = Said(
            serial=self._known.serial,
            firmware=self._known.firmware,
            battery_percent=before.battery_percent,
        )
        self._maybe_anew(sync.anew_by_word(was, about))
        self._health = replace(
            before,
            model=about.model or before.model,
            battery_percent=before.battery_percent if percent is None else percent,
        )

    def bonded(self, held: bool) -> None:
        """Takes down whether a key is shared with the device."""
        self._health = replace(self._health, bonded=held)

    def refused(self, refused: Refused) -> None:
        """Logs bytes that no decoder takes, with what to do."""
        self._refused += 1
        log.warning(
            "%s sent %s on %s: %s",
            self._known.device,
            refused.data.hex() or "nothing",
            refused.characteristic,
            refused.reason,
        )

    async def finished(self) -> None:
        """Notes that this device was read to the end."""
        await self._agent.read_to_the_end(self._known.device, self._progress.mark)
        failure = None
        if self._refused:
            failure = f"{self._refused} values could not be understood: see the gateway's log."
        await self._note(failure)
        log.info("%s: %d new readings.", self._known.device, self._new)

    async def failed(self, error: KangbanError) -> None:
        """Notes why the visit broke off; what was read is kept."""
        if self._anew:
            await self._write(
                lambda: self._agent.read_anew(self._known.device, self._progress.mark)
            )
        await self._note(str(error))

    def _place(self, reading: Reading) -> Placement:
        return place_in_time(
            reading,
            seen=self._seen,
            received_at=self._agent.now(),
            zone=self._agent.zone,
            before=self._before,
        )

    async def _order(
        self, reading: Reading, placed: Placement, measurements: tuple[Measurement, ...]
    ) -> None:
        """Looks for the place between two records at which the device's clock was set back."""
        if reading.sequence > LAST_NUMBER or self._seen is None:
            return
        newest = self._newest
        if newest is not None and reading.sequence <= newest.sequence:
            # repeats and meters that begin with their newest: their order says nothing
            return
        if newest is not None and fell_back(newest, reading):
            # what follows was stamped after it, what came before by another offset
            doubted, self._sure, self._before = self._sure, [], None
            log.warning(
                "%s: its clock was set back between records %d and %d; the time of %d readings "
                "before that is doubted.",
                self._known.device,
                newest.sequence,
                reading.sequence,
                len(doubted),
            )
            await self._write(lambda: self._agent.doubt(doubted))
        self._newest = reading
        if placed.clock is Clock.MEASURED and placed.offset == clock_offset(self._seen):
            self._sure += [each.id for each in measurements]

    def _maybe_anew(self, why: Anew | None) -> None:
        if why is not None and not self._anew and self._known.whole:
            self._read_anew(why, progress=Progress.at(None))

    def _read_anew(self, why: Anew, *, progress: Progress) -> None:
        self._anew = self._resync = True
        self._progress = progress
        if why is Anew.SERIAL:
            # what another device has stored may be older than our last visit
            self._before = None
        log.warning("%s: %s; its whole memory is read anew.", self._known.device, why.value)

    def _remember(self, row: Look) -> None:
        self._history.append(row)
        self._rows.append(row)

    async def _note(self, failure: str | None) -> None:
        self._health = replace(
            self._health,
            failure=failure,
            failures=0 if failure is None else self._health.failures + 1,
            last_seen_at=self._agent.now(),
        )
        await self._write(self._note_all)

    async def _note_all(self) -> None:
        for each in self._rows:
            await self._agent.note_clock(self._known.device, _row(each))
        self._rows = []
        await self._agent.note(self._known.device, self._health, said=self._said)

    async def _write(self, work: Work) -> None:
        """What is not a reading may wait for the next visit when the disk is full."""
        try:
            await work()
        except TryAgain as trouble:
            log.error("%s", trouble)


def _before(known: Known) -> Before | None:
    if known.clock_offset_s is None or known.read_at is None:
        return None
    return Before(offset=timedelta(seconds=known.clock_offset_s), read_at=known.read_at)


def _look(row: ClockRow) -> Look:
    return Look(
        at=row.at,
        before=None if row.before_s is None else timedelta(seconds=row.before_s),
        after=timedelta(seconds=row.after_s),
        happened=Happened(row.why),
    )


def _row(each: Look) -> ClockRow:
    return ClockRow(
        at=each.at,
        before_s=None if each.before is None else round(each.before.total_seconds()),
        after_s=round(each.after.total_seconds()),
        why=each.happened.value,
    )


def _shows(seen: ClockSeen) -> str:
    return f"{seen.device_time:%Y-%m-%d %H:%M:%S} at {seen.at.astimezone(UTC):%H:%M:%S} UTC"
