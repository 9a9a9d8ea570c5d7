"""Who may ask which gateway for what, over pages and JSON; gateways answer straight into the store.

The broker's part is in `test_courier.py`, the look of the pages in the browser's tests.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from test_api import form_token

from api.access import MOST_COMMANDS
from api.app import create_app
from api.config import ApiSettings
from api.doors import make_link
from store import commands, people
from tests import seed
from vitals.command import (
    LIFE,
    Candidate,
    Do,
    Event,
    Failure,
    Step,
    candidate_document,
    decode_command,
    encode_command,
)

METER = "ble:C0:00:00:00:00:01"
BAND = "ble:C0:00:00:00:00:03"


@dataclass(kw_only=True)
class House:
    """The application over a seeded clinic, with a clock that a test may move."""

    app: FastAPI
    url: str
    clinic: seed.Clinic
    now: datetime
    numbers: dict[str, int]

    def visitor(self, account_id: int) -> TestClient:
        browser = TestClient(self.app, follow_redirects=False)
        with psycopg.connect(self.url) as connection:
            link = make_link(connection, base_url="", account_id=account_id, now=self.now)
        assert browser.post(link).status_code == 303
        return browser

    def execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def asked(self) -> list[tuple[str, str | None]]:
        """What was asked of gateways, in order."""
        return self.execute("SELECT verb, device FROM gateway_command ORDER BY number")

    def say(self, command: str, step: Step, *, gateway: str = "wang-home", **more: Any) -> None:
        """The gateway answers."""
        number = self.numbers[command] = self.numbers.get(command, -1) + 1
        event = Event(
            gateway=gateway, at=self.now, command=command, number=number, step=step, **more
        )
        body: dict[str, Any] = {"v": 1, "gateway": gateway, "at": self.now.isoformat()}
        body |= {"command": command, "number": number, "step": step.value}
        if event.candidate is not None:
            body["candidate"] = candidate_document(event.candidate)
        if event.failure is not None:
            body["failure"] = event.failure.value
        with psycopg.connect(self.url) as connection:
            assert commands.hear(connection, event, body=body, now=self.now)

    def newest(self) -> str:
        return str(
            self.execute("SELECT id FROM gateway_command ORDER BY number DESC LIMIT 1")[0][0]
        )

    def wearer(self, device: str = METER) -> int | None:
        with psycopg.connect(self.url) as connection:
            wearers = commands.wearers_of(connection, device)
        return wearers[0].patient_id if wearers else None


@pytest.fixture
def house(embedded_url: str) -> Iterator[House]:
    with psycopg.connect(embedded_url) as connection:
        clinic = seed.clinic(connection, extra=0)
    house = House(app=None, url=embedded_url, clinic=clinic, now=seed.NOW, numbers={})  # type: ignore[arg-type]
    house.app = create_app(ApiSettings(database_url=embedded_url, port=0), clock=lambda: house.now)
    with TestClient(house.app):
        yield house


def base(house: House, name: str = "王建国") -> str:
    return f"/api/patients/{house.clinic.patients[name]}/devices"


def begin(house: House, browser: TestClient, *, gateway: str = "wang-home") -> str:
    """A search that has found a meter and a band that cannot be used; its flow."""
    flow = str(browser.post(f"{base(house)}/adding", json={"gateway": gateway}).json()["flow"])
    house.say(flow, Step.TAKEN)
    for each in (
        Candidate(device=METER, name="meter", kind="glucose_meter"),
        Candidate(device=BAND, name="band", supported=False),
    ):
        house.say(flow, Step.CANDIDATE, candidate=each)
    return flow


def test_a_search_a_pairing_and_its_end_over_json(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    flow = begin(house, browser)
    state = browser.get(f"{base(house)}/adding/{flow}").json()
    assert state["stage"] == "searching"
    assert [(each["device"], each["supported"]) for each in state["found"]] == [
        (METER, True),
        (BAND, False),
    ]
    path = f"{base(house)}/adding/{flow}"
    assert browser.post(path, json={"do": "pair", "device": METER}).json()["stage"] == "working"
    pair = house.newest()
    house.say(pair, Step.TAKEN)
    house.say(pair, Step.PASSKEY_WANTED)
    assert browser.get(path).json()["stage"] == "passkey"
    for wrong in ("", "12345a", "1234567", "-1", "½"):
        answer = browser.post(path, json={"do": "passkey", "digits": wrong})
        assert answer.status_code == 422, wrong
    # an input method of Chinese may give wide digits
    assert browser.post(path, json={"do": "passkey", "digits": "０12 345"}).status_code == 200
    (document,) = house.execute("SELECT document FROM gateway_command WHERE verb = 'passkey'")[0]
    assert (document["number"], document["about"]) == (12345, pair)
    house.say(pair, Step.DONE)
    assert browser.get(path).json()["stage"] == "done"
    assert house.wearer() == house.clinic.patients["王建国"]
    listed = {each["device"]: each for each in browser.get(base(house)).json()}
    assert (listed[METER]["gateway"], listed[METER]["whose"]) == ("wang-home", "mine")
    assert listed[METER]["drawing"] == "glucose_meter"


def test_what_is_asked_is_a_command_that_a_gateway_understands(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    begin(house, browser)
    (document,) = house.execute("SELECT document FROM gateway_command")[0]
    command = decode_command(json.dumps(document).encode())
    assert (command.do, command.gateway, command.at) == (Do.SCAN, "wang-home", seed.NOW)
    assert command.expires_at - command.at == LIFE
    assert decode_command(encode_command(command)) == command


@pytest.mark.parametrize("gateway", ["chen-home", "nobody", "", "../x"])
def test_a_gateway_of_another_home_is_never_asked(house: House, gateway: str) -> None:
    browser = house.visitor(house.clinic.son)
    answer = browser.post(f"{base(house)}/adding", json={"gateway": gateway})
    assert answer.status_code == 404
    page = f"/family/patients/{house.clinic.patients['王建国']}/devices"
    token = form_token(browser, page)
    answer = browser.post(f"{page}/search", data={"form_token": token, "gateway": gateway})
    assert answer.status_code in (404, 422)
    assert house.asked() == []


def test_a_patient_without_a_household_has_no_gateway_to_ask(house: House) -> None:
    browser = house.visitor(house.clinic.own["赵敏"])
    page = browser.get(f"/patient/patients/{house.clinic.patients['赵敏']}/devices")
    assert "家里还没有网关" in page.text
    answer = browser.post(f"{base(house, '赵敏')}/adding", json={"gateway": "wang-home"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("account", "role", "expected"),
    [("own", "patient", 200), ("son", "family", 200), ("doctor", "doctor", 200)],
)
def test_the_person_the_family_and_the_doctor_may(
    house: House, account: str, role: str, expected: int
) -> None:
    who = house.clinic.own["王建国"] if account == "own" else getattr(house.clinic, account)
    browser, father = house.visitor(who), house.clinic.patients["王建国"]
    assert browser.get(f"/{role}/patients/{father}/devices").status_code == expected
    assert browser.get(base(house)).status_code == expected


def test_nobody_else_learns_of_a_talk(house: House) -> None:
    flow = begin(house, house.visitor(house.clinic.son))
    for account in (house.clinic.stranger, house.clinic.other_doctor, house.clinic.own["李秀英"]):
        browser = house.visitor(account)
        assert browser.get(f"{base(house)}/adding/{flow}").status_code == 404
    # nor through another patient whom one may see
    browser = house.visitor(house.clinic.son)
    assert browser.get(f"{base(house, '李秀英')}/adding/{flow}").status_code == 404


def test_only_what_was_found_and_can_be_used_is_paired(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    path = f"{base(house)}/adding/{begin(house, browser)}"
    for device in (BAND, "ble:C0:00:00:00:00:99", "x", ""):
        assert browser.post(path, json={"do": "pair", "device": device}).status_code == 422
    assert [verb for verb, _ in house.asked()] == ["scan"]
    assert house.wearer(BAND) is None


def test_a_search_that_runs_is_ended_before_the_pairing(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    flow = begin(house, browser)
    browser.post(f"{base(house)}/adding/{flow}", json={"do": "pair", "device": METER})
    assert house.asked() == [("scan", None), ("cancel", None), ("pair", METER)]


def test_pressing_twice_asks_once(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    flow = begin(house, browser)
    path = f"{base(house)}/adding/{flow}"
    for _ in range(2):
        browser.post(path, json={"do": "pair", "device": METER})
    house.say(house.newest(), Step.PASSKEY_WANTED)
    for do in ("passkey", "passkey", "same", "stop", "stop"):
        browser.post(path, json={"do": do, "digits": "123456"})
    assert [verb for verb, _ in house.asked()] == ["scan", "cancel", "pair", "passkey", "cancel"]


def test_one_at_a_time_and_who_is_at_it_is_named(house: House) -> None:
    son, own = house.visitor(house.clinic.son), house.visitor(house.clinic.own["王建国"])
    flow = begin(house, son)
    # the same person finds back to what is going on
    again = son.post(f"{base(house)}/adding", json={"gateway": "wang-home"}).json()
    assert again["flow"] == flow
    refused = own.post(f"{base(house)}/adding", json={"gateway": "wang-home"})
    assert refused.status_code == 409
    assert "给别人添加" in refused.json()["error"]
    father = house.clinic.patients["王建国"]
    page = own.get(f"/patient/patients/{father}/devices")
    assert "王小明正在用网关" in page.text
    # silent for as long as a command lives: over
    house.now += LIFE + timedelta(seconds=1)
    assert own.post(f"{base(house)}/adding", json={"gateway": "wang-home"}).status_code == 200


def test_an_account_that_asks_too_much_waits_a_minute(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    flow = begin(house, browser)
    path = f"{base(house)}/adding/{flow}"
    for _ in range(MOST_COMMANDS - 1):
        house.say(house.newest(), Step.DONE)
        assert browser.post(path, json={"do": "search"}).status_code == 200
    house.say(house.newest(), Step.DONE)
    assert browser.post(path, json={"do": "search"}).status_code == 429
    house.now += timedelta(seconds=60)
    assert browser.post(path, json={"do": "search"}).status_code == 200


def test_a_search_can_be_stopped_however_much_was_asked(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    path = f"{base(house)}/adding/{begin(house, browser)}"
    for _ in range(MOST_COMMANDS - 1):
        house.say(house.newest(), Step.DONE)
        browser.post(path, json={"do": "search"})
    assert browser.post(path, json={"do": "stop"}).status_code == 200
    assert house.asked()[-1] == ("cancel", None)


# -- whose -----------------------------------------------------------------------------------------


def bind(house: House, name: str, *, slot: int = -1) -> None:
    with psycopg.connect(house.url) as connection:
        people.bind_device(connection, METER, patient_id=house.clinic.patients[name], slot=slot)


def test_a_device_of_somebody_at_home_is_not_taken_without_a_word(house: House) -> None:
    bind(house, "李秀英")
    browser = house.visitor(house.clinic.son)
    path = f"{base(house)}/adding/{begin(house, browser)}"
    answer = browser.post(path, json={"do": "pair", "device": METER})
    assert answer.status_code == 409
    assert house.asked() == [("scan", None)]
    theirs = browser.post(path, json={"do": "pair", "device": METER, "whose": "theirs"})
    assert theirs.json()["stage"] == "working"
    assert house.wearer() == house.clinic.patients["李秀英"]


def test_a_device_of_another_home_is_not_taken_at_all(house: House) -> None:
    bind(house, "陈国华")
    browser = house.visitor(house.clinic.son)
    path = f"{base(house)}/adding/{begin(house, browser)}"
    for whose in ("", "mine", "theirs"):
        answer = browser.post(path, json={"do": "pair", "device": METER, "whose": whose})
        assert answer.status_code == 409
        assert "另一家" in answer.json()["error"]
    assert house.asked() == [("scan", None)]
    assert house.wearer() == house.clinic.patients["陈国华"]


def test_a_device_whose_users_are_told_apart_keeps_them(house: House) -> None:
    bind(house, "李秀英", slot=1)
    browser = house.visitor(house.clinic.son)
    path = f"{base(house)}/adding/{begin(house, browser)}"
    browser.post(path, json={"do": "pair", "device": METER, "whose": "mine"})
    assert house.asked()[-1] == ("pair", METER)
    house.say(house.newest(), Step.FAILED, failure=Failure.OUT_OF_REACH)
    with psycopg.connect(house.url) as connection:
        (kept,) = commands.wearers_of(connection, METER)
    assert (kept.slot, kept.patient_id) == (1, house.clinic.patients["李秀英"])


def test_a_second_attempt_is_undone_like_the_first(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    path = f"{base(house)}/adding/{begin(house, browser)}"
    for _ in range(2):
        browser.post(path, json={"do": "pair", "device": METER})
        assert house.wearer() == house.clinic.patients["王建国"]
        # the page says that nobody took it, the sweep has not come yet
        house.now += LIFE
    with psycopg.connect(house.url) as connection:
        commands.sweep(connection, house.now + timedelta(seconds=1))
    assert house.wearer() is None


# -- removing --------------------------------------------------------------------------------------


def device_id(house: House) -> int:
    return int(house.execute("SELECT id FROM device WHERE name = %s", METER)[0][0])


def remove(house: House, browser: TestClient, role: str, name: str = "王建国") -> str:
    path = f"/{role}/patients/{house.clinic.patients[name]}/devices/{device_id(house)}/remove"
    answer = browser.post(path, data={"form_token": form_token(browser, path)})
    return str(answer.headers["location"])


def test_a_device_that_no_gateway_has_is_removed_at_once(house: House) -> None:
    bind(house, "王建国")
    browser = house.visitor(house.clinic.son)
    assert remove(house, browser, "family").endswith("/devices")
    assert (house.wearer(), house.asked()) == (None, [])


def test_a_device_of_another_home_cannot_be_removed(house: House) -> None:
    bind(house, "陈国华")
    browser = house.visitor(house.clinic.own["王建国"])
    path = f"/patient/patients/{house.clinic.patients['王建国']}/devices"
    token = form_token(browser, path)
    where = f"{path}/{device_id(house)}/remove"
    assert browser.get(where).status_code == 404
    assert browser.post(where, data={"form_token": token}).status_code == 404
    assert house.wearer() == house.clinic.patients["陈国华"]


def test_a_device_leaves_the_list_only_when_its_gateway_is_silent_or_has_failed(
    house: House,
) -> None:
    browser = house.visitor(house.clinic.son)
    flow = begin(house, browser)
    browser.post(f"{base(house)}/adding/{flow}", json={"do": "pair", "device": METER})
    house.say(house.newest(), Step.DONE)
    where = remove(house, browser, "family")
    assert "/removing/" in where
    token = {"form_token": form_token(browser, "/family")}
    browser.post(f"{where}/leave", data=token)
    assert house.wearer() == house.clinic.patients["王建国"]
    house.say(house.newest(), Step.FAILED, failure=Failure.FAULT)
    assert "没能移除" in browser.get(where).text
    browser.post(f"{where}/leave", data=token)
    assert house.wearer() is None


def test_the_patients_page_and_the_familys_lead_to_the_devices(house: House) -> None:
    father = house.clinic.patients["王建国"]
    own = house.visitor(house.clinic.own["王建国"])
    assert 'href="/patient/devices"' in own.get("/patient").text
    assert own.get("/patient/devices").headers["location"] == f"/patient/patients/{father}/devices"
    family = house.visitor(house.clinic.son).get("/family").text
    assert f'href="/family/patients/{father}/devices"' in family
