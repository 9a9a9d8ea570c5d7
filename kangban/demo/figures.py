"""The figures of a demo that plays by itself: what was sent, stored, lost, doubled, and how fast.

`sent` is counted by the devices themselves, when a measurement leaves by radio. What is doubled is
seen without trust in our own identities: two rows that say the same of the same device and moment.
May hold: counting and timing. May not: the playing.
"""

import asyncio
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar

from kangban.demo.play import Play
from store import demo, measurements
from store.pool import connect

# seconds; the bound from the radio to the alert
ALERT_BOUND_S = 3.0
# seconds until something that should appear is given up
_PATIENCE_S = 60.0
# seconds between two looks; it adds at most this to a figure
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database holds."""

    rows: int
    distinct: int
    rejected: int


def stored(url: str) -> Stored:
    """What the database holds now."""
    with connect(url) as connection:
        counts = measurements.counts(connection)
        return Stored(
            rows=counts.measurements,
            distinct=demo.distinct_measurements(connection),
            rejected=counts.rejections + counts.quarantined + counts.dead_letters,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Seconds from the radio until the low glucose was stored, an alert, and on the page."""

    stored_s: float | None
    alert_s: float | None
    family_page_s: float | None


async def live(play: Play, *, url: str, mother: int, page: "Page") -> Live:
    """Measures a low glucose and follows it to the family's page; None for what never came."""
    begin = datetime.now(UTC)
    left_at = await play.measure_low()
    with connect(url, autocommit=True) as connection:
        stored_at = await _until(
            lambda: demo.is_stored_since(connection, device=play.mothers_meter, since=begin)
        )
        alert_at = await _until(
            lambda: demo.low_glucose_alert(connection, patient_id=mother, since=begin) is not None
        )
        number = demo.low_glucose_alert(connection, patient_id=mother, since=begin)
    page_at = None
    if number is not None:
        page_at = await _until(lambda: f'id="alert-{number}"' in page.text())
    return Live(
        stored_s=_seconds(left_at, stored_at),
        alert_s=_seconds(left_at, alert_at),
        family_page_s=_seconds(left_at, page_at),
    )


async def judged(url: str) -> None:
    """Returns when the rules have seen everything that was stored, or patience is at its end."""
    with connect(url, autocommit=True) as connection:
        await _until(lambda: demo.waiting_for_judgement(connection) == 0)


class Page:
    """A person's own page, opened by their one-time link as a browser does."""

    def __init__(self, link: str) -> None:
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with self._browser.open(link, data=b"") as answer:
            self._address: str = answer.geturl()

    def text(self) -> str:
        """The page as it is now."""
        with self._browser.open(self._address) as answer:
            return str(answer.read().decode("utf-8"))


def wait_for_pages(address: str) -> None:
    """Returns when the pages answer. Raises TimeoutError when they do not within a minute."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise TimeoutError(f"{address} does not answer: {error}") from error
            time.sleep(0.05)


async def _until(is_so: Callable[[], bool]) -> datetime | None:
    """The moment at which it was so; None when it never was."""
    end = time.monotonic() + _PATIENCE_S
    while not await asyncio.to_thread(is_so):
        if time.monotonic() > end:
            return None
        await asyncio.sleep(_LOOK_S)
    return datetime.now(UTC)


def _seconds(since: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else round(max(0.0, (moment - since).total_seconds()), 3)
