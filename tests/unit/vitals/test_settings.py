"""Settings from the environment: each missing or wrong one is named with its meaning."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from vitals.errors import MendSettings
from vitals.settings import describe, read, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Kettle:
    """Settings of a process that does not exist."""

    place: str = setting("KANGBAN_TEST_PLACE", "where it stands")
    cups: int = setting("KANGBAN_TEST_CUPS", "how many cups it holds", default=4, parse=int)


def test_a_setting_is_read_from_its_variable_and_parsed() -> None:
    kettle = read(Kettle, {"KANGBAN_TEST_PLACE": "kitchen", "KANGBAN_TEST_CUPS": "6"})
    assert kettle == Kettle(place="kitchen", cups=6)


def test_a_default_stands_where_nothing_is_said() -> None:
    assert read(Kettle, {"KANGBAN_TEST_PLACE": "kitchen"}).cups == 4
    assert read(Kettle, {"KANGBAN_TEST_PLACE": "kitchen", "KANGBAN_TEST_CUPS": ""}).cups == 4


def test_every_missing_and_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(MendSettings) as raised:
        read(Kettle, {"KANGBAN_TEST_CUPS": "many"})
    said = str(raised.value)
    assert "KANGBAN_TEST_PLACE is missing: where it stands" in said
    assert "KANGBAN_TEST_CUPS is wrong" in said
    assert "how many cups it holds" in said


def test_an_empty_variable_is_a_missing_one() -> None:
    with pytest.raises(MendSettings, match="KANGBAN_TEST_PLACE is missing"):
        read(Kettle, {"KANGBAN_TEST_PLACE": ""})


def test_a_secret_may_come_in_a_file_and_the_file_goes_first(tmp_path: Path) -> None:
    file = tmp_path / "place"
    file.write_text("cellar\n", encoding="utf-8")
    environ = {"KANGBAN_TEST_PLACE_FILE": str(file), "KANGBAN_TEST_PLACE": "kitchen"}
    assert read(Kettle, environ).place == "cellar"


def test_an_empty_file_is_a_missing_setting(tmp_path: Path) -> None:
    file = tmp_path / "place"
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(MendSettings, match="KANGBAN_TEST_PLACE is missing"):
        read(Kettle, {"KANGBAN_TEST_PLACE_FILE": str(file)})


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "place"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(MendSettings, match="KANGBAN_TEST_PLACE_FILE cannot be read"):
        read(Kettle, {"KANGBAN_TEST_PLACE_FILE": str(file)})


def test_the_documentation_lists_name_meaning_and_default() -> None:
    assert describe(Kettle) == [
        ("KANGBAN_TEST_PLACE", "where it stands", "required"),
        ("KANGBAN_TEST_CUPS", "how many cups it holds", "4"),
    ]
