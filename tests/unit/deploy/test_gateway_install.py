"""What is put on the box in the home: an installer, and a service that may do little."""

import configparser
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GATEWAY = ROOT / "deploy/gateway"
UNIT = (GATEWAY / "kangban-gateway.service").read_text()


def install(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GATEWAY / "install.sh", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": "python3"},
    )


def test_a_dry_run_says_all_and_changes_nothing(tmp_path: Path) -> None:
    words = ["--dry-run", "--server", "https://care.example.org", "--code", "ACDE-3467-HJKM"]
    done = install(*words, "--root", str(tmp_path / "image"))
    assert done.returncode == 0, done.stderr
    for expected in ("venv", "--require-hashes", "kangban-gateway.service", "99-kangban.rules"):
        assert expected in done.stdout
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--server", "https://care.example.org"], "--code"),
        (["--code", "ACDE-3467-HJKM"], "--server"),
        (["--server"], "install.sh --server"),
        (["--unknown"], "install.sh --server"),
    ],
)
def test_an_order_that_is_not_whole_is_refused(words: Sequence[str], said: str) -> None:
    done = install("--dry-run", *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr


def test_every_file_that_is_installed_is_there() -> None:
    script = (GATEWAY / "install.sh").read_text()
    for name in re.findall(r'"\$here/([\w.-]+)"', script):
        assert (GATEWAY / name).exists(), name
    for name in re.findall(r'"\$source/([\w./-]+)"', script):
        assert (ROOT / name).exists(), name


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_installer_has_no_known_shell_trap() -> None:
    done = subprocess.run(
        ["shellcheck", GATEWAY / "install.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def unit() -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT)
    return dict(parser["Service"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Type", "notify"),
        ("Restart", "always"),
        ("WatchdogSec", "120"),
        ("User", "kangban-gateway"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateDevices", "yes"),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
        ("RestrictNamespaces", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("StateDirectory", "kangban-gateway"),
        ("UMask", "0077"),
        ("MemoryMax", "200M"),
    ],
)
def test_the_service_may_do_what_it_must_and_no_more(name: str, value: str) -> None:
    assert unit()[name] == value


def test_the_service_runs_what_the_installer_installs() -> None:
    script = (GATEWAY / "install.sh").read_text()
    assert "home=/opt/kangban-gateway" in script
    assert unit()["ExecStart"] == "/opt/kangban-gateway/venv/bin/kangban gateway run"
    assert unit()["Environment"] == "KANGBAN_GATEWAY_DATA=/var/lib/kangban-gateway"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_the_service_safe(tmp_path: Path) -> None:
    # what it runs is not on this machine
    here = tmp_path / "kangban-gateway.service"
    here.write_text(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", UNIT, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", here],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:] + done.stderr
