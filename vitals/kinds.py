"""Every vital the house knows, as one table: codes, units, decimals, plausible range, names.

*Plausible* is what a working device could say about a living person; outside of it a value waits in
quarantine and is not judged unless a person releases it. It is not *normal* (a guideline says so:
`rules/packs`) and not *target* (this patient's doctor says so: the care plan). May hold: the table
and look-ups in it. May not: thresholds, conversions.

Sources of ranges: clinical reference §1.10 of the project (meters and cuffs on the market), where
nothing else is said; rows marked *unconfirmed* are engineering choices awaiting a clinician.
Sources of codes: LOINC and IEEE 11073-10101 as used by the HL7 PHD, Vital Signs and CGM guides.
"""

from dataclasses import dataclass
from enum import StrEnum

from vitals.errors import MendData
from vitals.units import Unit


class Kind(StrEnum):
    """A vital, as it is named on the wire."""

    GLUCOSE = "glucose"
    KETONE = "ketone"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    MEAN_ARTERIAL_PRESSURE = "mean_arterial_pressure"
    PULSE = "pulse"
    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    WEIGHT = "weight"
    BODY_TEMPERATURE = "body_temperature"
    STEPS = "steps"
    SLEEP_DURATION = "sleep_duration"
    BODY_FAT = "body_fat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How one unit of a vital is written and what is plausible in it (inclusive)."""

    unit: Unit
    decimals: int
    low: float
    high: float
    loinc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vital:
    """One row of the table. `code` is the number in the database: never renumber."""

    kind: Kind
    code: int
    mdc: int | None
    scales: tuple[Scale, ...]
    zh: str
    en: str

    def scale(self, unit: Unit) -> Scale:
        """The scale for this unit. Raises MendData, naming the units that are accepted."""
        for scale in self.scales:
            if scale.unit == unit:
                return scale
        accepted = ", ".join(scale.unit for scale in self.scales)
        raise MendData(f"{self.kind} cannot be in {unit}; accepted: {accepted}.")


_MMHG, _KPA, _RATE = Unit.MMHG, Unit.KPA, Unit.PER_MINUTE

