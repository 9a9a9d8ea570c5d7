"""The log says what happened and where, and quotes nobody's values."""

import json
import logging
from typing import Any

import pytest

from observe.config import LogForm
from observe.log import JsonLines, Sentences, without_quotes
from vitals.errors import MendData, TryAgain

VALUE = "187 mm[Hg]"


def raised(error: BaseException, *, cause: BaseException | None = None) -> Any:
    """The error as a log record holds it."""
    try:
        raise error from cause
    except type(error) as caught:
        return (type(caught), caught, caught.__traceback__)


def record(message: str, *args: object, error: Any = None) -> logging.LogRecord:
    made = logging.LogRecord(
        name="ingest", level=logging.ERROR, pathname="", lineno=1, msg=message, args=args,
        exc_info=error,
    )  # fmt: skip
    assert without_quotes(made)
    return made


@pytest.mark.parametrize("formatter", [JsonLines(), Sentences("%(levelname)s %(message)s")])
def test_the_text_of_a_foreign_error_stays_out_and_its_place_is_told(
    formatter: logging.Formatter,
) -> None:
    line = formatter.format(record("It failed.", error=raised(ValueError(f"cannot take {VALUE}"))))
    assert VALUE not in line
    assert "It failed." in line
    assert "ValueError" in line
    assert "observe/test_log.py:" in line
    assert "raised" in line


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError(VALUE), "It waits: ValueError"),
        # what was received may be quoted by ours too
        (MendData(f"refused {VALUE}"), "It waits: MendData"),
        (raised(MendData(VALUE), cause=KeyError(VALUE))[1], "It waits: MendData from KeyError"),
        (TryAgain("The database is away."), "It waits: The database is away."),
    ],
    ids=["foreign", "of data", "of data, with its cause", "of ours"],
)
def test_an_error_within_a_sentence_is_named_and_quoted_only_where_it_quotes_nobody(
    error: BaseException, expected: str
) -> None:
    assert record("It waits: %s", error).getMessage() == expected


def test_a_line_of_json_is_one_object_with_its_moment_and_its_words() -> None:
    line = JsonLines().format(record("%d rows\nof %s", 3, "home-王"))
    document = json.loads(line)
    assert "\n" not in line
    assert document.keys() == {"at", "level", "logger", "message"}
    assert (document["level"], document["logger"]) == ("error", "ingest")
    assert document["message"] == "3 rows\nof home-王"
    assert document["at"].endswith("+00:00")


def test_there_are_two_forms_and_a_wrong_one_is_refused() -> None:
    assert {LogForm("text"), LogForm("json")} == set(LogForm)
    with pytest.raises(ValueError, match="yaml"):
        LogForm("yaml")
