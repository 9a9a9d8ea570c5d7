"""Pulse oximeters: Pulse Oximeter Service (0x1822), spot checks and streams.

An oximeter sends a spot check when it has settled (indication), or one value a second while a
finger is in it (notifications), or both. Some store spot checks and hand them over when asked
through the Record Access Control Point, which here knows "all" alone; reading deletes nothing, and
this gateway never deletes: what was read before comes again and is known by its bytes. A stream is
one reading a visit (ADR 0008). The bytes are in `pulse_oximeter_record.py`.

Sources: Bluetooth SIG Pulse Oximeter Service 1.0 as far as its characteristics' XML of 2015 tells;
that record access knows "all" alone is one stack's word, unconfirmed.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from datetime import datetime
from decimal import Decimal
from statistics import median_low

from gateway_agent.drivers import record_access
from gateway_agent.drivers.arrivals import hear_out, keep_meanwhile
from gateway_agent.drivers.current_time import see_clock, set_clock_after_records
from gateway_agent.drivers.device_information import about
from gateway_agent.drivers.pulse_oximeter_record import (
    CONTINUOUS,
    FEATURES,
    SPOT_CHECK,
    Continuous,
    Features,
    Oxygen,
    Signs,
    SpotCheck,
)
from gateway_agent.drivers.record_access import RECORD_ACCESS, Response, report_from
from gateway_agent.drivers.record_request import request
from gateway_agent.gatt import CannotDecode, u16
from gateway_agent.talk import (
    Ask,
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Read,
    Refused,
    Subscribe,
    Talk,
    Visit,
)
from vitals.errors import KangbanError, MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Reading, Value, content_number
from vitals.units import Unit

# good values of one visit; an oximeter sends one a second; an engineering choice
VALUES = 10
# values of one visit at most, good or not: it takes up to half a minute to settle; engineering
# choice
MOST_VALUES = 40
# seconds without a value that end a visit once something has come
SILENCE_S = 5.0
# seconds until the first value: a spot check comes when the numbers have settled; engineering
# choice
FIRST_VALUE_S = 30.0
# seconds until the next stored record, as for glucose meters (Core Vol 3 Part F §3.3.3)
RECORD_WAIT_S = 30.0
# seconds between visits while it stays on air: at most 288 readings a day and oximeter. One that
# was switched off and on again is called on at once. Engineering choice.
REVISIT_S = 300.0


def reading_of(
    spot: SpotCheck, *, raw: bytes, at: datetime, occurrence: int | None = None
) -> Reading:
    """The reading of a spot check that came at the moment `at`.

    Its number is made of its bytes; where it has no time, of the moment as well. A stored check
    without a time comes again at each visit: it is told by its bytes and by how many equal ones
    came before it (`occurrence`), in the 16 bits of a record number, by which the spool knows what
    may come again.
    """
    device_time = spot.device_time()
    if device_time is not None:
        number = content_number(raw)
    elif occurrence is not None:
        number = content_number(raw, str(occurrence).encode()) & 0xFFFF
    else:
        number = content_number(raw, at.isoformat().encode())
    why = withheld(spot.oxygen, spot.signs)
    return Reading(
        sequence=number,
        device_time=device_time,
        values=() if why else _values(spot.oxygen),
        raw=raw,
        flags=spot.signs.flags(),
        withheld=why,
    )


def reading_of_stream(heard: Sequence[tuple[Heard, Continuous]]) -> Reading:
    """The one reading of a visit: the (lower) medians of the best values that came.

    Best are those that the oximeter calls validated and does not doubt, else those that it does not
    doubt, else whatever may be shown. Its number is the moment of the first value in ms since 1970;
    `raw` holds every payload after its length (u16). Withheld, for the reason of the last value,
    where none may be shown.
    """
    best = _best([each for _, each in heard])
    last = heard[-1][1]
    values: tuple[Value, ...] = ()
    if best:
        values = _values(_middle([each.normal for each in best]))
    chosen = best or [last]
    return Reading(
        sequence=round(heard[0][0].at.timestamp() * 1000),
        device_time=None,
        values=values,
        raw=b"".join(u16(len(each.data)) + each.data for each, _ in heard),
        flags=tuple(dict.fromkeys(flag for each in chosen for flag in each.signs.flags())),
        withheld=None if values else withheld(last.normal, last.signs),
    )


def withheld(oxygen: Oxygen, signs: Signs) -> str | None:
    """Why these numbers are to be shown to nobody; None where they may be."""
    if (why := signs.withheld()) is not None:
        return why
    if not isinstance(oxygen.spo2, Decimal):
        return "not_a_number"
    # an oximeter without a finger shows nought
    return "no_spo2" if oxygen.spo2 <= 0 else None


def is_good(value: Continuous) -> bool:
    """Does the oximeter call this value good, and may it be shown?"""
    signs = value.signs
    return signs.is_validated() and not signs.flags() and withheld(value.normal, signs) is None


def _best(values: Sequence[Continuous]) -> list[Continuous]:
    usable = [each for each in values if withheld(each.normal, each.signs) is None]
    good = [each for each in usable if is_good(each)]
    return good or [each for each in usable if not each.signs.flags()] or usable


def _middle(values: Sequence[Oxygen]) -> Oxygen:
    rates = [each.pulse_rate for each in values if isinstance(each.pulse_rate, Decimal)]
    return Oxygen(
        spo2=median_low([each.spo2 for each in values if isinstance(each.spo2, Decimal)]),
        pulse_rate=median_low(rates) if rates else values[0].pulse_rate,
    )


def _values(oxygen: Oxygen) -> tuple[Value, ...]:
    rows = (
        (Kind.SPO2, oxygen.spo2, Unit.PERCENT),
        (Kind.PULSE, oxygen.pulse_rate, Unit.PER_MINUTE),
    )
    return tuple(
        Value(kind=kind, value=float(number), unit=unit)
        for kind, number, unit in rows
        if isinstance(number, Decimal) and number > 0
    )


class _Visit:
    """What has come in one visit."""

    def __init__(self) -> None:
        self.stream: list[tuple[Heard, Continuous]] = []
        self.spot_checks = 0
        # where record access has the word, a spot check is a stored one
        self.is_transferring = False
        # nothing is left in its memory
        self.is_read = False
        self.answer: Response | None = None
        self._alike: Counter[bytes] = Counter()

    def take(self, heard: Heard) -> Talk:
        """Keeps a spot check, remembers a value of the stream or the answer to a request."""
        try:
            if heard.characteristic == SPOT_CHECK:
                spot = SpotCheck.decode(heard.data)
                yield from self._keep(spot, heard)
            elif heard.characteristic == CONTINUOUS:
                self.stream.append((heard, Continuous.decode(heard.data)))
            else:
                answer = record_access.decode(heard.data)
                if isinstance(answer, Response) and answer.request == record_access.REPORT:
                    self.answer = answer
        except CannotDecode as error:
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))

    def is_enough(self) -> bool:
        """Has the stream said what a reading needs?"""
        good = sum(is_good(value) for _, value in self.stream)
        return good >= VALUES or len(self.stream) >= MOST_VALUES

    @property
    def has_spoken(self) -> bool:
        """Has it measured, or handed over what it had measured?"""
        return not self.is_transferring and bool(self.stream or self.spot_checks)

    def _keep(self, spot: SpotCheck, heard: Heard) -> Talk:
        occurrence = None
        if self.is_transferring:
            occurrence = self._alike[heard.data]
            self._alike[heard.data] += 1
        self.spot_checks += 1
        yield Keep(reading=reading_of(spot, raw=heard.data, at=heard.at, occurrence=occurrence))


def talk(visit: Visit) -> Talk:
    """One visit to an oximeter: its stored spot checks, those it makes now, and its stream.

    Raises LinkLost or TryAgain where it went away with records still to come, MendDevice where it
    refuses to hand them over; what had come by then is kept.
    """
    yield Subscribe(characteristic=SPOT_CHECK, optional=True)
    yield Subscribe(characteristic=CONTINUOUS, optional=True)
    yield Subscribe(characteristic=RECORD_ACCESS, optional=True)
    here = _Visit()
    failure: KangbanError | None = None
    try:
        yield from see_clock()
        yield from _fetch(here)
        yield from keep_meanwhile(about(), here.take)
    except KangbanError as error:
        failure = error
    gone = isinstance(failure, LinkLost)
    try:
        yield from _listen(here)
    except LinkLost:
        gone = True
    if here.stream:
        yield Keep(reading=reading_of_stream(here.stream))
    if failure is not None and not (gone and (here.is_read or here.has_spoken)):
        raise failure
    if not gone:
        yield from set_clock_after_records(visit.quirk)


def _fetch(here: _Visit) -> Talk:
    """Asks for the stored spot checks, where the oximeter stores any."""
    heard = yield Read(characteristic=FEATURES)
    if heard is None or not _stores(heard.data):
        here.is_read = True
        return
    # what came by itself was measured now and is no stored record
    yield from hear_out(here.take, wait_s=0)
    here.is_transferring = True
    yield from request(report_from(None))
    while here.answer is None:
        heard = yield Listen(wait_s=RECORD_WAIT_S)
        if heard is None:
            raise TryAgain(
                f"The oximeter sent nothing for {RECORD_WAIT_S:.0f} s in the middle of its "
                "records; leave it near the gateway and let it send again."
            )
        yield from here.take(heard)
    if here.answer.code in (record_access.NOT_COMPLETED, record_access.BUSY):
        raise TryAgain(
            f"The oximeter stopped before the end ({here.answer.text()}); leave it near."
        )
    if here.answer.code not in (record_access.SUCCESS, record_access.NO_RECORDS):
        raise MendDevice(
            f"The oximeter refuses to hand over its records ({here.answer.text()}). Switch it off "
            "and on and let it send again; if it stays so, report its model."
        )
    here.is_transferring, here.is_read = False, True


def _stores(features: bytes) -> bool:
    try:
        return Features.decode(features).stores_spot_checks()
    except CannotDecode:
        # a remark about the device, not a reading: what it does not say it cannot be asked for
        return False


def _listen(here: _Visit) -> Generator[Ask, Heard | None, None]:
    """Takes what comes until the stream has said enough or the oximeter falls silent."""
    while not here.is_enough():
        wait_s = SILENCE_S if here.has_spoken else FIRST_VALUE_S
        heard = yield Listen(wait_s=wait_s)
        if heard is None:
            return
        yield from here.take(heard)
    # a spot check that waits behind the values of the stream
    yield from hear_out(here.take, wait_s=0)


DRIVER = Driver(
    kind="pulse_oximeter",
    service="1822",
    zh="血氧仪",
    en="Pulse oximeter",
    talk=talk,
    decoders={
        SPOT_CHECK: SpotCheck.decode,
        CONTINUOUS: Continuous.decode,
        FEATURES: Features.decode,
    },
    revisit_s=REVISIT_S,
)
