"""Who sees what waits, who may say whose it is, and what pages and programs are told."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.config import ApiSettings
from api.doors import make_link
from store import assignment, inbox, people
from store.measurements import differences
from tests import seed, unnamed
from tests.unnamed import CUFF, morning
from vitals.measurement import Clock


class House:
    """The application over the seeded clinic, with readings that wait in the home of the Wangs."""

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

    def whose(self, sequence: int) -> set[int | None]:
        rows = self.ask(
            "SELECT patient_id FROM measurement JOIN device ON device.id = device_id"
            " WHERE device.name LIKE 'ble:AA%%' AND sequence = %s",
            sequence,
        )
        return {patient for (patient,) in rows}

    def device(self) -> int:
        return int(self.ask("SELECT id FROM device WHERE name = %s", CUFF)[0][0])


@pytest.fixture
def house(timescale_url: str) -> Iterator[House]:
    with psycopg.connect(timescale_url) as connection:
        clinic = seed.clinic(connection, extra=1)
        unnamed.wait(connection, clinic)
    app = create_app(ApiSettings(database_url=timescale_url, port=0), clock=lambda: seed.NOW)
    with TestClient(app):
        yield House(timescale_url, app, clinic)


def record(sequence: int, at: Any = None, **changes: Any) -> dict[str, Any]:
    """The first waiting record as a program names it."""
    moment = (at or morning(0, 7, 6)).isoformat()
    return {"device": CUFF, "sequence": sequence, "taken_at": moment, **changes}


def post(browser: TestClient, patient: int, what: str, document: dict[str, Any]) -> httpx.Response:
    return browser.post(f"/api/patients/{patient}/inbox/{what}", json=document)


def fields(browser: TestClient, path: str) -> dict[str, str]:
    """The hidden fields of the first form of a page that posts into the inbox."""
    text = browser.get(path).text
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', text)
    visit = re.search(r'name="visit" value="([0-9.]+)"', text)
    assert token is not None
    return {"form_token": token[1], **({"visit": visit[1]} if visit else {})}


# -- who sees and may ------------------------------------------------------------------------------


def test_what_waits_is_listed_with_values_chances_and_a_reason(house: House) -> None:
    family = house.visitor(house.clinic.son)
    found = family.get(f"/api/patients/{house.mother}/inbox").json()

    assert [each["sequence"] for each in found] == [1, 2, 3, 4, 5]
    first = found[0]
    assert (first["device"], first["user"], first["likely"]) == (CUFF, 2, house.mother)
    assert {each["kind"]: each["value"] for each in first["values"]} == {
        "systolic": 129,
        "diastolic": 80,
        "pulse": 68,
    }
    assert first["why"]["zh"].startswith("李秀英通常早上 7 点量，收缩压约 13")
    assert first["why"]["en"].startswith("李秀英 usually measures around 7:00, systolic about 13")
    assert {each["patient_id"] for each in first["chances"]} == {house.mother, house.father}
    assert 0 < sum(each["probability"] for each in first["chances"]) <= 1
    crisis = found[3]
    assert (crisis["likely"], crisis["why"]) == (None, {})
    # the reading of a neighbour's gateway waits for the neighbour
    with psycopg.connect(house.url) as connection:
        unnamed.cuff(connection, 9, at=morning(), systolic=120, gateway="chen-home")
    assert len(family.get(f"/api/patients/{house.mother}/inbox").json()) == 5


def test_a_relative_reads_nothing_of_somebody_whom_they_do_not_look_after(house: House) -> None:
    with psycopg.connect(house.url) as connection:
        daughter = people.create_account(connection, name="女儿", role="family")
        seed.relate(connection, daughter, house.father, "family")
    browser = house.visitor(daughter)

    page = browser.get("/family/inbox").text
    found = browser.get(f"/api/patients/{house.father}/inbox").json()
    users = browser.get(f"/family/patients/{house.father}/devices/{house.device()}/users").text

    assert "李秀英" not in page
    assert "更像家里另一位的" in page
    assert found[0]["likely"] is None
    assert [each["patient_id"] for each in found[0]["chances"]] == [house.father]
    assert "李秀英" not in users
    to_mother = {**record(1), "to": house.mother}
    assert post(browser, house.father, "not-mine", to_mother).status_code == 404
    assert post(browser, house.mother, "give", record(1)).status_code == 404


@pytest.mark.parametrize("who", ["doctor", "other_doctor", "stranger"])
def test_a_doctor_or_a_stranger_neither_sees_nor_says_whose_it_is(house: House, who: str) -> None:
    browser = house.visitor(getattr(house.clinic, who))
    refused = {"doctor": 403}.get(who, 404)
    assert browser.get(f"/api/patients/{house.mother}/inbox").status_code == refused
    for what in ("give", "set-aside", "not-mine"):
        assert post(browser, house.mother, what, record(1)).status_code == refused
    number = {"device": CUFF, "user": 2}
    assert post(browser, house.mother, "number", number).status_code == refused
    assert house.whose(1) == {None}


def test_a_patient_claims_for_themselves_alone(house: House) -> None:
    father = house.visitor(house.clinic.own["王建国"])

    assert post(father, house.mother, "give", record(1)).status_code == 404
    assert post(father, house.father, "set-aside", record(1)).status_code == 403
    assert post(father, house.father, "give", record(2, morning(1, 19, 41))).status_code == 200
    assert house.whose(2) == {house.father}
    page = father.get("/patient/inbox").text
    assert "是我量的" in page
    assert "李秀英" not in page
    assert "是客人量的" not in page


# -- saying it -------------------------------------------------------------------------------------


def test_over_json_a_record_is_given_once_and_taken_back(house: House) -> None:
    family = house.visitor(house.clinic.son)
    given = post(family, house.mother, "give", record(1)).json()

    assert (given["outcome"], given["moved"]) == ("done", 3)
    assert post(family, house.mother, "give", record(1)).json()["outcome"] == "already"
    late = post(family, house.father, "give", record(1))
    assert (late.status_code, "error" in late.json()) == (409, True)
    undone = post(family, house.mother, f"{given['assignment']}/undo", {})
    assert undone.json()["outcome"] == "done"
    assert post(family, house.father, f"{given['assignment']}/undo", {}).status_code == 404
    assert house.whose(1) == {None}


def test_over_json_this_was_not_me_hands_over_or_waits_again(house: House) -> None:
    family = house.visitor(house.clinic.son)
    post(family, house.mother, "give", record(1))

    over = post(family, house.mother, "not-mine", record(1, to=house.father))
    assert over.json()["outcome"] == "done"
    assert house.whose(1) == {house.father}
    assert post(family, house.father, "not-mine", record(1)).json()["outcome"] == "done"
    assert house.whose(1) == {None}
    with psycopg.connect(house.url) as connection:
        assert differences(connection) == []


@pytest.mark.parametrize(
    ("what", "changes", "status"),
    [
        ("give", {"sequence": 77}, 404),
        ("give", {"device": "ble:nowhere"}, 404),
        ("give", {"device": "ble:\0"}, 422),
        ("give", {"sequence": -1}, 422),
        ("give", {"sequence": 2**63}, 422),
        ("give", {"taken_at": "2026-11-23T07:06:00"}, 422),
        ("number", {"user": 255}, 422),
        ("number", {"user": 1, "device": "ble:nowhere"}, 404),
        ("99/undo", {}, 404),
    ],
)
def test_what_names_nothing_moves_nothing(
    house: House, what: str, changes: dict[str, Any], status: int
) -> None:
    family = house.visitor(house.clinic.son)
    assert post(family, house.mother, what, {**record(1), **changes}).status_code == status
    assert house.ask("SELECT count(*) FROM assignment") == [(0,)]


@pytest.mark.parametrize("key", ["", "x", "1.2", "1.2.3.4", "-1.2.3", "1.2." + "9" * 17])
def test_a_spoilt_form_is_told_so(house: House, key: str) -> None:
    family = house.visitor(house.clinic.son)
    sent = {**fields(family, "/family/inbox"), "visit": key}
    answer = family.post(f"/family/patients/{house.mother}/inbox/give", data=sent)
    assert answer.status_code in (404, 422)
    assert house.whose(1) == {None}


def test_the_page_gives_tells_who_was_first_and_undoes(house: House) -> None:
    family = house.visitor(house.clinic.son)
    assert "5 次测量还不知道是谁的" in family.get("/family").text
    sent = fields(family, "/family/inbox")

    def press(patient: int) -> str:
        answer = family.post(f"/family/patients/{patient}/inbox/give", data=sent)
        assert answer.status_code == 303
        return str(answer.headers["location"])

    assert press(house.mother) == "/family/inbox?told=done"
    assert press(house.mother) == "/family/inbox?told=done"
    assert press(house.father) == "/family/inbox?told=late"
    shown = family.get("/family/inbox?told=late").text
    assert "已经有人先处理了" in shown
    assert "今天 07:06 的测量 → 李秀英（王小明，刚刚）" in shown
    (number,) = house.ask("SELECT id FROM assignment")[0]
    undo = f"/family/patients/{house.mother}/inbox/{number}/undo"
    assert family.post(undo, data=sent).headers["location"] == "/family/inbox?told=undone"
    assert house.whose(1) == {None}


def test_only_the_two_pages_of_the_home_have_an_inbox(house: House) -> None:
    family = house.visitor(house.clinic.son)
    sent = fields(family, "/family/inbox")
    assert family.post(f"/nowhere/patients/{house.mother}/inbox/give", data=sent).status_code in (
        401,
        404,
    )
    assert house.whose(1) == {None}


def test_a_long_list_says_that_there_is_more(house: House) -> None:
    with psycopg.connect(house.url) as connection:
        for number in range(40):
            at = morning(10, 8, number)
            unnamed.cuff(connection, 200 + number, at=at, systolic=120, clock=Clock.UNSURE)
    page = house.visitor(house.clinic.son).get("/family/inbox").text
    assert page.count('class="measured"') == 30
    assert "还有更早的" in page


# -- who uses a device -----------------------------------------------------------------------------


def save(house: House, browser: TestClient, **wanted: Any) -> httpx.Response:
    path = f"/family/patients/{house.mother}/devices/{house.device()}/users"
    sent = {"form_token": fields(browser, path)["form_token"], **wanted}
    return browser.post(path, data=sent)


def slots(house: House) -> dict[int, int]:
    rows = house.ask(
        "SELECT slot, patient_id FROM device_user WHERE device_id = %s", house.device()
    )
    return dict(rows)


def test_numbers_are_mapped_with_what_waits_and_freed_again(house: House) -> None:
    family = house.visitor(house.clinic.son)
    chosen = {"slot": [1, 2], "person": [str(house.father), str(house.mother)]}

    assert save(house, family, without="several", **chosen).status_code == 303

    assert slots(house) == {1: house.father, 2: house.mother}
    assert (house.whose(1), house.whose(2)) == ({house.mother}, {house.father})
    assert house.ask("SELECT shared FROM device WHERE name = %s", CUFF) == [(True,)]
    assert house.whose(3) == {None}, "without a number it goes on waiting"
    freed = {"slot": [1, 2], "person": ["nobody", str(house.mother)]}
    save(house, family, without=str(house.mother), **freed)
    assert slots(house) == {-1: house.mother, 2: house.mother}
    assert house.ask("SELECT shared FROM device WHERE name = %s", CUFF) == [(False,)]
    save(house, family, without="nobody", **freed)
    assert slots(house) == {2: house.mother}


def test_nobody_is_mapped_whom_the_visitor_does_not_look_after(house: House) -> None:
    family = house.visitor(house.clinic.son)
    neighbour = house.clinic.patients["张桂芳"]
    for person in (str(neighbour), str(house.clinic.patients["陈国华"]), "x", "", "9" * 30):
        assert save(house, family, slot=[1], person=[person]).status_code == 404, person
    with psycopg.connect(house.url) as connection:
        people.bind_device(connection, CUFF, patient_id=neighbour, slot=1)
        people.bind_device(connection, CUFF, patient_id=neighbour)
    assert save(house, family, slot=[1], person=["nobody"]).status_code == 403
    assert save(house, family, slot=[1], person=[str(house.mother)]).status_code == 403
    assert save(house, family, without="several").status_code == 403
    assert save(house, family, slot=[300], person=[str(house.mother)]).status_code == 422
    assert slots(house) == {1: neighbour, -1: neighbour}


def test_a_device_of_another_home_is_unknown(house: House) -> None:
    family = house.visitor(house.clinic.son)
    other = house.ask("SELECT device_id FROM device_user WHERE patient_id = %s", house.father)[0][0]
    dark = house.clinic.patients["陈国华"]
    for device in (other, 999_999, 2**40):
        path = f"/family/patients/{dark}/devices/{device}/users"
        assert family.get(path).status_code == 404


def test_what_was_said_longer_ago_than_a_day_is_not_offered_for_undoing(house: House) -> None:
    with psycopg.connect(house.url) as connection:
        visits = inbox.waiting(connection, [house.mother], limit=99)
        given = assignment.give(
            connection,
            visits[0].visit,
            patient_id=house.mother,
            account_id=house.clinic.son,
            now=seed.NOW - timedelta(hours=25),
        )
    assert given.moved == 3
    assert "撤销" not in house.visitor(house.clinic.son).get("/family/inbox").text
