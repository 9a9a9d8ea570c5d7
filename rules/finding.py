"""What a rule concluded, able to explain itself: rule, version, numbers, evidence, sentences.

The same history, packs and `now` give the same findings, byte for byte: `encode` is canonical. An
*episode* names what belongs together; the same episode found again is the same finding. May hold:
the noun and its JSON. May not: how it came about (`evaluate.py`), its life as an alert
(`alert.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rules.words import Said, said_of
from vitals.kinds import Kind
from vitals.units import Unit

Number = float | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One value that the rule saw. `n`: of how many readings it is the mean, 1 for a reading."""

    at: datetime
    kind: Kind
    value: float
    unit: Unit
    n: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A conclusion about one patient.

    `at` is the moment of its newest evidence, never the moment of computing. `ended_at` is when
    later readings ended the episode (beyond the hysteresis), None while it lasts. Sentences are by
    audience: patient, family, doctor.
    """

    rule: str
    pack: str
    pack_version: str
    severity: int
    started_at: datetime
    at: datetime
    ended_at: datetime | None
    episode: str
    title: Said
    numbers: Mapping[str, Number]
    evidence: tuple[Evidence, ...]
    sentences: Mapping[str, Said]

    def body(self) -> dict[str, Any]:
        """What stands in the database beside the columns of its own."""
        return {
            "title": self.title.document(),
            "started_at": utc_text(self.started_at),
            "ended_at": utc_text(self.ended_at) if self.ended_at else None,
            "numbers": dict(self.numbers),
            "evidence": [
                {
                    "at": utc_text(each.at),
                    "kind": each.kind.value,
                    "value": each.value,
                    "unit": each.unit.value,
                    "n": each.n,
                }
                for each in self.evidence
            ],
            "sentences": {key: said.document() for key, said in self.sentences.items()},
        }


def encode(finding: Finding) -> bytes:
    """The finding as canonical JSON: equal findings are equal bytes."""
    document = {
        "rule": finding.rule,
        "pack": finding.pack,
        "pack_version": finding.pack_version,
        "severity": finding.severity,
        "at": utc_text(finding.at),
        "episode": finding.episode,
        **finding.body(),
    }
    return canonical(document)


def finding_of(row: Mapping[str, Any]) -> Finding:
    """The finding in a row of the database (columns and `body`)."""
    body = row["body"]
    return Finding(
        rule=row["rule"],
        pack=row["pack"],
        pack_version=row["pack_version"],
        severity=row["severity"],
        started_at=moment(body["started_at"]),
        at=row["at"],
        ended_at=moment(body["ended_at"]) if body["ended_at"] else None,
        episode=row["episode"],
        title=said_of(body["title"]),
        numbers=body["numbers"],
        evidence=tuple(
            Evidence(
                at=moment(each["at"]),
                kind=Kind(each["kind"]),
                value=each["value"],
                unit=Unit(each["unit"]),
                n=each["n"],
            )
            for each in body["evidence"]
        ),
        sentences={key: said_of(said) for key, said in body["sentences"].items()},
    )


def canonical(document: Any) -> bytes:
    """JSON with sorted keys, no spaces and no NaN: equal documents are equal bytes."""
    return json.dumps(
        document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()


def utc_text(at: datetime) -> str:
    """A moment in JSON: 2026-11-22T06:05:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment in a JSON text."""
    return datetime.fromisoformat(text)
