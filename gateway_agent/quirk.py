"""What differs from the Bluetooth profiles, device by device: one table, read by all who must know.

A device that follows its profile needs no row. A row says how a model is recognised (its name on
the air, the services it advertises), how it wants to be paired, whether and when its clock may be
set, how it sends its records, and how sure we are. Drivers and the radio ask the row
(`Visit.quirk`) and never a name; `docs/devices.md` and the pages' hints are made from it. May hold:
the table and its types. May not: bytes, I/O, what a person is told beyond how to pair.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum


class Bond(StrEnum):
    """When a device wants to share a key with the gateway."""

    # it serves anybody
    NEVER = "never"
    # it says so itself when it is asked for something (ATT errors 0x05, 0x0F)
    WHEN_ASKED = "when_asked"
    # before anything else, or it hangs up
    AT_ONCE = "at_once"


class ClockSetting(StrEnum):
    """When the gateway may set a device's clock."""

    NEVER = "never"
    # when its records are read and kept
    AFTER_RECORDS = "after_records"
    # only in answer to its first notification: it listens at no other time
    AT_FIRST_NOTIFICATION = "at_first_notification"


class Confidence(StrEnum):
    """How sure we are that it works."""

    # its bytes were published or captured, and its driver decodes them to what their source says
    VECTORS = "vectors"
    # read in simulation; no bytes of this model were seen
    SIMULATED = "simulated"
    # others report that it follows the profile; not tried by us
    REPORTED = "reported"
    # cannot be used, see `reason`
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A sentence in both languages."""

    zh: str
    en: str

    def document(self) -> dict[str, str]:
        """As it travels in an event."""
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One row. `id` names it for ever; `driver` is the kind of the driver that reads it, None where
    none can. `names` are regular expressions, matched from the start of the advertised name;
    `services` advertised UUIDs (short, upper case), any of which is enough; where both are given
    both must fit.

    `shows_passkey`: it shows six digits that a person must type in. `pairing`: how to put it into
    pairing mode. `picture`: the drawing that shows its button. `sources`: where each peculiarity
    comes from; one that nobody could confirm on hardware is marked so in `confidence`.
    """

    id: str
    zh: str
    en: str
    driver: str | None = None
    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    bond: Bond = Bond.WHEN_ASKED
    shows_passkey: bool = False
    # hang up once after bonding: the device ends its pairing only then
    hangs_up_after_bond: bool = False
    clock_setting: ClockSetting = ClockSetting.AFTER_RECORDS
    # the characteristic of its clock where it is not Current Time
    clock: str | None = None
    # seconds that its clock may be off before it is set; None: as `clock.py` says
    clock_set_beyond_s: int | None = None
    # its record numbers count backwards, 0 is the newest: they are no lasting names
    counts_backwards: bool = False
    # it sends its whole memory at each visit
    resends_all: bool = False
    # the octets of a CGM's annunciation come in the order warning, cal/temp, status
    annunciation_backwards: bool = False
    # it sends plain 16-bit integers in the place of medical floats
    plain_integers: bool = False
    pairing: Words | None = None
    picture: str = ""
    confidence: Confidence = Confidence.REPORTED
    reason: Words | None = None
    sources: tuple[str, ...] = ()
    _patterns: tuple[re.Pattern[str], ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = tuple(re.compile(each) for each in self.names)
        object.__setattr__(self, "_patterns", patterns)
        if not self.names and not self.services:
            raise ValueError(f"{self.id} can be recognised by nothing")

    def fits(self, *, name: str, services: frozenset[str]) -> bool:
        """Is this the model that advertises so?"""
        by_name = not self.names or any(each.match(name) for each in self._patterns)
        by_service = not self.services or not services.isdisjoint(self.services)
        return by_name and by_service


# for whatever has no row: it follows its profile
STANDARD = Quirk(id="standard", zh="标准蓝牙设备", en="Standard Bluetooth device", names=(".*",))

# the first row that fits counts
QUIRKS: tuple[Quirk, ...] = (
    # open wristbands and rings
    Quirk(
        id="infinitime",
        zh="PineTime 手表（InfiniTime）",
        en="PineTime watch (InfiniTime)",
        driver="smart_watch",
        # it advertises 180D, like any band
        names=("InfiniTime",),
        bond=Bond.NEVER,
        pairing=Words(
            zh="在手表上打开蓝牙；打开心率测量，步数随时可读。",
            en="Switch Bluetooth on in the watch's settings and start its heart-rate measurement; "
            "steps can be read at any time.",
        ),
        picture="watch",
        confidence=Confidence.SIMULATED,
        sources=("InfiniTimeOrg/InfiniTime doc/ble.md, doc/MotionService.md",),
    ),
    Quirk(
        id="colmi_r02",
        zh="Colmi R02 系列戒指",
        en="Colmi R02 family of rings",
        driver="ring",
        names=("R0[2-9]_", "R10_", "COLMI"),
        bond=Bond.NEVER,
        pairing=Words(
            zh="把戒指放在充电座上一会儿再拿下，并从手机应用里解除连接。",
            en="Put the ring on its charger for a moment, take it off, and remove it from the "
            "phone's app: it talks to one at a time.",
        ),
        picture="ring",
        confidence=Confidence.VECTORS,
        sources=("tahnok/colmi_r02_client", "Gadgetbridge devices/colmi"),
    ),
)


def quirk_of(*, name: str, services: frozenset[str]) -> Quirk:
    """The row of the model that advertises so, STANDARD where there is none."""
    return next((each for each in QUIRKS if each.fits(name=name, services=services)), STANDARD)
