"""How far the removal of a device has come: pure.

May hold: this judgement. May not: words, SQL, clocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from api.view.pairing import TAKEN_WITHIN
from store.commands import Asked, Heard
from vitals.command import Failure, Step


class Removal(StrEnum):
    """What the person sees."""

    WAITING = "waiting"
    SILENT = "silent"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removing:
    """A removal; `look_at`: when it may change though nothing comes."""

    state: Removal
    device: str
    said: str = ""
    look_at: datetime | None = None


def removing_of(asked: Asked, heard: Sequence[Heard], *, now: datetime) -> Removing:
    """Where the removal that was asked for stands. A gateway that does not know the device has
    nothing to let go: that too is done."""
    device = asked.device or ""
    for each in heard:
        if each.event.step is Step.DONE or each.event.failure is Failure.UNKNOWN_DEVICE:
            return Removing(state=Removal.DONE, device=device)
        if each.event.step is Step.FAILED:
            return Removing(state=Removal.FAILED, device=device, said=each.event.said)
    silent_at = asked.created_at + TAKEN_WITHIN
    if now < silent_at:
        return Removing(state=Removal.WAITING, device=device, look_at=silent_at)
    return Removing(state=Removal.SILENT, device=device)
