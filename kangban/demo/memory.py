"""What a demo remembers between two runs: when its story began, and how far it was told.

A story that was broken off while it was told begins anew: half a memory cannot be told apart from
a lost one. May hold: this note and the clearing of a demo's folder. May not: anything of a folder
that no demo has made.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vitals.errors import MendSettings

_NOTE = "demo.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The story's first moment, and until when it was told; aware UTC."""

    begins: datetime
    told_until: datetime


def claim(folder: Path, *, fresh: bool) -> None:
    """Makes the folder this demo's own, empty where that was asked for or a telling broke off.

    Raises MendSettings for a folder that holds something else.
    """
    note = folder / _NOTE
    if not note.exists() and any(folder.iterdir()):
        raise MendSettings(
            f"{folder} holds something that is not a demo; choose an empty folder with --data."
        )
    if fresh or (note.exists() and recall(folder) is None):
        for each in folder.iterdir():
            if each != note:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        note.unlink(missing_ok=True)
    if not note.exists():
        note.write_text("{}", encoding="utf-8")


def recall(folder: Path) -> Memory | None:
    """What the last demo in this folder remembered; None where its story broke off."""
    try:
        document = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        return Memory(
            begins=datetime.fromisoformat(document["begins"]),
            told_until=datetime.fromisoformat(document["told_until"]),
        )
    except (OSError, ValueError, KeyError):
        return None


def remember(folder: Path, memory: Memory) -> None:
    """Notes how far the story was told; all of it or nothing."""
    text = json.dumps(
        {"begins": memory.begins.isoformat(), "told_until": memory.told_until.isoformat()}
    )
    fresh = folder / f"{_NOTE}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / _NOTE)
