"""Each thing that may be wrong is told once, with a remedy, in both languages."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway_agent.ailments import CERTIFICATE_NEAR, CHECKS, DISK_LOW_MB, LEAST_BLUEZ, Facts
from gateway_agent.clock import EARLIEST
from gateway_agent.doctor import examine

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
CUFF, METER = "ble:F0:00:00:00:00:02", "ble:F0:00:00:00:00:01"
WELL = Facts(
    now=NOW,
    data="/var/lib/kangban-gateway",
    adapter="hci0",
    disk_free_mb=9000,
    is_clock_synced=True,
    is_bluez_running=True,
    bluez_version=(5, 66),
    adapters=("hci0",),
    is_powered=True,
    is_hard_blocked=False,
    is_soft_blocked=False,
    broker="care.example.org:8883",
    broker_certificate_until=NOW + timedelta(days=400),
    certificate_until=NOW + timedelta(days=700),
    added=frozenset({CUFF, METER}),
    once_bonded=frozenset({CUFF}),
    bonded=frozenset({CUFF, METER}),
)
# one spoilt fact each, and the one thing that it means
SICK: tuple[tuple[str, dict[str, object]], ...] = (
    ("not_enrolled", {"is_enrolled": False, "settings_error": "KANGBAN_MQTT_URL is missing"}),
    ("settings", {"settings_error": "KANGBAN_MQTT_URL is missing"}),
    ("data", {"data_error": "Permission denied"}),
    ("disk", {"disk_free_mb": DISK_LOW_MB - 1}),
    ("spool", {"spool_error": "file is not a database"}),
    ("year", {"now": EARLIEST - timedelta(seconds=1), "certificate_until": None}),
    ("clock", {"is_clock_synced": False}),
    ("bus", {"bus_error": "no such file", "is_bluez_running": None, "adapters": None}),
    ("refused", {"is_refused": True, "adapters": None}),
    ("bluez", {"is_bluez_running": False, "adapters": None, "is_powered": None}),
    ("bluez_version", {"bluez_version": (LEAST_BLUEZ[0], LEAST_BLUEZ[1] - 1)}),
    ("hard_block", {"is_hard_blocked": True, "is_powered": False}),
    ("soft_block", {"is_soft_blocked": True, "is_powered": False}),
    ("adapter", {"adapters": ("hci1",), "is_powered": None}),
    ("adapter", {"adapters": (), "is_powered": None}),
    ("powered", {"is_powered": False}),
    ("agent", {"agent_error": "Already Exists"}),
    ("scanners", {"scanning_programs": ("bluetoothctl", "hass")}),
    ("expired", {"certificate_until": NOW}),
    ("expires", {"certificate_until": NOW + CERTIFICATE_NEAR - timedelta(seconds=1)}),
    ("broker", {"broker_error": "timed out"}),
    ("broker_expires", {"broker_certificate_until": NOW + timedelta(days=3)}),
    ("lost_keys", {"bonded": frozenset({METER})}),
    ("stray_keys", {"added": frozenset({CUFF})}),
)


def test_a_well_gateway_has_no_problem() -> None:
    assert examine(WELL) == []


def test_what_could_not_be_looked_at_is_no_problem() -> None:
    assert examine(Facts(now=NOW, data="/x", adapter="hci0")) == []


@pytest.mark.parametrize(("key", "spoilt"), SICK)
def test_one_wrong_thing_is_told_as_one_problem(key: str, spoilt: dict[str, object]) -> None:
    (problem,) = examine(replace(WELL, **spoilt))  # type: ignore[arg-type]
    assert problem.key == key
    for said in (problem.zh, problem.en):
        assert said.problem
        assert said.remedy
        assert "{" not in said.problem + said.remedy
    assert not re.search(r"[\u4e00-\u9fff]", problem.en.problem + problem.en.remedy)


def test_every_row_of_the_table_has_its_case() -> None:
    assert {key for key, _ in SICK} == {check.key for check in CHECKS}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"disk_free_mb": DISK_LOW_MB},
        {"bluez_version": LEAST_BLUEZ},
        {"now": EARLIEST, "certificate_until": None, "broker_certificate_until": None},
        {"certificate_until": NOW + CERTIFICATE_NEAR},
    ],
)
def test_the_edge_of_what_is_well_is_well(spoilt: dict[str, object]) -> None:
    assert examine(replace(WELL, **spoilt)) == []  # type: ignore[arg-type]


def test_a_lost_key_names_the_device() -> None:
    (problem,) = examine(replace(WELL, bonded=frozenset({METER})))
    assert CUFF in problem.en.problem
