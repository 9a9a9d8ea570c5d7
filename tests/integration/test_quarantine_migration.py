"""What an earlier release refused is known by a word afterwards, and can be judged again."""

from datetime import UTC, datetime

import pytest
from arriving import METER, envelope, glucose, up
from psycopg.types.json import Jsonb

import store.migrate
from ingest.load import Loader
from ingest.replay import End, replay
from store import doubt, people, refused
from store.migrate import migrate, migrations
from store.pool import connect, open_pool

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
# sentences as release 8 wrote them, and the word for each
REJECTIONS = [
    (["glucose 99 mmol/L is not plausible: 0.6 to 33.3 is"], ["implausible"]),
    (["taken_at 2100-01-01T00:00:00+00:00 lies 26702 days in the future: check …"], ["future"]),
    (["taken_at 1999-01-01T00:00:00Z lies before any device's clock begins"], ["before_clocks"]),
    (["unknown field 'mood'"], ["unknown_word"]),
    (["glucose cannot be in mm[Hg]; accepted: mmol/L, mg/dL."], ["unknown_word"]),
    (["The database refused a value: numeric field overflow"], ["database"]),
    (["sequence is missing", "unknown kind 'x'"], ["malformed", "unknown_word"]),
]  # fmt: skip
LETTERS = [
    ("unknown gateway 'new': register it with `kangban people gateway new`", "unknown_gateway"),
    ("gateway is 'a', but the topic belongs to 'b'", "other_gateway"),
    ("comes from 'a', not from 'b'", "other_gateway"),
    ("'weather' is not kangban/v1/<shard>/<gateway>/<leaf>.", "foreign_topic"),
    ("nothing is expected on …/receipt", "foreign_topic"),
    ("1000000 bytes; at most 131072", "too_large"),
    ("envelope version 2 is not known here, 1 is: update …", "unknown_version"),
    ("answers no command that is known", "stray_event"),
    ("this release of ingest failed on it: KeyError", "failed_here"),
    ("is not JSON in UTF-8: Expecting value", "malformed"),
]


def test_a_database_with_refused_things_comes_to_this_release_and_replays_them(
    blank_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations()
    before = [each for each in every if each.name < "0010"]
    monkeypatch.setattr(store.migrate, "migrations", lambda: before)
    migrate(blank_database)
    message = up(envelope(glucose(2), gateway="new"), gateway="new")
    with connect(blank_database) as connection:
        for number, (reasons, _) in enumerate(REJECTIONS):
            connection.execute(
                "INSERT INTO rejection (digest, gateway, document, reasons) VALUES (%s,'g1',%s,%s)",
                (bytes([number]), Jsonb(glucose(1, value=99.0)), reasons),
            )
        for number, (reason, _) in enumerate(LETTERS):
            connection.execute(
                "INSERT INTO dead_letter (digest, topic, payload, reasons) VALUES (%s, %s, %s, %s)",
                (bytes([number]), message.topic, message.payload, [reason]),
            )

    monkeypatch.setattr(store.migrate, "migrations", lambda: every)
    migrate(blank_database)

    with connect(blank_database) as connection:
        lines = {line.name: line.codes for line in refused.listed(connection, limit=99)}
        patient = people.create_patient(connection, name="母亲")
        people.bind_device(connection, METER, patient_id=patient)
        for name in ("g1", "new"):
            people.register_gateway(connection, name=name)
    for number, (_, codes) in enumerate(REJECTIONS, start=1):
        assert sorted(lines[f"R{number}"]) == codes
    for number, (_, code) in enumerate(LETTERS, start=1):
        assert lines[f"L{number}"] == [code]
    with open_pool(blank_database, process="test") as pool:
        loader = Loader(pool)
        assert replay(pool, loader, "L1", now=NOW).end is End.TAKEN_IN
        assert replay(pool, loader, "R1", now=NOW).end is End.TAKEN_IN
    with connect(blank_database) as connection:
        (found,) = doubt.waiting(connection, [patient], at_home=False, limit=5)
    assert found.values[0].value == 99
