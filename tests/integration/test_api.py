"""The door, access on every route, changes over forms and JSON, live events; on real databases."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pypdf import PdfReader

from api.__main__ import run
from api.app import create_app
from api.config import ApiSettings
from api.doors import make_link
from api.patients import ValueOut
from store.pool import heartbeats
from tests import seed
from vitals.errors import MendSettings

# routes that anybody may ask; whatever else there is must know the visitor
OPEN = {
    ("GET", "/"),
    ("GET", "/enter/{token}"),
    ("POST", "/enter/{token}"),
    ("POST", "/language"),
    ("POST", "/text-size"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/static/report.css"),
    # a gateway that has just been unpacked: its code, or its key's signature, is what it shows
    ("POST", "/enrol"),
    ("POST", "/enrol/renew"),
}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class House:
    """The application over a seeded clinic."""

    app: FastAPI
    url: str
    clinic: seed.Clinic

    def execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def link(self, account_id: int, **changes: Any) -> str:
        with psycopg.connect(self.url) as connection:
            fields = {"base_url": "", "account_id": account_id, "now": seed.NOW, **changes}
            return make_link(connection, **fields)

    def visitor(self, account_id: int) -> TestClient:
        """A browser in which this account has come in."""
        browser = self.nobody()
        answer = browser.post(self.link(account_id))
        assert answer.status_code == 303
        return browser

    def nobody(self) -> TestClient:
        return TestClient(self.app, follow_redirects=False)


def opened(url: str) -> Iterator[House]:
    with psycopg.connect(url) as connection:
        clinic = seed.clinic(connection, extra=2)
    app = create_app(ApiSettings(database_url=url, port=0), clock=lambda: seed.NOW)
    with TestClient(app):
        yield House(app=app, url=url, clinic=clinic)


@pytest.fixture
def house(timescale_url: str) -> Iterator[House]:
    """On TimescaleDB."""
    yield from opened(timescale_url)


@pytest.fixture
def either_house(database: str) -> Iterator[House]:
    """On TimescaleDB, and again on plain PostgreSQL: for what reads measurements."""
    yield from opened(database)


def form_token(browser: TestClient, path: str) -> str:
    """The token in a form of a page."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', browser.get(path).text)
    assert found is not None
    return found[1]


# -- coming in -------------------------------------------------------------------------------------


def test_a_preview_of_a_link_does_not_use_it_up(house: House) -> None:
    link, browser = house.link(house.clinic.son), house.nobody()
    for _ in range(3):
        shown = browser.get(link)
        assert shown.status_code == 200
        assert "王小明" not in shown.text
    assert browser.cookies.get("kangban-family") is None
    answer = browser.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/family")
    assert browser.get("/family").status_code == 200


def test_a_link_works_once(house: House) -> None:
    link = house.link(house.clinic.son)
    assert house.nobody().post(link).status_code == 303
    second = house.nobody()
    answer = second.post(link)
    assert answer.status_code == 410
    assert "已经用过" in answer.text
    assert not second.cookies


def test_another_site_cannot_press_the_button(house: House) -> None:
    link, browser = house.link(house.clinic.son), house.nobody()
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example.org"}):
        assert browser.post(link, headers=headers).status_code == 403
    # and has not used the link up
    assert browser.post(link).status_code == 303


def test_an_expired_link_opens_nothing(house: House) -> None:
    link = house.link(house.clinic.son, now=seed.NOW - timedelta(hours=2), hours=1)
    assert house.nobody().post(link).status_code == 410


