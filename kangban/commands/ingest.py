"""`kangban ingest …`: takes measurements in; looks at what was refused, and counts again."""

import json
import logging
from typing import Annotated

import typer

from kangban.commands import process
from vitals.kinds import KIND_OF_CODE
from vitals.units import UNIT_OF_CODE

log = logging.getLogger(__name__)

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
