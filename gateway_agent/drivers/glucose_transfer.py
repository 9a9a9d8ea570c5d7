"""What may be kept, and when, while a glucose meter hands over its records.

The gateway asks a meter for "everything after the highest number on disk". So the highest number
that is kept must never be above a record that has not come yet, or that record is lost for ever.
The rules that follow from it:

1. Records are kept in rising order; one is kept when a higher one has come after it (so that a
   meter that starts with its newest is noticed in time) and its promised context, if any, has come.
2. At the end of the procedure everything is kept; a promised context that did not come is missing.
3. When the link is lost, all is kept but the newest record if its context was still to come: the
   next visit reads that one again, with its context. An older one whose context is missing is kept
   without, since a meter sends the context before the next record. A single record may be the
   newest of a meter that starts with it: it is kept only where it is the very next number.
4. After a reading that could not be kept (a full disk), no higher one is kept.
5. Where the order breaks (a lower number after a higher one) or a value could not be decoded,
   nothing above that point is kept before the procedure has ended: the rest is read again.

A repeat of what has come already is no record. May hold: these rules. May not: bytes, asking.
"""

from dataclasses import dataclass

from gateway_agent.drivers.glucose_record import GlucoseContext, GlucoseMeasurement, reading_of
from vitals.measurement import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One notification: what it said and its bytes."""

    said: GlucoseMeasurement
    data: bytes


class Transfer:
    """The records of one visit as they come in; `after`: the last number on disk, -1 for none."""

    def __init__(self, *, after: int) -> None:
        self._after = after
        self._rises = False
        self._waiting: dict[int, _Part] = {}
        self._contexts: dict[int, tuple[GlucoseContext, bytes]] = {}
        self._kept: dict[int, bytes] = {}
        self._highest = -1
        # the highest number that may be kept before the end; None while all is in order
        self._limit: int | None = None
        self.refused = False

    def hear_measurement(self, measurement: GlucoseMeasurement, data: bytes) -> None:
        """Takes a record in."""
        number = measurement.sequence_number
        if self._kept.get(number) == data:
            return
        if number < self._highest and number not in self._kept and number not in self._waiting:
            self._hold_above(max(self._kept, default=-1))
        self._waiting[number] = _Part(said=measurement, data=data)
        self._rises = self._rises or 0 <= self._highest < number
        self._highest = max(self._highest, number)

    def hear_context(self, context: GlucoseContext, data: bytes) -> None:
        """Takes a context in, before or after its record."""
        self._contexts[context.sequence_number] = (context, data)

    def refuse(self) -> None:
        """Notes that something came which could not be decoded."""
        self.refused = True
        # a single record may be the newest of a meter that starts with it (rule 3)
        sure = self._rises or self._highest == self._after + 1
        self._hold_above(self._highest if sure else max(self._kept, default=-1))

    def give_up(self) -> None:
        """Notes that a reading could not be kept: nothing above it may be."""
        self._waiting.clear()

    @property
    def highest(self) -> int:
        """The highest number that has come, -1 while none has."""
        return self._highest

    @property
    def came(self) -> int:
        """How many different records have come."""
        return len(self._kept.keys() | self._waiting.keys())

    def resume_after(self) -> int:
        """The number after which everything should be asked for once more; -1 for all."""
        return self._highest if self._limit is None else self._limit

    def ready(self) -> list[Reading]:
        """Readings that may be kept by now, in rising order."""
        found = []
        # in order of arrival, which is rising order as long as nothing is held
        for number in list(self._waiting) if self._limit is None else sorted(self._waiting):
            beyond = self._limit is not None and number > self._limit
            if beyond or number >= self._highest or not self._is_whole(number):
                break
            found.append(self._release(number))
        return found

    def cut(self) -> list[Reading]:
        """Readings that may be kept after the link was lost, in rising order (rules 3 to 5)."""
        found = []
        for number in sorted(self._waiting):
            if self._limit is not None and number > self._limit:
                break
            if not self._rises and number != self._after + 1:
                break
            if not self._is_whole(number) and (number == self._highest or self.refused):
                break
            found.append(self._release(number))
        return found

    def finish(self) -> list[Reading]:
        """All readings that are left when the procedure has ended, in rising order."""
        return [self._release(number) for number in sorted(self._waiting)]

    def orphans(self) -> list[tuple[GlucoseContext, bytes]]:
        """Contexts whose record never came."""
        return [each for number, each in self._contexts.items() if number not in self._kept]

    def _hold_above(self, number: int) -> None:
        self._limit = number if self._limit is None else min(self._limit, number)

    def _is_whole(self, number: int) -> bool:
        return not self._waiting[number].said.context_follows or number in self._contexts

    def _release(self, number: int) -> Reading:
        part = self._waiting.pop(number)
        self._kept[number] = part.data
        context, data = self._contexts.pop(number, (None, b""))
        return reading_of(part.said, context, raw=part.data + data)
