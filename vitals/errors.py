"""The errors of the house, named by what the reader should do next.

Every error a person may see is one of these, and its message is a sentence that says what happened
and what to do. Doubt about a value (cuff loose, clock unsure) is not an error: it is a flag on the
measurement. May hold: error classes. May not: handling, logging, translation.
"""


class KangbanError(Exception):
    """Something went wrong and the message says what to do next."""


class TryAgain(KangbanError):
    """The other side is away for now (broker, database, device out of reach): try again later."""


class MendDevice(KangbanError):
    """The device or its radio link needs a hand: battery, pairing, distance, a fault it reports."""


class MendData(KangbanError):
    """What was received cannot be what was meant: bytes, an envelope or a file must be mended."""


class MendSettings(KangbanError):
    """A setting is missing or wrong; the message names it with its meaning."""


class AskPerson(KangbanError):
    """A person must decide: no permission, no relation, no consent."""
