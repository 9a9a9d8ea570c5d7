"""The reference pages that are made from the code: vitals, settings, reasons, commands.

`python -m kangban.document` writes `docs/reference.md`; a test says when it is out of date. May
hold: the writing of tables. May not: any fact of its own.
"""

import importlib
from pathlib import Path
from typing import Any

import typer

from ingest.reason import MEANING, QUARANTINED
from kangban.commands.process import SETTINGS
from vitals.kinds import VITALS
from vitals.settings import describe
from vitals.units import UNIT_TEXT

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"

_HEAD = """\
# Reference

Made from the code by `python -m kangban.document`; do not edit.
"""


def vitals_table() -> str:
    """Every vital with its codes and what is plausible, one row for each unit."""
    rows = [
        "| name | 中文 | English | unit | decimals | plausible | LOINC | MDC |",
        "|" + "---|" * 8,
    ]
    for vital in VITALS.values():
        for scale in vital.scales:
            rows.append(
                f"| `{vital.kind}` | {vital.zh} | {vital.en} | {UNIT_TEXT[scale.unit]} "
                f"(`{scale.unit}`) | {scale.decimals} | {scale.low:g}–{scale.high:g} "
                f"| {scale.loinc} | {vital.mdc or '—'} |"
            )
    return "\n".join(rows)


def settings_tables() -> str:
    """The environment variables of each process."""
    parts = []
    for package, name in SETTINGS.items():
        settings = getattr(importlib.import_module(f"{package}.config"), name)
        rows = [f"### {package}", "", "| variable | meaning | default |", "|---|---|---|"]
        rows += [
            f"| `{variable}` | {meaning} | {default or 'empty'} |"
            for variable, meaning, default in describe(settings)
        ]
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def commands_table() -> str:
    """Every command with the sentence of its help."""
    from kangban.command import app

    rows = ["| command | what it does |", "|---|---|"]
    rows += _commands(typer.main.get_command(app), "kangban")
    return "\n".join(rows)


def reasons_table() -> str:
    """Every reason for which something is kept apart: what it means and what to do."""
    rows = ["| reason | meaning | what to do |", "|---|---|---|"]
    for reason, meaning in MEANING.items():
        where = " (quarantine)" if reason in QUARANTINED else ""
        rows.append(f"| `{reason}`{where} | {meaning.text} | {meaning.do} |")
    return "\n".join(rows)


def _commands(command: Any, path: str) -> list[str]:
    # typer brings a click of its own, whose classes it does not publish
    sentence = " ".join((command.help or "").split("\n\n")[0].split())
    rows = [f"| `{path}` | {sentence} |"]
    for name, each in sorted(getattr(command, "commands", {}).items()):
        rows += _commands(each, f"{path} {name}")
    return rows


def page() -> str:
    """The whole of `docs/reference.md`."""
    return "\n".join(
        [
            _HEAD,
            "## Vitals",
            "",
            "*Plausible* is what a working device could say; outside of it a value waits in "
            "quarantine until a person releases or discards it.",
            "",
            vitals_table(),
            "",
            "## Settings",
            "",
            "Each variable may also be given as `NAME_FILE`, the path of a file that holds the "
            "value.",
            "",
            settings_tables(),
            "",
            "## Reasons",
            "",
            "What could not be taken in is kept with a word for why: `kangban ingest rejected` and "
            "`kangban ingest quarantine` list, explain and settle it.",
            "",
            reasons_table(),
            "",
            "## Commands",
            "",
            commands_table(),
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
