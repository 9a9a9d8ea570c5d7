"""Scales on the air: Weight Scale (0x181D), Body Composition (0x181B), User Data (0x181C).

A body scale says the weight of a weighing twice, once in each service, as scales with both do; the
story counts it once. Readings of a user with a consent code are given out by that code alone, and
stay in the scale until then. May hold: these services. May not: the bytes themselves (the drivers'
`encode`), stories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers import composition_record, user_data, weight_record
from gateway_agent.drivers.composition_record import BodyComposition, BodyCompositionFeature
from gateway_agent.drivers.user_data import (
    CHANGE_INCREMENT,
    NOBODY,
    USER_CONTROL_POINT,
    USER_INDEX,
    ChangeIncrement,
    UserCommand,
    UserIndex,
    UserResponse,
)
from gateway_agent.drivers.weight_record import Weighing, WeightScaleFeature
from gateway_agent.gatt import CannotDecode, DateTime, Special
from simulator.lingering import Forgetful, Stored
from simulator.peripheral import INDICATE, WRITE, Faults, Home, Identity, att_error, readable
from simulator.record import WeightRecord
from vitals.units import Unit

WEIGHT_SERVICE, COMPOSITION_SERVICE, USER_SERVICE = "181D", "181B", "181C"

# Core Specification Supplement: CCCD improperly configured
_NOT_CONFIGURED = 0xFD

# dates its weighings, knows users, tells 0.1 kg apart
_WEIGHT_FEATURES = WeightScaleFeature(bits=0x1B)
# dates its measurements, knows users, tells the weight as well
_BODY_FEATURES = BodyCompositionFeature(bits=0x203)


class Scale(Forgetful):
    """A simulated scale. `codes`: user index → consent code."""

    SERVICE = WEIGHT_SERVICE

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
        codes: Mapping[int, int] | None = None,
    ) -> None:
        self._codes = dict(codes or {})
        self._user = NOBODY
        # every request that reached its control point
        self.requests: list[UserCommand] = []
        self._offered = False
        self._weight = self.indicated(weight_record.MEASUREMENT)
        self._control = Characteristic[bytes](
            USER_CONTROL_POINT,
            INDICATE | WRITE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._requested),
        )
        super().__init__(home, identity, faults=faults, linger_s=linger_s)

    def services(self) -> Sequence[Service]:
        feature = readable(weight_record.FEATURE, _WEIGHT_FEATURES.encode())
        weight = Service(WEIGHT_SERVICE, [self._weight, feature])
        return [weight, *self._user_services(), self.clock_service()]

    def has_news(self) -> bool:
        """Readings that nobody may have are offered once: it does not call for ever."""
        return any(self._is_open(each) for each in self.stored) or (
            bool(self.stored) and not self._offered
        )

    def take(self, record: WeightRecord) -> None:
        """Stores a weighing as the scale does when its numbers stand still."""
        self._offered = False
        weighing = Weighing(
            weight=Special.NAN if record.weight is None else record.weight,
            imperial=record.unit is Unit.LB,
            time_stamp=DateTime.of(self.own_time(record.at)),
            user_id=record.user,
        )
        counts = 0 if record.weight is None else 1
        self._store(self._weight, weighing.encode(), counts=counts, user=record.user)

    def may_send(self, connection: Connection, stored: Stored) -> bool:
        return self._is_open(stored) and super().may_send(connection, stored)

    def is_busy(self) -> bool:
        """It waits while readings lie there that a consent code would open."""
        return super().is_busy() or not all(self._is_open(each) for each in self.stored)

    def _store(
        self,
        characteristic: "Characteristic[bytes]",
        payload: bytes,
        *,
        counts: int,
        user: int | None,
    ) -> None:
        self.stored.append(
            Stored(characteristic=characteristic, payload=payload, counts=counts, user=user)
        )

    def _is_open(self, stored: Stored) -> bool:
        return stored.user not in self._codes or stored.user == self._user

    def _user_services(self) -> list[Service]:
        if not self._codes:
            return []
        index = self.answering(USER_INDEX, lambda: UserIndex(index=self._user).encode())
        count = readable(CHANGE_INCREMENT, ChangeIncrement(count=0).encode())
        return [Service(USER_SERVICE, [index, count, self._control])]

    def _requested(self, connection: Connection, value: bytes) -> None:
        if not self.wants(connection, self._control):
            raise att_error(_NOT_CONFIGURED)
        self.asked()
        self.run(self._serve(connection, value))

    async def _serve(self, connection: Connection, value: bytes) -> None:
        answer = UserResponse(request=value[0] if value else 0, value=self._judge(value))
        await self.device.indicate_subscriber(connection, self._control, answer.encode())
        await self.send_stored(connection)

    def _judge(self, value: bytes) -> int:
        try:
            command = UserCommand.decode(value)
        except CannotDecode:
            return user_data.PARAMETER_INVALID
        self.requests.append(command)
        if command.op_code != user_data.CONSENT:
            return user_data.OP_CODE_UNKNOWN
        if command.user is None or self._codes.get(command.user) != command.code:
            return user_data.NOT_AUTHORIZED
        self._user = command.user
        return user_data.SUCCESS

    def _disconnected(self, reason: int) -> None:
        # consent lasts as long as the link
        self._user, self._offered = NOBODY, True
        super()._disconnected(reason)


class BodyScale(Scale):
    """A simulated scale that tells body fat. `split`: it sends a composition in two packets."""

    SERVICE = COMPOSITION_SERVICE

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
        codes: Mapping[int, int] | None = None,
        split: bool = False,
    ) -> None:
        self._split = split
        self._composition = self.indicated(composition_record.MEASUREMENT)
        super().__init__(home, identity, faults=faults, linger_s=linger_s, codes=codes)

    def services(self) -> Sequence[Service]:
        feature = readable(composition_record.FEATURE, _BODY_FEATURES.encode())
        return [Service(COMPOSITION_SERVICE, [self._composition, feature]), *super().services()]

    def take(self, record: WeightRecord) -> None:
        super().take(record)
        whole = BodyComposition(
            body_fat_percent=Special.NAN if record.body_fat is None else record.body_fat,
            imperial=record.unit is Unit.LB,
            time_stamp=DateTime.of(self.own_time(record.at)),
            user_id=record.user,
            weight=Special.NAN if record.weight is None else record.weight,
        )
        packets = [whole]
        if self._split:
            first = replace(whole, weight=None, multiple_packets=True)
            rest = replace(whole, body_fat_percent=Special.NAN, multiple_packets=True)
            packets = [first, rest]
        for place, packet in enumerate(packets):
            # its weight was counted already
            counts = 1 if place == 0 and record.body_fat is not None else 0
            self._store(self._composition, packet.encode(), counts=counts, user=record.user)
