"""Clears away what calls on devices leave behind in memory.

bleak opens a connection to D-Bus for each client, and client and connection hold each other: about
90 objects, 10 kB a call, which only Python's search for circles frees. By itself it searches the
old ones when a quarter more than all objects have come: memory then climbs by ten megabytes, and
climbs again. May hold: when to search. May not: anything that knows what a call is.
"""

import gc

# calls between two searches: a search takes some 10 ms of a core, as much as one call does, and
# what lies about meanwhile is 160 kB; engineering choice
CALLS = 16


class Litter:
    """What ended calls have left in this process; a process of its own is taken for granted."""

    def __init__(self) -> None:
        self._calls = 0
        self._has_settled = False

    def call_ended(self) -> None:
        """Counts a call, and clears up after each `CALLS` of them."""
        self._calls += 1
        if self._calls % CALLS:
            return
        gc.collect()
        if not self._has_settled:
            # modules and what lives as long as the process need not be looked through again
            gc.freeze()
            self._has_settled = True
