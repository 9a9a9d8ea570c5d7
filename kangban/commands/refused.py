"""`kangban ingest rejected …`: what was refused, why, what to do; and judging it again.

A list shows no value of anybody, for it ends in tickets and chats; `explain` shows everything, with
each character that a terminal could obey written out. May hold: these commands. May not: judgement
(`ingest/replay.py`), SQL.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kangban.commands.process import database_url
from vitals.errors import MendData

if TYPE_CHECKING:
    from store.refused import Letter, Line, Rejection

app = typer.Typer(
    help="List what was refused and why: R… are measurements, L… whole messages. Shows no values.",
    invoke_without_command=True,
)

# days, hours, minutes of --since
_SPANS = {"d": 86400, "h": 3600, "m": 60}

ReasonWord = Annotated[
    str | None, typer.Option("--reason", help="Only this reason, as the list names it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script, a line each.")]


@app.callback()
def rejected(
    context: typer.Context,
    reason: ReasonWord = None,
    since: Annotated[
        str | None, typer.Option(help="Only what came since: 2026-11-24, or 7d, 12h, 30m ago.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was replayed since, with what became of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what was refused and why: R… are measurements, L… whole messages. Shows no values."""
    if context.invoked_subcommand is not None:
        return
    from store import refused
    from store.pool import connect

    code, begin = known_reason(reason), moment(since, now=datetime.now(UTC)) if since else None
    with connect(database_url()) as connection:
        lines = refused.listed(
            connection, code=code, since=begin, everything=everything, limit=limit
        )
        counts = refused.counts(connection, since=begin, everything=everything)
    if as_json:
        for line in lines:
            print(json.dumps(_document(line)))
        return
    for line in lines:
        print(_sentence(line))
    _print_counts({name: n for name, n in counts.items() if code in (None, name)})


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="R7 or L12, as the list names it.")],
) -> None:
    """Show one of them whole, with every reason and what to do about each."""
    from ingest.reason import MEANING, Reason
    from ingest.replay import find
    from store.pool import open_pool
    from store.refused import Letter

    with open_pool(database_url(), process="shell", max_size=1) as pool:
        kept = find(pool, name)
    if kept is None:
        raise MendData(f"There is no {name}: `kangban ingest rejected` lists what there is.")
    print(f"{name.upper()} came {kept.received_at:%Y-%m-%d %H:%M:%S} UTC from {_source(kept)}")
    for reason in kept.reasons:
        print(f"  - {safe(reason)}")
    for code in [kept.code] if isinstance(kept, Letter) else kept.codes:
        meaning = MEANING[Reason(code)]
        print(f"{code}: {meaning.text}.\n  What to do: {meaning.do}")
    if kept.replayed_at is not None:
        print(f"Replayed {kept.replayed_at:%Y-%m-%d %H:%M} UTC: {kept.became}.")
    print(_content(kept))


@app.command()
def replay(
    names: Annotated[
        list[str] | None, typer.Argument(help="R7, L12 …, as the list names them.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that was refused and not replayed yet.")
    ] = False,
    reason: ReasonWord = None,
    as_json: AsJson = False,
) -> None:
    """Judge again with this release, and take in what is sound now; safe to repeat.

    After an update, or once a gateway was registered. Ends with 1 where something is still refused.
    """
    from ingest.load import Loader
    from ingest.replay import End
    from ingest.replay import replay as play
    from store import refused
    from store.pool import open_pool, transaction

    if bool(names) == (everything or reason is not None):
        raise MendData("Say which: R7 L12 …, or --all, or --reason unknown_gateway.")
    code = known_reason(reason)
    ends = []
    with open_pool(database_url(), process="shell", max_size=2) as pool:
        if not names:
            with transaction(pool) as connection:
                names = refused.to_replay(connection, code=code)
        loader = Loader(pool)
        for name in names:
            done = play(pool, loader, name, now=datetime.now(UTC))
            ends.append(done.end)
            if as_json:
                print(json.dumps({"id": done.name, "end": done.end, "text": done.text}))
            else:
                why = f" ({', '.join(done.codes)})" if done.codes else ""
                print(f"{done.name.upper()}: {done.text}{why}")
    if not as_json:
        print(f"{ends.count(End.TAKEN_IN)} of {len(ends)} were taken in.")
    if End.STILL_REFUSED in ends or End.ABSENT in ends:
        raise typer.Exit(1)


def known_reason(word: str | None) -> str | None:
    """The word of a reason, if there is such a one. Raises MendData, naming all there are."""
    from ingest.reason import Reason

    if word is None:
        return None
    if word not in Reason.__members__.values():
        raise MendData(f"{word!r} is no reason; there are: {', '.join(Reason)}.")
    return word


def moment(text: str, *, now: datetime) -> datetime:
    """The moment of "2026-11-24" (UTC), or of "7d", "12h", "30m" ago. Raises MendData."""
    number, span = text[:-1], _SPANS.get(text[-1:])
    if span is not None and number.isdecimal() and len(number) < 6:
        return now - timedelta(seconds=int(number) * span)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise MendData(f"{text!r} is no moment: write 2026-11-24, or 7d, 12h, 30m.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def safe(text: str) -> str:
    """The text with everything written out that a terminal could obey, and line ends kept."""
    return "".join(
        each
        if each.isprintable() or each == "\n"
        else each.encode("unicode_escape", "backslashreplace").decode()
        for each in text
    )


def _sentence(line: "Line") -> str:
    from ingest.reason import MEANING, Reason

    meaning = MEANING[Reason(line.codes[0])].text
    became = f"; replayed: {line.became}" if line.replayed_at is not None else ""
    return (
        f"{line.name:<6} {line.received_at:%Y-%m-%d %H:%M} {safe(line.source)}: "
        f"{', '.join(line.codes)} ({meaning}){became}"
    )


def _print_counts(counts: dict[str, int]) -> None:
    if not counts:
        print("Nothing was refused.")
        return
    print(", ".join(f"{n} {code}" for code, n in counts.items()))
    print("`kangban ingest rejected explain ID` shows one whole and says what to do.")


def _document(line: "Line") -> dict[str, Any]:
    return {
        "id": line.name,
        "received_at": line.received_at.isoformat(),
        "source": line.source,
        "reasons": line.codes,
        "replayed_at": None if line.replayed_at is None else line.replayed_at.isoformat(),
        "became": line.became,
    }


def _source(kept: "Rejection | Letter") -> str:
    from store.refused import Letter

    return safe(f"topic {kept.topic}" if isinstance(kept, Letter) else f"gateway {kept.gateway}")


def _content(kept: "Rejection | Letter") -> str:
    from store.refused import Letter

    if not isinstance(kept, Letter):
        return safe(json.dumps(kept.document, ensure_ascii=False, indent=2))
    try:
        return f"{len(kept.payload)} bytes:\n{safe(kept.payload.decode())}"
    except UnicodeDecodeError:
        return f"{len(kept.payload)} bytes, not text:\n{kept.payload!r}"
