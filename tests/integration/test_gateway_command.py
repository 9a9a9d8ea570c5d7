"""`kangban gateway …` at a shell, against a simulated household that runs beside it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_agent.control import NAME
from gateway_agent.spool import Spool
from simulator.__main__ import PASSKEY

KANGBAN = [sys.executable, "-m", "kangban"]
CUFF, METER, BAND = (f"ble:F0:00:00:01:00:0{number}" for number in (1, 2, 3))


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Home:
    """The environment of one simulated household, and a shell in it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("KANGBAN_")},
            "KANGBAN_GATEWAY_NAME": "g1",
            "KANGBAN_MQTT_URL": "mqtt://127.0.0.1:1",
            "KANGBAN_GATEWAY_DATA": str(data),
            "KANGBAN_ADAPTER": "sim",
            "KANGBAN_LANG": "en",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Starts a command and goes on."""
        return subprocess.Popen(
            [*KANGBAN, *words],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # whoever runs tests in the background has Ctrl-C ignored, and children inherit that
            preexec_fn=_hear_ctrl_c,
        )

    def run(
        self, *words: str, types: str = "", **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command of the gateway to its end; `types` is what its person types."""
        return subprocess.run(
            [*KANGBAN, "gateway", *words],
            env={**self._environ, **environ},
            input=types,
            capture_output=True,
            text=True,
            timeout=60,
        )


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """What a command printed; it went well."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A household whose devices nobody has added."""
    living = Home(tmp_path_factory.mktemp("home"))
    process = living.start("simulate", "household", "--unpaired", "--every", "1")
    assert process.stderr is not None
    # the line to the gateway is there before the first word about the broker, which is away
    next(each for each in process.stderr if "cannot be reached" in each)
    yield living
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not (living.data / NAME).exists()


def test_a_scan_lists_what_can_be_added_and_how(home: Home) -> None:
    text = said(home.run("scan", "--seconds", "2"))
    assert f"Blood-pressure cuff · -50 dBm  [{CUFF}]" in text
    assert f"[{BAND}]" in text
    assert "hold the start or memory button" in text
    lines = said(home.run("scan", "--seconds", "2", "--json")).splitlines()
    candidates = [json.loads(each)["candidate"] for each in lines]
    assert {each["kind"] for each in candidates} >= {"blood_pressure_cuff", "wristband"}


def test_a_scan_speaks_chinese_where_the_system_does(home: Home) -> None:
    text = said(home.run("scan", "--seconds", "1", KANGBAN_LANG="", LANG="zh_CN.UTF-8"))
    assert "血压计" in text
    assert "按住开始键" in text


def test_a_cuff_is_named_by_its_address_and_read(home: Home) -> None:
    text = said(home.run("pair", CUFF))
    assert text.index("Connecting") < text.index("Newest: Systolic") < text.index("Added")
    devices = json.loads(said(home.run("devices", "--json")))
    assert (CUFF, "blood_pressure_cuff") in [(each["device"], each["kind"]) for each in devices]
    assert "battery 80 %" in said(home.run("devices"))


def pair_typing(home: Home, digits: str) -> tuple[int, str]:
    """Adds the meter, typing these digits when they are asked for; exit code and what was said."""
    shell = home.start("gateway", "pair", METER)
    assert shell.stdin is not None
    assert shell.stderr is not None
    # a question ends without a new line
    asked = ""
    while not asked.endswith("device shows: "):
        asked += shell.stderr.read(1)
    text, _ = shell.communicate(f"{digits}\n", timeout=60)
    return shell.returncode, text


def test_a_meter_that_shows_six_digits_is_added_by_typing_them(home: Home) -> None:
    wrong = pair_typing(home, "000001")
    assert wrong[0] == 1
    assert "The digits were not right" in wrong[1]
    assert METER not in said(home.run("devices"))
    code, text = pair_typing(home, f"12\n{PASSKEY:06}")
    assert code == 0
    assert text.index("Connecting") < text.index("Paired.") < text.index("Newest: Glucose")
    assert "Added; records read: 3" in text
    assert METER in said(home.run("devices"))
    said(home.run("forget", METER))


