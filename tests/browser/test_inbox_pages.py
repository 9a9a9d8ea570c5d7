"""Saying whose a reading is, in a real browser: seen, reached, pressed, taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from store import people
from tests import seed, unnamed
from tests.browser.test_pages import (
    LOCALES,
    SIZES,
    TARGETS,
    TEXTS,
    House,
    browser,
    enter,
    faults,
    is_wider_than_its_window,
    open_page,
    playwright,
    shots,
    signed_in,
    started,
)

__all__ = ["browser", "playwright", "shots"]


def furnished(url: str) -> Iterator[House]:
    """The seeded clinic with readings that wait in the home of the Wangs."""
    with psycopg.connect(url) as connection:
        clinic = seed.clinic(connection, extra=1)
        unnamed.wait(connection, clinic)
    yield from started(url, clinic)


@pytest.fixture(scope="module")
def house(_servers: Any) -> Iterator[House]:
    """For tests that only look."""
    server = _servers.of("embedded")
    yield from furnished(server.create_database("inbox_pages", template="migrated"))
    server.drop_database("inbox_pages")


@pytest.fixture
def own_house(embedded_url: str) -> Iterator[House]:
    """For tests that press."""
    yield from furnished(embedded_url)


@pytest.fixture(scope="module")
def cookies(house: House, browser: Browser) -> dict[str, Any]:
    return signed_in(house, browser, ("patient", "nobody", "family"))


def cuff_of(house: House) -> int:
    with psycopg.connect(house.url) as connection:
        return people.ensure_devices(connection, [unnamed.CUFF])[unnamed.CUFF]


def path_of(house: House, name: str) -> tuple[str, str]:
    """(whose session, path)"""
    mother = house.clinic.patients["李秀英"]
    return {
        "inbox": ("family", "/family/inbox"),
        "inbox-of-one": ("family", f"/family/patients/{mother}/inbox"),
        "inbox-own": ("patient", "/patient/inbox"),
        "inbox-empty": ("nobody", "/patient/inbox"),
        "device-users": ("family", f"/family/patients/{mother}/devices/{cuff_of(house)}/users"),
        "family-badge": ("family", "/family"),
        "patient-badge": ("patient", "/patient"),
    }[name]


PAGES = ["inbox", "inbox-of-one", "inbox-own", "inbox-empty", "device-users", "family-badge",
         "patient-badge"]  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_fits_and_is_accessible(
    browser: Browser,
    house: House,
    cookies: dict[str, Any],
    shots: Path,
    name: str,
    size: str,
    locale: str,
) -> None:
    who, path = path_of(house, name)
    context, watched = open_page(
        browser, house, cookies[who], path, locale=locale, viewport=SIZES[size]
    )
    watched.page.screenshot(path=shots / f"{name}-{size}-{locale}.png", full_page=True)
    assert watched.problems == []
    assert watched.hosts == {house.address.removeprefix("http://")}
    assert not is_wider_than_its_window(watched.page)
    if locale == "zh-CN":
        assert faults(watched.page) == []
    context.close()


@pytest.mark.parametrize("name", ["inbox", "device-users", "inbox-own"])
def test_a_page_keeps_its_contrast_in_the_dark_and_reflows_when_zoomed(
    browser: Browser, house: House, cookies: dict[str, Any], shots: Path, name: str
) -> None:
    who, path = path_of(house, name)
    # WCAG 2.2, 1.4.10: 320 CSS px, which is 1280 at 400 %
    narrow = {"width": 320, "height": 640}
    context, watched = open_page(
        browser, house, cookies[who], path, viewport=narrow, color_scheme="dark"
    )
    watched.page.screenshot(path=shots / f"{name}-dark.png", full_page=True)
    assert faults(watched.page) == []
    assert not is_wider_than_its_window(watched.page)
    context.close()


@pytest.mark.parametrize("name", ["inbox", "device-users"])
def test_targets_are_forty_four_pixels_high(
    browser: Browser, house: House, cookies: dict[str, Any], name: str
) -> None:
    who, path = path_of(house, name)
    context, watched = open_page(browser, house, cookies[who], path, viewport=SIZES["phone"])
    assert [each for each in watched.page.evaluate(TARGETS) if each["height"] < 44] == []
    selects = watched.page.locator("select").all()
    assert all((box := each.bounding_box()) and box["height"] >= 44 for each in selects)
    context.close()


def test_the_own_inbox_keeps_the_numbers_for_elders(
    browser: Browser, house: House, cookies: dict[str, Any]
) -> None:
    # MIIT elder mode: text >= 18, line height >= 1.3, main targets >= 60 x 60; contrast is axe's
    who, path = path_of(house, "inbox-own")
    context, watched = open_page(browser, house, cookies[who], path, viewport=SIZES["phone"])
    texts = watched.page.evaluate(TEXTS)
    assert len(texts) > 20
    assert [each for each in texts if each["size"] < 18] == []
    assert [each for each in texts if each["line"] < 1.299] == []
    targets = watched.page.evaluate(TARGETS)
    assert [each for each in targets if each["height"] < 60 or each["width"] < 60] == []
    context.close()


# -- pressing --------------------------------------------------------------------------------------


@pytest.fixture
def family(browser: Browser, own_house: House) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES["phone"])
    page = enter(context, own_house, "family")
    yield page
    context.close()


def test_the_family_gives_a_reading_to_the_likeliest_and_takes_it_back(
    family: Page, shots: Path
) -> None:
    expect(family.locator("main")).to_contain_text("5 次测量还不知道是谁的")
    family.get_by_role("link", name="去认领").click()
    first = family.locator("ul.waiting > li").first
    expect(first).to_contain_text("很可能是李秀英的")
    expect(first).to_contain_text("李秀英通常早上 7 点量，收缩压约")
    first.locator("button.main").click()
    expect(family.get_by_role("status").first).to_have_text("已经记下。")
    expect(family.locator("ul.waiting > li")).to_have_count(4)
    family.screenshot(path=shots / "inbox-given.png", full_page=True)
    family.get_by_role("button", name="撤销").click()
    expect(family.locator("ul.waiting > li")).to_have_count(5)
    expect(family.get_by_role("status").first).to_have_text("已经撤销。")


def test_a_crisis_is_not_named_and_a_guest_s_reading_goes_away(family: Page) -> None:
    family.get_by_role("link", name="去认领").click()
    crisis = family.locator("ul.waiting > li").nth(3)
    expect(crisis).to_contain_text("205/118")
    expect(crisis).to_contain_text("和家里人平时的数值都不太像")
    expect(crisis.locator("button.main")).to_have_count(0)
    crisis.get_by_role("button", name="是客人量的").click()
    expect(family.locator("ul.waiting > li")).to_have_count(4)
    expect(family.locator("main")).not_to_contain_text("205/118")


def test_from_now_on_a_number_is_somebody(family: Page) -> None:
    family.get_by_role("link", name="去认领").click()
    first = family.locator("ul.waiting > li").first
    first.locator("summary").click()
    first.get_by_role("button", name="以后用户号 2 都是李秀英的").click()
    expect(family.locator("ul.said")).to_contain_text("用户号 2 以后都是李秀英的")
    expect(family.locator("ul.waiting > li")).to_have_count(4)


def test_of_two_at_once_the_second_is_told(
    family: Page, own_house: House, browser: Browser
) -> None:
    family.get_by_role("link", name="去认领").click()
    other = family.context.new_page()
    other.goto(own_house.address + "/family/inbox")
    family.locator("ul.waiting > li").first.locator("button.main").click()
    other.locator("ul.waiting > li").first.get_by_role(
        "button", name="是王建国的", exact=True
    ).click()
    expect(other.get_by_role("status").first).to_contain_text("已经有人先处理了")
    expect(other.locator("ul.said")).to_contain_text("李秀英")


def test_the_users_of_a_cuff_are_chosen_by_their_last_values(
    family: Page, own_house: House, shots: Path
) -> None:
    family.get_by_role("link", name="去认领").click()
    family.get_by_role("link", name="谁在用这个设备").first.click()
    family.get_by_label("用户号 1", exact=True).select_option(label="王建国")
    family.get_by_label("用户号 2", exact=True).select_option(label="李秀英")
    family.get_by_label("没有用户号的测量").select_option(label="我们几个人一起用，每次问")
    family.get_by_role("button", name="保存").click()
    expect(family.get_by_role("status").first).to_have_text("已经保存。")
    expect(family.get_by_label("用户号 2", exact=True).locator("option:checked")).to_have_text(
        "李秀英"
    )
    family.screenshot(path=shots / "device-users-saved.png", full_page=True)
    family.get_by_role("link", name="回到等待认领的测量").click()
    # without a number, the unsure one, and the scale's
    expect(family.locator("ul.waiting > li")).to_have_count(3)
    expect(family.locator("ul.said > li")).to_have_count(2)


def test_a_patient_claims_the_own_reading(browser: Browser, own_house: House) -> None:
    context: BrowserContext = browser.new_context(viewport=SIZES["phone"])
    page = enter(context, own_house, "patient")
    page.get_by_role("link", name="去认领").click()
    expect(page.get_by_role("button", name="是我量的").first).to_be_visible()
    expect(page.get_by_role("button", name="是客人量的")).to_have_count(0)
    page.get_by_role("button", name="是我量的").first.click()
    expect(page.get_by_role("status").first).to_have_text("已经记下。")
    expect(page.locator("ul.waiting > li")).to_have_count(4)
    context.close()
