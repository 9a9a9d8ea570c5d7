"""A small clinic straight in the store, for page tests alone: people, a fortnight of readings.

Readings come here without the chain (devices, spool, broker, ingest), which has its own tests. The
daily rollup is a plain recount. Numbers are made up by arithmetic, so that every run is the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from care_plans import records
from care_plans.review import review
from rules import records as rules
from rules.pack import standard_packs
from store import people
from vitals.kinds import VITALS, Kind
from vitals.measurement import CLOCK_CODE, MEAL_CODE, Clock, Meal
from vitals.units import UNIT_CODE, Unit

ZONE = ZoneInfo("Asia/Shanghai")
# a Monday at noon in Shanghai: last week is whole and waits for a signature
NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DUE_WEEK = "2026-W47"

_COLUMNS = (
    "taken_at, device_id, kind, sequence, patient_id, value, unit, clock, meal, gateway_id,"
    " received_at"
)


@dataclass(kw_only=True)
class Clinic:
    """The ids of who is there."""

    doctor: int
    other_doctor: int
    son: int
    stranger: int
    patients: dict[str, int] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class One:
    """One value to store."""

    kind: Kind
    value: float
    unit: Unit
    at: datetime
    sequence: int
    meal: Meal | None = None


def clinic(connection: Connection[Any], *, extra: int = 6) -> Clinic:
    """A father whose pressure drifts up, a mother with high glucose, a dark home, nobody's data."""
    found = Clinic(
        doctor=people.create_account(connection, name="刘医生", role="doctor"),
        other_doctor=people.create_account(connection, name="何医生", role="doctor"),
        son=people.create_account(connection, name="王小明", role="family"),
        stranger=people.create_account(connection, name="陌生人", role="family"),
    )
    home = people.create_household(connection, "王家")
    gateway = people.register_gateway(connection, name="wang-home", household_id=home)
    patient(connection, found, "王建国", home, sex="male", born=1948, conditions=["高血压"])
    both = ["2型糖尿病", "高血压"]
    patient(connection, found, "李秀英", home, sex="female", born=1951, conditions=both)
    dark_home = people.create_household(connection, "陈家")
    dark = people.register_gateway(connection, name="chen-home", household_id=dark_home)
    patient(connection, found, "陈国华", dark_home, sex="male", born=1943, conditions=["高血压"])
    patient(connection, found, "赵敏", None, sex="female", born=1960, conditions=["2型糖尿病"])
    for name in ("王建国", "李秀英", "陈国华", "赵敏"):
        relate(connection, found.son, found.patients[name], "family")
    pressure(connection, found.patients["王建国"], gateway, rise=1.3)
    glucose(connection, found.patients["李秀英"], gateway, after_meal=11.5)
    pressure(connection, found.patients["李秀英"], gateway, base=128, device="ble:li-cuff")
    pressure(connection, found.patients["陈国华"], dark, until=TODAY - timedelta(days=5))
    for number in range(extra):
        name = f"{'张孙吴郑冯韩'[number % 6]}桂{'芳兰英梅凤珍'[number // 6 % 6]}"
        patient(connection, found, name, home, sex="female", born=1950 + number % 20)
        pressure(connection, found.patients[name], gateway, base=118 + number)
    seen(connection, gateway="wang-home", at=NOW - timedelta(minutes=4))
    seen(connection, gateway="chen-home", at=NOW - timedelta(days=5))
    recount(connection)
    records.create_plan(
        connection,
        patient_id=found.patients["王建国"],
        template="hypertension",
        now=NOW,
        starts_on=TODAY - timedelta(days=15),
    )
    for number in found.patients.values():
        judge(connection, number)
    review(connection, patient_id=found.patients["王建国"], now=NOW)
    return found


def judge(connection: Connection[Any], patient: int, *, now: datetime = NOW) -> None:
    """What the rules process does for one patient."""
    rules.judge(connection, patient_id=patient, packs=standard_packs(), now=now)


def low_glucose(
    connection: Connection[Any], patient: int, *, value: float = 2.7, now: datetime = NOW
) -> None:
    """A very low glucose a minute ago, judged at once."""
    gateway = people.register_gateway(connection, name="wang-home")
    at = now - timedelta(minutes=1)
    low = One(kind=Kind.GLUCOSE, value=value, unit=Unit.MMOL_PER_L, at=at, sequence=9000)
    store(connection, patient=patient, device=f"ble:meter-{patient}", gateway=gateway, values=[low])
    recount(connection)
    judge(connection, patient, now=now)


def relate(connection: Connection[Any], account: int, patient: int, relation: str) -> None:
    """Lets an account see a patient."""
    people.relate(connection, account_id=account, patient_id=patient, relation=relation)


