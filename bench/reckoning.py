"""What was measured, held against what is stored: lost, doubled, changed, alarmed from old data.

Exactly. Of a reading that a ledger calls *kept*, each value must be stored once, or, where every
clock that read it was far ahead, refused once with its reason. Of one that was only offered, each
value may be stored once. Nothing else may be there. No alert may stand on evidence that was older,
when it was raised, than its rule lets evidence be; and nobody whose readings are all of old may
have one at all (of silence, which lives on the clock, it is not asked). May hold: these
comparisons. May not: waiting, processes.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection

from bench.ledger import Offer, entries, offer_of
from rules.pack import Pack
from store import measurements
from store.findings import failures
from vitals.kinds import KIND_OF_CODE

# examples of what is wrong that are shown
_SHOWN = 5


class Key(NamedTuple):
    """One value of one record."""

    device: str
    sequence: int
    kind: str


class Row(NamedTuple):
    """One value as it is stored."""

    key: Key
    value: float
    taken_at_s: int


@dataclass(kw_only=True)
class Truth:
    """All that the ledgers say; `read` takes in what was added."""

    offers: dict[Key, list[tuple[str, Offer]]] = field(default_factory=lambda: defaultdict(list))
    # numbers of readings that each gateway has kept
    kept: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    offered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _read_to: dict[Path, int] = field(default_factory=dict)

    def read(self, gateway: str, ledger: Path) -> None:
        """Takes in what this gateway's ledger has more than the last time; whole lines only."""
        if not ledger.exists():
            return
        with ledger.open("rb") as file:
            file.seek(self._read_to.get(ledger, 0))
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read_to[ledger] = self._read_to.get(ledger, 0) + len(whole)
        for word, *said in entries(whole):
            if word == "kept":
                self.kept[gateway].add(said[0])
            else:
                self.offer(gateway, offer_of(said))

    def offer(self, gateway: str, offer: Offer) -> None:
        """Takes in one offered reading."""
        self.offered[gateway].add(offer.number)
        for kind, _ in offer.values:
            self.offers[Key(offer.device, offer.sequence, kind)].append((gateway, offer))

    @property
    def readings(self) -> int:
        """How many readings were measured."""
        return sum(map(len, self.offered.values()))

    def waiting(self, gateway: str) -> int:
        """How many readings were offered to the spool and are not known to be kept."""
        return len(self.offered[gateway] - self.kept[gateway])


