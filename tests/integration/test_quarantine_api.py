"""Who sees what nobody believes, who may decide, and what pages and programs are told."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.config import ApiSettings
from api.doors import make_link
from store import people
from tests import doubted, seed


class House:
    """The application over the seeded clinic, with readings that nobody believes."""

    def __init__(self, url: str, app: Any, clinic: seed.Clinic) -> None:
        self.url, self.app, self.clinic = url, app, clinic
        self.father, self.mother = clinic.patients["王建国"], clinic.patients["李秀英"]

    def visitor(self, account_id: int) -> TestClient:
        browser = TestClient(self.app, follow_redirects=False)
        with psycopg.connect(self.url) as connection:
            link = make_link(connection, base_url="", account_id=account_id, now=seed.NOW)
        assert browser.post(link).status_code == 303
        return browser

    def ask(self, query: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, values).fetchall()

    def key(self, sequence: int) -> int:
        found = self.ask("SELECT min(id) FROM quarantine WHERE sequence = %s", sequence)
        return int(found[0][0])

    def states(self, sequence: int) -> set[str]:
        rows = self.ask("SELECT state FROM quarantine WHERE sequence = %s", sequence)
        return {state for (state,) in rows}


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with psycopg.connect(database) as connection:
        clinic = seed.clinic(connection, extra=1)
        doubted.fill(connection, clinic)
    app = create_app(ApiSettings(database_url=database, port=0), clock=lambda: seed.NOW)
    with TestClient(app):
        yield House(database, app, clinic)


def decide(browser: TestClient, patient: int, key: int, decision: str) -> httpx.Response:
    return browser.post(f"/api/patients/{patient}/quarantine/{key}/{decision}", json={})


def sequences(house: House, browser: TestClient, patient: int) -> list[int]:
    found = browser.get(f"/api/patients/{patient}/quarantine").json()
    keys = {house.key(number): number for number in (901, 902, 903)}
    return sorted(keys[each["key"]] for each in found)


def test_the_family_sees_its_own_people_s_and_what_is_nobody_s_at_home(house: House) -> None:
    son = house.visitor(house.clinic.son)
    assert sequences(house, son, house.father) == [901, 903]
    assert sequences(house, son, house.mother) == [902, 903]
    found = son.get(f"/api/patients/{house.father}/quarantine").json()
    first = next(each for each in found if each["key"] == house.key(901))
    assert first["patient_id"] == house.father
    assert [(each["kind"], each["value"], each["reasons"]) for each in first["values"]] == [
        ("systolic", 310, ["implausible"]),
        ("diastolic", 190, ["implausible"]),
    ]


def test_a_doctor_sees_and_decides_of_patients_but_not_what_is_nobody_s(house: House) -> None:
    doctor = house.visitor(house.clinic.doctor)
    assert sequences(house, doctor, house.father) == [901]
    assert decide(doctor, house.father, house.key(903), "release").status_code == 404
    assert decide(doctor, house.father, house.key(901), "release").status_code == 200
    page = doctor.get("/doctor/quarantine").text
    assert "80/120" not in page
    assert "血糖 7.1" in page
    assert "310/190" not in page


@pytest.mark.parametrize("who", ["stranger", "other_doctor"])
def test_a_stranger_learns_nothing_and_decides_nothing(house: House, who: str) -> None:
    browser = house.visitor(getattr(house.clinic, who))
    assert browser.get(f"/api/patients/{house.father}/quarantine").status_code == 404
    assert decide(browser, house.father, house.key(901), "release").status_code == 404
    assert house.states(901) == {"waiting"}
    role = "family" if who == "stranger" else "doctor"
    assert "310" not in browser.get(f"/{role}/quarantine").text


def test_a_patient_s_own_page_stays_simple(house: House) -> None:
    father = house.visitor(house.clinic.own["王建国"])
    assert father.get(f"/api/patients/{house.father}/quarantine").status_code == 403
    assert decide(father, house.father, house.key(901), "discard").status_code == 403


def test_a_decision_is_kept_with_who_made_it_and_asks_ingest(house: House) -> None:
    son = house.visitor(house.clinic.son)
    with psycopg.connect(house.url, autocommit=True) as listening:
        listening.execute("LISTEN kangban_release")
        assert decide(son, house.father, house.key(901), "release").json() == {"outcome": "done"}
        heard = list(listening.notifies(timeout=5, stop_after=1))
    assert len(heard) == 1
    assert decide(son, house.father, house.key(901), "release").json() == {"outcome": "already"}
    assert decide(son, house.father, house.key(901), "discard").status_code == 409
    assert house.ask(
        "SELECT DISTINCT account_id, deed, at FROM quarantine_deed"
        " JOIN quarantine ON quarantine.id = quarantine_id WHERE sequence = 901"
    ) == [(house.clinic.son, "release", seed.NOW)]


def test_what_is_one_patient_s_is_not_decided_through_another(house: House) -> None:
    son = house.visitor(house.clinic.son)
    assert decide(son, house.mother, house.key(901), "discard").status_code == 404
    assert decide(son, house.father, 2**70, "discard").status_code == 404
    assert decide(son, house.father, house.key(901), "burn").status_code == 422
    assert house.states(901) == {"waiting"}


def test_the_pages_say_what_why_and_when_and_the_badge_how_many(house: House) -> None:
    son = house.visitor(house.clinic.son)
    assert "3 次测量不像真的" in son.get("/family").text
    text = son.get("/family/quarantine").text
    assert "血压 310/190 mmHg 不像真的" in text
    assert "血糖 7.1 mmol/L，时间不对" in text
    assert "还没有到：2027年12月28日 07:10" in text
    assert "还不知道是谁的" in text
    assert "2 次测量不像真的" in house.visitor(house.clinic.doctor).get("/doctor").text


def test_pressing_leads_back_with_a_word_and_a_discard_can_be_taken_back(house: House) -> None:
    son = house.visitor(house.clinic.son)
    page = son.get("/family/quarantine").text
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert token is not None
    form = {"form_token": token[1]}
    address = f"/family/patients/{house.father}/quarantine/{house.key(901)}"

    assert son.post(f"{address}/discard", data={}).status_code == 403
    done = son.post(f"{address}/discard", data=form)
    assert done.headers["location"] == "/family/quarantine?told=discard"
    back = son.get("/family/quarantine?told=discard").text
    assert "原来的数据仍然保留" in back
    assert "还是真的" in back
    done = son.post(f"{address}/release", data=form)
    assert done.headers["location"] == "/family/quarantine?told=release"
    assert "正在记入" in son.get("/family/quarantine").text
    late = son.post(f"{address}/discard", data=form)
    assert late.headers["location"] == "/family/quarantine?told=late"
    assert son.post(f"/nurse{address[7:]}/discard", data=form).status_code == 404


def test_the_doctors_list_knows_no_badge_of_others(house: House) -> None:
    with psycopg.connect(house.url) as connection:
        alone = people.create_account(connection, name="新医生", role="doctor")
    assert "不像真的" not in house.visitor(alone).get("/doctor").text
