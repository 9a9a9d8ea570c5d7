"""`kangban ingest …`: takes measurements in; and looks at what was refused."""

import json
from typing import Annotated

import typer

from kangban.commands import process

app = typer.Typer(
    help="Take measurements in from the gateways; without more words: until stopped.",
    invoke_without_command=True,
)


@app.callback()
def run(context: typer.Context) -> None:
    """Take measurements in from the gateways, until stopped."""
    if context.invoked_subcommand is None:
        process.run("ingest")


@app.command()
def check() -> None:
    """Count every day again and say where the stored sums differ; they never should."""
    from store import measurements
    from store.pool import connect

    with connect(process.database_url()) as connection:
        found = measurements.differences(connection)
        counts = measurements.counts(connection)
    for each in found:
        print(each)
    print(
        f"{counts.measurements} measurements ({counts.unassigned} of nobody yet), "
        f"{counts.rejections} refused, {counts.dead_letters} dead letters; "
        f"{len(found)} days differ from a recount."
    )
    raise typer.Exit(1 if found else 0)


@app.command()
def rejected(
    limit: Annotated[int, typer.Option(help="How many, the newest first.")] = 20,
) -> None:
    """List what was refused, each with all its reasons."""
    from store import measurements
    from store.pool import connect

    with connect(process.database_url()) as connection:
        refused = measurements.rejections(connection, limit=limit)
        dead = measurements.dead_letters(connection, limit=limit)
    for each in refused:
        print(f"{each.received_at:%Y-%m-%d %H:%M} {each.gateway}: {'; '.join(each.reasons)}")
        print(f"    {json.dumps(each.document, ensure_ascii=False)[:200]}")
    for letter in dead:
        print(f"{letter.received_at:%Y-%m-%d %H:%M} {letter.topic}: {'; '.join(letter.reasons)}")
        print(f"    {len(letter.payload)} bytes: {letter.payload[:60]!r}")
    if not refused and not dead:
        print("Nothing was refused.")
