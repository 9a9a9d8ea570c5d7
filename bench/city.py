"""A city's patients with months of measurements, made by the database itself, for the reads.

Everybody measures the blood pressure twice a day (three values each). Nineteen of twenty prick a
finger twice a day; the twentieth wears a glucose sensor and a band for the heart rate, each with a
value every five minutes. Two patients share a home and its gateway, four hundred a doctor, four a
family member. Rows lie in the table in the order in which they would have arrived, all homes mixed,
6 % of them three days late; the daily rollup is a recount. Value, time and person follow from
arithmetic, so each run has the same. May hold: making this. May not: measuring.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

ZONE = ZoneInfo("Asia/Shanghai")
PATIENTS_OF_DOCTOR = 400
PATIENTS_OF_FAMILY = 4
# one patient in so many wears a sensor and a band
SENSOR_EVERY = 20
# rows that so many patients bring a day: 19 with 6 + 2, one with 6 + 288 + 288
_ROWS_A_DAY_OF_TWENTY = 19 * 8 + 582


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """How many patients over how many days, today included."""

    patients: int
    days: int

    @property
    def rows(self) -> int:
        """About how many measurements that makes."""
        return self.patients * self.days * _ROWS_A_DAY_OF_TWENTY // SENSOR_EVERY

    def with_sensor(self) -> list[int]:
        """The patients who wear a glucose sensor and a band."""
        return list(range(SENSOR_EVERY, self.patients + 1, SENSOR_EVERY))

    def without_sensor(self) -> list[int]:
        """All other patients."""
        return [each for each in range(1, self.patients + 1) if each % SENSOR_EVERY]


def city_of(rows: int, *, days: int = 120) -> City:
    """The city that has about so many measurements after so many days: twenty patients or more."""
    twenties = max(1, rows // (days * _ROWS_A_DAY_OF_TWENTY))
    return City(patients=twenties * SENSOR_EVERY, days=days)


def settle(connection: Connection[Any], city: City, *, now: datetime) -> None:
    """Registers homes, people, devices and accounts, gives every tenth patient an open alert.

    The database must be empty: numbers are counted from one.
    """
    wanted = {
        "patients": city.patients,
        "homes": city.patients // 2,
        "doctors": -(-city.patients // PATIENTS_OF_DOCTOR),
        "families": -(-city.patients // PATIENTS_OF_FAMILY),
        "of_doctor": PATIENTS_OF_DOCTOR,
        "of_family": PATIENTS_OF_FAMILY,
        "sensor_every": SENSOR_EVERY,
        "now": now,
    }
    for statement in _SETTLE:
        connection.execute(statement, wanted)
    connection.commit()


def fill(connection: Connection[Any], city: City, *, now: datetime) -> Iterator[int]:
    """Stores the measurements day by day up to `now`; gives the rows stored so far after each."""
    connection.execute(_HABITS)
    connection.execute("ANALYZE habit")
    last = now.astimezone(ZONE).date()
    stored = 0
    for number in range(city.days):
        day = last - timedelta(days=city.days - 1 - number)
        for which, late in ((day, False), (day - timedelta(days=3), True)):
            done = connection.execute(
                _DAY, {"midnight": _midnight(which), "day": which, "late": late, "now": now}
            )
            stored += done.rowcount
        connection.commit()
        yield stored


def count_days(connection: Connection[Any], city: City, *, now: datetime) -> None:
    """Writes the daily rollup and brings the planner's statistics up to date."""
    last = now.astimezone(ZONE).date()
    # late rows of the first days lie before the first
    first = last - timedelta(days=city.days + 3)
    connection.execute("SET work_mem = '256MB'")
    for week in range(0, city.days + 4, 7):
        begin = first + timedelta(days=week)
        connection.execute(
            _RECOUNT, {"begin": _midnight(begin), "end": _midnight(begin + timedelta(days=7))}
        )
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = False


def newest(connection: Connection[Any]) -> datetime | None:
    """When the newest measurement was taken; None where there is none."""
    row = connection.execute("SELECT max(last_at) FROM measurement_day").fetchone()
    return row[0] if row else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


