"""What an operator sees and does about what was kept apart, on a shell."""

import json
from collections.abc import Iterator

import pytest
from arriving import envelope, glucose, up
from quarantining import House, cuff, house_over, now
from test_command_line import kangban, refused, said

from ingest.arrival import Message
from ingest.load import Loader
from ingest.release import load_released
from ingest.validate import judge
from store.pool import open_pool
from vitals.kinds import Kind


@pytest.fixture
def house(embedded_url: str) -> Iterator[House]:
    with open_pool(embedded_url, process="test") as pool, house_over(pool) as made:
        yield made


def where(house: House) -> dict[str, str]:
    return {"KANGBAN_DATABASE_URL": house.pool.conninfo}


def bring(house: House, message: Message) -> None:
    house.loader.load([judge(message, now=now())], now=now())


def test_refused_things_are_listed_without_values_explained_with_them_and_replayed(
    house: House,
) -> None:
    at = where(house)
    assert said(kangban("ingest", "rejected", **at)) == "Nothing was refused."
    house.bring(glucose(1, value=17.5, mood="\x1b[2J"), glucose(2))
    bring(house, up(b"\xff\x1b17.5"))
    bring(house, up(envelope(glucose(3), gateway="new"), gateway="new"))

    listed = said(kangban("ingest", "rejected", **at))
    assert [line.split()[0] for line in listed.splitlines()[:3]] == ["L2", "L1", "R1"]
    assert "1 malformed, 1 unknown_gateway, 1 unknown_word" in listed
    assert "17.5" not in listed
    only = said(kangban("ingest", "rejected", "--reason", "malformed", "--since", "1h", **at))
    assert only.startswith("L1")
    assert "unknown_word" not in only
    documents = [
        json.loads(line)
        for line in said(kangban("ingest", "rejected", "--json", "--limit", "2", **at)).splitlines()
    ]
    assert [(each["id"], each["reasons"]) for each in documents] == [
        ("L2", ["unknown_gateway"]),
        ("L1", ["malformed"]),
    ]

    whole = said(kangban("ingest", "rejected", "explain", "r1", **at))
    assert "17.5" in whole
    assert "unknown field 'mood'" in whole
    assert "What to do: Update the server; then replay." in whole
    assert "\x1b" not in whole
    assert "not text" in said(kangban("ingest", "rejected", "explain", "L1", **at))
    assert "There is no L9" in refused(kangban("ingest", "rejected", "explain", "L9", **at))

    said(kangban("people", "gateway", "new", **at))
    done = kangban("ingest", "rejected", "replay", "--all", **at)
    assert done.returncode == 1, "two are refused still"
    assert "L2: 1 new and 0 known measurements" in done.stdout
    assert "R1: is still refused (unknown_word)" in done.stdout
    assert "1 of 3 were taken in." in done.stdout
    again = said(kangban("ingest", "rejected", "replay", "L2", **at))
    assert "was replayed before: 1 new" in again
    assert "L2" not in said(kangban("ingest", "rejected", **at))
    assert "replayed: 1 new" in said(kangban("ingest", "rejected", "--all", **at))


def test_a_wish_that_names_nothing_is_answered_with_how_to_write_it(house: House) -> None:
    at = where(house)
    assert "Say which" in refused(kangban("ingest", "rejected", "replay", **at))
    assert "Say which" in refused(kangban("ingest", "rejected", "replay", "R1", "--all", **at))
    assert "no reason; there are: unknown_gateway" in refused(
        kangban("ingest", "rejected", "--reason", "x", **at)
    )
    assert "write R7 or L12" in refused(kangban("ingest", "rejected", "explain", "7", **at))


def test_what_waits_in_quarantine_is_released_or_discarded_with_a_reason(house: House) -> None:
    at = where(house)
    assert said(kangban("ingest", "quarantine", **at)) == "Nothing waits."
    house.bring(*cuff(1, 310, 190), glucose(2, value=99.0))

    listed = said(kangban("ingest", "quarantine", **at))
    for kind in ("glucose", "diastolic", "systolic"):
        assert f"{kind}: implausible (waiting)" in listed
    assert "310" not in listed
    lines = said(kangban("ingest", "quarantine", "--json", **at)).splitlines()
    ids = {each["kind"]: str(each["id"]) for each in map(json.loads, lines)}

    why = ("--because", "told on the telephone")
    told = said(kangban("ingest", "quarantine", "release", ids["systolic"], *why, **at))
    assert "released now" in told
    assert load_released(house.pool, Loader(house.pool), now=now()) == 2, "the whole record"
    assert {each.kind for each in house.values()} == {Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.PULSE}
    said(kangban("ingest", "quarantine", "discard", ids["glucose"], *why, **at))
    late = kangban("ingest", "quarantine", "discard", ids["diastolic"], *why, **at)
    assert late.returncode == 1
    assert "that stands" in late.stdout

    whole = said(kangban("ingest", "quarantine", "explain", ids["systolic"], **at))
    assert "310" in whole
    assert "by a shell: told on the telephone" in whole
    assert said(kangban("ingest", "quarantine", **at)) == "Nothing waits."
    assert "(discarded)" in said(kangban("ingest", "quarantine", "--all", **at))
    assert "Missing option" in kangban("ingest", "quarantine", "release", "1", **at).stderr
