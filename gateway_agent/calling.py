"""Whom the gateway calls on, and when: decided here, done in `radio.py`.

A device advertises when it has something to say; some advertise all day long. A device is called on
when it is heard for the first time, when it begins to advertise again after a silence, and every
`revisit_s` of its driver while it goes on. One that fails is left alone for a while that doubles,
so that a broken device does not keep the radio from the others. May hold: this decision and its
constants. May not: clocks, Bluetooth.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# devices that the book remembers; a home has a few, and with `admit all` strangers stand in it too
MOST_DEVICES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a device is left alone: engineering choices.

    A cuff is on air for about half a minute after a measurement: the first three tries after a
    failure fall into it. `revisit` goes before the driver's own, for devices that are known to be
    on air only when they have news (the simulated ones).
    """

    first: timedelta = timedelta(seconds=2)
    most: timedelta = timedelta(minutes=10)
    revisit: timedelta | None = None

    def after(self, failures: int) -> timedelta:
        """The pause after so many failures in a row: 2 s, 4 s, 8 s … ten minutes."""
        # 2**20 seconds are longer than any pause
        return min(self.first * 2.0 ** min(failures - 1, 20), self.most)


@dataclass(slots=True, kw_only=True)
class _Heard:
    advert_at: datetime
    called_at: datetime | None = None
    failures: int = 0
    busy: bool = False
    wanted: bool = False


@dataclass(slots=True, kw_only=True)
class CallBook:
    """What decides about calls: when each device was heard, called on, and how that went."""

    patience: Patience = field(default_factory=Patience)
    _heard: OrderedDict[str, _Heard] = field(default_factory=OrderedDict)

    def is_due(self, device: str, *, revisit_s: float, now: datetime) -> bool:
        """Notes an advertisement; should the device be called on now?"""
        heard = self._heard.get(device)
        if heard is None:
            heard = self._heard[device] = _Heard(advert_at=now)
            self._make_room()
        self._heard.move_to_end(device)
        silence, heard.advert_at = abs(now - heard.advert_at), now
        if heard.busy:
            return False
        if silence > _silence(revisit_s):
            heard.wanted = True
        if heard.called_at is None or heard.wanted:
            return True
        revisit = self.patience.revisit
        if revisit is None:
            revisit = timedelta(seconds=revisit_s)
        pause = self.patience.after(heard.failures) if heard.failures else revisit
        # a clock that was set back would otherwise hold up a device for as long
        return abs(now - heard.called_at) >= pause

    def called(self, device: str, now: datetime) -> None:
        """Notes that a call begins: until it has ended no other will be due."""
        heard = self._heard.setdefault(device, _Heard(advert_at=now))
        heard.busy, heard.wanted, heard.called_at = True, False, now

    def ended(self, device: str, now: datetime, *, well: bool) -> None:
        """Notes how a call ended; its pause begins here, and so does its silence: while it is
        called on, a device cannot be heard."""
        heard = self._heard.get(device)
        if heard is None:
            # it was forgotten meanwhile
            return
        heard.busy, heard.called_at, heard.advert_at = False, now, now
        heard.failures = 0 if well else heard.failures + 1

    def forget(self, device: str) -> None:
        """Knows nothing of this device any more."""
        self._heard.pop(device, None)

    def _make_room(self) -> None:
        """Forgets those who were silent longest, but nobody who is being called on."""
        idle = [device for device, heard in self._heard.items() if not heard.busy]
        for device in idle[: max(0, len(self._heard) - MOST_DEVICES)]:
            del self._heard[device]


def _silence(revisit_s: float) -> timedelta:
    """How long a device must be silent to be one that comes back: a twentieth of its revisit.

    A band that is called on every 300 s may miss 15 s of adverts; a meter that is silent for two
    seconds has been switched on again.
    """
    return timedelta(seconds=max(2.0, revisit_s / 20))
