"""The front door: one command line, `kangban`, for people and for process supervisors.

Help texts are written for a nurse's nephew: what it does, in one sentence, without jargon. Errors
of the house are printed as their sentence and end with 1; a stack trace goes to nobody's face (set
KANGBAN_TRACE=1 to see it). May hold: the list of commands. May not: work of its own; the groups
stand in `kangban/commands/`.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kangban.commands import (
    backup,
    gateway,
    ingest,
    keep,
    metrics,
    people,
    process,
    report,
    rules,
    simulate,
)
from vitals.errors import KangbanError

app = typer.Typer(
    name="kangban",
    help="Kangban (康伴): from the blood-pressure cuff at home to the doctor's signed page.\n\n"
    "New here? Type `kangban demo` and open the links that it prints.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(ingest.app, name="ingest")
app.add_typer(rules.app, name="rules")
app.add_typer(gateway.app, name="gateway")
app.add_typer(simulate.app, name="simulate")
app.add_typer(metrics.app, name="metrics")
app.add_typer(people.app, name="people")
app.add_typer(keep.app, name="keep")
app.command("report")(report.report)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)

Data = Annotated[
    Path | None,
    typer.Option(help="Folder for database and broker; ~/.local/share/kangban when left out."),
]


@app.command()
def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the demo; ~/.local/share/kangban/demo when left out."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the last demo first.")] = False,
    port: Annotated[int, typer.Option(help="Port of the pages; 0 takes any free one.")] = 8765,
    check: Annotated[
        bool,
        typer.Option("--check", help="Play it without a person and print the figures as JSON."),
    ] = False,
) -> None:
    """Show the whole system with simulated people; nothing to install, no hardware."""
    from kangban.demo import demo as play

    raise typer.Exit(play(data=data, fresh=fresh, port=port, check=check))


@app.command()
def serve(
    data: Data = None,
    port: Annotated[int, typer.Option(help="Port of the pages.")] = 8765,
) -> None:
    """Run the whole server for a household or a small clinic, until Ctrl-C.

    Brings its own database and broker unless KANGBAN_DATABASE_URL and KANGBAN_MQTT_URL are set.
    """
    from kangban.serve import serve as run

    run(data=data, port=port)


@app.command()
def migrate() -> None:
    """Bring the database (KANGBAN_DATABASE_URL) to this version; safe to repeat."""
    process.migrate()


@app.command()
def plans() -> None:
    """Run the care plans: reminders and proposals, until stopped."""
    process.run("care_plans")


@app.command()
def notify() -> None:
    """Run the messenger: tells people what is due, until stopped."""
    process.run("notify")


@app.command()
def api() -> None:
    """Run the web pages and the JSON interface, until stopped."""
    process.run("api")


@app.command()
def healthy(
    name: Annotated[str, typer.Argument(help="ingest, rules, plans, notify, keep or api")],
) -> None:
    """Say whether a server process works (exit 0) or not (exit 1); for health checks."""
    raise typer.Exit(0 if process.is_healthy(name) else 1)


def main() -> None:
    """Runs the command line; errors of the house become one sentence on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        app()
    except KangbanError as error:
        if os.environ.get("KANGBAN_TRACE"):
            raise
        print(f"kangban: {error}", file=sys.stderr)
        raise SystemExit(1) from None
