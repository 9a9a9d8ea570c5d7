"""The pages in a real browser: readable, reachable, quiet, alive; at desktop and phone size.

Needs Chromium (`make browser`). Screenshots go to KANGBAN_SCREENSHOTS, else to a temporary folder.
"""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from api.__main__ import run
from api.config import ApiSettings
from api.doors import make_link
from tests import seed

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
LOCALES = ("zh-CN", "en")
# seconds that a page may take to show an alarm; the chain before it has its own budget
ALARM_S = 3.0


@dataclass(kw_only=True)
class House:
    """The running process over a seeded clinic."""

    url: str
    address: str
    clinic: seed.Clinic
    stop: threading.Event
    thread: threading.Thread

    def link(self, who: str) -> str:
        account = {"patient": self.clinic.own["王建国"], "nobody": self.clinic.own["赵敏"]}.get(
            who, self.clinic.son if who == "family" else self.clinic.doctor
        )
        with psycopg.connect(self.url) as connection:
            return make_link(connection, base_url=self.address, account_id=account, now=seed.NOW)

    def change(self, deed: Callable[..., None], *values: Any) -> None:
        with psycopg.connect(self.url) as connection:
            deed(connection, *values)


@dataclass
class Watched:
    """A page that remembers what went wrong on it and whom it asked."""

    page: Page
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    @classmethod
    def over(cls, page: Page) -> "Watched":
        made = cls(page)
        page.on("console", made._hear)
        page.on("pageerror", lambda error: made.problems.append(str(error)))
        page.on(
            "request", lambda asked: made.hosts.add(re.sub(r"^\w+://([^/]*).*", r"\1", asked.url))
        )
        return made

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)


