"""`kangban ingest quarantine …`: what nobody believes, released or discarded from a shell.

The family and the doctor do the same on their pages; this is for whoever runs the server and was
told on the telephone. May hold: these commands. May not: SQL (`store/quarantine.py`), loading: the
running ingest loads what was released.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kangban.commands.process import database_url
from kangban.commands.refused import AsJson, safe
from vitals.errors import MendData

if TYPE_CHECKING:
    from store.quarantine import Decision

app = typer.Typer(
    help="List the measurements that nobody believes; they wait to be released or discarded.",
    invoke_without_command=True,
)

Ids = Annotated[list[int], typer.Argument(help="Numbers as the list names them.")]
Why = Annotated[str, typer.Option("--because", help="Why; it is kept with the decision.")]


@app.callback()
def quarantine(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help="Only this device, ble:…")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was decided before.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what waits for a decision. Shows no values."""
    if context.invoked_subcommand is not None:
        return
    from store import doubt
    from store.pool import connect
    from store.quarantine import State

    with connect(database_url()) as connection:
        lines = doubt.listed(
            connection, state=None if everything else State.WAITING, device=device, limit=limit
        )
    for line in lines:
        if as_json:
            document = {
                "id": line.id,
                "received_at": line.received_at.isoformat(),
                "gateway": line.gateway,
                "device": line.device,
                "kind": line.kind,
                "reasons": line.codes,
                "state": line.state,
            }
            print(json.dumps(document))
        else:
            print(
                f"{line.id:<6} {line.received_at:%Y-%m-%d %H:%M} {line.device} by {line.gateway}, "
                f"{line.kind}: {', '.join(line.codes)} ({line.state})"
            )
    if not lines and not as_json:
        print("Nothing waits.")


@app.command()
def explain(
    number: Annotated[int, typer.Argument(help="Its number, as the list names it.")],
) -> None:
    """Show one whole, with every reason, what to do, and who decided."""
    from ingest.reason import MEANING, Reason
    from store import doubt
    from store.pool import connect

    with connect(database_url()) as connection:
        found = doubt.one(connection, number)
    if found is None:
        raise MendData(f"There is no {number}: `kangban ingest quarantine` lists what there is.")
    whole, deeds = found
    print(f"{number} came {whole.received_at:%Y-%m-%d %H:%M:%S} UTC by {whole.gateway}")
    for reason in whole.reasons:
        print(f"  - {safe(reason)}")
    for code in whole.codes:
        meaning = MEANING[Reason(code)]
        print(f"{code}: {meaning.text}.\n  What to do: {meaning.do}")
    for deed in deeds:
        note = f": {safe(deed.note)}" if deed.note else ""
        print(f"{deed.deed} {deed.at:%Y-%m-%d %H:%M} UTC by {safe(deed.by) or 'a shell'}{note}")
    print(f"It is {whole.state}.")
    print(safe(json.dumps(whole.document, ensure_ascii=False, indent=2)))


@app.command()
def release(numbers: Ids, because: Why) -> None:
    """Say that these are real, each with the rest of its record: ingest loads them, and the rules
    look at them as at any reading."""
    from store.quarantine import Decision

    _decide(numbers, Decision.RELEASE, because)


@app.command()
def discard(numbers: Ids, because: Why) -> None:
    """Say that these are not real: they are kept, and count for nothing."""
    from store.quarantine import Decision

    _decide(numbers, Decision.DISCARD, because)


def _decide(numbers: Iterable[int], decision: "Decision", because: str) -> None:
    from store import quarantine as kept
    from store.assignment import Outcome
    from store.pool import connect

    told = {
        Outcome.DONE: f"{_PAST[decision]} now",
        Outcome.ALREADY: f"was {_PAST[decision]} before",
        Outcome.TOO_LATE: "somebody decided otherwise before, and that stands",
        Outcome.ABSENT: "there is no such one",
    }
    outcomes = []
    for number in numbers:
        with connect(database_url()) as connection:
            outcome = kept.decide(connection, number, decision, now=datetime.now(UTC), note=because)
        outcomes.append(outcome)
        print(f"{number}: {told[outcome]}")
    if decision == "release" and Outcome.DONE in outcomes:
        print("The running ingest loads what was released.")
    if Outcome.ABSENT in outcomes or Outcome.TOO_LATE in outcomes:
        raise typer.Exit(1)


_PAST = {"release": "released", "discard": "discarded"}
