"""A ring of the Colmi R02 family on the air: its memory of pulse, steps and nights, by requests.

Its clock cannot be read, only set. It is on air while it holds something that was not asked for.
May hold: this device. May not: the bytes themselves (the driver's `encode`), stories.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers.colmi import SERVICE
from gateway_agent.drivers.colmi_packet import (
    BATTERY,
    BIG_NOTIFY,
    BIG_WRITE,
    ERROR,
    NO_DATA,
    NOTIFY,
    PULSE_LOG,
    QUARTER_MIN,
    SET_TIME,
    STEPS,
    STEPS_HEADER,
    Packet,
    StepRow,
    midnight,
    pulse_packets,
    shown_by,
)
from gateway_agent.drivers.colmi_packet import WRITE as WRITE_UUID
from gateway_agent.drivers.colmi_sleep import REQUEST, Night, SleepLog
from gateway_agent.gatt import CannotDecode
from simulator.peripheral import NOT_READABLE, WRITE, Faults, Home, Identity, Peripheral
from simulator.peripheral import NOTIFY as NOTIFIES
from simulator.record import NightRecord, PulseRecord, StepsRecord

_BIG_SERVICE = "DE5BF728-D711-4E47-AF26-65E3012A5DC7"
# minutes of a pulse slot, and slots of a day
_SLOT_MIN, _SLOTS = 5, 288
# octets of a sleep log in one notification
_PART = 20


class Ring(Peripheral):
    """A simulated ring."""

    SERVICE = SERVICE

    def __init__(self, home: Home, identity: Identity, *, faults: Faults | None = None) -> None:
        self._pulse: defaultdict[date, dict[int, int]] = defaultdict(dict)
        self._steps: defaultdict[date, dict[int, int]] = defaultdict(dict)
        self._nights: list[tuple[date, Night]] = []
        self._has_news = False
        # what its clock was set to, oldest first
        self.clock_set_to: list[datetime] = []
        self._notify = Characteristic[bytes](NOTIFY, NOTIFIES, NOT_READABLE)
        self._big_notify = Characteristic[bytes](BIG_NOTIFY, NOTIFIES, NOT_READABLE)
        super().__init__(home, identity, faults=faults)

    def services(self) -> Sequence[Service]:
        return [
            Service(self.SERVICE, [self._notify, _written(WRITE_UUID, self._asked)]),
            Service(_BIG_SERVICE, [self._big_notify, _written(BIG_WRITE, self._asked_big)]),
        ]

    def has_news(self) -> bool:
        return self._has_news

    def take(self, record: PulseRecord | StepsRecord | NightRecord) -> None:
        """Remembers what it has measured, by its own clock."""
        own = self.own_time(record.at)
        minute = own.hour * 60 + own.minute
        match record:
            case PulseRecord():
                self._pulse[own.date()][minute // _SLOT_MIN] = record.rate_per_minute
            case StepsRecord():
                self._steps[own.date()][minute // QUARTER_MIN] = record.steps
            case NightRecord():
                began = self.own_time(record.began)
                night = Night(
                    days_ago=0,
                    start_min=began.hour * 60 + began.minute,
                    end_min=minute,
                    stages=record.stages,
                )
                self._nights.append((own.date(), night))
        self._has_news = True

    @property
    def _today(self) -> date:
        return self.own_time(self._home.now()).date()

    def _asked(self, connection: Connection, value: bytes) -> None:
        try:
            request = Packet.decode(value)
        except CannotDecode:
            return
        self.run(self._reply(connection, self._packets(request)))

    def _packets(self, request: Packet) -> list[Packet]:
        if request.command == BATTERY:
            level = self.identity.battery_percent
            return [Packet(command=BATTERY, data=bytes((level, 0)))]
        if request.command == PULSE_LOG:
            return self._pulse_of(request)
        if request.command == STEPS:
            return self._steps_of(self._today - timedelta(days=request.data[0]))
        if request.command == SET_TIME:
            shows = shown_by(request)
            self.clock_set_to.append(shows)
            self.faults.clock_offset += shows - self.own_time(self._home.now())
            return [Packet(command=SET_TIME)]
        return [Packet(command=request.command | ERROR)]

    def _pulse_of(self, request: Packet) -> list[Packet]:
        seconds = int.from_bytes(request.data[:4], "little")
        day = (midnight(date(1970, 1, 1)) + timedelta(seconds=seconds)).date()
        if day not in self._pulse:
            return [Packet(command=PULSE_LOG, data=bytes((NO_DATA,)))]
        slots = [self._pulse[day].get(each, 0) for each in range(_SLOTS)]
        return pulse_packets(day, slots, minutes=_SLOT_MIN)

    def _steps_of(self, day: date) -> list[Packet]:
        rows = sorted(self._steps.get(day, {}).items())
        if not rows:
            return [Packet(command=STEPS, data=bytes((NO_DATA,)))]
        head = Packet(command=STEPS, data=bytes((STEPS_HEADER, len(rows), 1)))
        return [
            head,
            *(
                StepRow(
                    day=day,
                    quarter=quarter,
                    index=index,
                    total=len(rows),
                    calories=steps // 20,
                    steps=steps,
                    distance_m=steps * 7 // 10,
                ).packet()
                for index, (quarter, steps) in enumerate(rows)
            ),
        ]

    def _asked_big(self, connection: Connection, value: bytes) -> None:
        if value == REQUEST:
            self.run(self._reply_big(connection))

    async def _reply(self, connection: Connection, packets: Sequence[Packet]) -> None:
        async def put(payload: bytes) -> None:
            await self.device.notify_subscriber(connection, self._notify, payload)

        for each in packets:
            await self.send(each.encode(), put)

    async def _reply_big(self, connection: Connection) -> None:
        nights = tuple(
            Night(
                days_ago=(self._today - woke).days,
                start_min=night.start_min,
                end_min=night.end_min,
                stages=night.stages,
            )
            for woke, night in self._nights
        )
        data = SleepLog(nights=nights).encode()
        # the last that is asked for
        self._has_news = False
        for n in range(0, len(data), _PART):
            await self.device.notify_subscriber(connection, self._big_notify, data[n : n + _PART])


def _written(uuid: str, heard: Callable[[Connection, bytes], None]) -> "Characteristic[bytes]":
    return Characteristic(uuid, WRITE, Characteristic.WRITEABLE, CharacteristicValue(write=heard))