def program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "Chromium is missing: run make browser"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = os.environ.get("KANGBAN_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def serve(url: str) -> Iterator[House]:
    with psycopg.connect(url) as connection:
        clinic = seed.clinic(connection, extra=4)
    yield from started(url, clinic)


def started(url: str, clinic: seed.Clinic, port: int = 0) -> Iterator[House]:
    ready, stop, addresses = threading.Event(), threading.Event(), []

    def on_listening(address: str) -> None:
        addresses.append(address)
        ready.set()

    thread = threading.Thread(
        target=run,
        args=(ApiSettings(database_url=url, port=port), stop),
        kwargs={"on_listening": on_listening, "clock": lambda: seed.NOW},
    )
    thread.start()
    assert ready.wait(10)
    yield House(url=url, address=addresses[0], clinic=clinic, stop=stop, thread=thread)
    stop.set()
    thread.join(10)


@pytest.fixture(scope="module")
def house(_servers: Any) -> Iterator[House]:
    """For tests that only look."""
    server = _servers.of("embedded")
    yield from serve(server.create_database("pages", template="migrated"))
    server.drop_database("pages")


@pytest.fixture
def own_house(embedded_url: str) -> Iterator[House]:
    """For tests that change something."""
    yield from serve(embedded_url)


def signed_in(house: House, browser: Browser, roles: Sequence[str]) -> dict[str, Any]:
    """The signed-in state of each of these roles."""
    found = {}
    for who in roles:
        context = browser.new_context()
        enter(context, house, who)
        found[who] = context.storage_state()
        context.close()
    return found


@pytest.fixture(scope="module")
def cookies(house: House, browser: Browser) -> dict[str, Any]:
    """The signed-in state of each role in the house for looking."""
    return signed_in(house, browser, ("patient", "nobody", "family", "doctor"))


def enter(context: BrowserContext, house: House, who: str) -> Page:
    """Comes in by a link, as a person does: opens it and presses the button."""
    page = context.new_page()
    page.goto(house.link(who))
    page.get_by_role("button", name="进入").click()
    page.wait_for_load_state()
    return page


def pages(house: House) -> dict[str, tuple[str, str]]:
    """name -> (whose session, path)"""
    father, mother = house.clinic.patients["王建国"], house.clinic.patients["李秀英"]
    return {
        "patient": ("patient", "/patient"),
        "patient-without-data": ("nobody", "/patient"),
        "family": ("family", "/family"),
        "doctor": ("doctor", "/doctor"),
        "doctor-finds-nobody": ("doctor", "/doctor?q=zzz"),
        "week-so-far": ("doctor", f"/doctor/patients/{mother}"),
        "week-to-sign": ("doctor", f"/doctor/patients/{father}/weeks/{seed.DUE_WEEK}"),
        "week-without-data": ("doctor", f"/doctor/patients/{house.clinic.patients['赵敏']}"),
        "gateway": ("family", f"/family/patients/{father}/gateway"),
        "welcome": ("", "/"),
        "enter": ("", "/enter/" + "x" * 43),
        "absent": ("family", "/nothing"),
    }


PAGES = [
    "patient",
    "patient-without-data",
    "family",
    "doctor",
    "gateway",
    "doctor-finds-nobody",
    "week-so-far",
    "week-to-sign",
    "week-without-data",
    "welcome",
    "enter",
    "absent",
]


def open_page(
    browser: Browser, house: House, state: Any, path: str, **options: Any
) -> tuple[BrowserContext, Watched]:
    locale = options.pop("locale", "zh-CN")
    context = browser.new_context(storage_state=state, **options)
    context.add_cookies([{"name": "kangban-locale", "value": locale, "url": house.address}])
    watched = Watched.over(context.new_page())
    watched.page.goto(house.address + path)
    return context, watched


def faults(page: Page) -> list[str]:
    """What axe calls serious or critical, with where it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def is_wider_than_its_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


# -- looking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_stays_at_home_fits_and_is_accessible(
    browser: Browser,
    house: House,
    cookies: dict[str, Any],
    shots: Path,
    name: str,
    size: str,
    locale: str,
) -> None:
    who, path = pages(house)[name]
    context, watched = open_page(
        browser, house, cookies.get(who), path, locale=locale, viewport=SIZES[size]
    )
    watched.page.screenshot(path=shots / f"{name}-{size}-{locale}.png", full_page=True)
    expected = ["404 (Not Found)"] if name == "absent" else []
    assert [each for each in watched.problems if not any(e in each for e in expected)] == []
    assert watched.hosts == {house.address.removeprefix("http://")}
    assert not is_wider_than_its_window(watched.page)
    # the words differ between languages, the structure does not: one of them is enough for axe
    if locale == "zh-CN":
        assert faults(watched.page) == []
    context.close()


@pytest.mark.parametrize("name", ["patient", "family", "doctor", "week-to-sign"])
def test_a_page_keeps_its_contrast_in_the_dark(
    browser: Browser, house: House, cookies: dict[str, Any], shots: Path, name: str
) -> None:
    who, path = pages(house)[name]
    context, watched = open_page(browser, house, cookies[who], path, color_scheme="dark")
    watched.page.screenshot(path=shots / f"{name}-dark.png", full_page=True)
    assert faults(watched.page) == []
    context.close()


@pytest.mark.parametrize("name", ["patient", "family", "doctor", "week-to-sign"])
def test_a_page_reflows_at_the_width_of_a_phone_zoomed_to_four_hundred_per_cent(
    browser: Browser, house: House, cookies: dict[str, Any], name: str
) -> None:
    who, path = pages(house)[name]
    # WCAG 2.2, 1.4.10: 320 CSS px, which is 1280 at 400 %
    narrow = {"width": 320, "height": 256}
    context, watched = open_page(browser, house, cookies[who], path, viewport=narrow)
    assert not is_wider_than_its_window(watched.page)
    context.close()


# Font size, line height and place of every piece of text that is shown.
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const box = walker.currentNode.parentElement;
    const rect = box.getBoundingClientRect();
    if (!text || rect.width < 2 || rect.height < 2 || rect.bottom < 0) continue;
    const style = getComputedStyle(box);
    if (style.visibility === "hidden" || ["SCRIPT", "NOSCRIPT"].includes(box.tagName)) continue;
    const size = parseFloat(style.fontSize);
    const line = style.lineHeight === "normal" ? 1.2 : parseFloat(style.lineHeight) / size;
    found.push({ text, size, line });
  }
  return found;
}"""
TARGETS = """() => [...document.querySelectorAll("a, button, input, summary, textarea")]
  .map((each) => [each.textContent.trim(), each.getBoundingClientRect()])
  .filter(([, rect]) => rect.width > 1 && rect.height > 1 && rect.bottom > 0)
  .map(([text, rect]) => ({ text, width: rect.width, height: rect.height }))"""


def test_the_patients_page_keeps_the_numbers_for_elders(
    browser: Browser, house: House, cookies: dict[str, Any]
) -> None:
    # MIIT elder mode: text >= 18, line height >= 1.3, main targets >= 60 x 60; contrast is axe's
    context, watched = open_page(
        browser, house, cookies["patient"], "/patient", viewport=SIZES["phone"]
    )
    texts = watched.page.evaluate(TEXTS)
    assert len(texts) > 20
    assert [each for each in texts if each["size"] < 18] == []
    assert [each for each in texts if each["line"] < 1.299] == []
    targets = watched.page.evaluate(TARGETS)
    assert len(targets) >= 4
    assert [each for each in targets if each["height"] < 60 or each["width"] < 60] == []
    context.close()


def test_the_patient_can_make_all_text_thirty_pixels_large(
    browser: Browser, house: House, cookies: dict[str, Any], shots: Path
) -> None:
    context, watched = open_page(
        browser, house, cookies["patient"], "/patient", viewport=SIZES["phone"]
    )
    page = watched.page
    for _ in range(2):
        page.get_by_role("button", name="字大一点").click()
        page.wait_for_load_state()
    page.screenshot(path=shots / "patient-largest.png", full_page=True)
    main = [each for each in page.evaluate(TEXTS) if each["size"] < 27]
    assert main == []
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 30
    assert not is_wider_than_its_window(page)
    context.close()


@pytest.mark.parametrize("name", ["family", "doctor", "week-to-sign", "gateway"])
def test_other_pages_keep_targets_of_forty_four_pixels(
    browser: Browser, house: House, cookies: dict[str, Any], name: str
) -> None:
    who, path = pages(house)[name]
    context, watched = open_page(browser, house, cookies[who], path, viewport=SIZES["phone"])
    small = [each for each in watched.page.evaluate(TARGETS) if each["height"] < 44]
    assert small == []
    context.close()


@pytest.mark.parametrize("name", ["patient", "family", "doctor", "week-to-sign"])
def test_everything_is_reached_and_seen_by_keyboard(
    browser: Browser, house: House, cookies: dict[str, Any], name: str
) -> None:
    who, path = pages(house)[name]
    context, watched = open_page(browser, house, cookies[who], path)
    page = watched.page
    count = len(page.evaluate(TARGETS))
    seen = set()
    for _ in range(count + 2):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "(() => { const a = document.activeElement; if (a === document.body) return null;"
                " return [a.tagName, a.textContent.trim(), a.id,"
                " getComputedStyle(a).outlineStyle].join('|'); })()"
            )
        )
    reached = {each for each in seen if each}
    assert len(reached) >= min(count, 4)
    assert all(each.endswith("|solid") for each in reached)
    context.close()


