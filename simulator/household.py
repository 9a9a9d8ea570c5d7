"""One simulated household: its air, its devices, and a real gateway that calls on them.

The gateway is the product's own, with the simulated adapter in the place of BlueZ. A household is
first fast-forwarded through its story (`advance`, then `drain`) on a clock that jumps, and then
lives on the real clock (`go_live`, `measure`). Many households fit into one process; each has an
air of its own. Nothing waits for time to pass: devices advertise when they have news and the next
step comes when they have been read. May hold: this order of things. May not: stories, bytes.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from gateway_agent.agent import utc_now
from gateway_agent.calling import Patience
from gateway_agent.config import GatewaySettings
from gateway_agent.gateway import Gateway
from simulator.bleak_backend import Adapter
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.link import Air
from simulator.oximeter import Oximeter
from simulator.panel import Device, DevicePlan, HouseholdPlan
from simulator.peripheral import Faults, Home, Identity, Peripheral
from simulator.record import (
    CuffRecord,
    GlucoseRecord,
    HeartRateRecord,
    OximeterRecord,
    Record,
    TemperatureRecord,
    WeightRecord,
)
from simulator.scale import BodyScale, Scale
from simulator.security import OPEN, Method, Security
from simulator.story import SHANGHAI
from simulator.thermometer import Thermometer
from simulator.wristband import Wristband
from vitals.broker import Broker
from vitals.errors import MendSettings, TryAgain
from vitals.units import Unit

log = logging.getLogger(__name__)

# seconds until a device that is not read to the end, or a spool that does not empty, is a failure
STEP_TIMEOUT_S = 120.0

_KINDS: dict[Device, type[Peripheral]] = {
    Device.CUFF: Cuff,
    Device.GLUCOSE_METER: GlucoseMeter,
    Device.WRISTBAND: Wristband,
    Device.OXIMETER: Oximeter,
    Device.SCALE: Scale,
    Device.BODY_SCALE: BodyScale,
    Device.THERMOMETER: Thermometer,
}


class StoryClock:
    """The household's time: it stands still where it was put, or runs with the world."""

    def __init__(self, begins: datetime) -> None:
        self._stands_at: datetime | None = begins.astimezone(UTC)

    def now(self) -> datetime:
        """The moment in this household, aware UTC."""
        return self._stands_at or utc_now()

    def put(self, moment: datetime) -> None:
        """Stands at this moment; never goes back."""
        if self._stands_at is not None:
            self._stands_at = max(self._stands_at, moment.astimezone(UTC))

    def run(self) -> None:
        """Runs with the world from now on."""
        self._stands_at = None