def test_a_person_types_the_number_of_what_was_found(home: Home) -> None:
    text = said(home.run("pair", "--seconds", "2", types=f"99\n1\n{PASSKEY}\n"))
    assert "There is no such number." in text
    assert "Added" in text


def test_who_presses_enter_adds_nothing(home: Home) -> None:
    done = home.run("pair", "--seconds", "1", types="\n")
    assert done.returncode == 1
    assert "Nothing was added" in done.stdout or "No device was found" in done.stdout


def test_a_forgotten_device_is_gone_and_can_be_found_again(home: Home) -> None:
    said(home.run("pair", BAND))
    assert "is no longer read" in said(home.run("forget", BAND.removeprefix("ble:").lower()))
    assert BAND not in said(home.run("devices"))
    again = home.run("forget", BAND)
    assert again.returncode == 1
    assert "has no such device" in again.stdout


def test_a_device_that_is_not_on_air_is_no_endless_wait(home: Home) -> None:
    shell = home.start("gateway", "pair", "ble:F0:00:00:01:00:99")
    assert shell.stdout is not None
    next(each for each in shell.stdout if "Waiting for the device" in each)
    # whoever loses patience presses Ctrl-C, and the gateway is free again
    shell.send_signal(signal.SIGINT)
    shell.communicate(timeout=20)
    assert shell.returncode != 0
    assert "candidate" in said(home.run("scan", "--seconds", "2", "--json"))


def test_an_address_that_is_none_is_refused_with_a_sentence(home: Home) -> None:
    done = home.run("pair", "my cuff")
    assert done.returncode == 1
    assert "write ble: and its address" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_consent_code_is_for_a_device_that_was_added(home: Home) -> None:
    refused = home.run("consent", "ble:F0:00:00:01:00:98", "1", "4711")
    assert refused.returncode == 1
    assert "no such device" in refused.stdout
    assert home.run("consent", CUFF, "1", "10000").returncode != 0
    said(home.run("pair", CUFF))
    text = said(home.run("consent", CUFF, "1", "4711"))
    assert f"{CUFF} is asked for the readings of user 1" in text
    assert "4711" not in text + said(home.run("devices", "--json"))


def test_status_says_what_waits(home: Home) -> None:
    assert "The gateway works." in said(home.run("status"))
    status = json.loads(said(home.run("status", "--json")))
    assert status["runs"] is True
    devices = json.loads(said(home.run("devices", "--json")))
    assert status["devices"] == len(devices)


def test_where_no_household_runs_the_way_out_is_named(tmp_path: Path) -> None:
    done = Home(tmp_path).run("scan")
    assert done.returncode == 1
    assert "kangban simulate household --unpaired" in done.stderr


def test_a_shell_without_a_gateway_reads_its_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "g1.sqlite")
    spool.close()
    done = Home(tmp_path).run("status", KANGBAN_ADAPTER="hci0")
    assert done.returncode == 1
    assert "No gateway runs here. Devices: 0" in done.stdout
    assert "No device was added yet" in said(Home(tmp_path).run("devices", KANGBAN_ADAPTER="hci0"))


def test_a_shell_without_bluetooth_says_so(tmp_path: Path) -> None:
    done = Home(tmp_path).run(
        "scan",
        "--seconds",
        "2",
        KANGBAN_ADAPTER="hci0",
        DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={tmp_path}/no-bus",
    )
    assert done.returncode == 1
    assert "Bluetooth does not work" in done.stdout
    assert "Traceback" not in done.stderr


def test_settings_that_are_missing_are_named(tmp_path: Path) -> None:
    done = Home(tmp_path).run("devices", KANGBAN_GATEWAY_NAME="")
    assert done.returncode == 1
    assert "No gateway runs" in done.stderr
    assert "KANGBAN_GATEWAY_NAME is missing" in done.stderr


@pytest.mark.parametrize("command", ["scan", "pair", "devices", "forget", "consent", "status"])
def test_every_command_has_help_without_a_gateway(tmp_path: Path, command: str) -> None:
    assert "Usage" in said(Home(tmp_path).run(command, "--help"))
