"""A home and its server with no stand-in: server processes, broker, gateway, devices on the air.

For tests that walk through all of them. A person is an HTTP client that sees pages and presses
their buttons, as a browser without script does.
"""

import asyncio
import html
import re
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg

from api.doors import make_link
from kangban.serve import Servants
from simulator.household import Household
from simulator.panel import DevicePlan, HouseholdPlan, Person
from store import people
from store.pool import heartbeats
from vitals.broker import broker

T = TypeVar("T")

GATEWAY = "home-wang"
# seconds until a step through all parts is a failure: a scan and a pairing take about five
PATIENCE_S = 60.0
_FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def until(is_so: Callable[[], bool], what: str = "it never came to that") -> None:
    """Looks again and again; fails after the patience is at its end."""
    end_s, tick = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_so():
        assert time.monotonic() < end_s, what
        tick.wait(0.05)


class Visitor:
    """Somebody who is signed in, and the page before them."""

    def __init__(self, address: str, link: str) -> None:
        self._http = httpx.Client(base_url=address, follow_redirects=True, timeout=20)
        self._http.headers["accept-language"] = "en"
        self._http.cookies.set("kangban-locale", "en")
        self._take(self._http.post(link))

    @property
    def text(self) -> str:
        """What the page says, without its tags."""
        main = re.search(r"<main.*</main>", self.page, re.DOTALL)
        assert main is not None
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main[0])).split())

    def see(self, path: str) -> str:
        """Opens a page; what it says."""
        self._take(self._http.get(path))
        return self.text

    def wait_for(self, words: str) -> str:
        """Looks at the page until it says this."""
        until(lambda: words in self.see(self.path), f"the page never said {words!r}")
        return self.text

    def press(self, button: str, **typed: str) -> str:
        """Presses the first button that says this, in the form around it; what the page says then.

        `typed`: what is put into fields of the form.
        """
        for form in _FORM.findall(self.page):
            for attributes, inside in re.findall(r"<button\b([^>]*)>(.*?)</button>", form, re.S):
                said = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", inside)).split())
                if button in said:
                    return self._send(form, attributes, typed)
        raise AssertionError(f"there is no button {button!r}: {self.text}")

    def _send(self, form: str, button: str, typed: dict[str, str]) -> str:
        fields = {}
        for each in (*re.findall(r"<input\b[^>]*>", form), f"<button {button}>"):
            said = dict(_ATTRIBUTE.findall(each))
            if "name" in said:
                fields[said["name"]] = html.unescape(said.get("value", ""))
        action = dict(_ATTRIBUTE.findall(form.split(">", 1)[0]))["action"]
        self._take(self._http.post(html.unescape(action), data=fields | typed))
        return self.text

    def _take(self, answer: httpx.Response) -> None:
        assert answer.is_success, (
            f"{answer.request.method} {answer.request.content!r}: {answer.text}"
        )
        self.path = answer.url.raw_path.decode()
        self.page = answer.text


class LivingHousehold:
    """A household with a real gateway that reads what people have added, on a loop of its own."""

    def __init__(self, devices: tuple[DevicePlan, ...], *, mqtt: str, data: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        now = datetime.now(UTC)

        async def made() -> Household:
            household = Household(
                HouseholdPlan(gateway=GATEWAY, people=(Person(key="home", devices=devices),)),
                begins=now,
                ends=now,
                mqtt=broker(mqtt),
                data=data,
                admit="added",
            )
            household.clock.run()
            await household.start()
            return household

        self.household = self.do(made())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What this work on the household's loop gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def stop(self) -> None:
        self.do(self.household.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass(kw_only=True)
class WholeHome:
    """The Wangs: mother and father, a daughter who looks after both, a son after the mother."""

    url: str
    address: str
    mother: int
    father: int
    accounts: dict[str, int]
    living: LivingHousehold

    def visitor(self, who: str) -> Visitor:
        """Somebody who has come in by a link."""
        with psycopg.connect(self.url) as connection:
            link = make_link(
                connection, base_url="", account_id=self.accounts[who], now=datetime.now(UTC)
            )
        return Visitor(self.address, link)

    def ask(self, query: str, *values: object) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, values).fetchall()


def settle(url: str) -> tuple[int, int, dict[str, int]]:
    with psycopg.connect(url) as connection:
        household = people.create_household(connection, "王家")
        people.register_gateway(connection, name=GATEWAY, household_id=household)
        mother = people.create_patient(connection, name="李秀英", household_id=household)
        father = people.create_patient(connection, name="王建国", household_id=household)
        accounts = {
            who: people.create_account(connection, name=name, role=role)
            for who, name, role in (
                ("daughter", "王小芳", "family"),
                ("son", "王小明", "family"),
                ("mother", "李秀英", "patient"),
            )
        }
        for who, patient, relation in (
            ("daughter", mother, "family"),
            ("daughter", father, "family"),
            ("son", mother, "family"),
            ("mother", mother, "self"),
        ):
            people.relate(
                connection, account_id=accounts[who], patient_id=patient, relation=relation
            )
    return mother, father, accounts


@contextmanager
def whole_home(*devices: DevicePlan, url: str, mqtt: str, folder: Path) -> Iterator[WholeHome]:
    """Server processes as `kangban serve` starts them, and a household that sends to them."""
    mother, father, accounts = settle(url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {
        "KANGBAN_DATABASE_URL": url,
        "KANGBAN_MQTT_URL": mqtt,
        "KANGBAN_API_PORT": str(port),
    }
    with Servants(environ, logs=folder / "logs"):
        until(lambda: {"ingest", "rules", "api"} <= beats(url), f"see {folder / 'logs'}")
        living = LivingHousehold(devices, mqtt=mqtt, data=folder / "gateway")
        try:
            yield WholeHome(
                url=url,
                address=f"http://127.0.0.1:{port}",
                mother=mother,
                father=father,
                accounts=accounts,
                living=living,
            )
        finally:
            living.stop()


def beats(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return set(heartbeats(connection))
