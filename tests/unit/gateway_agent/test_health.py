"""How the box is: what it tells, and what it cannot tell."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway_agent.health import DISK_LEAST_MB, Box, look, with_box
from vitals.wire import Health

WORD = Health(v=1, gateway="g1", sent_at=datetime(2026, 11, 22, tzinfo=UTC), spooled=0, devices={})


def box(**changes: object) -> Box:
    given = {"disk_free_mb": 9000, "temperature_c": 45.5, "uptime_s": 60, **changes}
    return Box(**given)  # type: ignore[arg-type]


def test_the_hottest_zone_is_told_in_degrees(tmp_path: Path) -> None:
    for number, text in enumerate(("45123\n", "61700\n", "nonsense", "")):
        (tmp_path / f"thermal_zone{number}").mkdir()
        (tmp_path / f"thermal_zone{number}" / "temp").write_text(text)
    (tmp_path / "uptime").write_text("86400.52 1234.5\n")
    found = look(tmp_path, thermal=tmp_path, uptime=tmp_path / "uptime")
    assert (found.temperature_c, found.uptime_s) == (61.7, 86400)
    assert found.disk_free_mb is not None
    assert found.disk_free_mb > 0


def test_what_a_machine_does_not_tell_is_not_made_up(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    found = look(nowhere, thermal=nowhere, uptime=nowhere)
    assert found == Box(disk_free_mb=None, temperature_c=None, uptime_s=None)
    assert with_box(WORD, found) == WORD


def test_the_box_is_part_of_the_gateways_word() -> None:
    found = with_box(WORD, box())
    assert (found.disk_free_mb, found.temperature_c, found.uptime_s) == (9000, 45.5, 60)
    assert found.troubles == {}


@pytest.mark.parametrize(("free_mb", "told"), [(DISK_LEAST_MB - 1, True), (DISK_LEAST_MB, False)])
def test_a_disk_that_fills_up_is_a_trouble(free_mb: int, told: bool) -> None:
    assert ("disk" in with_box(WORD, box(disk_free_mb=free_mb)).troubles) is told
