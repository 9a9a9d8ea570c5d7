"""What happens to a patient: the measurements that a story tells, before any device encodes them.

Each record knows how many measurements it is, by the story's own arithmetic: that is what the chain
is held to. Pure. May hold: these nouns. May not: bytes, devices, chance.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from vitals.measurement import Meal
from vitals.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseRecord:
    """One test with a meter at the aware moment `at`; `value` in `unit`, None for no number.

    A test with control solution is a test of the meter: it counts as no measurement.
    """

    at: datetime
    value: Decimal | None
    unit: Unit = Unit.MMOL_PER_L
    meal: Meal | None = None
    control_solution: bool = False

    @property
    def measurements(self) -> int:
        """How many measurements this record is."""
        return 0 if self.value is None or self.control_solution else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CuffRecord:
    """One measurement with a cuff: pressures in `unit`, pulse per minute; `user` as on the cuff.

    `mean` and `pulse` may be missing. A failed measurement has no pressures and counts as none.
    """

    at: datetime
    systolic: Decimal | None
    diastolic: Decimal | None
    mean: Decimal | None = None
    pulse: Decimal | None = None
    unit: Unit = Unit.MMHG
    user: int | None = None
    irregular_pulse: bool = False
    body_movement: bool = False
    cuff_loose: bool = False

    @property
    def measurements(self) -> int:
        """How many measurements this record is: systolic and diastolic, mean and pulse if there."""
        if self.systolic is None or self.diastolic is None:
            return 0
        return 2 + (self.mean is not None) + (self.pulse is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateRecord:
    """A short stream of a wristband that begins at `at`: beats per minute, one value a second.

    However many values, a visit to a band is one measurement; without skin contact it is none.
    """

    at: datetime
    rates: tuple[int, ...]
    contact: bool = True

    @property
    def measurements(self) -> int:
        """How many measurements this record is."""
        return 1 if self.contact and self.rates else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRecord:
    """One value of a continuous glucose monitor at `at`: mg/dL, None for no number."""

    at: datetime
    value: Decimal | None

    @property
    def measurements(self) -> int:
        """How many measurements this record is."""
        return 0 if self.value is None else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OximeterRecord:
    """One measurement with an oximeter at `at`: per cent and beats per minute, None for no number.

    `streamed`: so many values of a stream in the place of a spot check; they are one measurement
    all the same. Without a `finger` in it, or as a `demonstration`, it counts as none.
    """

    at: datetime
    spo2: Decimal | None
    pulse: Decimal | None = None
    streamed: int = 0
    finger: bool = True
    demonstration: bool = False

    @property
    def measurements(self) -> int:
        """How many measurements this record is: the oxygen, and the pulse if there."""
        if self.spo2 is None or not self.finger or self.demonstration:
            return 0
        return 1 + (self.pulse is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRecord:
    """One weighing: weight in `unit`, body fat in per cent; None where measuring failed or, for
    the fat, where the scale does not tell it. `user` as on the scale."""

    at: datetime
    weight: Decimal | None
    body_fat: Decimal | None = None
    unit: Unit = Unit.KG
    user: int | None = None

    @property
    def measurements(self) -> int:
        """How many measurements this record is."""
        return (self.weight is not None) + (self.body_fat is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureRecord:
    """One measurement with a thermometer in `unit`; `place` as in the driver's PLACES."""

    at: datetime
    value: Decimal | None
    unit: Unit = Unit.CELSIUS
    place: int | None = None

    @property
    def measurements(self) -> int:
        """How many measurements this record is."""
        return 0 if self.value is None else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseRecord:
    """A pulse that a ring has measured by itself at `at`, per minute."""

    at: datetime
    rate_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsRecord:
    """Steps that were walked in the quarter of an hour that begins at `at`."""

    at: datetime
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRecord:
    """A night that began at `began` and ended at `at`; minutes of each stage, in their order."""

    began: datetime
    at: datetime
    stages: tuple[tuple[int, int], ...]


Record = (
    GlucoseRecord | CuffRecord | HeartRateRecord | OximeterRecord | WeightRecord | TemperatureRecord
)
