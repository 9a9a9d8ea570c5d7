"""The demo's people, without names: who lives where, with which devices and which story.

A father whose blood pressure drifts up and a mother with high values after meals live together; one
household's gateway has gone dark; a dozen more patients make the doctor's list mean something. Keys
stand for people; whoever shows them gives the names. Pure. May hold: this table. May not: names of
people, devices, the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from simulator.story import BloodPressureStory, GlucoseStory, HeartRateStory, Story
from vitals.units import Unit


class Device(StrEnum):
    """The kinds of simulated devices."""

    CUFF = "cuff"
    GLUCOSE_METER = "glucose_meter"
    WRISTBAND = "wristband"
    OXIMETER = "oximeter"
    SCALE = "scale"
    BODY_SCALE = "body_scale"
    THERMOMETER = "thermometer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """One device and what will be measured with it; its faults are those of `peripheral.Faults`.

    `passkey`: the six digits that it shows and wants typed in before it is read; None: it serves
    anybody.
    """

    kind: Device
    address: str
    model: str
    story: Story
    clock_offset: timedelta = timedelta(0)
    drop_after: tuple[int, ...] = ()
    repeats: int = 0
    passkey: int | None = None

    @property
    def key(self) -> str:
        """The name under which its measurements travel."""
        return f"ble:{self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is measured; `key` is the English word by which a demo knows them."""

    key: str
    devices: tuple[DevicePlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPlan:
    """One gateway and the people it serves. `dark_for`: its gateway was last heard so long ago."""

    gateway: str
    people: tuple[Person, ...]
    dark_for: timedelta | None = None

    def devices(self) -> Iterator[DevicePlan]:
        """All devices of the household."""
        for person in self.people:
            yield from person.devices


@dataclass(slots=True)
class _Shop:
    """Hands out devices, each with an address of its own."""

    begins: date
    sold: int = field(default=0)

    def device(self, kind: Device, model: str, story: Story, **faults: object) -> DevicePlan:
        self.sold += 1
        # random static addresses begin with two bits set (Core Vol 6, Part B, 1.3.2.1)
        address = f"F0:00:00:00:{self.sold >> 8:02X}:{self.sold & 0xFF:02X}"
        return DevicePlan(kind=kind, address=address, model=model, story=story, **faults)  # type: ignore[arg-type]

    def cuff(self, seed: str, systolic: float, diastolic: float, **more: object) -> DevicePlan:
        faults = {key: more.pop(key) for key in _FAULTS if key in more}
        story = BloodPressureStory(
            seed=seed,
            begins=self.begins,
            systolic=systolic,
            diastolic=diastolic,
            **more,  # type: ignore[arg-type]
        )
        return self.device(Device.CUFF, "KB-100", story, **faults)

    def meter(self, seed: str, fasting: float, after_meal: float, **more: object) -> DevicePlan:
        faults = {key: more.pop(key) for key in _FAULTS if key in more}
        story = GlucoseStory(
            seed=seed,
            begins=self.begins,
            fasting=fasting,
            after_meal=after_meal,
            **more,  # type: ignore[arg-type]
        )
        return self.device(Device.GLUCOSE_METER, "KG-200", story, **faults)

    def band(self, seed: str, resting_per_minute: float) -> DevicePlan:
        story = HeartRateStory(seed=seed, begins=self.begins, resting_per_minute=resting_per_minute)
        return self.device(Device.WRISTBAND, "KW-300", story)


_FAULTS = ("clock_offset", "drop_after", "repeats")


def panel(begins: date) -> tuple[HouseholdPlan, ...]:
    """The households of the demo, whose stories begin on this day; the first is the family's."""
    shop = _Shop(begins)
    family = HouseholdPlan(
        gateway="home-family",
        people=(
            Person(
                key="father",
                devices=(
                    shop.cuff("father", 126, 78, drift_mmhg_per_day=0.4, evening_mmhg=-2.0),
                    shop.band("father", 71),
                ),
            ),
            Person(
                key="mother",
                devices=(
                    shop.meter(
                        "mother",
                        6.7,
                        12.9,
                        test_sd=0.9,
                        control_every_days=14,
                        clock_offset=timedelta(minutes=-7),
                        drop_after=(9,),
                    ),
                ),
            ),
        ),
    )
    dark = HouseholdPlan(
        gateway="home-dark",
        people=(Person(key="dark", devices=(shop.cuff("dark", 138, 84),)),),
        dark_for=timedelta(days=5),
    )
    return (family, dark, *_others(shop))


def _others(shop: _Shop) -> Iterator[HouseholdPlan]:
    lows = frozenset({8, 19, 27, 36, 44})
    year = timedelta(days=365)
    rows: tuple[tuple[str, tuple[DevicePlan, ...]], ...] = (
        ("well_controlled", (shop.cuff("well_controlled", 123, 75, drop_after=(5,)),)),
        ("steadily_high", (shop.cuff("steadily_high", 147, 91, day_sd_mmhg=3.5),)),
        ("good_glucose", (shop.meter("good_glucose", 5.9, 8.1, test_sd=0.5),)),
        ("erratic_glucose", (shop.meter("erratic_glucose", 7.6, 12.0, day_sd=1.2, test_sd=2.0),)),
        ("sometimes_low", (shop.meter("sometimes_low", 5.8, 8.6, lows=lows, repeats=1),)),
        ("irregular_pulse", (shop.cuff("irregular_pulse", 131, 79, irregular=0.35),)),
        ("kilopascal_cuff", (shop.cuff("kilopascal_cuff", 128, 80, unit=Unit.KPA),)),
        ("milligram_meter", (shop.meter("milligram_meter", 6.3, 9.2, unit=Unit.MG_PER_DL),)),
        ("rarely_measures", (shop.cuff("rarely_measures", 133, 82, measures=0.08),)),
        ("high_fasting", (shop.meter("high_fasting", 9.1, 11.2, clock_offset=-26 * year),)),
        (
            "both_conditions",
            (
                shop.cuff("both_conditions", 130, 80),
                shop.meter("both_conditions", 6.6, 9.6, tests_per_day=2.0),
                shop.band("both_conditions", 64),
            ),
        ),
        (
            "recovering",
            (
                shop.cuff("recovering", 145, 89, drift_mmhg_per_day=-0.3),
                shop.band("recovering", 68),
            ),
        ),
    )
    for key, devices in rows:
        gateway = f"home-{key.replace('_', '-')}"
        yield HouseholdPlan(gateway=gateway, people=(Person(key=key, devices=devices),))
