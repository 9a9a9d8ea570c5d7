"""Why something was not taken in, as short words that never change: counted, filtered, explained.

A reason has a sentence for whoever reads one item (`dismantle.py` writes it, with what was wrong)
and one of these words for whoever counts many. Words stand in the database, in metrics and in
scripts of operators: never rename one. Some say that a measurement is well-formed but not
believable: it is *quarantined* until a person releases or discards it. May hold: the words, what
each means and what to do about it. May not: judgement (`dismantle.py`), I/O.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One word for why; in the order in which one of several is named alone."""

    # a whole message
    UNKNOWN_GATEWAY = "unknown_gateway"
    OTHER_GATEWAY = "other_gateway"
    FOREIGN_TOPIC = "foreign_topic"
    TOO_LARGE = "too_large"
    UNKNOWN_VERSION = "unknown_version"
    STRAY_EVENT = "stray_event"
    FAILED_HERE = "failed_here"
    # a whole message or one measurement
    MALFORMED = "malformed"
    UNKNOWN_WORD = "unknown_word"
    DATABASE = "database"
    # one measurement, well-formed: quarantined
    IMPLAUSIBLE = "implausible"
    PRESSURE_PAIR = "pressure_pair"
    FUTURE = "future"
    BEFORE_CLOCKS = "before_clocks"


# for these alone, a measurement waits in quarantine for a person
QUARANTINED = frozenset(
    {Reason.IMPLAUSIBLE, Reason.PRESSURE_PAIR, Reason.FUTURE, Reason.BEFORE_CLOCKS}
)
# these doubt when it was measured, not what
OF_TIME = frozenset({Reason.FUTURE, Reason.BEFORE_CLOCKS})


@dataclass(frozen=True, slots=True)
class Against:
    """One reason against a measurement: the word, and the sentence with what was wrong."""

    code: Reason
    text: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word means, and what to do about it."""

    text: str
    do: str


MEANING: dict[Reason, Meaning] = {
    Reason.UNKNOWN_GATEWAY: Meaning(
        "nobody has registered this gateway, or it was shut out",
        "If it is yours: `kangban people gateway NAME`, then replay. It keeps everything until "
        "then.",
    ),
    Reason.OTHER_GATEWAY: Meaning(
        "a gateway wrote in another's name",
        "Look which gateway has the wrong name or certificate; what it says is not taken in.",
    ),
    Reason.FOREIGN_TOPIC: Meaning(
        "the topic is none of ours",
        "Look who writes there, and let the broker's access list refuse it.",
    ),
    Reason.TOO_LARGE: Meaning(
        "the message is larger than any gateway's", "Look who writes there; replay cannot help."
    ),
    Reason.UNKNOWN_VERSION: Meaning(
        "it is written in another version of the format",
        "Update whichever is older, the gateway or the server; then replay.",
    ),
    Reason.STRAY_EVENT: Meaning(
        "a gateway answers something that nobody asked",
        "Nothing: the command is long forgotten, or another server asked it.",
    ),
    Reason.FAILED_HERE: Meaning(
        "this release of ingest failed on it", "Report it; replay with the next release."
    ),
    Reason.MALFORMED: Meaning(
        "a field is missing, too much, or of a wrong kind",
        "Update the gateway or mend its driver; replay after the server was updated.",
    ),
    Reason.UNKNOWN_WORD: Meaning(
        "it uses a kind, unit, flag or field that this release does not know",
        "Update the server; then replay.",
    ),
    Reason.DATABASE: Meaning(
        "the database refused to store it", "Read the sentence; replay after the next update."
    ),
    Reason.IMPLAUSIBLE: Meaning(
        "no working device says this of a living person",
        "Let the family or the doctor release or discard it, or `kangban ingest quarantine`.",
    ),
    Reason.PRESSURE_PAIR: Meaning(
        "upper and lower pressure are too close together for one cuff reading",
        "Let the family or the doctor release or discard it, or `kangban ingest quarantine`.",
    ),
    Reason.FUTURE: Meaning(
        "it was measured in the future",
        "Check the clocks of gateway and server. A release places it at the time of receipt.",
    ),
    Reason.BEFORE_CLOCKS: Meaning(
        "it was measured before any device's clock begins",
        "Set the device's clock. A release places it at the time of receipt.",
    ),
}


def in_order(codes: Collection[Reason]) -> tuple[Reason, ...]:
    """Each of these once, the one to be named alone first."""
    return tuple(each for each in Reason if each in codes)
