"""The gateway with its own extra alone, as a Raspberry Pi has it: it works without the server's."""

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# what the server needs and a small box must not
_FOREIGN = (
    "pandas",
    "numpy",
    "scipy",
    "psycopg",
    "fastapi",
    "jinja2",
    "msgspec",
    "bumble",
    "apprise",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which deploy/gateway/install.sh has put a gateway, twice: it may be repeated.

    Made once for all workers: the first one installs, the others wait for it.
    """
    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    root = shared / "gateway-image"
    with (shared / "gateway-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            for _ in range(2):
                _install(root)
            (root / "done").touch()
    return root


def _install(root: Path) -> None:
    done = subprocess.run(
        [ROOT / "deploy/gateway/install.sh", "--root", root],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def box(image: Path) -> Path:
    """The environment of that gateway."""
    return image / "opt/kangban-gateway/venv"


def test_the_installer_puts_everything_where_the_service_looks(image: Path) -> None:
    placed = {
        "etc/systemd/system/kangban-gateway.service": 0o644,
        "etc/dbus-1/system.d/kangban-gateway.conf": 0o644,
        "etc/udev/rules.d/99-kangban.rules": 0o644,
        "usr/local/bin/kangban-gateway": 0o755,
        "var/lib/kangban-gateway": 0o700,
    }
    assert {name: stat.S_IMODE((image / name).stat().st_mode) for name in placed} == placed
    assert (image / "usr/local/bin/kangban").is_symlink()


def ran(box: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [box / "bin/kangban", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(folder),
        timeout=60,
    )


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "en_US.UTF-8",
        "KANGBAN_GATEWAY_DATA": str(folder / "data"),
        # no system bus, on whatever machine this runs
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/no-bus",
    }


@pytest.mark.parametrize("module", _FOREIGN)
def test_what_the_server_needs_is_not_there(box: Path, tmp_path: Path, module: str) -> None:
    command = [box / "bin/python", "-c", f"import {module}"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode != 0


def test_its_commands_explain_themselves(box: Path, tmp_path: Path) -> None:
    listed = ran(box, tmp_path, "--help")
    assert listed.returncode == 0, listed.stderr
    for words in (["gateway"], ["gateway", "enrol"], ["gateway", "doctor"], ["gateway", "run"]):
        done = ran(box, tmp_path, *words, "--help")
        assert done.returncode == 0, done.stderr


def test_it_says_what_a_device_sent(box: Path, tmp_path: Path) -> None:
    done = ran(box, tmp_path, "gateway", "decode", "2A19", "50")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_the_doctor_names_what_is_missing_and_how_to_mend_it(box: Path, tmp_path: Path) -> None:
    done = ran(box, tmp_path, "gateway", "doctor", "--json")
    assert done.returncode == 1, done.stderr
    found = {each["key"]: each for each in json.loads(done.stdout)}
    assert {"not_enrolled", "bus"} <= found.keys()
    assert "kangban-gateway enrol" in found["not_enrolled"]["en"]["remedy"]
    assert "This box is not enrolled." in ran(box, tmp_path, "gateway", "doctor").stdout


def test_an_address_that_is_wrong_is_a_sentence(box: Path, tmp_path: Path) -> None:
    words = ("gateway", "enrol", "https://127.0.0.1:1", "ACDE-3467-HJKM")
    done = ran(box, tmp_path, *words)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("scan", "--seconds", "1"), 1, "Bluetooth does not work"),
        (("devices",), 0, "No device was added yet"),
        (("status",), 1, "No gateway runs here. Devices: 0"),
    ],
)
def test_a_shell_in_an_enrolled_box_needs_no_setting_typed(
    box: Path, tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    enrolled(tmp_path)
    done = ran(box, tmp_path, "gateway", *words)
    assert (done.returncode, done.stderr) == (code, "")
    assert says in done.stdout
    assert (tmp_path / "data" / "home-wang.sqlite").exists()


def enrolled(folder: Path) -> None:
    """What enrolment writes into the data folder, as far as a start needs it."""
    (folder / "data").mkdir()
    (folder / "data" / "gateway.env").write_text(
        "# as enrolment writes it\nKANGBAN_GATEWAY_NAME=home-wang\n"
        "KANGBAN_MQTT_URL=mqtt://127.0.0.1:1\n"
    )


def test_an_enrolled_gateway_runs_with_no_setting_typed_and_stops(
    box: Path, tmp_path: Path
) -> None:
    enrolled(tmp_path)
    process = subprocess.Popen(
        [box / "bin/kangban", "gateway", "run"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert next(each for each in process.stderr if "Bluetooth" in each)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert (tmp_path / "data" / "home-wang.sqlite").exists()
