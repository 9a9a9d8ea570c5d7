"""The command line, as somebody who registers a household would use it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from store.pool import connect, heartbeat

KANGBAN = [sys.executable, "-m", "kangban"]
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("KANGBAN_")}


def kangban(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*KANGBAN, *words], capture_output=True, text=True, env={**ENVIRON, **environ}
    )


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """What a command printed; it went well."""
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence with which a command refused."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_household_is_registered_and_its_report_is_written(
    embedded_url: str, tmp_path: Path
) -> None:
    where = {"KANGBAN_DATABASE_URL": embedded_url, "KANGBAN_PUBLIC_URL": "https://care.example.org"}
    home = said(kangban("people", "household", "王家", **where))
    said(kangban("people", "gateway", "home-wang", "--household", home, **where))
    patient = said(
        kangban(
            *("people", "patient", "王建国", "--household", home, "--born", "1951-03-18"),
            *("--sex", "male", "--condition", "高血压", "--plan", "hypertension"),
            **where,
        )
    )
    linked = said(
        kangban("people", "account", "陈医生", "--role", "doctor", "--sees", patient, **where)
    )
    assert re.fullmatch(r"\d+ https://care\.example\.org/enter/[\w-]{43}", linked)
    said(kangban("people", "bind", "ble:F0:00:00:00:00:01", patient, **where))
    page = tmp_path / "week.json"
    words = ("report", patient, "--format", "json", "--output", str(page))
    said(kangban(*words, **where))
    assert json.loads(page.read_bytes())["numbers"]["patient"]["name"] == "王建国"
    assert "0 days differ" in said(kangban("ingest", "check", **where))


def test_a_wrong_day_is_mended_and_a_patient_moves_to_another_zone(embedded_url: str) -> None:
    where = {"KANGBAN_DATABASE_URL": embedded_url}
    patient = said(kangban("people", "patient", "王建国", **where))
    with connect(embedded_url) as connection:
        connection.execute(
            "INSERT INTO measurement (taken_at, device_id, kind, sequence, patient_id, value, unit,"
            " clock, gateway_id) VALUES ('2024-11-01T20:00Z', 1, 3, 1, %s, 120, 3, 1, 1)",
            (patient,),
        )
    assert kangban("ingest", "check", **where).returncode == 1
    mending = kangban("ingest", "recount", "--patient", patient, **where)
    assert said(mending) == "Days mended: 1."
    assert re.search(
        r"Mended: patient 1, \w+ in .*2024-11-02: had 0 readings, has 1", mending.stderr
    )
    assert "0 days differ" in said(kangban("ingest", "check", **where))

    moving = said(kangban("people", "zone", patient, "America/Havana", **where))
    assert moving == "Days counted anew: 2."
    assert "Every day says what" in said(kangban("ingest", "recount", **where))
    assert "no time zone" in refused(kangban("people", "zone", patient, "Mars", **where))
    assert "no patient 99" in refused(kangban("people", "zone", "99", "Asia/Tokyo", **where))


def test_a_number_that_nobody_has_is_said_to_be_so(embedded_url: str) -> None:
    where = {"KANGBAN_DATABASE_URL": embedded_url}
    assert "no household, patient or account" in refused(kangban("people", "link", "99", **where))
    assert "no day" in refused(kangban("people", "patient", "李", "--born", "1951", **where))
    assert "no ISO week" in refused(
        kangban("report", "1", "--week", "last", **where)
    ) or "no such patient" in refused(kangban("report", "1", "--week", "last", **where))


def test_a_missing_setting_is_named_with_its_meaning() -> None:
    assert "KANGBAN_DATABASE_URL is missing: where PostgreSQL" in refused(kangban("migrate"))
    sentence = refused(kangban("ingest"))
    assert "KANGBAN_DATABASE_URL is missing" in sentence
    assert "KANGBAN_MQTT_URL is missing" in sentence


def test_the_database_that_is_away_is_named() -> None:
    sentence = refused(kangban("migrate", KANGBAN_DATABASE_URL="postgresql://localhost:1/none"))
    assert "KANGBAN_DATABASE_URL" in sentence


def test_bytes_of_a_device_are_said_in_words() -> None:
    # 120/80 mmHg, mean 93, 2026-11-22 08:15, pulse 72, user 1 (project byte tables §5.1)
    payload = "1E 7800 5000 5D00 EA070B16080F00 4800 01 0000".replace(" ", "")
    words = ("gateway", "decode", "2A35", payload)
    document = json.loads(said(kangban(*words)))
    assert (document["systolic"], document["diastolic"], document["map"]) == (120, 80, 93)
    assert document["unit"] == "mmHg"
    assert "refused whole" in refused(kangban("gateway", "decode", "2A35", "1E7800"))
    assert "not hexadecimal" in refused(kangban("gateway", "decode", "2A35", "hello"))


@pytest.mark.parametrize("command", ["metrics", "people", "gateway", "simulate"])
def test_a_group_of_commands_says_what_it_has(command: str) -> None:
    done = kangban(command)
    assert "Commands" in done.stdout + done.stderr


def test_a_csv_file_gives_its_numbers(tmp_path: Path) -> None:
    file = tmp_path / "glucose.csv"
    file.write_text("time,glucose\n2026-11-22 07:00,5.0\n2026-11-22 07:05,11.0\n")
    words = ("metrics", "glucose", str(file), "--unit", "mmol/L", "--json")
    numbers = json.loads(said(kangban(*words)))["all"]
    assert numbers["mean"] == 8.0
    assert numbers["tir"] == 50.0
    assert "mg/dL or mmol/L" in refused(kangban("metrics", "glucose", str(file), "--unit", "g"))
    assert "gl" in refused(kangban("metrics", "glucose", str(file), "--value-column", "gl"))


def test_a_process_is_healthy_while_its_heartbeat_is_fresh(embedded_url: str) -> None:
    where = {"KANGBAN_DATABASE_URL": embedded_url}
    assert kangban("healthy", "ingest", **where).returncode == 1
    with connect(embedded_url) as connection:
        heartbeat(connection, "ingest")
        heartbeat(connection, "ingest-00-31")
    assert kangban("healthy", "ingest", **where).returncode == 0
    assert kangban("healthy", "ingest-00-31", **where).returncode == 0
    assert kangban("healthy", "ingest-32-63", **where).returncode == 1
    assert "there are: ingest, rules" in refused(kangban("healthy", "engine", **where))
