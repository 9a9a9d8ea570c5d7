"""`kangban demo`: starts everything, plays the story, prints three links, and lives on.

Ctrl-C stops everything that it started. With `check` it plays the same without a person and prints
its figures as the last line. May hold: what a person sees in the terminal. May not: the playing.
"""

import asyncio
import json
import logging
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from api.doors import make_link
from kangban.demo import cast, figures
from kangban.demo.figures import ALERT_BOUND_S, Live, Page
from kangban.demo.memory import Memory, claim, recall
from kangban.demo.play import HISTORY, LOW_GLUCOSE, Play
from kangban.serve import HOME, Servants, folder, services
from simulator.panel import HouseholdPlan, panel
from store.pool import connect

log = logging.getLogger(__name__)

# seconds after the links until the low glucose, time enough to open one of them
_BEFORE_LOW_S = 30.0
# seconds until the value after sugar
_BEFORE_RECOVERY_S = 90.0


def demo(*, data: Path | None, fresh: bool, port: int, check: bool) -> int:
    """Plays the demo; 0, or 1 when a check found something lost, doubled or late."""
    began = time.monotonic()
    home = folder(data or HOME / "demo")
    claim(home, fresh=fresh)
    _log_to(home / "logs")
    signal.signal(signal.SIGTERM, _stop_like_ctrl_c)
    now = datetime.now(UTC)
    memory = recall(home) or Memory(begins=now - HISTORY, told_until=now - HISTORY)
    plans = panel(memory.begins.date())
    port = port or _free_port()
    console = Console(stderr=check)
    console.print("[bold]康伴 Kangban[/bold] — starting database, broker and server …")
    try:
        with services(home, given={}) as environ:
            people = _cast(environ["KANGBAN_DATABASE_URL"], plans, memory=memory, now=now)
            environ |= {"KANGBAN_API_PORT": str(port), "KANGBAN_API_HOST": "127.0.0.1"}
            with Servants(environ, logs=home / "logs"):
                show = Show(environ, home, people, f"http://127.0.0.1:{port}", console)
                figures.wait_for_pages(show.address)
                first_page_s = round(time.monotonic() - began, 1)

                async def play() -> int:
                    _stop_once()
                    # virtual radios belong to the loop that they are made in
                    all_homes = Play(
                        plans, memory=memory, mqtt_url=environ["KANGBAN_MQTT_URL"], folder=home
                    )
                    if check:
                        return await show.check(all_homes, first_page_s=first_page_s)
                    return await show.live(all_homes)

                try:
                    return asyncio.run(play())
                finally:
                    console.print("Stopping …")
                    _ignore_signals()
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0


class Show:
    """What a person sees of the demo."""

    def __init__(
        self, environ: dict[str, str], home: Path, people: cast.Cast, address: str, console: Console
    ) -> None:
        self.address = address
        self._url = environ["KANGBAN_DATABASE_URL"]
        self._home, self._people, self._console = home, people, console

    async def live(self, play: Play) -> int:
        """The history, the links, then life until Ctrl-C."""
        try:
            await self._tell(play)
            self._print_links()
            play.go_live()
            noting = asyncio.create_task(play.note_while_living())
            try:
                await self._low_glucose(play)
                self._console.print("The household lives on. Ctrl-C stops everything.")
                await asyncio.Event().wait()
                return 0
            finally:
                noting.cancel()
                await asyncio.gather(noting, return_exceptions=True)
        finally:
            await play.stop()

    async def check(self, play: Play, *, first_page_s: float) -> int:
        """The same without a person; the figures as the last line of standard output."""
        before = figures.stored(self._url)
        try:
            await self._tell(play)
            page = Page(self._link(self._people.family_account))
            await figures.judged(self._url)
            play.go_live()
            live = await figures.live(play, url=self._url, mother=self._people.mother, page=page)
            await asyncio.gather(*(each.drain() for each in play.households))
            sent = play.handed_over
        finally:
            await play.stop()
        after = figures.stored(self._url)
        lost = max(0, sent - (after.distinct - before.distinct))
        doubled = (after.rows - after.distinct) - (before.rows - before.distinct)
        print(
            json.dumps(
                {
                    "sent": sent,
                    "stored": after.rows - before.rows,
                    "lost": lost,
                    "doubled": doubled,
                    "rejected": after.rejected - before.rejected,
                    "first_page_s": first_page_s,
                    "live": {
                        "stored_s": live.stored_s,
                        "alert_s": live.alert_s,
                        "family_page_s": live.family_page_s,
                    },
                }
            ),
            flush=True,
        )
        return 1 if lost or doubled or _is_late(live) else 0

    async def _tell(self, play: Play) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
        )
        await play.start()
        with Progress(*columns, console=self._console) as progress:
            bar = progress.add_task("Readings travel: devices → gateways → broker → database")
            await play.tell(lambda done, of: progress.update(bar, completed=done, total=of))
        if play.handed_over == 0:
            self._console.print("The history is here already, from the last time.")
            return
        self._console.print(
            f"{play.handed_over:,} measurements left the devices by radio and arrived."
        )

    def _print_links(self) -> None:
        who = (
            ("patient · 患者", "李秀英, the mother", self._people.patient_account),
            ("family  · 家人", "王芳, the daughter far away", self._people.family_account),
            ("doctor  · 医生", "陈医生, with fifteen patients", self._people.doctor_account),
        )
        self._console.print("\nOpen these (each link works once):\n")
        for role, name, account in who:
            self._console.print(f"  {role}  {name}")
            # a link is never broken over two lines: it must stay one click
            print(f"  {self._link(account)}\n", flush=True)

    async def _low_glucose(self, play: Play) -> None:
        self._console.print(
            f"In {_BEFORE_LOW_S:.0f} seconds the mother measures a low glucose "
            f"({LOW_GLUCOSE} mmol/L): watch the family's and the doctor's page."
        )
        await asyncio.sleep(_BEFORE_LOW_S)
        await play.measure_low()
        self._console.print(f"Measured: {LOW_GLUCOSE} mmol/L. She takes sugar and tests again …")
        await asyncio.sleep(_BEFORE_RECOVERY_S)
        await play.measure_recovery()
        self._console.print("Measured: 5.4 mmol/L, she is well again.")

    def _link(self, account_id: int) -> str:
        with connect(self._url) as connection:
            return make_link(
                connection,
                base_url=self.address,
                account_id=account_id,
                now=datetime.now(UTC),
            )


def _cast(
    url: str, plans: tuple[HouseholdPlan, ...], *, memory: Memory, now: datetime
) -> cast.Cast:
    with connect(url) as connection:
        if cast.find(connection) is None:
            cast.enter(connection, plans, begins=memory.begins.date(), now=now)
        found = cast.find(connection)
    assert found is not None
    return found


def _log_to(logs: Path) -> None:
    """What gateways and devices have to say goes beside the servers' logs, not over the bar."""
    logs.mkdir(exist_ok=True)
    logging.basicConfig(
        filename=logs / "gateways.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )


def _is_late(live: Live) -> bool:
    return live.alert_s is None or live.alert_s > ALERT_BOUND_S or live.family_page_s is None


def _free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def _stop_like_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


def _stop_once() -> None:
    """Ctrl-C ends the play in good order; pressing it again does not break that off."""
    loop, playing = asyncio.get_running_loop(), asyncio.current_task()
    assert playing is not None

    def stop() -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)
            loop.add_signal_handler(each, lambda: None)
        playing.cancel()

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop)


def _ignore_signals() -> None:
    """The rest of the stopping takes a second and is not broken off."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
