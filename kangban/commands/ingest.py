"""`kangban ingest …`: takes measurements in; looks at what was kept apart, and counts again."""

import logging
from typing import Annotated

import typer

from kangban.commands import process, quarantine, refused
from vitals.kinds import KIND_OF_CODE
from vitals.units import UNIT_OF_CODE

log = logging.getLogger(__name__)

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


@app.command()
def recount(
    patient: Annotated[
        int | None, typer.Option(help="Number of one patient; all when left out.")
    ] = None,
) -> None:
    """Count days again, mend those whose stored sums differ, and say which they were."""
    from store import measurements
    from store.pool import connect
    from store.recount import recount_patient

    with connect(process.database_url(), autocommit=True) as connection:
        wrong = {each.patient_id for each in measurements.differences(connection, patient)}
        mended = []
        for each in sorted(wrong):
            # a transaction for each patient: loads wait for that patient's days alone
            with connection.transaction():
                mended += recount_patient(connection, each)
    for day in mended:
        # into the logs: a wrong day is a mistake of ours, and somebody will want to know of it
        log.warning(
            "Mended: patient %d, %s in %s, %s: had %d readings, has %d.",
            day.patient_id,
            KIND_OF_CODE[day.kind],
            UNIT_OF_CODE[day.unit],
            day.local_day,
            day.had,
            day.has,
        )
    print(f"Days mended: {len(mended)}." if mended else "Every day says what a recount says.")
