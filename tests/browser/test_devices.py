"""Adding a device in a real browser: page, database, ingest and broker are real, the gateway is a
stand-in that speaks its bytes. Screenshots as in `test_pages.py`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from answering import CUFF, METER, TAKEN, Answering, failed, found, say
from playwright.sync_api import Browser, BrowserContext, Page, expect
from psycopg.types.json import Jsonb
from test_pages import (  # noqa: F401
    LOCALES,
    SIZES,
    TARGETS,
    TEXTS,
    Watched,
    browser,
    faults,
    is_wider_than_its_window,
    playwright,
    shots,
)

from api.__main__ import run as run_pages
from api.config import ApiSettings
from api.doors import make_link
from ingest.__main__ import run as run_ingest
from ingest.config import IngestSettings
from store import commands, people
from store.pool import heartbeats
from vitals.command import Do, Failure, Step
from vitals.settings import read

HINT = {"zh": "按住中间的键，直到屏幕出现 -P-。", "en": "Hold the middle button until -P- shows."}
SEARCHING = (
    TAKEN,
    say(Step.SCANNING),
    found(
        METER,
        "meter+02345678",
        kind="glucose_meter",
        picture="glucose_meter",
        rssi_dbm=-58,
        shows_passkey=True,
        hint=HINT,
    ),
    found(CUFF, "BP7000", kind="blood_pressure_cuff", rssi_dbm=-86),
    found(
        "ble:C0:00:00:00:00:03",
        "Smart Band 7",
        supported=False,
        picture="band",
        reason={"zh": "这款手环的数据由厂家加密。", "en": "Its maker encrypts this band's data."},
    ),
)
PAIRING = (TAKEN, say(Step.CONNECTING))
READING = say(
    Step.READING,
    values=(
        {"kind": "glucose", "value": 5.6, "unit": "mmol/L", "taken_at": "2026-11-22T23:12:00Z"},
    ),
)
PAIRED = (
    say(Step.BONDED),
    say(Step.CLOCK, numbers={"offset_s": 1860}),
    say(Step.HISTORY, numbers={"read": 480}),
    READING,
    say(Step.DONE, numbers={"read": 480}),
)
# seconds that the page may take to show what the gateway said
SOON_MS = 10_000


@dataclass(kw_only=True)
class Home:
    """A household whose gateway is a stand-in, and the running server."""

    url: str
    address: str
    gateway: Answering
    mother: int
    father: int
    accounts: dict[str, int]
    clock: Callable[[], datetime]

    def link(self, who: str) -> str:
        with psycopg.connect(self.url) as connection:
            return make_link(
                connection,
                base_url=self.address,
                account_id=self.accounts[who],
                now=datetime.now(UTC),
            )

    def wearer(self, device: str) -> int | None:
        with psycopg.connect(self.url) as connection:
            wearers = commands.wearers_of(connection, device)
        return wearers[0].patient_id if wearers else None

    def devices(self, who: str) -> str:
        patient = self.father if who == "father" else self.mother
        role = "patient" if who in ("mother", "father") else "family"
        return f"{self.address}/{role}/patients/{patient}/devices"


def settle(url: str) -> tuple[int, int, dict[str, int]]:
    with psycopg.connect(url) as connection:
        home = people.create_household(connection, "王家")
        gateway = "home-wang"
        people.register_gateway(connection, name=gateway, household_id=home)
        connection.execute("UPDATE gateway SET last_seen_at = now() WHERE name = %s", (gateway,))
        mother = people.create_patient(connection, name="李秀英", household_id=home)
        father = people.create_patient(connection, name="王建国", household_id=home)
        accounts = {
            who: people.create_account(connection, name=name, role=role)
            for who, name, role in (
                ("mother", "李秀英", "patient"),
                ("father", "王建国", "patient"),
                ("daughter", "王小芳", "family"),
                ("son", "王小明", "family"),
            )
        }
        for who, patient, relation in (
            ("mother", mother, "self"),
            ("father", father, "self"),
            ("daughter", mother, "family"),
            ("daughter", father, "family"),
            ("son", mother, "family"),
        ):
            people.relate(
                connection, account_id=accounts[who], patient_id=patient, relation=relation
            )
    return mother, father, accounts


class Clock:
    """The pages' clock, which a test may put ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def home(embedded_url: str, broker: str) -> Iterator[Home]:
    mother, father, accounts = settle(embedded_url)
    stop, ready, addresses, clock = threading.Event(), threading.Event(), [], Clock()
    settings = read(
        IngestSettings, {"KANGBAN_DATABASE_URL": embedded_url, "KANGBAN_MQTT_URL": broker}
    )

    def on_listening(address: str) -> None:
        addresses.append(address)
        ready.set()

    pages = threading.Thread(
        target=run_pages,
        args=(ApiSettings(database_url=embedded_url, port=0), stop),
        kwargs={"on_listening": on_listening, "clock": clock},
    )
    ingest = threading.Thread(target=run_ingest, args=(settings, stop))
    with ExitStack() as stack:
        for each in (pages, ingest):
            each.start()
            stack.callback(each.join, 15)
        stack.callback(stop.set)
        gateway = stack.enter_context(Answering(broker, gateway="home-wang"))
        assert ready.wait(10)
        until(lambda: "ingest" in beats(embedded_url))
        yield Home(
            url=embedded_url,
            address=addresses[0],
            gateway=gateway,
            mother=mother,
            father=father,
            accounts=accounts,
            clock=clock,
        )


