"""The reads that people wait for, over the product's own web process, on a table of any size.

A city (`bench/city.py`) is stored, then its pages and series are asked for one after the other, as
a browser does, from the request to the last byte: session, access, queries, Python, page. *Cold*:
the server was just started and its files are in no memory but the disk's own; each person is asked
for the first time. *Warm*: the same people again, five times over; *calm* is the p99 over people of
each one's best time, which other work on the machine hardly touches. Then each query of each read
is explained. Every aim is judged by the warm p99; the last line is JSON.

    python -m bench.reads [--rows 50000000] [--engine timescale] [--folder DIR]

A folder that holds a city already is read as it is; without one, everything is thrown away.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from api.config import ApiSettings
from api.session import cookie_name
from bench import city
from bench.cpu import cpu_s
from bench.engine import ENGINES, Engine, forget_files, postgres
from bench.pages import Browser, serving, sign_in
from bench.plans import Plan, asked_by, explain, shortened
from kangban.embedded.postgres import Postgres
from store import measurements
from store.migrate import migrate
from store.pool import connect

_DATABASE = "city"
# what people wait for without noticing that they do: issue 4
AIM_MS = 50.0
_WARM_ROUNDS = 5
_QUARTER = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody who is signed in."""

    path: str
    role: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A kind of request; `is_aim`: is it one of those with an aim?"""

    name: str
    visits: Sequence[Visit]
    is_aim: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Milliseconds of one kind of request, by nearest rank, and the size of an answer.

    `calm_p99_ms`: of each person's best time; `cpu_ms`: processor time of one request, of the web
    process and of the database, with what that does beside.
    """

    p50_ms: float
    p99_ms: float
    calm_p99_ms: float
    worst_ms: float
    cpu_ms: tuple[float, float]
    asked: int
    kilobytes: float

    def __str__(self) -> str:
        return (
            f"p50 {self.p50_ms:6.1f}  p99 {self.p99_ms:6.1f}  worst {self.worst_ms:6.1f}"
            f"  calm p99 {self.calm_p99_ms:6.1f} ms"
            f"  CPU {self.cpu_ms[0]:.1f} + {self.cpu_ms[1]:.1f} ms"
            f"  ({self.asked} asked, {self.kilobytes:,.0f} kB)"
        )


def main() -> int:
    """The benchmark; 1 where a p99 misses the aim."""
    parser = argparse.ArgumentParser(description="What people wait for, at many rows.")
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--engine", choices=ENGINES, default="timescale")
    parser.add_argument("--folder", type=Path, help="kept, and used again")
    parser.add_argument("--people", type=int, default=200, help="asked of each kind, at most")
    asked = parser.parse_args()
    kept = nullcontext(asked.folder) if asked.folder else tempfile.TemporaryDirectory()
    with kept as folder:
        return run(Path(folder), rows=asked.rows, engine=asked.engine, people=asked.people)


def run(folder: Path, *, rows: int, engine: Engine, people: int) -> int:
    """Measures and prints; 1 where a p99 misses the aim."""
    folder.mkdir(parents=True, exist_ok=True)
    server = postgres(folder, engine)
    with server:
        url, now = build(server, rows=rows)
        reads = reads_of(url, now=now, people=people)
    cold, warm = measure(server, url, reads, now=now)
    with server:
        _print_plans(url, reads, now=now)
    missed = [each.name for each in reads if each.is_aim and warm[each.name].p99_ms > AIM_MS]
    load = os.getloadavg()[0]
    print(f"\nwarm p99 at most {AIM_MS:.0f} ms: {'all' if not missed else 'not ' + str(missed)};")
    print(f"load average {load:.1f} on {os.cpu_count()} cores.")
    summary = {
        each.name: {
            "cold_p99_ms": cold[each.name].p99_ms,
            "warm_p99_ms": warm[each.name].p99_ms,
            "calm_p99_ms": warm[each.name].calm_p99_ms,
            "cpu_ms": round(sum(warm[each.name].cpu_ms), 1),
        }
        for each in reads
    }
    print(json.dumps({"engine": engine, "reads": summary, "missed": missed}))
    return 1 if missed else 0


def build(server: Postgres, *, rows: int) -> tuple[str, datetime]:
    """Where the city is and when its data end; it is made where the server holds no whole one."""
    url = server.create_database(_DATABASE)
    migrate(url)
    newest = _newest(url)
    if newest is None:
        server.drop_database(_DATABASE)
        migrate(server.create_database(_DATABASE))
        _make(url, city.city_of(rows))
        newest = _newest(url)
        assert newest is not None
    with connect(url) as connection:
        _print_size(connection)
    # a minute after the newest value: pages show a city that is alive
    return url, newest + timedelta(minutes=1)


def _newest(url: str) -> datetime | None:
    with connect(url) as connection:
        return city.newest(connection)


def _make(url: str, wanted: city.City) -> None:
    now, begin_s = datetime.now(UTC), time.monotonic()
    with connect(url) as connection:
        city.settle(connection, wanted, now=now)
        for number, stored in enumerate(city.fill(connection, wanted, now=now)):
            if number % 10 == 9:
                print(f"{stored:12,} rows after {time.monotonic() - begin_s:5.0f} s", flush=True)
        city.count_days(connection, wanted, now=now)


