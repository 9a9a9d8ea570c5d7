"""What a new gateway and the server say to each other before there is a certificate between them.

A person asks on the page for a *code*, types it on the box, and the box asks with it for a
certificate over a key that it has made itself. Later the box asks for the next certificate with a
signature of the key that it has. JSON over HTTPS:

    POST /enrol        {"code":"…","csr":"-----BEGIN…","name":"home-wang","software":"kangban …"}
    POST /enrol/renew  {"name":"home-wang","csr":"-----BEGIN…","at":"…Z","signature":"<base64>"}
    either is answered {"name":"home-wang","certificate":"-----BEGIN…","authority":"-----BEGIN…",
                        "mqtt":"mqtts://care.example.org:8883","timezone":"Asia/Shanghai"}

May hold: these shapes, the letters of a code. May not: keys, certificates, sockets.
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta

from vitals.errors import MendData
from vitals.wire import GATEWAY_NAME

# letters and digits that are told apart on paper, on the telephone and in any typeface: without
# 0 O Q, 1 I L, 2 Z, 5 S, 8 B, U V W
LETTERS = "ACDEFGHJKMNPRTXY34679"
# 21^12 codes are 52 bits; one is tried at most `MOST_TRIES` times within an hour
CODE_LENGTH, _GROUP = 12, 4
# the first group finds an invitation, the rest proves that one was invited
LABEL_LENGTH = _GROUP
# wrong codes after which an invitation is over: 21^8 proofs, so one in 7,500 million guesses right
MOST_TRIES = 5
# how long a code waits to be typed; engineering choice
CODE_LASTS = timedelta(hours=1)
# a certificate is renewed by the gateway itself when less than this is left
RENEW_BEFORE = timedelta(days=90)
# how far the moment in a renewal may be from the server's: a captured one is soon worth nothing
RENEWAL_LASTS = timedelta(minutes=10)
# letters of an answer or a request that is still read: three certificates take about 3,000
MOST_LETTERS = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What a gateway is given: who it is, by which certificate, whom it trusts, where it sends."""

    name: str
    certificate: str
    authority: str
    mqtt: str
    timezone: str


def tidied(typed: str) -> str:
    """A code as it is kept, from whatever way of writing it. Raises MendData for what is none."""
    code = "".join(each for each in typed.upper() if each not in "- \t")
    if len(code) != CODE_LENGTH or any(each not in LETTERS for each in code):
        raise MendData(
            f"A code has {CODE_LENGTH} letters and digits, like {grouped('ACDE3467HJKM')}: type it "
            "as the page shows it, or let the page make another."
        )
    return code


def grouped(code: str) -> str:
    """A code as people read it: ACDE-3467-HJKM."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def renewal_words(*, name: str, csr: str, at: datetime) -> bytes:
    """What a gateway signs with the key it has, to be given a certificate over the next."""
    moment = at.astimezone(UTC).isoformat()
    return f"kangban renewal of {name} at {moment}\n{csr}".encode()


def encode_enrolled(enrolled: Enrolled) -> bytes:
    """Bytes of an answer."""
    return json.dumps(asdict(enrolled), ensure_ascii=False).encode()


def decode_enrolled(payload: bytes) -> Enrolled:
    """An answer. Raises MendData for what is not one."""
    try:
        document = json.loads(payload)
        texts = {each.name: document[each.name] for each in fields(Enrolled)}
        if not all(isinstance(each, str) for each in texts.values()):
            raise MendData("The server's answer holds something that is no text.")
        found = Enrolled(**texts)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MendData(
            f"This is not the answer of a Kangban server ({error!r}): check the address."
        ) from error
    if not GATEWAY_NAME.match(found.name):
        raise MendData(f"The server calls this gateway {found.name!r}, which cannot be a name.")
    if not (found.mqtt + found.timezone).isprintable():
        raise MendData("The server's answer holds more than one line where one belongs.")
    return found