def beats(url: str) -> dict[str, datetime]:
    with psycopg.connect(url) as connection:
        return heartbeats(connection)


def until(is_so: Callable[[], bool], *, within_s: float = 20) -> None:
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, "it never came to that"
        time.sleep(0.02)


def enter(
    browser: Browser,  # noqa: F811
    home: Home,
    who: str,
    *,
    size: str = "phone",
    locale: str = "zh-CN",
    **options: Any,
) -> tuple[BrowserContext, Watched]:
    """Comes in by a link and opens the devices."""
    context = browser.new_context(viewport=SIZES[size], **options)
    context.add_cookies([{"name": "kangban-locale", "value": locale, "url": home.address}])
    watched = Watched.over(context.new_page())
    page = watched.page
    page.goto(home.link(who))
    page.get_by_role("button").last.click()
    page.wait_for_load_state()
    page.goto(home.devices(who))
    return context, watched


class Camera:
    """Takes a picture of each stage and looks whether the page is sound there."""

    def __init__(self, folder: Path, name: str, *, is_elder: bool) -> None:
        self._folder, self._name, self._is_elder = folder, name, is_elder
        self._number = 0

    def look(self, watched: Watched, stage: str, *, axe: bool = True) -> None:
        page = watched.page
        self._number += 1
        page.screenshot(
            path=self._folder / f"devices-{self._name}-{self._number}-{stage}.png", full_page=True
        )
        assert watched.problems == []
        assert not is_wider_than_its_window(page)
        if axe:
            assert faults(page) == []
        least = 60 if self._is_elder else 44
        small = [
            each
            for each in page.evaluate(TARGETS)
            if each["height"] < least or (self._is_elder and each["width"] < 60)
        ]
        assert small == []
        if self._is_elder:
            texts = page.evaluate(TEXTS)
            assert [each for each in texts if each["size"] < 18 or each["line"] < 1.299] == []


def stage(page: Page) -> Any:
    return page.locator("#stage")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("who", "size"), [("mother", "phone"), ("daughter", "desktop")])
