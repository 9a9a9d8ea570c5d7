"""The templates that a plan begins with: TOML files in `templates/`, each number with its source.

A template gives measuring tasks, the doctor's bounds and, where its guideline has one, the protocol
block that may be proposed. May hold: the reading of these files. May not: anything about a patient.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from care_plans.document import bounds_of, schedule_of, words_of
from care_plans.plan import Bounds, Protocol, Schedule, Session, Words
from vitals.errors import MendData


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a plan begins with. `tasks`: session and schedule of each task."""

    name: str
    version: str
    review_status: str
    title: Words
    bounds: Bounds
    tasks: tuple[tuple[Session, Schedule], ...]
    protocol: Protocol | None


def names() -> tuple[str, ...]:
    """The templates that ship, in order of their names."""
    folder = resources.files("care_plans").joinpath("templates")
    files = [each.name for each in folder.iterdir() if each.name.endswith(".toml")]
    return tuple(sorted(each.removesuffix(".toml") for each in files))


@cache
def template(name: str) -> Template:
    """The template of this name. Raises MendData for one that is not there or cannot be read."""
    if name not in names():
        raise MendData(f"There is no template {name!r}; there are: {', '.join(names())}.")
    file = resources.files("care_plans").joinpath(f"templates/{name}.toml")
    return read(file.read_text(encoding="utf-8"))


def read(text: str) -> Template:
    """The template in a TOML text, with those that it includes. Raises MendData."""
    try:
        document = tomllib.loads(text)
        included = [template(each) for each in document.get("includes", [])]
        own = tuple((Session(each["task"]), schedule_of(each)) for each in document.get("task", []))
        protocols = [each.protocol for each in included if each.protocol is not None]
        if "protocol" in document:
            protocols.append(_protocol(document["protocol"]))
        return Template(
            name=document["name"],
            version=document["version"],
            review_status=document["review_status"],
            title=words_of(document["title"]),
            bounds=bounds_of(document["bounds"]),
            tasks=tuple(task for each in included for task in each.tasks) + own,
            protocol=protocols[-1] if protocols else None,
        )
    except (tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise MendData(f"a care plan template cannot be read: {error!r}") from error


def _protocol(document: Mapping[str, Any]) -> Protocol:
    return Protocol(
        session=Session(document["task"]),
        schedule=schedule_of(document),
        days=document["days"],
        min_days=document["min_days"],
        min_readings=document["min_readings"],
        source=document["source"],
    )
