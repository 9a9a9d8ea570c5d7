"""What a simulated household measures, and the ledger in which it writes down that it did.

The number of a reading decides whose it is and what it says, so that a meter whose gateway was
killed in mid-reading hands over the same again. The ledger is the truth that a campaign reckons
by. *Offered* is written, with an fsync, before the reading goes to the spool; *kept* when the
spool's call has returned. So a reading that is kept must be stored once; one that is offered and
not kept may be stored once, and its meter offers it again. May hold: readings and this file. May
not: processes, the database.
"""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from vitals.kinds import Kind
from vitals.measurement import Reading, Value
from vitals.units import Unit

# meters and cuffs show the time of Shanghai, which knows no summer time
LOCAL = timedelta(hours=8)
# devices of one household; each is another patient's, so that no patient has a reading a second
PRIVATE = 30
# those of them that are read as people measure; the others' memory is read, old values and all
LIVE = 4
# every tenth reading comes from a meter that two households have by turns
SHARED_EVERY = 10
# days; rules look back 70 for values and 28 for trouble. None of them lets a value of more than
# three days raise an alarm, and a gateway whose clock is three days ahead makes an old one younger
ANCIENT_DAYS, OLD_DAYS = (80, 330), (8, 26)
# part of the readings that would wake somebody if they were of now
CRITICAL = 0.3
# octets read of a ledger to find where its household stopped: some hundred lines
_TAIL = 16_384


class Offer(NamedTuple):
    """One reading as the ledger has it. `values`: kind, value; moments in seconds since 1970.

    `measured_at_s` is when it was measured, `taken_at_s` when by the gateway's clock. `is_ahead`:
    that clock was so far ahead that the server must refuse the reading.
    """

    number: int
    device: str
    sequence: int
    measured_at_s: int
    taken_at_s: int
    is_ahead: bool
    values: list[tuple[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """One gateway and its devices. `shared` is the meter that another household has too, if any;
    `begin_s`, of the whole campaign, is what the old records' times are counted back from."""

    gateway: str
    shared: str | None
    begin_s: int
    seed: int

    def device(self, place: int) -> str:
        """The lasting name of one of the household's own devices."""
        return f"ble:{self.gateway}:{place:02d}"

    @property
    def devices(self) -> list[str]:
        """All devices that are this household's alone."""
        return [self.device(place) for place in range(PRIVATE)]

    @property
    def live(self) -> list[str]:
        """Those that are read as people measure."""
        return self.devices[:LIVE]

    def reading(self, number: int, *, now_s: int) -> tuple[str, Reading]:
        """The device and its record; the same for the same number, but for the time of one that is
        measured at this moment."""
        if self.shared is not None and number % SHARED_EVERY == 0:
            device, sequence = self.shared, number // SHARED_EVERY
        else:
            chosen = random.Random(f"{self.seed}/{self.gateway}/{number}").randrange(PRIVATE)
            device, sequence = self.device(chosen), number
        chance = random.Random(f"{self.seed}/{device}/{sequence}")
        at_s = now_s if device in self.live else self._long_ago_s(device, chance)
        return device, Reading(
            sequence=sequence,
            device_time=(datetime.fromtimestamp(at_s, UTC) + LOCAL).replace(tzinfo=None),
            values=_values(device, chance),
            raw=f"{device}/{sequence}".encode(),
        )

    def _long_ago_s(self, device: str, chance: random.Random) -> int:
        """The time of an old record: some are of the weeks that rules look at."""
        of_the_weeks = device[-1] in "0123"
        fewest, most = OLD_DAYS if of_the_weeks else ANCIENT_DAYS
        return self.begin_s - chance.randrange(fewest * 86_400, most * 86_400)


def is_cuff(device: str) -> bool:
    """Does this device measure blood pressure? The others measure glucose."""
    return device[-1] in "13579"


def _values(device: str, chance: random.Random) -> tuple[Value, ...]:
    critical = chance.random() < CRITICAL
    if is_cuff(device):
        systolic = chance.randrange(185, 230) if critical else chance.randrange(105, 150)
        diastolic = chance.randrange(121, 140) if critical else chance.randrange(62, 90)
        return (
            Value(kind=Kind.SYSTOLIC, value=systolic, unit=Unit.MMHG),
            Value(kind=Kind.DIASTOLIC, value=diastolic, unit=Unit.MMHG),
            Value(kind=Kind.PULSE, value=chance.randrange(55, 95), unit=Unit.PER_MINUTE),
        )
    tenths = chance.randrange(18, 29) if critical else chance.randrange(45, 120)
    return (Value(kind=Kind.GLUCOSE, value=tenths / 10, unit=Unit.MMOL_PER_L),)


class Ledger:
    """The household's own book, open for writing. A line that a kill cut off is no line."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.next_number = 1
        # what was offered and may not have been kept: its meter offers it again
        self.pending: Offer | None = None
        self._find_end()

    def offered(self, offer: Offer) -> None:
        """Writes down that this reading goes to the spool now; returns when that is on disk."""
        self._write(["offered", *offer])
        os.fsync(self._file)

    def kept(self, number: int) -> None:
        """Writes down that the spool has taken it: from here on it must not be lost.

        Without an fsync: processes are killed here, and what was written survives its writer.
        """
        self._write(["kept", number])
        self.next_number, self.pending = number + 1, None

    def _write(self, document: list[Any]) -> None:
        os.write(self._file, json.dumps(document).encode() + b"\n")

    def _find_end(self) -> None:
        size = os.fstat(self._file).st_size
        tail = os.pread(self._file, _TAIL, max(0, size - _TAIL))
        if tail and not tail.endswith(b"\n"):
            os.write(self._file, b"\n")
        for word, *said in entries(tail):
            if word == "offered":
                self.pending = offer_of(said)
                self.next_number = self.pending.number
            elif said[0] >= self.next_number:
                self.pending, self.next_number = None, said[0] + 1


def offer_of(said: list[Any]) -> Offer:
    """An offer as the ledger has it."""
    offer = Offer(*said)
    return offer._replace(values=[(kind, value) for kind, value in offer.values])


def entries(text: bytes) -> Iterator[list[Any]]:
    """The whole entries of a piece of a ledger."""
    for line in text.split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, list):
            yield entry
