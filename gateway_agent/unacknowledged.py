"""What was handed to the link and not yet acknowledged by the broker.

The MQTT library keeps such a message and sends it again over each new link. Who knows which ones
they are sends nothing twice needlessly after a broker's restart. May hold: this list. May not:
sending, what the messages say.
"""

from typing import Protocol

# messages whose acknowledgement is waited for: a window of envelopes and what a pairing says
MOST_UNACKNOWLEDGED = 512


class Handed(Protocol):
    """A message that the library has; raises where it was handed over without a link."""

    def is_published(self) -> bool:
        """Has the broker acknowledged it?"""


class Unacknowledged:
    """The messages that the library sends again by itself, by batch or by answer."""

    def __init__(self) -> None:
        self._known: dict[str, Handed] = {}

    def add(self, key: str, info: Handed) -> None:
        """Notes what was handed over; called from one thread alone."""
        known = self._known
        for each in [each for each, info in known.items() if _is_acknowledged(info)]:
            del known[each]
        known.pop(key, None)
        known[key] = info
        if len(known) > MOST_UNACKNOWLEDGED:
            del known[next(iter(known))]

    def names(self) -> frozenset[str]:
        """Their names; for any thread."""
        known = tuple(self._known.items())
        return frozenset(key for key, info in known if not _is_acknowledged(info))


def _is_acknowledged(info: Handed) -> bool:
    try:
        return info.is_published()
    except (RuntimeError, ValueError):
        # it was handed over while there was no link: the library keeps it, and never says more
        return False
