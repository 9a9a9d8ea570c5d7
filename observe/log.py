"""How a server process writes its log, so that no line ever holds health data.

Our own sentences name gateways, rules and numbers of rows, never values or people. The danger is in
errors: the text of a foreign one, and of our MendData, may quote the value, the row or the payload
that it stumbled over. Of those only the name is written, and where in the code it happened; of
others of ours the sentence too. May hold: the two forms. May not: what is logged.
"""

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType

from observe.config import LogForm
from vitals.errors import KangbanError, MendData

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
# frames of one error that are written, the innermost ones
_FRAMES = 8
_SHAPE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def begin(form: LogForm) -> None:
    """Writes everything from now on in this form, to standard error."""
    handler = logging.StreamHandler()
    handler.addFilter(without_quotes)
    handler.setFormatter(JsonLines() if form is LogForm.JSON else Sentences(_SHAPE))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    _write_what_ends_us()


def begin_from(environ: Mapping[str, str]) -> None:
    """The same by KANGBAN_LOG; a wrong word is told later, with the other settings."""
    wanted = environ.get("KANGBAN_LOG", "")
    begin(LogForm(wanted) if wanted in LogForm.__members__.values() else LogForm.TEXT)


def _write_what_ends_us() -> None:
    """Lets what ends a thread or the process be written in the same way."""
    log = logging.getLogger("kangban")

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit and args.exc_value is not None:
            log.critical(
                "A thread has ended.",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    threading.excepthook = of_thread
    if not os.environ.get("KANGBAN_TRACE"):
        sys.excepthook = lambda kind, error, trace: log.critical(
            "This process has ended.", exc_info=(kind, error, trace)
        )


class Sentences(logging.Formatter):
    """Lines for a person's eye; an error below its line, without what it may quote."""

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - logging calls it so
        """Where the error happened, innermost last, and its name."""
        error = ei[1]
        if error is None:
            return ""
        where = [f"  at {each}" for each in frames(error)]
        return "\n".join([*where, f"  {name_of(error)}"])


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and error where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break."""
        document: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            document["error"] = name_of(error)
            document["where"] = frames(error)
        return json.dumps(document, ensure_ascii=False, default=str)


def without_quotes(record: logging.LogRecord) -> bool:
    """Writes only the names of errors that a line is made with, where their text may quote."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            name_of(each) if isinstance(each, BaseException) else each for each in record.args
        )
    return True


def name_of(error: BaseException) -> str:
    """What may be written of an error: its name and its cause's, or its sentence."""
    if isinstance(error, KangbanError) and not isinstance(error, MendData):
        return str(error)
    cause = error.__cause__ or error.__context__
    return type(error).__name__ + (f" from {type(cause).__name__}" if cause else "")


def frames(error: BaseException) -> list[str]:
    """Where it happened: file and line of the innermost calls, the innermost last."""
    found = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{_short(each.filename)}:{each.lineno} {each.name}" for each in found]


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])