class Household:
    """A household that begins at an aware moment; `data` is the folder of its gateway's spool,
    `admit` as in its settings: whose devices it reads."""

    def __init__(
        self,
        plan: HouseholdPlan,
        *,
        begins: datetime,
        ends: datetime,
        mqtt: Broker,
        data: Path,
        admit: str = "all",
    ) -> None:
        self.plan = plan
        self.clock = StoryClock(begins)
        self._told_until = begins
        self._dark_from = ends - plan.dark_for if plan.dark_for is not None else None
        air = Air()
        # where devices of any kind may be put
        home = self.home = Home(air=air, now=self.clock.now, zone=SHANGHAI)
        self.adapter = Adapter(air)
        self.devices = {each.key: _device(home, each) for each in plan.devices()}
        self._stories = {each.key: each.story for each in plan.devices()}
        self._settings = GatewaySettings(
            name=plan.gateway, mqtt=mqtt, data=data, timezone=SHANGHAI, admit=admit
        )
        self.gateway: Gateway | None = None
        self._living: asyncio.Task[None] | None = None

    @property
    def handed_over(self) -> int:
        """How many measurements the devices have given away by radio."""
        return sum(device.handed_over for device in self.devices.values())

    async def start(self) -> None:
        """Switches everything on; meters go on counting where an earlier run has ended."""
        await self.adapter.switch_on()
        for device in self.devices.values():
            await device.switch_on()
        if self._dark_from is not None and self._dark_from <= self._told_until:
            return
        gateway = self.start_gateway()
        for key, device in self.devices.items():
            if isinstance(device, GlucoseMeter):
                device.count_from((gateway.spool.known(key).last_sequence or 0) + 1)

    def start_gateway(self) -> Gateway:
        """Starts the gateway, with whatever is in its spool."""
        self.gateway = Gateway(
            self._settings,
            backends=self.adapter.backends,
            now=self.clock.now,
            patience=Patience(first=timedelta(0), revisit=timedelta(0)),
        )
        self.gateway.start()
        return self.gateway

    async def stop_gateway(self) -> None:
        """Stops the gateway alone: the devices go on measuring and nobody reads them."""
        gateway, self.gateway = self.gateway, None
        if gateway is not None:
            await gateway.stop()

    async def stop(self) -> None:
        """Stops the gateway and switches everything off."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        await self.stop_gateway()
        for device in self.devices.values():
            await device.switch_off()
        await self.adapter.switch_off()

    async def advance(self, to: datetime) -> None:
        """Plays the story up to `to`; returns when all devices were read to the end.

        Meters and cuffs are read at the end of the step, bands when they are worn. Where the
        gateway is dark by then, its devices go on alone. Raises TryAgain when a device is not read.
        """
        dark = self._dark_from
        if dark is not None and self._told_until < dark <= to:
            await self._advance(dark)
            await self.drain()
            await self.stop_gateway()
        await self._advance(to)

    async def _advance(self, to: datetime) -> None:
        told = self._tell(to)
        for key, record in told:
            device = self.devices[key]
            if _is_live(record):
                if self.gateway is not None:
                    self.clock.put(record.at)
                    _take(device, record)
                    await self._read([device])
            else:
                _take(device, record)
        self.clock.put(to)
        await self._read(self.devices.values())

    def _tell(self, to: datetime) -> list[tuple[str, Record]]:
        """What happens until `to`, in order of time."""
        told = [
            (key, record)
            for key, story in self._stories.items()
            for record in story.records(self._told_until, to)
        ]
        self._told_until = max(self._told_until, to)
        return sorted(told, key=lambda each: each[1].at)

    async def _read(self, devices: Iterable[Peripheral]) -> None:
        """Returns when the gateway has read these devices to the end."""
        if self.gateway is None:
            return
        news = [device for device in devices if device.has_news()]
        for device in news:
            await device.go_on_air()
        for device in news:
            try:
                async with asyncio.timeout(STEP_TIMEOUT_S):
                    await device.silent.wait()
            except TimeoutError:
                raise TryAgain(
                    f"{device.identity.name} of {self.plan.gateway} was not read within "
                    f"{STEP_TIMEOUT_S:.0f} s: see the gateway's log."
                ) from None
        await self.gateway.radio.quiet()
        self.gateway.uplink.tell_health()

    async def drain(self) -> None:
        """Returns when receipts have named everything that was read. Raises TryAgain else."""
        if self.gateway is None:
            return
        await self.gateway.radio.quiet()
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        spool = self.gateway.spool
        unwatch = spool.watch(lambda: loop.call_soon_threadsafe(changed.set))
        try:
            async with asyncio.timeout(STEP_TIMEOUT_S):
                while (depth := await self.gateway.agent.on_disk(spool.depth)) > 0:
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            raise TryAgain(
                f"{self.plan.gateway} still has {depth} measurements after {STEP_TIMEOUT_S:.0f} s: "
                "are the broker and the server's ingest running?"
            ) from None
        finally:
            unwatch()

    def go_live(self) -> None:
        """Lets the household live on the real clock: the story goes on as time passes."""
        self._told_until = max(self._told_until, self.clock.now())
        self.clock.run()
        self._living = asyncio.create_task(self._live())

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(LIVE_STEP_S)
            for key, record in self._tell(utc_now()):
                _take(self.devices[key], record)
                if self.gateway is not None:
                    await self.devices[key].go_on_air()

    async def measure(self, device: str, record: Record) -> datetime:
        """Measures now; the moment (real clock, UTC) at which the device handed the first
        measurement over by radio. Raises TryAgain when nobody reads it."""
        peripheral = self.devices[device]
        peripheral.handed.clear()
        _take(peripheral, record)
        await peripheral.go_on_air()
        waits = [
            asyncio.create_task(each.wait()) for each in (peripheral.handed, peripheral.silent)
        ]
        await asyncio.wait(waits, timeout=STEP_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
        if not peripheral.handed.is_set() or peripheral.handed_over_at is None:
            raise TryAgain(f"What {device} measured was not read whole: see the gateway's log.")
        return peripheral.handed_over_at

    async def offer(self, device: str, record: Record) -> None:
        """Measures now and goes on air, be there somebody who reads it or not. One that has news
        already measures nothing more."""
        peripheral = self.devices[device]
        if not peripheral.has_news():
            _take(peripheral, record)
        await peripheral.go_on_air()

    async def measure_low_glucose(self, mmol_per_l: Decimal = Decimal("2.6")) -> datetime:
        """Measures a glucose that needs help at once; see `measure`."""
        return await self.measure_glucose(mmol_per_l)

    async def measure_glucose(self, mmol_per_l: Decimal, *, device: str | None = None) -> datetime:
        """Measures this glucose now with the household's meter; see `measure`."""
        record = GlucoseRecord(at=self.clock.now(), value=mmol_per_l, unit=Unit.MMOL_PER_L)
        return await self.measure(device or self._first(GlucoseMeter), record)

    async def measure_blood_pressure(
        self, systolic: int, diastolic: int, *, device: str | None = None
    ) -> datetime:
        """Measures this blood pressure (mmHg) now with the household's cuff; see `measure`."""
        record = CuffRecord(
            at=self.clock.now(), systolic=Decimal(systolic), diastolic=Decimal(diastolic)
        )
        return await self.measure(device or self._first(Cuff), record)

    def _first(self, kind: type[Peripheral]) -> str:
        for key, device in self.devices.items():
            if isinstance(device, kind):
                return key
        raise MendSettings(f"{self.plan.gateway} has no {kind.__name__}: name another device.")


