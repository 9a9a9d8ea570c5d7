"""Saying whether a reading is real, in a real browser: seen, reached, pressed, taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests import doubted, seed
from tests.browser.test_pages import (
    LOCALES,
    SIZES,
    TARGETS,
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

PAGES = {
    "quarantine": ("family", "/family/quarantine"),
    "quarantine-doctor": ("doctor", "/doctor/quarantine"),
    "quarantine-badge": ("family", "/family"),
    "quarantine-badge-doctor": ("doctor", "/doctor"),
}


def furnished(url: str) -> Iterator[House]:
    """The seeded clinic with readings that nobody believes."""
    with psycopg.connect(url) as connection:
        clinic = seed.clinic(connection, extra=1)
        doubted.fill(connection, clinic)
    yield from started(url, clinic)


@pytest.fixture(scope="module")
def house(_servers: Any) -> Iterator[House]:
    """For tests that only look."""
    server = _servers.of("embedded")
    yield from furnished(server.create_database("quarantine_pages", template="migrated"))
    server.drop_database("quarantine_pages")


@pytest.fixture
def own_house(embedded_url: str) -> Iterator[House]:
    """For tests that press."""
    yield from furnished(embedded_url)


@pytest.fixture(scope="module")
def cookies(house: House, browser: Browser) -> dict[str, Any]:
    return signed_in(house, browser, ("doctor", "family"))


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
    who, path = PAGES[name]
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


def test_it_keeps_its_contrast_in_the_dark_and_reflows_when_zoomed(
    browser: Browser, house: House, cookies: dict[str, Any], shots: Path
) -> None:
    # WCAG 2.2, 1.4.10: 320 CSS px, which is 1280 at 400 %
    narrow = {"width": 320, "height": 640}
    context, watched = open_page(
        browser, house, cookies["family"], "/family/quarantine", viewport=narrow,
        color_scheme="dark",
    )  # fmt: skip
    watched.page.screenshot(path=shots / "quarantine-dark.png", full_page=True)
    assert faults(watched.page) == []
    assert not is_wider_than_its_window(watched.page)
    assert [each for each in watched.page.evaluate(TARGETS) if each["height"] < 44] == []
    context.close()


# -- pressing --------------------------------------------------------------------------------------


@pytest.fixture
def family(browser: Browser, own_house: House) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES["phone"])
    page = enter(context, own_house, "family")
    yield page
    context.close()


def test_the_family_says_that_a_reading_is_real(family: Page, shots: Path) -> None:
    expect(family.locator("main")).to_contain_text("3 次测量不像真的")
    family.get_by_role("link", name="去确认").click()
    one = family.locator("ul.waiting > li").filter(has_text="310/190")
    expect(one).to_contain_text("王建国")
    expect(one).to_contain_text("今天 07:06")
    one.get_by_role("button", name="是真的，记下来").click()
    expect(family.get_by_role("status").first).to_contain_text("正在记入")
    expect(family.locator("ul.waiting > li")).to_have_count(2)
    expect(family.locator("ul.said")).to_contain_text("王建国 今天 07:06 的测量：是真的（王小明")
    family.screenshot(path=shots / "quarantine-released.png", full_page=True)


def test_a_reading_that_was_discarded_is_real_after_all(family: Page) -> None:
    family.get_by_role("link", name="去确认").click()
    family.locator("ul.waiting > li").filter(has_text="80/120").get_by_role(
        "button", name="不是真的，不要"
    ).click()
    expect(family.locator("ul.waiting > li")).to_have_count(2)
    family.get_by_role("button", name="还是真的").click()
    expect(family.locator("ul.said > li")).to_have_count(1)
    expect(family.locator("ul.said")).to_contain_text("还不知道是谁的")
    expect(family.get_by_role("button", name="还是真的")).to_have_count(0)


def test_of_two_at_once_the_second_is_told(family: Page, own_house: House) -> None:
    family.get_by_role("link", name="去确认").click()
    other = family.context.new_page()
    other.goto(own_house.address + "/family/quarantine")
    first = "ul.waiting > li:first-child"
    family.locator(first).get_by_role("button", name="是真的，记下来").click()
    other.locator(first).get_by_role("button", name="不是真的，不要").click()
    expect(other.get_by_role("status").first).to_contain_text("已经有人先确认了")