def test_a_printed_report_is_the_report_alone(
    browser: Browser, house: House, cookies: dict[str, Any], shots: Path
) -> None:
    who, path = pages(house)["week-to-sign"]
    context, watched = open_page(browser, house, cookies[who], path)
    watched.page.emulate_media(media="print")
    expect(watched.page.locator("article.report")).to_be_visible()
    for hidden in (".top", "aside", "form", "nav.weeks"):
        for each in watched.page.locator(hidden).all():
            expect(each).not_to_be_visible()
    watched.page.screenshot(path=shots / "week-printed.png", full_page=True)
    context.close()


# -- living ----------------------------------------------------------------------------------------


def test_an_alarm_appears_on_open_pages_without_reloading(
    browser: Browser, own_house: House, shots: Path
) -> None:
    context = browser.new_context(viewport=SIZES["phone"])
    family = enter(context, own_house, "family")
    doctor = enter(context, own_house, "doctor")
    mother = own_house.clinic.patients["李秀英"]
    for page in (family, doctor):
        page.evaluate("window.stillTheSame = true")
    began = time.monotonic()
    own_house.change(seed.low_glucose, mother)
    card = family.locator(f"article[aria-labelledby='person-{mother}']")
    expect(card.locator("header .state")).to_have_text("请打电话", timeout=ALARM_S * 1000)
    expect(doctor.locator("#group-0 tr").nth(1)).to_contain_text("李秀英", timeout=ALARM_S * 1000)
    assert time.monotonic() - began < ALARM_S
    # whoever needs them most now comes first, and a screen reader is told
    assert "李秀英" in family.locator("article h2").first.inner_text()
    expect(family.locator("#announce")).to_contain_text("李秀英")
    for page in (family, doctor):
        assert page.evaluate("window.stillTheSame") is True
    family.screenshot(path=shots / "family-alarm.png", full_page=True)
    doctor.screenshot(path=shots / "doctor-alarm.png", full_page=True)
    context.close()