def reads_of(url: str, *, now: datetime, people: int) -> list[Read]:
    """What is asked, by whom: the same people each time."""
    with connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM patient").fetchone()
        assert found is not None
        whole = city.City(patients=found[0], days=0)
        accounts = connection.execute(
            "SELECT account.role, account.id, array_agg(patient_id ORDER BY patient_id)"
            " FROM account JOIN relation ON relation.account_id = account.id GROUP BY 1, 2"
            " ORDER BY 2"
        ).fetchall()
        tokens = sign_in(connection, [number for _, number, _ in accounts], now=now)
    doctor_of = {
        patient: tokens[number]
        for role, number, patients in accounts
        if role == "doctor"
        for patient in patients
    }
    draw = random.Random(4)

    def some(numbers: Iterable[int]) -> list[int]:
        listed = list(numbers)
        return draw.sample(listed, min(people, len(listed)))

    def of_patients(name: str, path: str, numbers: Iterable[int], *, is_aim: bool = True) -> Read:
        visits = [
            Visit(path=path.format(id=each), role="doctor", token=doctor_of[each])
            for each in some(numbers)
        ]
        return Read(name=name, visits=visits, is_aim=is_aim)

    def of_accounts(name: str, role: str) -> Read:
        numbers = some(number for known, number, _ in accounts if known == role)
        visits = [Visit(path=f"/{role}", role=role, token=tokens[each]) for each in numbers]
        return Read(name=name, visits=visits)

    kinds = "kind=glucose&kind=systolic&kind=diastolic"
    since = (now - _QUARTER).strftime("%Y-%m-%dT%H:%M:%SZ")
    days = f"first={(now - _QUARTER).date()}&last={now.date()}"
    series = f"/api/patients/{{id}}/series?as=doctor&{kinds}&since={since}"
    return [
        of_patients("90 days of values, meter and cuff", series, whole.without_sensor()),
        of_patients("90 days of values, sensor and cuff", series, whole.with_sensor()),
        of_patients(
            "90 days by the day, sensor and cuff",
            f"/api/patients/{{id}}/days?as=doctor&{kinds}&{days}",
            whole.with_sensor(),
        ),
        of_accounts("a doctor's list of 400 patients", "doctor"),
        of_accounts("a family's page of 4 relatives", "family"),
        of_patients(
            "a patient's week, meter and cuff",
            "/doctor/patients/{id}",
            whole.without_sensor(),
            is_aim=False,
        ),
    ]


def measure(
    server: Postgres, url: str, reads: Sequence[Read], *, now: datetime
) -> tuple[dict[str, Took], dict[str, Took]]:
    """Cold and warm times by name; the server is started anew before each kind's cold times."""
    cold: dict[str, Took] = {}
    warm: dict[str, Took] = {}
    for each in reads:
        forget_files(server)
        with server, serving(url, now=now) as (address, web):
            browser, pids = Browser(address), (web, server.pid)
            # imports and templates are the program's, not the data's: another's page comes first
            browser.get("/healthz", role="doctor", token="")
            cold[each.name] = _ask(browser, each.visits, pids=pids)
            warm[each.name] = _ask(browser, each.visits, pids=pids, rounds=_WARM_ROUNDS)
        print(f"\n{each.name}{'' if each.is_aim else ' (no aim)'}")
        print(f"  cold {cold[each.name]}\n  warm {warm[each.name]}", flush=True)
    return cold, warm


def _ask(
    browser: Browser, visits: Sequence[Visit], *, pids: tuple[int, int], rounds: int = 1
) -> Took:
    took_ms: list[list[float]] = [[] for _ in visits]
    size, before_s = 0, [cpu_s(pid) for pid in pids]
    for _ in range(rounds):
        for each, of_visit in zip(visits, took_ms, strict=True):
            begin_s = time.perf_counter()
            size += len(browser.get(each.path, role=each.role, token=each.token))
            of_visit.append((time.perf_counter() - begin_s) * 1000)
    every = sorted(each for of_visit in took_ms for each in of_visit)
    web_s, database_s = (cpu_s(pid) - was for pid, was in zip(pids, before_s, strict=True))
    return Took(
        p50_ms=round(_rank(every, 50), 1),
        p99_ms=round(_rank(every, 99), 1),
        calm_p99_ms=round(_rank(sorted(map(min, took_ms)), 99), 1),
        worst_ms=round(every[-1], 1),
        cpu_ms=(web_s * 1000 / len(every), database_s * 1000 / len(every)),
        asked=len(every),
        kilobytes=size / len(every) / 1000,
    )


def _rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def plans_of(url: str, read: Read, *, now: datetime) -> list[Plan]:
    """Each query behind the first visit of a read, explained."""
    visit = read.visits[0]
    app = create_app(ApiSettings(database_url=url, port=0), clock=lambda: now)

    def ask(pool: Any) -> None:
        own, app.state.pool = app.state.pool, pool
        try:
            browser = TestClient(
                app, cookies={cookie_name(visit.role, is_https=False): visit.token}
            )
            assert browser.get(visit.path).status_code == 200
        finally:
            app.state.pool = own

    with TestClient(app):
        asked = asked_by(url, ask)
    with connect(url) as connection:
        return [explain(connection, query, params) for query, params in asked]


def _print_plans(url: str, reads: Sequence[Read], *, now: datetime) -> None:
    for read in reads:
        print(f"\n== {read.name}")
        for plan in plans_of(url, read, now=now):
            print(
                f"\n-- {plan.query}\n-- planned in {plan.planning_ms:.1f} ms, ran in"
                f" {plan.execution_ms:.1f} ms, {plan.buffers} pages\n{shortened(plan.text)}"
            )


def _print_size(connection: Any) -> None:
    rows = measurements.counts(connection).measurements
    size = connection.execute("SELECT pg_database_size(current_database())").fetchone()[0]
    days = connection.execute("SELECT count(*) FROM measurement_day").fetchone()[0]
    print(
        f"{rows:,} measurements in {days:,} days; {size / 1e9:.1f} GB, {size / rows:.0f} B a row."
    )


if __name__ == "__main__":
    sys.exit(main())