# seconds between two looks at the story while a household lives
LIVE_STEP_S = 20.0


def _device(home: Home, plan: DevicePlan) -> Peripheral:
    kind = _KINDS[plan.kind]
    security = OPEN
    if plan.passkey is not None:
        security = Security(method=Method.PASSKEY, passkey=plan.passkey)
    return kind(
        home,
        Identity(
            address=plan.address,
            name=f"{plan.model} {plan.address[-2:]}",
            model=plan.model,
            security=security,
        ),
        faults=Faults(
            clock_offset=plan.clock_offset,
            drop_after=list(plan.drop_after),
            repeats=plan.repeats,
        ),
    )


def _is_live(record: Record) -> bool:
    """Is it heard while it is measured, or never?"""
    return isinstance(record, HeartRateRecord) or (
        isinstance(record, OximeterRecord) and record.streamed > 0
    )


def _take(device: Peripheral, record: Record) -> None:
    match device, record:
        case GlucoseMeter(), GlucoseRecord():
            device.take(record)
        case Cuff(), CuffRecord():
            device.take(record)
        case Wristband(), HeartRateRecord():
            device.take(record)
        case Oximeter(), OximeterRecord():
            device.take(record)
        case Scale(), WeightRecord():
            device.take(record)
        case Thermometer(), TemperatureRecord():
            device.take(record)
        case _:
            raise MendSettings(f"{device.identity.name} cannot measure {type(record).__name__}.")