def test_the_patient_sees_a_big_message_with_what_to_do(
    browser: Browser, own_house: House, shots: Path
) -> None:
    context = browser.new_context(viewport=SIZES["phone"])
    page = enter(context, own_house, "patient")
    own_house.change(seed.low_glucose, own_house.clinic.patients["王建国"])
    banner = page.locator("section.banner").first
    expect(banner).to_have_class(re.compile("call"), timeout=ALARM_S * 1000)
    assert banner.locator("h2").inner_text()
    page.screenshot(path=shots / "patient-alarm.png", full_page=True)
    assert faults(page) == []
    context.close()


def test_one_relative_takes_an_alert_on_and_the_doctor_sees_who(
    browser: Browser, own_house: House
) -> None:
    mother = own_house.clinic.patients["李秀英"]
    own_house.change(seed.low_glucose, mother)
    context = browser.new_context()
    page = enter(context, own_house, "family")
    card = page.locator(f"article[aria-labelledby='person-{mother}']")
    alert = card.locator("ul.alerts > li.call")
    alert.get_by_role("button", name="我来负责").click()
    page.wait_for_load_state()
    expect(alert).to_contain_text("王小明 已接手")
    expect(alert.get_by_role("button")).to_have_count(0)
    expect(card.locator("header .state")).to_have_text("留意")
    doctor = enter(context, own_house, "doctor")
    doctor.goto(f"{own_house.address}/doctor/patients/{mother}")
    expect(doctor.locator("aside")).to_contain_text("王小明 已接手")
    context.close()


def test_a_half_written_comment_and_the_focus_survive_news(
    browser: Browser, own_house: House
) -> None:
    father = own_house.clinic.patients["王建国"]
    context = browser.new_context()
    page = enter(context, own_house, "doctor")
    page.goto(f"{own_house.address}/doctor/patients/{father}/weeks/{seed.DUE_WEEK}")
    page.locator("#comment").fill("继续")
    page.locator("#comment").focus()
    before = page.locator("aside li").count()
    own_house.change(seed.low_glucose, father)
    expect(page.locator("aside ul.alerts > li.call")).to_have_count(1, timeout=ALARM_S * 1000)
    assert page.locator("aside li").count() > before
    assert page.locator("#comment").input_value() == "继续"
    assert page.evaluate("document.activeElement.id") == "comment"
    page.keyboard.type("观察")
    assert page.locator("#comment").input_value() == "继续观察"
    context.close()


