"""A visit to a scale, whichever of its two services it advertises.

A scale sends what it has when it is subscribed to, oldest first, and forgets what was confirmed.
One with both services says the same weight twice, in a Weight Measurement and in a Body Composition
Measurement: that is one weight. The rules:

1. A weight that both services tell has one number (`weight_record.Moment.number`), so that it is
   one also over two visits.
2. Within a visit, a weight of the same time and user from the other service is the same weighing,
   whatever it was rounded to; without a time, so is the same number of kg or lb.
3. A composition of two packets waits for its second one; where that does not come, the first is
   kept as what it is. Two packets are of one measurement where nothing that both say differs.
4. Fat and weight of one composition are two readings, each with all bytes of it.

Users' memories are asked for one by one where consent codes are known (`user_data.py`). May hold:
these rules and this talk. May not: bytes.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway_agent.drivers import composition_record, weight_record
from gateway_agent.drivers.arrivals import hear_out, keep_meanwhile
from gateway_agent.drivers.composition_record import BodyComposition, body_fat_of, weight_of
from gateway_agent.drivers.current_time import see_clock, set_clock_after_records
from gateway_agent.drivers.device_information import about
from gateway_agent.drivers.user_data import USER_CONTROL_POINT, USER_INDEX, consent_of_each
from gateway_agent.drivers.weight_record import Moment, Weighing, reading_of
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import Heard, Keep, LinkLost, Read, Refused, Subscribe, Talk, Visit
from vitals.errors import KangbanError
from vitals.measurement import Reading

WEIGHT, COMPOSITION = weight_record.MEASUREMENT, composition_record.MEASUREMENT

# seconds; a scale sends what it has one after the other, a silence means that was all. An
# engineering choice, as for cuffs.
SILENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packet:
    """The first packet of two."""

    said: BodyComposition
    data: bytes
    at: datetime


class Weighings:
    """What a scale has said in one visit."""

    def __init__(self) -> None:
        self._first: _Packet | None = None
        # weights by the service that told them
        self._told: list[tuple[str, Reading]] = []

    def hear_weight(self, weighing: Weighing, data: bytes, at: datetime) -> list[Reading]:
        """What may be kept now that a Weight Measurement has come."""
        moment = Moment(time_stamp=weighing.time_stamp, user_id=weighing.user_id, at=at)
        reading = reading_of(weighing.weight, imperial=weighing.imperial, moment=moment, raw=data)
        return [reading] if self._is_news(WEIGHT, reading) else []

    def hear_composition(
        self, composition: BodyComposition, data: bytes, at: datetime
    ) -> list[Reading]:
        """What may be kept now that a Body Composition Measurement has come."""
        first, self._first = self._first, None
        if first is not None and first.data == data:
            # sent once more because its confirmation was lost
            self._first = first
            return []
        if first is not None and (whole := first.said.with_rest(composition)) is not None:
            return self._readings(whole, first.data + data, first.at)
        before = [] if first is None else self._readings(first.said, first.data, first.at)
        if composition.multiple_packets:
            self._first = _Packet(said=composition, data=data, at=at)
            return before
        return before + self._readings(composition, data, at)

    def finish(self) -> list[Reading]:
        """What is left when nothing more will come: a first packet without its second."""
        first, self._first = self._first, None
        return [] if first is None else self._readings(first.said, first.data, first.at)

    def _readings(self, composition: BodyComposition, raw: bytes, at: datetime) -> list[Reading]:
        moment = Moment(time_stamp=composition.time_stamp, user_id=composition.user_id, at=at)
        found = [body_fat_of(composition, moment=moment, raw=raw)]
        weight = weight_of(composition, moment=moment, raw=raw)
        if weight is not None and self._is_news(COMPOSITION, weight):
            found.append(weight)
        return found

    def _is_news(self, service: str, reading: Reading) -> bool:
        for each in self._told:
            if each[0] != service and _is_same_weighing(each[1], reading):
                if reading.device_time is None:
                    # each weighing is told once by each service: an equal one later is another
                    self._told.remove(each)
                return False
        self._told.append((service, reading))
        return True


def _is_same_weighing(one: Reading, other: Reading) -> bool:
    if one.user != other.user and None not in (one.user, other.user):
        return False
    if bool(one.values) is not bool(other.values):
        # one of them failed to weigh
        return False
    if one.device_time is not None or other.device_time is not None:
        return one.device_time == other.device_time
    return one.values == other.values


class _Scale:
    """Takes what a scale sends, and gives it to be kept."""

    def __init__(self) -> None:
        self._weighings = Weighings()

    def take(self, heard: Heard) -> Talk:
        readings: list[Reading] = []
        try:
            if heard.characteristic == WEIGHT:
                said = Weighing.decode(heard.data)
                readings = self._weighings.hear_weight(said, heard.data, heard.at)
            elif heard.characteristic == COMPOSITION:
                composition = BodyComposition.decode(heard.data)
                readings = self._weighings.hear_composition(composition, heard.data, heard.at)
        except CannotDecode as error:
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
        for reading in readings:
            yield Keep(reading=reading)

    def finish(self) -> Talk:
        for reading in self._weighings.finish():
            yield Keep(reading=reading)


def weigh(visit: Visit, *, always: str, perhaps: str) -> Talk:
    """One visit to a scale that has the characteristic `always`, and perhaps the other one.

    Raises MendDevice where a user's consent code is not accepted, LinkLost where the scale went
    away before all users were asked for; what had come by then is kept.
    """
    yield Subscribe(characteristic=always)
    yield Subscribe(characteristic=perhaps, optional=True)
    if visit.consents:
        yield Subscribe(characteristic=USER_CONTROL_POINT, optional=True)
    scale = _Scale()
    # whose readings were not asked for stay in the scale
    failure: KangbanError | None = None
    is_asked, is_shared, is_there = not visit.consents, True, True
    try:
        yield from see_clock()
        is_shared = (yield Read(characteristic=USER_INDEX)) is not None
        failure = yield from consent_of_each(visit.consents, scale.take)
        is_asked = True
        yield from keep_meanwhile(about(), scale.take)
    except LinkLost as error:
        # it hangs up when it has sent what it has; that still waits in the queue
        failure = failure if is_asked else error
    try:
        yield from hear_out(scale.take, wait_s=SILENCE_S)
    except LinkLost:
        is_there = False
    yield from scale.finish()
    if failure is not None:
        raise failure
    # a shared scale keeps readings also for users whose code nobody has told
    if is_there and (visit.consents or not is_shared):
        yield from set_clock_after_records(visit.quirk)