@dataclass(kw_only=True)
class Found:
    """What a reckoning found; `wrong` says it in words, a few of each sort."""

    values: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    refused: int = 0
    wrong_days: int = 0
    old_alarms: int = 0
    alarms: int = 0
    # dead letters, measurements refused for another reason, patients that could not be judged
    other: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Is everything as it must be?"""
        faults = (self.lost, self.doubled, self.changed, self.wrong_days, self.old_alarms)
        return not any(faults) and not self.other


def compare(truth: Truth, rows: Sequence[Row], refused: Collection[Key]) -> Found:
    """Values lost, doubled, changed or refused; `rows` are all that is stored."""
    found = Found(values=len(truth.offers), refused=len(set(refused)))
    times = Counter(row.key for row in rows)
    lost, doubled, changed = [], [], []
    for key, offers in truth.offers.items():
        kept = {gateway for gateway, each in offers if each.number in truth.kept[gateway]}
        ahead = {gateway for gateway, each in offers if each.is_ahead}
        # by a clock far ahead it must be refused, and is kept with that reason
        must_be_stored = bool(kept - ahead)
        if kept and not times[key] and (must_be_stored or key not in refused):
            lost.append(key)
    for key, count in times.items():
        if count > 1 or key not in truth.offers:
            doubled.append(key)
    for row in rows:
        offers = truth.offers.get(row.key, [])
        said = {(each.taken_at_s, value(each, row.key.kind)) for _, each in offers}
        if offers and (row.taken_at_s, row.value) not in said:
            changed.append(row.key)
    found.lost, found.doubled, found.changed = len(lost), len(doubled), len(changed)
    for word, keys in (("lost", lost), ("doubled", doubled), ("changed", changed)):
        found.wrong += [f"{word}: {key} {truth.offers.get(key)}" for key in keys[:_SHOWN]]
    return found


def value(offer: Offer, kind: str) -> float:
    """What an offered reading says of this kind."""
    return next(float(value) for name, value in offer.values if name == kind)


class Alarm(NamedTuple):
    """An alert with the device whose patient it is of, and its newest evidence."""

    device: str
    rule: str
    opened_at: datetime
    evidence_at: datetime


def old_alarms(
    alarms: Sequence[Alarm], packs: Sequence[Pack], *, live: Collection[str]
) -> list[Alarm]:
    """The alerts that old data raised; `live` are the devices that are read as people measure."""
    rules = {rule.id: rule for pack in packs for rule in pack.rules}
    return [
        each
        for each in alarms
        if rules[each.rule].evaluator != "silence"
        and (
            each.device not in live
            or each.opened_at - each.evidence_at > timedelta(hours=rules[each.rule].fresh_h)
        )
    ]


# -- what stands in the database -------------------------------------------------------------------


def stored(connection: Connection[Any]) -> list[Row]:
    """Every value that is stored."""
    rows = connection.execute(
        "SELECT device.name, sequence, measurement.kind, value,"
        " extract(epoch FROM taken_at)::bigint"
        " FROM measurement JOIN device ON device.id = device_id"
    )
    return [
        Row(Key(device, sequence, KIND_OF_CODE[kind].value), value, taken_at_s)
        for device, sequence, kind, value, taken_at_s in rows
    ]


def stored_between(connection: Connection[Any], begin: datetime, end: datetime) -> int:
    """How many values were committed between two moments."""
    (count,) = connection.execute(
        "SELECT count(*) FROM measurement WHERE received_at BETWEEN %s AND %s", (begin, end)
    ).fetchone() or (0,)
    return int(count)


def refused(connection: Connection[Any]) -> set[Key]:
    """Every value that waits for a person because of its time."""
    rows = connection.execute(
        "SELECT document->>'device', (document->>'sequence')::bigint, document->>'kind'"
        " FROM quarantine WHERE 'future' = ANY(codes) AND state = 'waiting'"
    )
    return {Key(*row) for row in rows}


def strangely_refused(connection: Connection[Any]) -> list[Any]:
    """What was refused for any other reason: nothing that a household measures should be."""
    return connection.execute(
        "SELECT document, reasons FROM rejection"
        " UNION ALL SELECT document, reasons FROM quarantine WHERE NOT 'future' = ANY(codes)"
    ).fetchall()


def alarms(connection: Connection[Any]) -> list[Alarm]:
    """Every alert, open or closed."""
    rows = connection.execute(
        "SELECT patient.name, alert.rule, alert.opened_at, finding.at"
        " FROM alert JOIN finding ON finding.id = finding_id"
        " JOIN patient ON patient.id = alert.patient_id"
    )
    return [Alarm(*row) for row in rows]


def reckon(
    connection: Connection[Any], truth: Truth, packs: Sequence[Pack], *, live: Collection[str]
) -> Found:
    """Everything there is, held against everything that was measured."""
    found = compare(truth, stored(connection), refused(connection))
    days = measurements.differences(connection)
    raised = alarms(connection)
    old = old_alarms(raised, packs, live=live)
    counts = measurements.counts(connection)
    unjudged = failures(connection)
    found.wrong_days, found.old_alarms, found.alarms = len(days), len(old), len(raised)
    strange = strangely_refused(connection)
    found.other = counts.dead_letters + len(unjudged) + len(strange)
    found.wrong += [f"day: {each}" for each in days[:_SHOWN]]
    found.wrong += [f"alarm from old data: {each}" for each in old[:_SHOWN]]
    found.wrong += [f"refused: {each}" for each in strange[:_SHOWN]]
    found.wrong += [f"not judged: {each}" for each in unjudged[:_SHOWN]]
    if counts.dead_letters:
        found.wrong.append(f"{counts.dead_letters} dead letters")
    return found


def waiting_in(spool: Path) -> int:
    """How many measurements wait in a gateway's spool."""
    if not spool.exists():
        return 0
    with sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=10) as base:
        (count,) = base.execute(
            "SELECT count(*) FROM measurement WHERE delivered_at IS NULL"
        ).fetchone()
    return int(count)


def news_waiting(connection: Connection[Any]) -> int:
    """How many patients have news that no rule has looked at."""
    (count,) = connection.execute("SELECT count(*) FROM news").fetchone() or (0,)
    return int(count)
