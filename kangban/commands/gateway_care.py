"""`kangban gateway enrol` and `doctor`: a box joins a home, and says what it lacks.

May hold: these two commands. May not: certificates (`gateway_agent/enrol.py`), judgement
(`gateway_agent/doctor.py`).
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Puts the commands into the group of `kangban gateway`."""
    app.command()(enrol)
    app.command()(doctor)


def remember() -> None:
    """Lets an enrolled gateway find its settings in its data folder."""
    from gateway_agent.enrolled import remembered

    os.environ.update(remembered(os.environ))


def enrol(
    server: Annotated[str, typer.Argument(help="Address of the pages: https://care.example.org")],
    code: Annotated[str, typer.Argument(help="The code that the page shows.")],
    name: Annotated[
        str, typer.Option(help="What this gateway is called; one is made up when left out.")
    ] = "",
    authority: Annotated[
        Path | None,
        typer.Option(help="PEM file by which to know the pages, where the system does not."),
    ] = None,
) -> None:
    """Join this box to a home: makes its key, asks for its certificate, remembers both."""
    from gateway_agent.agent import software
    from gateway_agent.enrol import Server
    from gateway_agent.enrol import enrol as ask
    from gateway_agent.enrolled import data_folder

    folder = data_folder(os.environ)
    where = Server(url=server, authority=authority)
    enrolled = ask(where, code, folder=folder, name=name, software=software())
    print(f"This gateway is {enrolled.name}. Its key and settings are in {folder}.")
    print("Start it with `kangban gateway run`; the page then shows it within a minute.")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Look for what keeps this gateway from working, and say how to mend it (exit 1 if so)."""
    from gateway_agent.doctor import examine
    from gateway_agent.examination import gather

    remember()
    problems = examine(gather(os.environ))
    if as_json:
        print(json.dumps([asdict(each) for each in problems], ensure_ascii=False, indent=2))
    else:
        is_chinese = os.environ.get("LC_ALL", os.environ.get("LANG", "")).lower().startswith("zh")
        for each in problems:
            said = each.zh if is_chinese else each.en
            print(f"- {said.problem}\n  → {said.remedy}")
        if not problems:
            print("没有发现问题。" if is_chinese else "Nothing is wrong here.")
    raise typer.Exit(1 if problems else 0)