def pressure(
    connection: Connection[Any],
    patient: int,
    gateway: int,
    *,
    base: int = 124,
    rise: float = 0.0,
    until: date = TODAY,
    device: str = "",
) -> None:
    """Two cuff readings each morning and evening of sixteen days; `rise` in mmHg a day."""
    name = device or f"ble:cuff-{patient}"
    values: list[One] = []
    for number in range(16):
        day = until - timedelta(days=15 - number)
        for slot, clock in enumerate((time(7, 5), time(7, 7), time(19, 40), time(19, 42))):
            at = datetime.combine(day, clock, ZONE)
            sequence = number * 4 + slot
            if at < NOW:
                values += _cuff(base + rise * number + (slot * 7 + number * 5) % 9, at, sequence)
    store(connection, patient=patient, device=name, gateway=gateway, values=values)


def glucose(connection: Connection[Any], patient: int, gateway: int, *, after_meal: float) -> None:
    """A fasting and an after-breakfast value on most of sixteen days; mmol/L."""
    values: list[One] = []
    for number in range(16):
        day = TODAY - timedelta(days=15 - number)
        if number == 11:
            continue
        for slot, (clock, value, meal) in enumerate(
            ((time(6, 50), 6.4, Meal.FASTING), (time(9, 30), after_meal, Meal.POSTPRANDIAL))
        ):
            wave = ((number * 3 + slot * 5) % 7) / 5
            values.append(
                One(
                    kind=Kind.GLUCOSE,
                    value=round(value + wave, 1),
                    unit=Unit.MMOL_PER_L,
                    at=datetime.combine(day, clock, ZONE),
                    sequence=number * 2 + slot,
                    meal=meal,
                )
            )
    name = f"ble:meter-{patient}"
    store(connection, patient=patient, device=name, gateway=gateway, values=values)


def store(
    connection: Connection[Any], *, patient: int, device: str, gateway: int, values: Iterable[One]
) -> None:
    """Puts values into the table of measurements."""
    device_id = people.bind_device(connection, device, patient_id=patient)
    with connection.cursor().copy(f"COPY measurement ({_COLUMNS}) FROM STDIN") as copy:
        for each in values:
            copy.write_row(
                (
                    each.at,
                    device_id,
                    VITALS[each.kind].code,
                    each.sequence,
                    patient,
                    each.value,
                    UNIT_CODE[each.unit],
                    CLOCK_CODE[Clock.MEASURED],
                    MEAL_CODE[each.meal] if each.meal else None,
                    gateway,
                    each.at + timedelta(seconds=20),
                )
            )
    kind = "glucose_meter" if "meter" in device else "blood_pressure_cuff"
    connection.execute(
        "UPDATE device SET kind = %s, battery_percent = 64, gateway_id = %s,"
        " last_seen_at = (SELECT max(taken_at) FROM measurement WHERE device_id = %s)"
        " WHERE id = %s",
        (kind, gateway, device_id, device_id),
    )


def recount(connection: Connection[Any]) -> None:
    """Writes the daily rollup anew from the measurements."""
    connection.execute("DELETE FROM measurement_day")
    connection.execute(
        "INSERT INTO measurement_day SELECT patient_id, kind, unit,"
        " (taken_at AT TIME ZONE patient.timezone)::date, count(*), sum(value::numeric),"
        " min(value), max(value), min(taken_at), max(taken_at)"
        " FROM measurement JOIN patient ON patient.id = patient_id GROUP BY 1, 2, 3, 4"
    )


def seen(connection: Connection[Any], *, gateway: str, at: datetime) -> None:
    """The gateway and the server said something then."""
    connection.execute(
        "UPDATE gateway SET last_seen_at = %s, spooled = 0 WHERE name = %s", (at, gateway)
    )
    connection.execute(
        "INSERT INTO heartbeat (process, at) VALUES ('ingest', %s)"
        " ON CONFLICT (process) DO UPDATE SET at = excluded.at",
        (NOW - timedelta(seconds=5),),
    )


def patient(
    connection: Connection[Any],
    found: Clinic,
    name: str,
    household: int | None = None,
    *,
    sex: str = "female",
    born: int = 1950,
    conditions: Iterable[str] = ("高血压",),
) -> None:
    """Somebody new, with an account of their own and contracted with the doctor."""
    number = people.create_patient(
        connection,
        name=name,
        household_id=household,
        sex=sex,
        born_on=date(born, 3, 5),
        conditions=list(conditions),
    )
    own = people.create_account(connection, name=name, role="patient")
    relate(connection, own, number, "self")
    relate(connection, found.doctor, number, "doctor")
    found.patients[name], found.own[name] = number, own


def _cuff(systolic: float, at: datetime, sequence: int) -> list[One]:
    numbers = (
        (Kind.SYSTOLIC, round(systolic), Unit.MMHG),
        (Kind.DIASTOLIC, round(systolic * 0.62), Unit.MMHG),
        (Kind.PULSE, 66 + sequence % 9, Unit.PER_MINUTE),
    )
    return [
        One(kind=kind, value=float(value), unit=unit, at=at, sequence=sequence)
        for kind, value, unit in numbers
    ]
