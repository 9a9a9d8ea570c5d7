"""`kangban keep …`: how long raw readings stay, and how the database keeps them."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from kangban.commands import process

app = typer.Typer(
    help="Keep the database in order: once a day; without more words: until stopped.",
    invoke_without_command=True,
)

AlsoWaiting = Annotated[
    bool,
    typer.Option("--also-waiting", help="Remove old readings that still wait for a name, too."),
]


@app.callback()
def run(context: typer.Context) -> None:
    """Keep the database in order, once a day, until stopped (see docs/keeping.md)."""
    if context.invoked_subcommand is None:
        process.run("kangban.keeping")


@app.command()
def plan(also_waiting: AlsoWaiting = False) -> None:
    """Say what the next day's work would do; nothing is changed."""
    from kangban.keeping import work
    from kangban.keeping.config import KeepingSettings
    from store.pool import connect
    from vitals.settings import read

    settings = read(KeepingSettings, os.environ)
    with connect(settings.database_url) as connection:
        found = work.plan(connection, settings, now=datetime.now(UTC), also_waiting=also_waiting)
    print("\n".join(work.in_words(found)))


@app.command()
def now(also_waiting: AlsoWaiting = False) -> None:
    """Do the day's work at once and say what was done."""
    from kangban.keeping import work
    from kangban.keeping.config import KeepingSettings
    from vitals.errors import TryAgain
    from vitals.settings import read

    settings = read(KeepingSettings, os.environ)
    done = work.keep_once(settings, now=datetime.now(UTC), also_waiting=also_waiting)
    if done is None:
        raise TryAgain("Somebody else does this work just now: look again in a while.")
    print("\n".join(work.in_words(done.plan)))
    print(f"Done: {done.removed.rows} readings removed, {done.compressed} chunks compressed.")
