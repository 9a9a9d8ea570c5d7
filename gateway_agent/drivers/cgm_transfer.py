"""What may be kept, and when, while a continuous glucose monitor hands over its records.

The sensor is asked for "everything after the last minute on disk", so the last minute on disk must
never lie above a record that has not come yet. A sensor also sends its newest value in between
whenever one is due, which is higher than all that is still being reported. Hence:

1. Records are kept in rising order, one when a higher one has come after it.
2. Where the order breaks or a record could not be decoded, nothing above that point is kept before
   the procedure has ended.
3. At the end of the procedure everything is kept; when the link is lost, nothing more: the sensor
   forgets nothing by being read, and the next visit asks again.

May hold: these rules. May not: bytes, asking, what a record means.
"""

from gateway_agent.drivers.cgm_measurement import CgmRecord


class CgmTransfer:
    """The records of one procedure as they come in."""

    def __init__(self) -> None:
        self._waiting: dict[int, CgmRecord] = {}
        self._came: set[int] = set()
        self._highest = -1
        self._in_order = True
        self.refused = False

    @property
    def came(self) -> int:
        """How many different records have come."""
        return len(self._came)

    def hear(self, record: CgmRecord) -> None:
        """Takes a record in; one that comes twice is one."""
        offset = record.time_offset_min
        if offset in self._came and offset not in self._waiting:
            return
        self._in_order = self._in_order and offset >= self._highest
        self._highest = max(self._highest, offset)
        self._waiting[offset] = record
        self._came.add(offset)

    def refuse(self) -> None:
        """Notes that something came which could not be decoded."""
        self.refused, self._in_order = True, False

    def ready(self) -> list[CgmRecord]:
        """Records that may be kept by now, in rising order."""
        if not self._in_order:
            return []
        return [self._waiting.pop(each) for each in sorted(self._waiting) if each < self._highest]

    def finish(self) -> list[CgmRecord]:
        """All records that are left when the procedure has ended, in rising order."""
        return [self._waiting.pop(each) for each in sorted(self._waiting)]
