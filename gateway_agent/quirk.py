"""What differs from the Bluetooth profiles, device by device: one table, read by all who must know.

A device that follows its profile needs no row. A row says how a model is recognised (its name on
the air, the services it advertises), how it wants to be paired, whether and when its clock may be
set, how it sends its records, and how sure we are. Drivers and the radio ask the row
(`Visit.quirk`) and never a name; `docs/devices.md` and the pages' hints are made from it. What can
be told by the bytes themselves (a meal number that no specification knows) is told there, so that a
meter under another name is understood as well. May hold: the order of the rows. May not: the rows
(`quirks/`), their types (`quirk_row.py`), bytes, I/O, what a person is told beyond how to pair.
"""

from gateway_agent.quirk_row import (
    STANDARD,
    Bond,
    ClockSetting,
    Confidence,
    Quirk,
    Words,
)
from gateway_agent.quirks.bands import BANDS
from gateway_agent.quirks.closed import CLOSED
from gateway_agent.quirks.cuffs import CUFFS
from gateway_agent.quirks.glucose_meters import GLUCOSE_METERS
from gateway_agent.quirks.others import OTHERS

__all__ = [
    "QUIRKS",
    "STANDARD",
    "Bond",
    "ClockSetting",
    "Confidence",
    "Quirk",
    "Words",
    "quirk_of",
]

# the first row that fits counts: what is closed comes after what the same name may offer openly
QUIRKS: tuple[Quirk, ...] = (*GLUCOSE_METERS, *CUFFS, *OTHERS, *BANDS, *CLOSED)


def quirk_of(*, name: str, services: frozenset[str]) -> Quirk:
    """The row of the model that advertises so, STANDARD where there is none."""
    return next((each for each in QUIRKS if each.fits(name=name, services=services)), STANDARD)
