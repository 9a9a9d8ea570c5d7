"""Can this process do its work? What each part that it needs last said, and when.

The loops say what they find anyway (a heartbeat was committed, the broker lets us in), so that no
check costs anything, and a loop that stands still shows as well: a part that has said nothing for a
minute is in trouble. May hold: this memory. May not: checks of its own, HTTP.
"""

import time
from collections.abc import Callable

# seconds; loops beat every ten
_FRESH_S = 60.0


class Readiness:
    """Of one process, by its name on the command line. Thread-safe: each part is one entry that is
    replaced whole."""

    def __init__(
        self, process: str, *parts: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.process, self._clock = process, clock
        self._said: dict[str, tuple[str, float]] = dict.fromkeys(
            parts, ("nothing heard of it yet", float("inf"))
        )

    def well(self, part: str) -> None:
        """This part works now."""
        self._said[part] = ("", self._clock())

    def ill(self, part: str, trouble: str) -> None:
        """This part does not work now; `trouble` is a sentence without names or values."""
        self._said[part] = (trouble, self._clock())

    def say(self, part: str, *, well: bool, trouble: str) -> None:
        """The one or the other."""
        self._said[part] = ("" if well else trouble, self._clock())

    def troubles(self) -> dict[str, str]:
        """What is wrong, by part; empty when the process can do its work."""
        now_s = self._clock()
        found = {}
        for part, (trouble, at_s) in self._said.items():
            if trouble:
                found[part] = trouble
            elif now_s - at_s > _FRESH_S:
                found[part] = f"nothing heard of it for {now_s - at_s:.0f} s"
        return found
