"""`kangban rules …`: judges what was measured; and reads the packs of rules."""

from pathlib import Path
from typing import Annotated

import typer

from kangban.commands import process

app = typer.Typer(
    help="Judge what was measured, by packs of rules; without more words: until stopped.",
    invoke_without_command=True,
)


@app.callback()
def run(context: typer.Context) -> None:
    """Judge what was measured, until stopped."""
    if context.invoked_subcommand is None:
        process.run("rules")


@app.command()
def check(
    packs: Annotated[
        list[Path] | None, typer.Argument(help="Files to read; those that ship when left out.")
    ] = None,
) -> None:
    """Read packs of rules and say, with file, line and reason, what is wrong in them."""
    from rules.pack import problems, standard_packs
    from vitals.errors import MendData

    if not packs:
        shipped = standard_packs()
        variants = [pack.international for pack in shipped if pack.international]
        for pack in [*shipped, *variants]:
            print(f"{pack.id} {pack.version}: {len(pack.rules)} rules, {pack.review_status}")
        return
    found: list[str] = []
    for path in packs:
        try:
            found += problems(path.read_text(encoding="utf-8"), name=path.name)
        except OSError as error:
            raise MendData(f"{path} cannot be read: {error}") from error
    print("\n".join(found) or "Nothing is wrong.")
    raise typer.Exit(1 if found else 0)


@app.command()
def document() -> None:
    """Write docs/rules.md, every rule with its source, from the packs that ship."""
    from rules.document import document as page

    path = Path("docs/rules.md")
    path.write_text(page(), encoding="utf-8")
    print(f"{path} is written.")