@pytest.mark.parametrize("token", ["x", "x" * 43, "' OR 1=1 --", "%00" * 4])
def test_a_guessed_link_opens_nothing(house: House, token: str) -> None:
    browser = house.nobody()
    assert browser.get(f"/enter/{token}").status_code == 200
    assert browser.post(f"/enter/{token}").status_code == 410
    assert not browser.cookies


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(house: House) -> None:
    cookie = house.nobody().post(house.link(house.clinic.son)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_never_travels_in_the_open(timescale_url: str) -> None:
    with psycopg.connect(timescale_url) as connection:
        clinic = seed.clinic(connection, extra=0)
        link = make_link(connection, base_url="", account_id=clinic.son, now=seed.NOW)
    settings = ApiSettings(database_url=timescale_url, public_url="https://care.example.org")
    with TestClient(create_app(settings, clock=lambda: seed.NOW)) as browser:
        answer = browser.post(link, follow_redirects=False)
    assert "__Host-kangban-family=" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age=" in answer.headers["strict-transport-security"]


def test_the_database_holds_no_token(house: House) -> None:
    link, browser = house.link(house.clinic.son), house.nobody()
    browser.post(link)
    secrets = (link.rsplit("/", 1)[1].encode(), browser.cookies["kangban-family"].encode())
    kept = house.execute("SELECT token_hash FROM login_link UNION SELECT token_hash FROM session")
    assert len(kept) == 2
    assert all(secret not in bytes(row[0]) for row in kept for secret in secrets)


def test_signing_out_ends_the_session_on_the_server_too(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    kept = browser.cookies["kangban-family"]
    answer = browser.post("/family/leave", data={"form_token": form_token(browser, "/family")})
    assert answer.status_code == 303
    assert browser.get("/family").status_code == 303
    thief = house.nobody()
    thief.cookies.set("kangban-family", kept)
    assert thief.get("/family").status_code == 303
    assert house.execute("SELECT count(*) FROM session") == [(0,)]


def test_a_session_ends_by_itself(timescale_url: str) -> None:
    with psycopg.connect(timescale_url) as connection:
        clinic = seed.clinic(connection, extra=0)
        link = make_link(connection, base_url="", account_id=clinic.son, now=seed.NOW)
    at = [seed.NOW]
    settings = ApiSettings(database_url=timescale_url, session_days=2)
    with TestClient(create_app(settings, clock=lambda: at[0]), follow_redirects=False) as browser:
        browser.post(link)
        at[0] = seed.NOW + timedelta(days=2, seconds=-1)
        assert browser.get("/family").status_code == 200
        at[0] = seed.NOW + timedelta(days=2)
        assert browser.get("/family").status_code == 303


def test_three_people_are_signed_in_side_by_side_in_one_browser(house: House) -> None:
    browser = house.nobody()
    for account in (house.clinic.son, house.clinic.doctor, house.clinic.own["王建国"]):
        browser.post(house.link(account))
    for path in ("/patient", "/family", "/doctor"):
        assert browser.get(path).status_code == 200
    # who asks over JSON must then be said
    assert browser.get("/api/patients").status_code == 400
    assert len(browser.get("/api/patients?as=family").json()) == 4
    assert len(browser.get("/api/patients?as=doctor").json()) == 6
    assert browser.get("/").status_code == 200


def test_a_cookie_of_one_role_opens_no_page_of_another(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    stolen = browser.cookies["kangban-family"]
    browser.cookies.set("kangban-doctor", stolen)
    assert browser.get("/doctor").status_code == 303


# -- headers, language, errors ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/healthz", "/api/patients", "/static/kangban.css"]
)
def test_every_answer_forbids_inline_script_frames_and_referrers(house: House, path: str) -> None:
    headers = house.nobody().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


def test_pages_are_kept_by_nobody(house: House) -> None:
    assert house.visitor(house.clinic.son).get("/family").headers["cache-control"] == "no-store"


def test_the_language_is_chosen_and_leads_back_here_only(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    assert 'lang="zh-CN"' in browser.get("/family").text
    answer = browser.post("/language", data={"locale": "en", "back": "//evil.example.org"})
    assert answer.headers["location"] == "/"
    assert 'lang="en"' in browser.get("/family").text
    browser.post("/language", data={"locale": "xx", "back": "/family"})
    assert 'lang="en"' in browser.get("/family").text


def test_an_absent_page_says_what_to_do_in_the_readers_language(house: House) -> None:
    browser = house.nobody()
    answer = browser.get("/nothing/here")
    assert answer.status_code == 404
    assert "请回到您自己的页面" in answer.text
    browser.cookies.set("kangban-locale", "en")
    assert "Go back to your own page" in browser.get("/nothing/here").text
    assert browser.get("/api/nothing").json()["error"] == "There is no such page"


def test_a_wrong_request_gets_a_sentence_not_a_schema(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    father = house.clinic.patients["王建国"]
    answer = browser.get(f"/api/patients/{father}/days?first=yesterday&last=2026-11-22")
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "do"}
    # a moment without its offset from UTC, a span of years
    assert (
        browser.get(f"/api/patients/{father}/series?since=2026-11-01T00:00:00").status_code == 422
    )
    long = f"/api/patients/{father}/series?since=2020-01-01T00:00:00Z"
    assert browser.get(long).status_code == 422


def test_without_the_database_a_page_says_try_again_and_health_says_so() -> None:
    settings = ApiSettings(database_url="postgresql://nobody@127.0.0.1:9/nothing")
    with (
        TestClient(create_app(settings), raise_server_exceptions=False) as browser,
        ThreadPoolExecutor() as threads,
    ):
        browser.cookies.set("kangban-family", "x" * 43)
        page, ready = (threads.submit(browser.get, path) for path in ("/family", "/readyz"))
        assert browser.get("/healthz").status_code == 200
        answer = page.result()
        assert answer.status_code == 503
        assert "数据没有丢" in answer.text
        assert answer.headers["retry-after"]
        assert "9/nothing" not in answer.text
        assert ready.result().status_code == 503


# -- access ----------------------------------------------------------------------------------------


def every_route(app: FastAPI) -> list[APIRoute]:
    """All routes, also those of included routers; what is no route of ours is named here."""
    found = []
    for each in app.routes:
        router = getattr(each, "original_router", None)
        found += router.routes if router is not None else [each]
    others = {getattr(each, "path", "?") for each in found if not isinstance(each, APIRoute)}
    assert others == {"/openapi.json", "/static"}
    return [each for each in found if isinstance(each, APIRoute)]


def routes(app: FastAPI) -> list[tuple[str, APIRoute]]:
    """Whatever is not open to anybody."""
    every = [(method, route) for route in every_route(app) for method in route.methods]
    assert {(method, route.path) for method, route in every} >= OPEN
    closed = [(method, route) for method, route in every if (method, route.path) not in OPEN]
    assert len(closed) >= 20
    return closed


def filled(path: str, patient_id: int) -> str:
    names = {"patient_id": patient_id, "week": seed.DUE_WEEK, "role": "family"}
    return re.sub(r"\{(\w+)\}", lambda hole: str(names.get(hole[1], 1)), path)


def asked(browser: TestClient, method: str, path: str, role: str = "") -> httpx.Response:
    where = f"{path}?as={role}" if role and path.startswith(("/api", "/events")) else path
    if method == "POST" and path.startswith("/api"):
        return browser.post(where, json={})
    if method == "POST":
        return browser.post(where, data={"form_token": "0" * 32})
    return browser.request(method, where)


def test_nobody_gets_anything_but_the_door_without_coming_in(house: House) -> None:
    browser = house.nobody()
    for method, route in routes(house.app):
        answer = asked(browser, method, filled(route.path, house.clinic.patients["王建国"]))
        assert answer.status_code in (303, 401, 403, 404), (method, route.path)
        assert "王建国" not in answer.text


@pytest.mark.parametrize("who", ["stranger", "other_doctor", "another_patient"])
def test_no_route_tells_a_stranger_anything_of_a_patient(house: House, who: str) -> None:
    clinic = house.clinic
    account = clinic.own["李秀英"] if who == "another_patient" else getattr(clinic, who)
    role = {"stranger": "family", "other_doctor": "doctor", "another_patient": "patient"}[who]
    browser = house.visitor(account)
    for method, route in routes(house.app):
        if "{patient_id}" not in route.path:
            continue
        answer = asked(browser, method, filled(route.path, clinic.patients["王建国"]), role)
        assert answer.status_code in (303, 401, 403, 404), (method, route.path)
        assert "王建国" not in answer.text, (method, route.path)
        if answer.status_code == 303:
            assert answer.headers["location"] == "/"


def test_pages_without_a_number_in_their_address_show_ones_own_people_only(house: House) -> None:
    assert "王建国" not in house.visitor(house.clinic.stranger).get("/family").text
    assert "王建国" not in house.visitor(house.clinic.other_doctor).get("/doctor").text
    assert house.visitor(house.clinic.stranger).get("/api/patients").json() == []
    assert "王建国" not in house.visitor(house.clinic.own["李秀英"]).get("/patient").text


def test_every_route_of_a_patient_asks_access(house: House) -> None:
    for method, route in routes(house.app):
        calls = [each.call for each in route.dependant.dependencies]
        calls += [
            deeper.call for each in route.dependant.dependencies for deeper in each.dependencies
        ]
        names = {getattr(call, "__name__", "") for call in calls}
        assert "signed_in" in names, (method, route.path)
        if "{patient_id}" in route.path:
            assert any(hasattr(call, "deed") for call in calls), (method, route.path)
        if method != "GET":
            assert names & {"signed_form", "signed_json"}, (method, route.path)


def test_an_ended_relation_shows_nothing_from_the_next_request_on(house: House) -> None:
    browser, father = house.visitor(house.clinic.son), house.clinic.patients["王建国"]
    assert browser.get(f"/api/patients/{father}").status_code == 200
    house.execute(
        "UPDATE relation SET ended_at = now() WHERE account_id = %s AND patient_id = %s",
        house.clinic.son,
        father,
    )
    assert browser.get(f"/api/patients/{father}").status_code == 404
    assert "王建国" not in browser.get("/family").text


def test_a_relative_may_look_but_not_decide_sign_or_read_the_report(house: House) -> None:
    browser, father = house.visitor(house.clinic.son), house.clinic.patients["王建国"]
    assert browser.get(f"/api/patients/{father}/latest").status_code == 200
    refused = [
        ("GET", f"/api/patients/{father}/reports/{seed.DUE_WEEK}"),
        ("POST", f"/api/patients/{father}/reports/{seed.DUE_WEEK}/sign"),
        ("POST", f"/api/patients/{father}/proposals/1/accept"),
        ("POST", f"/api/patients/{father}/changes/1/undo"),
    ]
    for method, path in refused:
        assert asked(browser, method, path).status_code == 403, path


# -- forms -----------------------------------------------------------------------------------------


def test_a_form_without_its_token_or_from_another_site_changes_nothing(house: House) -> None:
    browser = house.visitor(house.clinic.son)
    token = form_token(browser, "/family")
    foreign = {"sec-fetch-site": "cross-site"}
    other = {"origin": "https://evil.example.org"}
    assert browser.post("/family/leave").status_code == 403
    assert browser.post("/family/leave", data={"form_token": "0" * 32}).status_code == 403
    for headers in (foreign, other):
        answer = browser.post("/family/leave", data={"form_token": token}, headers=headers)
        assert answer.status_code == 403
    assert browser.get("/family").status_code == 200


def test_json_that_a_foreign_form_could_send_is_refused(house: House) -> None:
    browser, father = house.visitor(house.clinic.doctor), house.clinic.patients["王建国"]
    path = f"/api/patients/{father}/alerts/99999/acknowledge"
    assert (
        browser.post(path, content="{}", headers={"content-type": "text/plain"}).status_code == 403
    )
    assert browser.post(path, headers={**JSON, "sec-fetch-site": "cross-site"}).status_code == 403
    assert browser.post(path, headers={**JSON, "sec-fetch-site": "same-origin"}).status_code == 404


# -- what is shown ---------------------------------------------------------------------------------


def test_json_gives_values_as_measured_with_their_units(either_house: House) -> None:
    browser, mother = (
        either_house.visitor(either_house.clinic.son),
        either_house.clinic.patients["李秀英"],
    )
    latest = {each["kind"]: each for each in browser.get(f"/api/patients/{mother}/latest").json()}
    assert latest["glucose"]["unit"] == "mmol/L"
    assert latest["glucose"]["loinc"] == "14743-9"
    assert latest["systolic"]["unit"] == "mm[Hg]"
    series = browser.get(f"/api/patients/{mother}/series?kind=glucose").json()
    assert len(series) == 26
    assert {each["kind"] for each in series} == {"glucose"}
    days = browser.get(
        f"/api/patients/{mother}/days?first=2026-11-17&last=2026-11-23&kind=glucose"
    ).json()
    # one day was not measured: it is absent, never zero
    assert [each["day"] for each in days].count("2026-11-19") == 0
    assert len(days) == 6


def test_a_series_says_a_value_as_the_newest_is_said(either_house: House) -> None:
    house = either_house
    mother = house.clinic.patients["李秀英"]
    browser = house.visitor(house.clinic.doctor)
    newest = browser.get(f"/api/patients/{mother}/latest").json()
    assert {each["kind"] for each in newest} >= {"glucose", "systolic"}
    for each in newest:
        series = browser.get(f"/api/patients/{mother}/series?kind={each['kind']}")
        assert series.headers["content-type"] == "application/json"
        # two encoders, one shape
        assert ValueOut.model_validate(series.json()[-1]) == ValueOut.model_validate(each)
        assert series.json()[-1] == each


def test_the_doctors_list_costs_the_same_queries_for_two_patients_as_for_sixty(
    either_house: House,
) -> None:
    counted = [0]
    execute = psycopg.Cursor.execute

    def counting(self: Any, *given: Any, **more: Any) -> Any:
        counted[0] += 1
        return execute(self, *given, **more)

    def statements() -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", counting)
            before = counted[0]
            assert browser.get("/doctor").status_code == 200
            return counted[0] - before

    browser = either_house.visitor(either_house.clinic.doctor)
    few = statements()
    with psycopg.connect(either_house.url) as connection:
        for number in range(60):
            seed.patient(connection, either_house.clinic, f"病人{number}")
    assert few > 3
    assert statements() == few


def test_a_red_flag_offers_the_emergency_call(house: House) -> None:
    father = house.clinic.patients["王建国"]
    browser = house.visitor(house.clinic.own["王建国"])
    assert "tel:120" not in browser.get("/patient").text
    house.execute("UPDATE alert SET severity = 4 WHERE patient_id = %s", father)
    page = browser.get("/patient").text
    assert 'href="tel:120"' in page
    assert "拨打 120" in page


def test_a_patient_without_any_data_is_shown_as_such_everywhere(either_house: House) -> None:
    clinic = either_house.clinic
    own = either_house.visitor(clinic.own["赵敏"]).get("/patient").text
    assert "还没有收到测量" in own
    assert "banner well" not in own
    family = either_house.visitor(clinic.son).get("/family").text
    assert "情况不明" in family
    doctor = either_house.visitor(clinic.doctor).get("/doctor?q=赵敏").text
    assert "还没有测量" in doctor
    assert "平稳" not in doctor


def test_a_dark_home_names_the_silent_hop_to_the_family(either_house: House) -> None:
    page = either_house.visitor(either_house.clinic.son).get("/family").text
    card = page[page.index("陈国华") :]
    card = card[: card.index("</article>")]
    assert "没有消息" in card
    assert "请看看网关的电源灯" in card


# -- deciding --------------------------------------------------------------------------------------


def test_a_week_is_signed_once_and_archived_byte_for_byte(either_house: House) -> None:
    browser, father = (
        either_house.visitor(either_house.clinic.doctor),
        either_house.clinic.patients["王建国"],
    )
    path = f"/api/patients/{father}/reports/{seed.DUE_WEEK}"
    before = browser.get(path).json()
    assert before["signed"] is None
    assert not before["is_running"]
    assert browser.get(f"{path}/archive").status_code == 404
    signed = browser.post(f"{path}/sign", json={"comment": " 继续观察 "}).json()
    assert (signed["by"], signed["comment"], signed["is_intact"]) == ("刘医生", "继续观察", True)
    kept = browser.get(f"{path}/archive").content
    assert sha256(kept).hexdigest() == signed["digest"]
    again = browser.post(f"{path}/sign", json={"comment": "x"})
    assert again.status_code == 409
    sheet = browser.get(f"{path}/pdf")
    assert sheet.headers["content-type"] == "application/pdf"
    text = "".join(each.extract_text() for each in PdfReader(BytesIO(sheet.content)).pages)
    words = ("王建国", "继续观察", signed["digest"])
    assert [each for each in words if each not in text.replace("\n", "")] == []
    # what arrives later changes nothing of what was signed
    either_house.execute("UPDATE measurement SET value = value + 40 WHERE patient_id = %s", father)
    after = browser.get(path).json()
    assert after["report"] == before["report"]
    assert browser.get(f"{path}/archive").content == kept
    assert browser.get(f"/api/patients/{father}/reports").json() == [seed.DUE_WEEK]


def test_the_report_counts_what_the_plan_asked_for(house: House) -> None:
    browser, father = house.visitor(house.clinic.doctor), house.clinic.patients["王建国"]
    report = browser.get(f"/api/patients/{father}/reports/{seed.DUE_WEEK}").json()["report"]
    # Monday, Wednesday and Friday, morning and evening
    assert report["numbers"]["measuring"] == [{"session": "bp", "planned": 6, "done": 6.0}]


def test_a_running_week_is_shown_but_not_signed(house: House) -> None:
    browser, father = house.visitor(house.clinic.doctor), house.clinic.patients["王建国"]
    path = f"/api/patients/{father}/reports/2026-W48"
    assert browser.get(path).json()["is_running"]
    answer = browser.post(f"{path}/sign", json={})
    assert answer.status_code == 409
    assert "还没有结束" in answer.json()["error"]


@pytest.mark.parametrize("week", ["2026-W49", "2026-W99", "2026-W7", "now", "2026-W47x"])
def test_there_is_no_report_of_a_week_to_come_or_of_no_week(house: House, week: str) -> None:
    browser, father = house.visitor(house.clinic.doctor), house.clinic.patients["王建国"]
    assert browser.get(f"/api/patients/{father}/reports/{week}").status_code == 404
    assert browser.get(f"/doctor/patients/{father}/weeks/{week}").status_code == 404


def test_a_patient_reads_the_own_report_but_signs_nothing(house: House) -> None:
    browser, father = house.visitor(house.clinic.own["王建国"]), house.clinic.patients["王建国"]
    path = f"/api/patients/{father}/reports/{seed.DUE_WEEK}"
    assert browser.get(path).status_code == 200
    page = browser.get(f"{path}/page")
    assert "王建国" in page.text
    assert "<style" not in page.text
    assert browser.post(f"{path}/sign", json={}).status_code == 403


def test_a_report_page_carries_nothing_inline(house: House) -> None:
    browser, father = house.visitor(house.clinic.doctor), house.clinic.patients["王建国"]
    page = browser.get(f"/doctor/patients/{father}/weeks/{seed.DUE_WEEK}").text
    assert "<svg" in page
    assert " style=" not in page
    assert "<style" not in page
    assert re.search(r"<script(?! src=)", page) is None


def test_a_proposal_is_decided_once_and_can_be_undone(house: House) -> None:
    browser, father = house.visitor(house.clinic.doctor), house.clinic.patients["王建国"]
    base = f"/api/patients/{father}"
    (proposal,) = browser.get(f"{base}/proposals").json()
    assert proposal["state"] == "proposed"
    accepted = browser.post(f"{base}/proposals/{proposal['id']}/accept", json={})
    assert accepted.json()["state"] == "accepted"
    for verb in ("accept", "refuse"):
        late = browser.post(f"{base}/proposals/{proposal['id']}/{verb}", json={})
        assert late.status_code == 409
        assert "已经有人处理过" in late.json()["error"]
    (change,) = browser.get(f"{base}/changes").json()
    assert change["may_undo"]
    own = house.visitor(house.clinic.own["王建国"])
    assert own.post(f"{base}/changes/{change['id']}/undo", json={}).json()[0]["undone_at"]
    assert own.post(f"{base}/changes/{change['id']}/undo", json={}).status_code == 409


def test_a_proposal_of_one_patient_is_not_decided_through_another(house: House) -> None:
    clinic, browser = house.clinic, house.visitor(house.clinic.doctor)
    (proposal,) = browser.get(f"/api/patients/{clinic.patients['王建国']}/proposals").json()
    through = f"/api/patients/{clinic.patients['李秀英']}/proposals/{proposal['id']}/refuse"
    assert browser.post(through, json={}).status_code == 404


def test_an_alert_is_taken_on_by_the_first_and_seen_by_all(house: House) -> None:
    clinic, father = house.clinic, house.clinic.patients["王建国"]
    son, doctor = house.visitor(clinic.son), house.visitor(clinic.doctor)
    alert = son.get(f"/api/patients/{father}/alerts").json()[0]
    assert alert["state"] == "open"
    path = f"/api/patients/{father}/alerts/{alert['id']}/acknowledge"
    assert son.post(path, json={}).json()["acknowledged_by"] == "王小明"
    assert doctor.post(path, json={}).json()["acknowledged_by"] == "王小明"
    other = f"/api/patients/{clinic.patients['李秀英']}/alerts/{alert['id']}/acknowledge"
    assert son.post(other, json={}).status_code == 404
    own = house.visitor(clinic.own["王建国"])
    assert own.post(path, json={}).status_code == 403


def test_openapi_describes_the_json_routes_and_no_page(house: House) -> None:
    document = house.nobody().get("/openapi.json").json()
    assert "/api/patients/{patient_id}/latest" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith(("/family", "/enter"))]


# -- the running process ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Running:
    """The process itself on a free port."""

    address: str
    stop: threading.Event
    thread: threading.Thread


@pytest.fixture
def running(house: House) -> Iterator[Running]:
    addresses: list[str] = []
    ready, stop = threading.Event(), threading.Event()

    def on_listening(address: str) -> None:
        addresses.append(address)
        ready.set()

    thread = threading.Thread(
        target=run,
        args=(ApiSettings(database_url=house.url, port=0), stop),
        kwargs={"on_listening": on_listening},
    )
    thread.start()
    assert ready.wait(10)
    yield Running(address=addresses[0], stop=stop, thread=thread)
    stop.set()
    thread.join(10)


def signed_in(house: House, running: Running, account_id: int) -> httpx.Client:
    browser = httpx.Client(base_url=running.address, timeout=10)
    with psycopg.connect(house.url) as connection:
        (now,) = connection.execute("SELECT now()").fetchone() or (None,)
        link = make_link(connection, base_url="", account_id=account_id, now=now)
    assert browser.post(link).status_code == 303
    return browser


def events(lines: Iterator[str], *, wanted: int) -> list[tuple[str, dict[str, Any]]]:
    """The next events of a stream; a `look` may come at any time."""
    found: list[tuple[str, dict[str, Any]]] = []
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: ") and name != "look":
            found.append((name, json.loads(line.removeprefix("data: "))))
            if len(found) == wanted:
                return found
    return found


def listening(house: House) -> None:
    """Returns once the process listens to the database."""
    for _ in range(200):
        found = house.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
            " AND datname = current_database()"
        )
        if found[0][0]:
            return
        time.sleep(0.05)
    pytest.fail("nobody listens")


def test_an_open_page_hears_of_its_own_people_only(house: House, running: Running) -> None:
    father, other = house.clinic.patients["王建国"], house.clinic.patients["张桂芳"]
    browser = signed_in(house, running, house.clinic.son)
    with browser.stream("GET", "/events?as=family") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        listening(house)
        house.execute("SELECT pg_notify('kangban_patient', %s)", str(other))
        house.execute("SELECT pg_notify('kangban_told', %s)", str(house.clinic.doctor))
        house.execute("SELECT pg_notify('kangban_patient', %s)", str(father))
        house.execute("SELECT pg_notify('kangban_alert', %s)", str(father))
        house.execute("SELECT pg_notify('kangban_told', %s)", str(house.clinic.son))
        assert events(lines, wanted=3) == [
            ("reading", {"patient": father}),
            ("alert", {"patient": father}),
            ("told", {}),
        ]


def test_a_quiet_stream_says_that_it_lives_and_ends_with_the_relation(
    house: House, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.events.HEARTBEAT_S", 0.2)
    browser = signed_in(house, running, house.clinic.son)
    with browser.stream("GET", "/events?as=family") as stream:
        lines = stream.iter_lines()
        assert any(line == ": still here" for line in lines)
        house.execute(
            "UPDATE relation SET ended_at = now() WHERE account_id = %s", house.clinic.son
        )
        # the stream ends by itself: what is left of it is finite
        assert len(list(lines)) < 20


def test_it_stops_within_two_seconds_with_open_event_streams(
    house: House, running: Running
) -> None:
    browser = signed_in(house, running, house.clinic.son)
    with browser.stream("GET", "/events?as=family") as stream:
        lines = stream.iter_lines()
        next(lines)
        began = time.monotonic()
        running.stop.set()
        assert list(lines) is not None
        running.thread.join(5)
    assert not running.thread.is_alive()
    assert time.monotonic() - began < 2.0


def test_a_page_is_told_to_look_again_after_the_listener_lost_its_connection(
    house: House, running: Running
) -> None:
    browser = signed_in(house, running, house.clinic.son)
    with browser.stream("GET", "/events?as=family") as stream:
        lines = stream.iter_lines()
        next(lines)
        listening(house)
        house.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
        )
        assert any(line == "event: look" for line in lines)


def test_it_says_that_it_works_and_answers_supervisors(house: House, running: Running) -> None:
    assert httpx.get(f"{running.address}/readyz").json() == {"state": "ready"}
    for _ in range(100):
        with psycopg.connect(house.url) as connection:
            if "api" in heartbeats(connection):
                return
        time.sleep(0.05)
    pytest.fail("no heartbeat")


def test_a_taken_port_is_a_setting_to_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ApiSettings(database_url="postgresql://x", port=taken.getsockname()[1])
        with pytest.raises(MendSettings, match="KANGBAN_API_PORT"):
            run(settings, threading.Event())