def test_a_doctor_signs_a_week_once_and_it_stays_signed(
    browser: Browser, own_house: House, shots: Path
) -> None:
    father = own_house.clinic.patients["王建国"]
    context = browser.new_context()
    page = enter(context, own_house, "doctor")
    page.goto(f"{own_house.address}/doctor/patients/{father}/weeks/{seed.DUE_WEEK}")
    page.locator("#comment").fill("继续观察，下周复诊。")
    page.get_by_role("button", name="签字并存档").click()
    page.wait_for_load_state()
    expect(page.locator("#signed")).to_contain_text("刘医生")
    expect(page.locator("#signed")).to_contain_text("继续观察，下周复诊。")
    expect(page.get_by_role("button", name="签字并存档")).to_have_count(0)
    page.screenshot(path=shots / "week-signed.png", full_page=True)
    page.goto(f"{own_house.address}/doctor")
    row = page.locator("tr", has_text="王建国")
    expect(row).to_contain_text(f"{seed.DUE_WEEK} 已签")
    context.close()


def test_a_doctor_accepts_a_proposal_and_the_patient_puts_it_back(
    browser: Browser, own_house: House, shots: Path
) -> None:
    father = own_house.clinic.patients["王建国"]
    context = browser.new_context()
    page = enter(context, own_house, "doctor")
    page.goto(f"{own_house.address}/doctor/patients/{father}")
    page.get_by_role("button", name="采纳", exact=True).click()
    page.wait_for_load_state()
    expect(page.locator("aside")).to_contain_text("已采纳")
    own = enter(context, own_house, "patient")
    expect(own.locator("main")).to_contain_text("测量安排有变化")
    own.screenshot(path=shots / "patient-changed-plan.png", full_page=True)
    own.get_by_role("button", name="恢复原来的安排").click()
    own.wait_for_load_state()
    expect(own.locator("main")).not_to_contain_text("测量安排有变化")
    context.close()


def test_an_open_page_says_that_the_server_is_lost_and_finds_back_by_itself(
    browser: Browser, own_house: House
) -> None:
    context = browser.new_context()
    page = enter(context, own_house, "family")
    page.evaluate("window.stillTheSame = true")
    expect(page.locator("#offline")).not_to_be_visible()
    own_house.stop.set()
    own_house.thread.join(10)
    expect(page.locator("#offline")).to_be_visible(timeout=10_000)
    mother = own_house.clinic.patients["李秀英"]
    own_house.change(seed.low_glucose, mother)
    port = int(own_house.address.rsplit(":", 1)[1])
    for _ in started(own_house.url, own_house.clinic, port):
        expect(page.locator("#offline")).not_to_be_visible(timeout=15_000)
        # what happened meanwhile is there, and what happens now is heard
        expect(page.locator("li.call")).to_have_count(1)
        father = own_house.clinic.patients["王建国"]
        own_house.change(seed.low_glucose, father)
        expect(page.locator("li.call")).to_have_count(2, timeout=15_000)
        assert page.evaluate("window.stillTheSame") is True
    context.close()


def test_everything_works_without_script(browser: Browser, own_house: House) -> None:
    father, mother = own_house.clinic.patients["王建国"], own_house.clinic.patients["李秀英"]
    own_house.change(seed.low_glucose, mother)
    context = browser.new_context(java_script_enabled=False)
    page = enter(context, own_house, "family")
    page.locator("li.call").get_by_role("button").first.click()
    expect(page.locator("main")).to_contain_text("王小明 已接手")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("How your family is")
    page = enter_in_english(context, own_house, "doctor")
    page.goto(f"{own_house.address}/doctor/patients/{father}/weeks/{seed.DUE_WEEK}")
    page.get_by_role("button", name="Sign and archive").click()
    expect(page.locator("#signed")).to_contain_text("刘医生")
    page = enter_in_english(context, own_house, "patient")
    expect(page.locator("h1")).to_have_text("Hello, 王建国")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Please come in by your own link")
    context.close()


def enter_in_english(context: BrowserContext, house: House, who: str) -> Page:
    page = context.new_page()
    page.goto(house.link(who))
    page.get_by_role("button", name="Come in").click()
    page.wait_for_load_state()
    return page
