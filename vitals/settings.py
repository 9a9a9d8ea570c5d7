"""Settings from the environment: one frozen dataclass per process, each field a named variable.

A process declares its settings in its `config.py`:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class IngestSettings:
        database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens")

and reads them once at the start with `read(IngestSettings, os.environ)`. A variable NAME may also
be given as NAME_FILE, the path of a file that holds the value: that is how secrets arrive in a
container. May hold: the reading of settings. May not: any setting of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from vitals.errors import MendSettings

S = TypeVar("S")


def setting(
    name: str, meaning: str, *, default: Any = MISSING, parse: Callable[[str], Any] = str
) -> Any:
    """A dataclass field read from the variable `name`; without a default it must be given."""
    metadata = {"name": name, "meaning": meaning, "parse": parse}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def read(settings: type[S], environ: Mapping[str, str]) -> S:
    """The settings of one process. Raises MendSettings naming every missing or wrong variable."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for each in fields(cast(Any, settings)):
        try:
            text = _text(each, environ)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{each.metadata['name']}_FILE cannot be read: {error}")
            continue
        if text is None:
            if each.default is MISSING:
                problems.append(f"{each.metadata['name']} is missing: {each.metadata['meaning']}")
            continue
        try:
            values[each.name] = each.metadata["parse"](text)
        except ValueError as error:
            problems.append(
                f"{each.metadata['name']} is wrong ({error}): {each.metadata['meaning']}"
            )
    if problems:
        raise MendSettings("Set these and start again:\n  " + "\n  ".join(problems))
    return settings(**values)


def describe(settings: type[Any]) -> list[tuple[str, str, str]]:
    """Name, meaning and default ('required' where there is none) of each setting, for the docs."""
    return [
        (
            each.metadata["name"],
            each.metadata["meaning"],
            "required" if each.default is MISSING else _shown(each.default),
        )
        for each in fields(settings)
    ]


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return str(default)


def _text(each: "Field[Any]", environ: Mapping[str, str]) -> str | None:
    name = each.metadata["name"]
    path = environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip() or None
    return environ.get(name) or None
