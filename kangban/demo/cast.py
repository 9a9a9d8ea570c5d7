"""Who is who in the demo: names, birthdays and diagnoses for the keys of the simulated panel.

All of them are invented. May hold: this table, and the writing of it into an empty database. May
not: stories, devices, the playing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from care_plans.records import create_plan
from simulator.panel import HouseholdPlan
from store import people
from store.demo import numbers

HYPERTENSION = "高血压"
TYPE_2_DIABETES = "2型糖尿病"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Somebody of the panel as people know them."""

    name: str
    sex: str
    born_on: date
    conditions: tuple[str, ...]
    takes_insulin: bool = False

    @property
    def plan(self) -> str:
        """The plan's template that goes with the diagnoses."""
        if len(self.conditions) > 1:
            return "both"
        if HYPERTENSION in self.conditions:
            return "hypertension"
        return "type2_diabetes_premix" if self.takes_insulin else "type2_diabetes"


def _role(name: str, sex: str, born_on: str, *conditions: str, takes_insulin: bool = False) -> Role:
    return Role(
        name=name,
        sex=sex,
        born_on=date.fromisoformat(born_on),
        conditions=conditions,
        takes_insulin=takes_insulin,
    )


ROLES: dict[str, Role] = {
    "father": _role("王建国", "male", "1951-03-18", HYPERTENSION),
    "mother": _role("李秀英", "female", "1953-09-02", TYPE_2_DIABETES, takes_insulin=True),
    "dark": _role("赵淑兰", "female", "1948-06-11", HYPERTENSION),
    "well_controlled": _role("孙德明", "male", "1960-01-25", HYPERTENSION),
    "steadily_high": _role("吴国强", "male", "1957-11-30", HYPERTENSION),
    "good_glucose": _role("周玉梅", "female", "1962-04-07", TYPE_2_DIABETES),
    "erratic_glucose": _role("郑桂花", "female", "1955-08-19", TYPE_2_DIABETES),
    "sometimes_low": _role("蒋大勇", "male", "1949-12-05", TYPE_2_DIABETES),
    "irregular_pulse": _role("陈秀珍", "female", "1946-02-14", HYPERTENSION),
    "kilopascal_cuff": _role("冯志远", "male", "1958-07-23", HYPERTENSION),
    "milligram_meter": _role("卫丽华", "female", "1964-10-09", TYPE_2_DIABETES),
    "rarely_measures": _role("褚卫东", "male", "1961-05-16", HYPERTENSION),
    "high_fasting": _role("沈美玲", "female", "1959-03-03", TYPE_2_DIABETES),
    "both_conditions": _role("韩永福", "male", "1952-12-28", HYPERTENSION, TYPE_2_DIABETES),
    "recovering": _role("杨雪琴", "female", "1956-09-21", HYPERTENSION),
}

DAUGHTER, DOCTOR = "王芳", "陈医生"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The numbers of those whom the demo speaks of."""

    mother: int
    patient_account: int
    family_account: int
    doctor_account: int


def enter(
    connection: Connection[Any], plans: Sequence[HouseholdPlan], *, begins: date, now: datetime
) -> None:
    """Writes everybody into an empty database: households, patients, devices, plans, relations.

    The plans have stood since `begins`, the day on which the stories begin.
    """
    patients: dict[str, int] = {}
    for household in plans:
        home = people.create_household(connection, household.gateway)
        people.register_gateway(connection, name=household.gateway, household_id=home)
        for person in household.people:
            role = ROLES[person.key]
            number = people.create_patient(
                connection,
                name=role.name,
                household_id=home,
                sex=role.sex,
                born_on=role.born_on,
                conditions=role.conditions,
            )
            patients[person.key] = number
            for device in person.devices:
                people.bind_device(connection, device.key, patient_id=number)
            create_plan(
                connection, patient_id=number, template=role.plan, now=now, starts_on=begins
            )
    mother, father = patients["mother"], patients["father"]
    _account(connection, ROLES["mother"].name, role="patient", sees=[mother])
    _account(connection, ROLES["father"].name, role="patient", sees=[father])
    _account(connection, DAUGHTER, role="family", sees=[father, mother])
    _account(connection, DOCTOR, role="doctor", sees=list(patients.values()))


def find(connection: Connection[Any]) -> Cast | None:
    """The cast of a database that a demo has written, None for an empty one."""
    known = numbers(connection)
    mother = ROLES["mother"].name
    try:
        return Cast(
            mother=known["patient", "", mother],
            patient_account=known["account", "patient", mother],
            family_account=known["account", "family", DAUGHTER],
            doctor_account=known["account", "doctor", DOCTOR],
        )
    except KeyError:
        return None


def _account(connection: Connection[Any], name: str, *, role: str, sees: Sequence[int]) -> None:
    relation = "self" if role == "patient" else role
    number = people.create_account(connection, name=name, role=role)
    for patient_id in sees:
        people.relate(connection, account_id=number, patient_id=patient_id, relation=relation)