def test_a_meter_is_added_from_the_page(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
    who: str,
    size: str,
    locale: str,
) -> None:
    zh = locale == "zh-CN"
    gateway = home.gateway
    gateway.on(Do.SCAN, *SEARCHING)
    context, watched = enter(browser, home, who, size=size, locale=locale)
    page = watched.page
    # the words differ between languages, the structure does not: one of them is enough for axe
    camera = Camera(shots, f"{who}-{size}-{locale}", is_elder=who == "mother")
    camera.look(watched, "none", axe=zh)
    page.get_by_role("button", name="添加设备" if zh else "Add a device").click()

    # the gateway searches; what it finds appears by itself
    card = page.locator(f"#found-{METER.replace(':', '')}")
    for words in (("血糖仪", "Glucose meter"), ("就在旁边", "Very near"), (HINT["zh"], HINT["en"])):
        expect(card).to_contain_text(words[0 if zh else 1], timeout=SOON_MS)
    page.locator("#unusable summary").click()
    expect(page.locator("#unusable")).to_contain_text("厂家加密" if zh else "maker encrypts")
    camera.look(watched, "found", axe=zh)

    gateway.on(Do.PAIR, *PAIRING)
    card.get_by_role("button").click()
    command = gateway.wait(Do.PAIR)
    assert command.device == METER
    # a device is the patient's before it is read
    assert home.wearer(METER) == home.mother
    expect(page.locator(".hint")).to_contain_text(HINT["zh" if zh else "en"], timeout=SOON_MS)
    expect(page.locator("li[aria-current]")).to_contain_text("连上" if zh else "Connect")
    camera.look(watched, "connecting", axe=zh)

    gateway.answer(command, say(Step.PASSKEY_WANTED))
    digits = page.locator("#digits")
    expect(digits).to_be_visible(timeout=SOON_MS)
    assert digits.get_attribute("inputmode") == "numeric"
    camera.look(watched, "passkey", axe=zh)
    digits.fill("012 345")
    page.locator("#press-passkey").click()
    key = gateway.wait(Do.PASSKEY)
    assert (key.number, key.about) == (12345, command.id)
    expect(page.locator(".stage")).to_contain_text("已发给设备" if zh else "Sent to the device")

    gateway.answer(command, *PAIRED[:-2])
    expect(page.locator(".steps")).to_contain_text("480", timeout=SOON_MS)
    expect(page.locator(".steps")).to_contain_text("31")
    camera.look(watched, "reading", axe=zh)
    gateway.answer(command, *PAIRED[-2:])
    expect(stage(page)).to_have_text("添加好了" if zh else "The device is added", timeout=SOON_MS)
    expect(page.locator(".first")).to_have_text("5.6")
    expect(page.locator(".stage")).to_contain_text("李秀英")
    camera.look(watched, "done", axe=zh)

    page.locator(".stage").get_by_role("link").last.click()
    expect(page.locator("li.device")).to_have_count(1)
    expect(page.locator("li.device")).to_contain_text("home-wang")
    camera.look(watched, "listed", axe=zh)
    assert watched.hosts == {home.address.removeprefix("http://")}
    context.close()


def begin(page: Page, home: Home, device: str = METER) -> Any:
    """Searches and presses the device that is found; the gateway's PAIR."""
    home.gateway.on(Do.SCAN, *SEARCHING)
    page.get_by_role("button", name="添加设备").click()
    page.locator(f"#found-{device.replace(':', '')}").get_by_role("button").click(timeout=SOON_MS)
    return home.gateway.wait(Do.PAIR)