_SETTLE = (
    "INSERT INTO household (name) SELECT 'home ' || n FROM generate_series(1, %(homes)s) AS n",
    "INSERT INTO gateway (name, household_id, last_seen_at, spooled)"
    " SELECT 'city-' || n, n, %(now)s, 0 FROM generate_series(1, %(homes)s) AS n",
    "INSERT INTO patient (household_id, name, sex, born_on, conditions)"
    " SELECT (n + 1) / 2, '王' || n, CASE WHEN n %% 2 = 0 THEN 'female' ELSE 'male' END,"
    " date '1940-01-01' + (n * 37 %% 9000), '{高血压,2型糖尿病}'"
    " FROM generate_series(1, %(patients)s) AS n",
    # cuff, meter or sensor, band: numbered in this order, so that the second is patients + n
    "INSERT INTO device (name, kind, gateway_id, last_seen_at)"
    " SELECT 'ble:c0-' || place || '-' || n,"
    " CASE place WHEN 0 THEN 'blood_pressure_cuff' WHEN 2 THEN 'wristband'"
    " ELSE CASE WHEN n %% %(sensor_every)s = 0 THEN 'cgm' ELSE 'glucose_meter' END END,"
    " (n + 1) / 2, %(now)s"
    " FROM generate_series(0, 2) AS place, generate_series(1, %(patients)s) AS n"
    " WHERE place < 2 OR n %% %(sensor_every)s = 0 ORDER BY place, n",
    "INSERT INTO device_user (device_id, patient_id)"
    " SELECT id, split_part(name, '-', 3)::int FROM device",
    # doctors first, then families, then the patients themselves
    "INSERT INTO account (name, role) SELECT '刘医生', 'doctor'"
    " FROM generate_series(1, %(doctors)s)",
    "INSERT INTO account (name, role) SELECT '王小明', 'family'"
    " FROM generate_series(1, %(families)s)",
    "INSERT INTO relation (account_id, patient_id, relation)"
    " SELECT (n - 1) / %(of_doctor)s + 1, n, 'doctor' FROM generate_series(1, %(patients)s) AS n"
    " UNION ALL"
    " SELECT %(doctors)s + (n - 1) / %(of_family)s + 1, n, 'family'"
    " FROM generate_series(1, %(patients)s) AS n",
    "INSERT INTO finding (patient_id, rule, pack, pack_version, severity, at, episode, body)"
    " SELECT n, 'bp.high', 'hypertension', '1', 2, %(now)s, 'e1', jsonb_build_object("
    "'title', jsonb_build_object('zh', '血压偏高', 'en', 'Blood pressure high'),"
    " 'started_at', to_char(%(now)s, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'ended_at', NULL,"
    " 'sentences', '{}'::jsonb, 'numbers', '{}'::jsonb, 'evidence', '[]'::jsonb)"
    " FROM generate_series(10, %(patients)s, 10) AS n",
    "INSERT INTO alert (patient_id, rule, episode, finding_id, state, severity, opened_at)"
    " SELECT patient_id, rule, episode, id, 'open', severity, at FROM finding",
    "INSERT INTO heartbeat (process, at) VALUES ('ingest', %(now)s)",
)

# what each device says at which five minutes of a day; codes as in vitals/
_HABITS = """
CREATE TEMPORARY TABLE habit AS
SELECT device.id AS device_id, device_user.patient_id, device.gateway_id, said.*
FROM device
JOIN device_user ON device_user.device_id = device.id
CROSS JOIN LATERAL (
    SELECT kind::smallint, unit::smallint, base::float8, spread::float8, slot
    -- 06:00-08:00 and 18:00-20:00, each person at a time of their own
    FROM (VALUES (72), (216)) AS session (begins)
    CROSS JOIN LATERAL (SELECT begins + device_user.patient_id * 7 % 24) AS own (slot)
    CROSS JOIN (VALUES ('blood_pressure_cuff', 3, 3, 134, 18),
                       ('blood_pressure_cuff', 4, 3, 82, 10),
                       ('blood_pressure_cuff', 6, 5, 72, 9),
                       ('glucose_meter', 1, 1, 8, 3))
        AS habitual (device_kind, kind, unit, base, spread)
    WHERE device_kind = device.kind
    UNION ALL
    SELECT kind, unit, base, spread, slot
    FROM generate_series(0, 287) AS slot
    CROSS JOIN (VALUES ('cgm', 1, 1, 8, 3), ('wristband', 7, 5, 74, 12))
        AS steady (device_kind, kind, unit, base, spread)
    WHERE device_kind = device.kind
) AS said
ORDER BY slot, device_id * 7919 % 10007, device_id, kind
"""

_DAY = """
INSERT INTO measurement (
    taken_at, device_id, kind, sequence, patient_id, value, unit, clock, device_time, gateway_id,
    received_at, raw
)
SELECT at, device_id, kind, sequence, patient_id,
       round((base + spread * (chance %% 201 - 100) / 100.0)::numeric,
             CASE WHEN kind = 1 THEN 1 ELSE 0 END),
       unit, 1, at AT TIME ZONE 'Asia/Shanghai', gateway_id,
       at + CASE WHEN %(late)s THEN interval '3 days' ELSE interval '40 seconds' END,
       decode(repeat('00', 17), 'hex')
FROM habit
CROSS JOIN LATERAL (
    SELECT %(midnight)s::timestamptz + slot * interval '5 minutes' AS at,
           (%(day)s::date - date '2020-01-01') * 288::bigint + slot AS sequence
) AS moment
CROSS JOIN LATERAL (
    SELECT (device_id * 7919 + kind * 104729 + sequence * 15485863) %% 1000003 AS chance
) AS drawn
WHERE at <= %(now)s AND (chance %% 100 < 6) = %(late)s
"""

_RECOUNT = """
INSERT INTO measurement_day (
    patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at
)
SELECT patient_id, kind, unit, (taken_at AT TIME ZONE 'Asia/Shanghai')::date, count(*),
       sum(value::numeric), min(value), max(value), min(taken_at), max(taken_at)
FROM measurement
WHERE taken_at >= %(begin)s AND taken_at < %(end)s
GROUP BY 1, 2, 3, 4
-- as they would have come: one after the other, the days of all people mixed
ORDER BY 4, 1, 2, 3
"""
