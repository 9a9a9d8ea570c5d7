"""`kangban ingest …`: takes measurements in; and looks at what was kept apart."""

import typer

from kangban.commands import process, quarantine, refused

app = typer.Typer(
    help="Take measurements in from the gateways; without more words: until stopped.",
    invoke_without_command=True,
)
app.add_typer(refused.app, name="rejected")
app.add_typer(quarantine.app, name="quarantine")


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
        f"{counts.quarantined} in quarantine, {counts.rejections} refused, "
        f"{counts.dead_letters} dead letters; "
        f"{len(found)} days differ from a recount."
    )
    raise typer.Exit(1 if found else 0)
