"""Everything of one person goes, stays gone whatever is brought again; the rest is untouched."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString, cast

import pytest
from arriving import METER, delivery, glucose
from database_rows import rows
from typer.testing import CliRunner

from ingest.load import Loaded, Loader
from kangban.command import app
from rules.__main__ import take
from rules.pack import standard_packs
from rules.records import CONSUMER
from store import erasure, measurements, people
from store.erasure import Wish, erase, preview
from store.pool import connect, open_pool, transaction
from vitals.errors import AskPerson, MendData

RELEASED = sorted((Path(__file__).parents[1] / "released").glob("*.sql"))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WANG, LI, CHEN = 1, 2, 3
ASKED = {"asked_by": "王建国", "because": "letter of 20 November"}
WISH = Wish(patient_id=WANG, with_reports=True, **ASKED)
CUFF = "ble:AA:BB:CC:00:00:02"


@pytest.fixture
def clinic(database: str) -> str:
    """The URL of a database with two homes: Wang and Li, who share a cuff, and Chen."""
    with connect(database) as connection:
        for path in RELEASED:
            connection.execute(cast(LiteralString, path.read_text(encoding="utf-8")))
    return database


def ask(url: str, query: Any, *values: Any) -> list[Any]:
    with connect(url) as connection:
        return connection.execute(query, values).fetchall()


def all_rows(url: str) -> dict[str, list[str]]:
    with connect(url) as connection:
        return rows(connection)


# -- the list --------------------------------------------------------------------------------------


def test_every_table_is_named_with_what_happens_to_it(embedded_url: str) -> None:
    listed = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
    found = {name for (name,) in ask(embedded_url, listed)}
    # a new table belongs into store/erasure.py: REMOVED with a statement, or KEPT with the reason
    assert erasure.known_tables() == found


def test_every_column_that_names_a_person_or_an_account_is_dealt_with(embedded_url: str) -> None:
    named = {
        (table, column, target)
        for table, column, target in ask(
            embedded_url,
            "SELECT conrelid::regclass::text, attname::text, confrelid::regclass::text"
            " FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY(conkey)"
            " WHERE contype = 'f' AND confrelid IN ('patient'::regclass, 'account'::regclass)",
        )
    } | {
        (table, column, "patient")
        for table, column in ask(
            embedded_url,
            "SELECT table_name::text, column_name::text FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND (column_name = 'patient_id' OR column_name LIKE '%%patient')",
        )
    }
    emptied = {(*each, "patient") for each in erasure.FORGOTTEN_PATIENT}
    emptied |= {(*each, "account") for each in erasure.FORGOTTEN_ACCOUNT}
    # rows that go by their patient; what an account that stays has done is why it stays
    gone = {each for each in named if each[0] in erasure.REMOVED} - emptied
    by_patient = {each for each in gone if each[1:] == ("patient_id", "patient")}
    of_account = {each for each in gone if each[2] == "account"}
    assert named - emptied - by_patient == of_account
    assert of_account == {
        (table, column, "account")
        for table, column in {
            ("assignment", "account_id"), ("gateway_command", "account_id"),
            ("gateway_invitation", "invited_by"), ("report", "signed_by"),
            ("outbox", "account_id"), ("relation", "account_id"), ("contact", "account_id"),
            ("login_link", "account_id"), ("session", "account_id"),
        }
    }  # fmt: skip


# -- erasing ---------------------------------------------------------------------------------------


def test_nothing_of_the_person_is_left_and_everything_of_others_is(clinic: str) -> None:
    before = all_rows(clinic)
    with connect(clinic) as connection:
        of_others = rows_of(connection, others=True)

    done = erase(clinic, WISH, now=NOW)

    with connect(clinic) as connection:
        assert rows_of(connection, others=True) == of_others
        assert all(had == [] for had in rows_of(connection, others=False).values())
        assert measurements.differences(connection) == []
    after = all_rows(clinic)
    assert not any(
        "王建国" in row for table, had in after.items() if table != "erasure" for row in had
    )
    # the books balance: every row that is missing was counted, none was added
    for table, had in before.items():
        if table not in erasure.WRITTEN:
            assert len(had) - len(after[table]) == done.tables[table].removed, table
            assert done.tables[table].rest.rows == len(after[table])
    untouched = {table for table, each in done.tables.items() if not each.removed + each.changed}
    assert untouched >= {"gateway", "retention", "heartbeat", "household"}
    assert all(before[table] == after[table] for table in untouched)


def rows_of(connection: Any, *, others: bool) -> dict[str, list[Any]]:
    """Rows of each table that name a patient: others, or Wang. Written apart from the product."""
    which = "<>" if others else "="
    hidden = {"assignment": "mapped_before", "gateway_command": "bound_from"}
    found = {}
    for table, in connection.execute(
        "SELECT table_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        " AND column_name = 'patient_id'"
    ).fetchall():  # fmt: skip
        found[table] = connection.execute(
            f"SELECT (to_jsonb(t) - '{hidden.get(table, '')}')::text FROM {table} AS t"
            f" WHERE patient_id {which} {WANG} ORDER BY 1"
        ).fetchall()
    assert len(found) > 15
    return found


def test_the_erasure_is_kept_with_who_asked_and_the_proof_and_without_health(clinic: str) -> None:
    done = erase(clinic, WISH, now=NOW)

    ((number, asked_by, because, kept, rest),) = ask(
        clinic, "SELECT patient_no, asked_by, because, done, rest FROM erasure WHERE patient_no = 1"
    )
    assert (number, asked_by, because) == (WANG, *ASKED.values())
    assert kept["measurement"] == {"removed": done.tables["measurement"].removed, "changed": 0}
    assert rest["measurement"]["rows"] == ask(clinic, "SELECT count(*) FROM measurement")[0][0]
    assert len(rest["measurement"]["digest"]) == 16


def test_a_preview_counts_the_same_and_changes_nothing(clinic: str) -> None:
    before = all_rows(clinic)

    seen = preview(clinic, WANG, now=NOW)

    assert all_rows(clinic) == before
    assert seen.reports == 1
    assert erase(clinic, WISH, now=NOW) == seen


def test_what_is_theirs_alone_is_told_from_what_they_share(clinic: str) -> None:
    seen = preview(clinic, WANG, now=NOW)

    # of the shared cuff user 1; of the meter, the whole; of Chen's cuff single readings
    assert seen.alone == (("ble:00:00:00:00:00:01", 1), ("ble:00:00:00:00:00:02", None))
    erase(clinic, WISH, now=NOW)
    single = ask(clinic, "SELECT DISTINCT device_id FROM forgotten_record WHERE erasure_id > 1")
    assert {device for (device,) in single} >= {3}
    assert ask(clinic, "SELECT id FROM device WHERE forgets ORDER BY 1") == [(1,), (2,), (3,)]


def test_signed_reports_go_only_if_somebody_says_so(clinic: str) -> None:
    before = all_rows(clinic)

    with pytest.raises(AskPerson, match="1 reports of this person are signed"):
        erase(clinic, Wish(patient_id=WANG, **ASKED), now=NOW)

    assert all_rows(clinic) == before


def test_who_is_alone_in_a_home_takes_its_name_and_its_dead_letters_along(clinic: str) -> None:
    letter = "('\\x09', 'kangban/v1/00/home-chen/up', '', '{}')"
    ask(clinic, "INSERT INTO dead_letter (digest, topic, payload, reasons)"
                f" VALUES {letter} RETURNING id")  # fmt: skip
    wish = Wish(patient_id=CHEN, with_reports=True, **ASKED)

    done = erase(clinic, wish, now=NOW)

    assert ask(clinic, "SELECT name FROM household ORDER BY id") == [("王家",), ("—",)]
    assert done.tables["dead_letter"].removed == 1
    assert not any("陈国华" in row for had in all_rows(clinic).values() for row in had)


def test_somebody_who_is_not_there_cannot_be_erased(clinic: str) -> None:
    erase(clinic, WISH, now=NOW)
    with pytest.raises(MendData, match="There is no patient 1: nothing was erased"):
        erase(clinic, WISH, now=NOW)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        # takes a finding of somebody else along
        ("delete_finding", "DELETE FROM finding AS r WHERE r.patient_id < 3 RETURNING r::text"),
        # forgets some of the person's days
        ("delete_measurement_day", "DELETE FROM measurement_day AS r WHERE r.patient_id = 1"
                                   " AND kind = 1 RETURNING r::text"),
    ],
)  # fmt: skip
def test_a_statement_that_does_too_much_or_too_little_erases_nothing(
    clinic: str, monkeypatch: pytest.MonkeyPatch, name: str, wrong: str
) -> None:
    from store import ledger

    before = all_rows(clinic)
    monkeypatch.setattr(ledger, "_SQL", {**ledger._SQL, name: wrong})

    with pytest.raises(MendData, match="nothing was erased"):
        erase(clinic, WISH, now=NOW)

    assert all_rows(clinic) == before


def test_a_row_of_somebody_else_that_changes_on_the_way_stops_it(clinic: str) -> None:
    with connect(clinic) as connection:
        connection.execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " UPDATE measurement_day SET n = n + 1 WHERE patient_id = 2; RETURN OLD; END $$"
        )
        connection.execute("CREATE TRIGGER meddle AFTER DELETE ON news EXECUTE FUNCTION meddle()")
    before = all_rows(clinic)

    with pytest.raises(MendData, match="the rest of measurement_day as it is"):
        erase(clinic, WISH, now=NOW)

    assert all_rows(clinic) == before


def test_a_table_that_nobody_has_thought_of_stops_it(clinic: str) -> None:
    with connect(clinic) as connection:
        connection.execute("CREATE TABLE later (patient_id int)")
    with pytest.raises(MendData, match="Nobody has said what of a person is in later"):
        erase(clinic, WISH, now=NOW)


def test_news_that_are_left_of_somebody_who_is_gone_keep_nobody_from_being_judged(
    clinic: str,
) -> None:
    erase(clinic, WISH, now=NOW)
    at = datetime.now(UTC)
    with open_pool(clinic, process="test") as pool:
        with transaction(pool) as connection:
            measurements.put_news(
                connection, consumer=CONSUMER, patient_ids=[WANG, LI], earliest=at, latest=at
            )

        assert take(pool, standard_packs()) == [LI]
        assert take(pool, standard_packs()) is None


# -- what is brought again -------------------------------------------------------------------------


class Home:
    """A mother with a meter of her own, a father; both use the cuff as users 1 and 2."""

    def __init__(self, url: str) -> None:
        self.url = url
        with connect(url) as connection:
            home = people.create_household(connection, "家")
            for name in ("g1", "g2"):
                people.register_gateway(connection, name=name, household_id=home)
            self.mother = people.create_patient(connection, name="母亲", household_id=home)
            self.father = people.create_patient(connection, name="父亲", household_id=home)
            people.bind_device(connection, METER, patient_id=self.mother)
            people.bind_device(connection, CUFF, patient_id=self.mother, slot=1)
            people.bind_device(connection, CUFF, patient_id=self.father, slot=2)

    def bring(self, *readings: Any, **envelope: Any) -> Loaded:
        with open_pool(self.url, process="test") as pool:
            return Loader(pool).load([delivery(*readings, now=NOW, **envelope)], now=NOW)

    def erase_mother(self) -> None:
        erase(self.url, Wish(patient_id=self.mother, **ASKED), now=NOW)


@pytest.fixture
def home(database: str) -> Home:
    return Home(database)


def on_cuff(sequence: int, **changes: Any) -> dict[str, Any]:
    return glucose(sequence, device=CUFF, **changes)


def test_erased_readings_that_come_again_are_acknowledged_and_stay_out(home: Home) -> None:
    hers = [glucose(1), glucose(2), on_cuff(1, user=1)]
    his = on_cuff(2, user=2)
    home.bring(*hers, his)
    home.erase_mother()

    again = home.bring(*hers, his, glucose(3), on_cuff(3, user=1), on_cuff(4, user=2))

    # of the seven only his new one is stored; the gateway lets go of all of them
    assert [len(receipt.committed) for _, receipt in again.receipts] == [7]
    assert again.inserted == 1
    assert ask(home.url, "SELECT patient_id FROM measurement") == [(home.father,)] * 2


def test_another_gateway_that_reads_the_meter_again_with_another_clock_brings_nothing(
    home: Home,
) -> None:
    # the last of them was taken an hour before the erasure; the second gateway is in another zone
    shown = (NOW + timedelta(hours=7)).replace(tzinfo=None).isoformat()
    last = {"device_time": shown}
    home.bring(glucose(1), glucose(2, at=NOW - timedelta(hours=1), **last))
    home.erase_mother()

    again = glucose(2, at=NOW + timedelta(minutes=5), offset_s=0, **last)
    assert home.bring(glucose(1), again, gateway="g2", resync=True).inserted == 0
    assert ask(home.url, "SELECT count(*) FROM measurement") == [(0,)]


def test_who_uses_the_meter_afterwards_is_heard(home: Home) -> None:
    home.bring(glucose(1))
    home.erase_mother()
    later = NOW + timedelta(minutes=1)

    # nobody's yet: it waits for a name
    assert home.bring(glucose(7, at=later, device_time="2026-11-24T20:01:00")).inserted == 1
    assert ask(home.url, "SELECT patient_id FROM measurement") == [(None,)]


def test_a_single_reading_of_a_device_of_others_stays_out_and_its_neighbours_do_not(
    home: Home,
) -> None:
    # without a number: somebody gave one of them to her
    home.bring(on_cuff(1), on_cuff(2))
    ask(home.url, "UPDATE measurement SET patient_id = %s WHERE sequence = 1 RETURNING 1",
        home.mother)  # fmt: skip
    home.erase_mother()

    assert home.bring(on_cuff(1), on_cuff(2), on_cuff(3)).inserted == 1
    assert ask(home.url, "SELECT sequence FROM measurement ORDER BY 1") == [(2,), (3,)]


@pytest.mark.parametrize(
    ("impossible", "where"),
    [({"value": 999.0}, "quarantine"), ({"meal": "brunch"}, "rejection")],
)
def test_what_was_kept_apart_of_them_goes_and_does_not_come_again(
    home: Home, impossible: dict[str, Any], where: str
) -> None:
    def refused() -> list[Any]:
        return ask(home.url, "SELECT document ->> 'device', document ->> 'user' FROM "
                             f"{where} ORDER BY 1, 2")  # fmt: skip

    bad = [glucose(1, **impossible), on_cuff(1, user=1, **impossible),
           on_cuff(2, user=2, **impossible)]  # fmt: skip
    home.bring(*bad)
    assert len(refused()) == 3

    home.erase_mother()
    assert refused() == [(CUFF, "2")]
    assert home.bring(*bad).refused == 3
    assert refused() == [(CUFF, "2")]
    # a new one, of whoever has the meter now, is kept
    home.bring(glucose(9, at=NOW + timedelta(minutes=1), **impossible))
    assert len(refused()) == 2


def test_loads_of_everybody_go_on_meanwhile_and_nothing_of_theirs_is_lost(home: Home) -> None:
    stop = threading.Event()
    brought: list[int] = []

    def bring() -> None:
        with open_pool(home.url, process="test") as pool:
            loader = Loader(pool)
            number = 100
            while not stop.is_set():
                number += 1
                hers = [on_cuff(number, user=1), glucose(number)]
                pair = [*hers, on_cuff(5000 + number, user=2)]
                loader.load([delivery(*pair, now=NOW)], now=NOW)
                brought.append(number)

    home.bring(glucose(1), on_cuff(1, user=1), on_cuff(5001, user=2))
    thread = threading.Thread(target=bring)
    thread.start()
    while not brought:
        assert thread.is_alive()
    home.erase_mother()
    at_least = len(brought) + 1
    while len(brought) < at_least:
        assert thread.is_alive()
    stop.set()
    thread.join(30)

    assert ask(home.url, "SELECT DISTINCT patient_id FROM measurement") == [(home.father,)]
    assert ask(home.url, "SELECT count(*) FROM measurement") == [(len(brought) + 1,)]
    with open_pool(home.url, process="test") as pool, transaction(pool) as connection:
        assert measurements.differences(connection) == []


# -- the command -----------------------------------------------------------------------------------


def run(clinic: str, monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> Any:
    monkeypatch.setenv("KANGBAN_DATABASE_URL", clinic)
    return CliRunner().invoke(app, ["people", "erase", "1", *words], input=typed)


SAID = ("--asked-by", "herself", "--because", "letter")


def test_the_command_shows_first_and_erases_when_the_name_is_typed(
    clinic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = run(clinic, monkeypatch)
    assert "Of 王建国 (patient 1) would go:" in shown.output
    assert "Nothing was erased." in shown.output

    wrong = run(clinic, monkeypatch, *SAID, "--signed-reports", typed="王建\n")
    assert isinstance(wrong.exception, AskPerson)
    assert ask(clinic, "SELECT count(*) FROM patient") == [(3,)]

    done = run(clinic, monkeypatch, *SAID, "--signed-reports", typed="王建国\n")
    assert done.exit_code == 0
    assert "rows that are left are as they were" in done.output
    assert ask(clinic, "SELECT id FROM patient ORDER BY 1") == [(2,), (3,)]