def test_wrong_digits_and_a_second_attempt(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    context, watched = enter(browser, home, "mother")
    page, gateway = watched.page, home.gateway
    gateway.on(Do.PAIR, *PAIRING, say(Step.PASSKEY_WANTED))
    command = begin(page, home)
    page.locator("#digits").fill("12345a", timeout=SOON_MS)
    page.locator("#press-passkey").click()
    # what is no number goes nowhere
    expect(page.get_by_role("alert").last).to_contain_text("再填一次")
    page.locator("#digits").fill("654321")
    page.locator("#press-passkey").click()
    assert gateway.wait(Do.PASSKEY).number == 654_321
    gateway.answer(command, failed(Failure.WRONG_PASSKEY))
    expect(stage(page)).to_have_text("数字不对", timeout=SOON_MS)
    Camera(shots, "mother-phone", is_elder=True).look(watched, "wrong-passkey")
    # the pairing had made it hers, its failure takes that back
    assert home.wearer(METER) is None
    page.get_by_role("button", name="再试一次").click()
    second = gateway.wait(Do.PAIR, nth=2)
    gateway.answer(second, *PAIRED)
    expect(stage(page)).to_have_text("添加好了", timeout=SOON_MS)
    assert home.wearer(METER) == home.mother
    context.close()


@pytest.mark.parametrize("failure", [each for each in Failure if each is not Failure.CANCELLED])
def test_every_failure_says_what_to_do(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
    failure: Failure,
) -> None:
    context, watched = enter(browser, home, "daughter", size="phone")
    home.gateway.on(Do.PAIR, TAKEN, failed(failure))
    begin(watched.page, home)
    banner = watched.page.locator(".stage.look")
    expect(banner).to_be_visible(timeout=SOON_MS)
    camera = Camera(shots, f"failure-{failure}", is_elder=False)
    camera.look(watched, "failed", axe=failure is Failure.FAULT)
    if failure is not Failure.DISK:
        expect(banner.get_by_role("button").first).to_be_visible()
    expect(watched.page.locator("#said")).to_have_count(1)
    context.close()


def test_two_numbers_are_compared(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    context, watched = enter(browser, home, "mother")
    page, gateway = watched.page, home.gateway
    gateway.on(Do.PAIR, *PAIRING, say(Step.CONFIRM_WANTED, numbers={"number": 4711}))
    command = begin(page, home)
    expect(page.locator("p.digits")).to_have_text("004711", timeout=SOON_MS)
    Camera(shots, "mother-phone", is_elder=True).look(watched, "confirm")
    page.get_by_role("button", name="一样", exact=True).click()
    answer = gateway.wait(Do.CONFIRM)
    assert (answer.yes, answer.about) == (True, command.id)
    context.close()


def test_it_can_be_stopped_at_any_time(browser: Browser, home: Home) -> None:  # noqa: F811
    context, watched = enter(browser, home, "mother")
    page, gateway = watched.page, home.gateway
    gateway.on(Do.PAIR, *PAIRING)
    command = begin(page, home)
    page.get_by_role("button", name="停止").click()
    expect(stage(page)).to_have_text("正在停止……")
    until(lambda: any(each.about == command.id for each in gateway.commands))
    gateway.answer(command, failed(Failure.CANCELLED))
    expect(stage(page)).to_have_text("已停止，没有添加", timeout=SOON_MS)
    assert home.wearer(METER) is None
    context.close()


def test_a_silent_gateway_is_said_without_a_press(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    context, watched = enter(browser, home, "mother")
    page = watched.page
    page.get_by_role("button", name="添加设备").click()
    # five of the fifteen seconds are left for the page to be made and looked at
    home.clock.ahead = timedelta(seconds=10)
    page.reload()
    expect(page.locator(".stage")).not_to_contain_text("没有回应")
    # the page looks again by itself when the time has come
    expect(page.locator(".stage")).to_contain_text("网关还没有回应", timeout=SOON_MS)
    Camera(shots, "mother-phone", is_elder=True).look(watched, "silent")
    home.clock.ahead = timedelta(minutes=2, seconds=1)
    page.reload()
    expect(stage(page)).to_have_text("网关没有来得及回应")
    context.close()


def test_somebody_else_who_is_at_it_is_named(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    first, one = enter(browser, home, "daughter")
    begin(one.page, home)
    second, other = enter(browser, home, "mother")
    expect(other.page.locator("main")).to_contain_text("王小芳正在用网关“home-wang”添加设备")
    expect(other.page.get_by_role("button", name="添加设备")).to_have_count(0)
    Camera(shots, "mother-phone", is_elder=True).look(other, "busy")
    # who is at it finds back
    one.page.goto(home.devices("daughter"))
    one.page.get_by_role("link", name="继续").click()
    expect(stage(one.page)).to_have_text("正在连接……")
    first.close()
    second.close()


def test_a_device_of_somebody_at_home_asks_whose_it_is_to_be(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    with psycopg.connect(home.url) as connection:
        people.bind_device(connection, METER, patient_id=home.father)
    context, watched = enter(browser, home, "daughter", size="phone")
    page, gateway = watched.page, home.gateway
    gateway.on(Do.SCAN, *SEARCHING)
    page.get_by_role("button", name="添加设备").click()
    page.locator(f"#found-{METER.replace(':', '')}").get_by_role("button").click(timeout=SOON_MS)
    expect(page.locator("#whose")).to_be_visible()
    expect(page.locator("main")).to_contain_text("王建国")
    Camera(shots, "daughter-phone", is_elder=False).look(watched, "whose")
    page.get_by_role("button", name="以后算在李秀英名下").click()
    command = gateway.wait(Do.PAIR)
    assert home.wearer(METER) == home.mother
    gateway.answer(command, TAKEN, failed(Failure.OUT_OF_REACH))
    expect(stage(page)).to_have_text("连不上设备", timeout=SOON_MS)
    assert home.wearer(METER) == home.father
    context.close()


def test_a_device_is_removed_after_a_question(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    context, watched = enter(browser, home, "mother")
    page, gateway = watched.page, home.gateway
    gateway.on(Do.PAIR, TAKEN, *PAIRED)
    begin(page, home)
    expect(stage(page)).to_have_text("添加好了", timeout=SOON_MS)
    page.goto(home.devices("mother"))
    page.get_by_role("link", name="移除这个设备").click()
    camera = Camera(shots, "mother-phone-remove", is_elder=True)
    camera.look(watched, "ask")
    page.get_by_role("button", name="移除").click()
    command = gateway.wait(Do.FORGET)
    assert command.device == METER
    assert home.wearer(METER) == home.mother
    gateway.answer(command, TAKEN, say(Step.DONE))
    expect(page.locator("#state")).to_have_text("已移除", timeout=SOON_MS)
    camera.look(watched, "removed")
    page.goto(home.devices("mother"))
    expect(page.locator("li.device")).to_have_count(0)
    context.close()


def test_a_device_of_a_dead_gateway_is_taken_off_the_list(
    browser: Browser,  # noqa: F811
    home: Home,
) -> None:
    with psycopg.connect(home.url) as connection:
        people.bind_device(connection, METER, patient_id=home.mother)
        connection.execute(
            "UPDATE gateway SET health = %s",
            (Jsonb({"devices": {METER: {"added": True}}}),),
        )
    context, watched = enter(browser, home, "daughter")
    page = watched.page
    page.get_by_role("link", name="移除这个设备").click()
    page.get_by_role("button", name="移除").click()
    home.gateway.wait(Do.FORGET)
    home.clock.ahead = timedelta(seconds=20)
    page.reload()
    expect(page.locator("#state")).to_have_text("网关没有回应")
    page.get_by_role("button", name="从列表里去掉").click()
    assert home.wearer(METER) is None
    context.close()


def test_troubles_of_devices_are_said_with_what_to_do(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
) -> None:
    with psycopg.connect(home.url) as connection:
        for device, kind, patient in (
            (METER, "glucose_meter", home.mother),
            (CUFF, "blood_pressure_cuff", home.father),
            ("ble:C0:00:00:00:00:03", "wristband", home.mother),
        ):
            people.bind_device(connection, device, patient_id=patient)
            connection.execute(
                "UPDATE device SET kind = %s, last_seen_at = now() WHERE name = %s", (kind, device)
            )
        connection.execute(
            "UPDATE device SET failure = 'PIN_OR_KEY_MISSING: pair it again', battery_percent = 9,"
            " clock_offset_s = 0 WHERE name = %s",
            (METER,),
        )
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=1)
        connection.execute(
            "UPDATE gateway SET last_seen_at = now() - interval '2 hours', health = %s",
            (Jsonb({"devices": {METER: {"added": True, "bonded": False}}}),),
        )
    for who, size in (("mother", "phone"), ("daughter", "desktop")):
        context, watched = enter(browser, home, who, size=size)
        main = watched.page.locator("main")
        for words in ("配对丢了", "删除旧的配对", "请换电池", "时间差约 8 小时", "没有消息"):
            expect(main).to_contain_text(words)
        # a spouse is named to those who are related to both
        expect(main).to_contain_text("王建国" if who == "daughter" else "家里另一位")
        Camera(shots, f"{who}-{size}", is_elder=who == "mother").look(watched, "troubles")
        context.close()


@pytest.mark.parametrize("name", ["devices", "adding"])
def test_a_page_of_devices_reflows_and_keeps_its_contrast_in_the_dark(
    browser: Browser,  # noqa: F811
    home: Home,
    shots: Path,  # noqa: F811
    name: str,
) -> None:
    context, watched = enter(browser, home, "mother", color_scheme="dark")
    page = watched.page
    if name == "adding":
        home.gateway.on(Do.PAIR, *PAIRING, say(Step.PASSKEY_WANTED))
        begin(page, home)
        expect(page.locator("#digits")).to_be_visible(timeout=SOON_MS)
    Camera(shots, f"dark-{name}", is_elder=True).look(watched, "dark")
    # WCAG 2.2, 1.4.10: 320 CSS px, which is 1280 at 400 %
    page.set_viewport_size({"width": 320, "height": 256})
    assert not is_wider_than_its_window(page)
    context.close()


def test_digits_half_typed_survive_news(browser: Browser, home: Home) -> None:  # noqa: F811
    context, watched = enter(browser, home, "mother")
    page, gateway = watched.page, home.gateway
    gateway.on(Do.PAIR, *PAIRING, say(Step.PASSKEY_WANTED))
    begin(page, home)
    page.locator("#digits").fill("123", timeout=SOON_MS)
    page.locator("#digits").focus()
    with psycopg.connect(home.url) as connection:
        connection.execute("UPDATE patient SET name = '秀英' WHERE id = %s", (home.mother,))
        connection.execute("SELECT pg_notify('kangban_look', %s)", (str(home.mother),))
    expect(page.locator("main")).to_contain_text("给秀英添加", timeout=SOON_MS)
    page.keyboard.type("456")
    assert page.locator("#digits").input_value() == "123456"
    context.close()


def test_everything_works_without_script(browser: Browser, home: Home) -> None:  # noqa: F811
    context, watched = enter(browser, home, "mother", java_script_enabled=False)
    page, gateway = watched.page, home.gateway
    gateway.on(Do.SCAN, *SEARCHING)
    page.get_by_role("button", name="添加设备").click()
    card = page.locator(f"#found-{METER.replace(':', '')}")
    # the page asks for itself anew while it waits for the gateway
    expect(card).to_be_visible(timeout=SOON_MS)
    gateway.on(Do.PAIR, *PAIRING, say(Step.PASSKEY_WANTED))
    card.get_by_role("button").click()
    page.locator("#digits").fill("123456", timeout=SOON_MS)
    page.locator("#press-passkey").click()
    gateway.wait(Do.PASSKEY)
    gateway.answer(gateway.wait(Do.PAIR), *PAIRED)
    expect(stage(page)).to_have_text("添加好了", timeout=SOON_MS)
    context.close()