_ROWS: tuple[Vital, ...] = (
    Vital(
        kind=Kind.GLUCOSE,
        code=1,
        mdc=160184,  # MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD
        scales=(
            # mmol/L; meters print LO below 0.6 and HI above 33.3
            Scale(unit=Unit.MMOL_PER_L, decimals=1, low=0.6, high=33.3, loinc="14743-9"),
            # mg/dL; the published pair of the row above
            Scale(unit=Unit.MG_PER_DL, decimals=0, low=10, high=600, loinc="41653-7"),
        ),
        zh="血糖",
        en="Glucose",
    ),
    Vital(
        kind=Kind.KETONE,
        code=2,
        mdc=None,
        # mmol/L; strip meters measure 0.0-8.0, unconfirmed. LOINC to be checked on loinc.org.
        scales=(Scale(unit=Unit.MMOL_PER_L, decimals=1, low=0.0, high=8.0, loinc="104816-4"),),
        zh="血酮",
        en="Ketone",
    ),
    Vital(
        kind=Kind.SYSTOLIC,
        code=3,
        mdc=150021,
        scales=(
            # mmHg
            Scale(unit=_MMHG, decimals=0, low=50, high=260, loinc="8480-6"),
            # kPa; 50 and 260 mmHg
            Scale(unit=_KPA, decimals=1, low=6.6, high=34.7, loinc="8480-6"),
        ),
        zh="收缩压",
        en="Systolic",
    ),
    Vital(
        kind=Kind.DIASTOLIC,
        code=4,
        mdc=150022,
        scales=(
            # mmHg
            Scale(unit=_MMHG, decimals=0, low=30, high=160, loinc="8462-4"),
            # kPa; 30 and 160 mmHg
            Scale(unit=_KPA, decimals=1, low=4.0, high=21.4, loinc="8462-4"),
        ),
        zh="舒张压",
        en="Diastolic",
    ),
    Vital(
        kind=Kind.MEAN_ARTERIAL_PRESSURE,
        code=5,
        mdc=150023,
        scales=(
            # mmHg; between the plausible diastolic and systolic, unconfirmed
            Scale(unit=_MMHG, decimals=0, low=30, high=260, loinc="8478-0"),
            # kPa; the same
            Scale(unit=_KPA, decimals=1, low=4.0, high=34.7, loinc="8478-0"),
        ),
        zh="平均动脉压",
        en="Mean arterial pressure",
    ),
    Vital(
        kind=Kind.PULSE,
        code=6,
        mdc=149546,
        # beats per minute, counted by a cuff or an oximeter
        scales=(Scale(unit=_RATE, decimals=0, low=25, high=250, loinc="8867-4"),),
        zh="脉搏",
        en="Pulse",
    ),
    Vital(
        kind=Kind.HEART_RATE,
        code=7,
        mdc=147842,  # unconfirmed for optical sensors
        # beats per minute, from a wristband or chest strap
        scales=(Scale(unit=_RATE, decimals=0, low=25, high=250, loinc="8867-4"),),
        zh="心率",
        en="Heart rate",
    ),
    Vital(
        kind=Kind.SPO2,
        code=8,
        mdc=150456,
        # per cent
        scales=(Scale(unit=Unit.PERCENT, decimals=0, low=60, high=100, loinc="59408-5"),),
        zh="血氧饱和度",
        en="SpO2",
    ),
    Vital(
        kind=Kind.WEIGHT,
        code=9,
        mdc=188736,
        scales=(
            # kg
            Scale(unit=Unit.KG, decimals=1, low=20, high=250, loinc="29463-7"),
            # lb; 20 and 250 kg
            Scale(unit=Unit.LB, decimals=1, low=44, high=551.2, loinc="29463-7"),
        ),
        zh="体重",
        en="Weight",
    ),
    Vital(
        kind=Kind.BODY_TEMPERATURE,
        code=10,
        mdc=150364,
        scales=(
            # degrees Celsius
            Scale(unit=Unit.CELSIUS, decimals=1, low=32, high=43, loinc="8310-5"),
            # degrees Fahrenheit; 32 and 43 °C
            Scale(unit=Unit.FAHRENHEIT, decimals=1, low=89.6, high=109.4, loinc="8310-5"),
        ),
        zh="体温",
        en="Body temperature",
    ),
    Vital(
        kind=Kind.STEPS,
        code=11,
        mdc=None,
        # steps in 24 hours; the upper bound is an engineering choice, unconfirmed
        scales=(Scale(unit=Unit.STEPS, decimals=0, low=0, high=100_000, loinc="41950-7"),),
        zh="步数",
        en="Steps",
    ),
    Vital(
        kind=Kind.SLEEP_DURATION,
        code=12,
        mdc=None,
        # minutes asleep in one day, at most a whole day
        scales=(Scale(unit=Unit.MINUTE, decimals=0, low=0, high=1440, loinc="93832-4"),),
        zh="睡眠时长",
        en="Sleep duration",
    ),
    Vital(
        kind=Kind.BODY_FAT,
        code=13,
        mdc=None,
        # per cent of the body's mass; the bounds are an engineering choice, unconfirmed. LOINC
        # ("Percentage of body fat Measured") to be checked on loinc.org.
        scales=(Scale(unit=Unit.PERCENT, decimals=1, low=3, high=75, loinc="41982-0"),),
        zh="体脂率",
        en="Body fat",
    ),
)

VITALS: dict[Kind, Vital] = {row.kind: row for row in _ROWS}
KIND_OF_CODE: dict[int, Kind] = {row.code: row.kind for row in _ROWS}


def is_plausible(kind: Kind, value: float, unit: Unit) -> bool:
    """Could a working device say this of a living person? Raises MendData for a wrong unit."""
    scale = VITALS[kind].scale(unit)
    return scale.low <= value <= scale.high
