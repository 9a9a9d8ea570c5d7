"""User Data Service (0x181C): whose readings a shared device hands over, and by which consent.

A scale for a family keeps each user's readings apart and gives them out to who knows that user's
consent code. This gateway asks for consent and nothing else: it never registers, changes or
deletes a user.

    User Index 0x2A9A (read), 1 octet: the user with consent; 255 nobody
    Database Change Increment 0x2A99 (read, write, notify), 4 octets: rises with each change

    User Control Point 0x2A9F (write, indicate)
    off  len  type  field
    0    1    u8    op code: 1 register, 2 consent, 3 delete the user's data, 4 list users, 5 delete
                    users, 0x20 response
    1    n          register: consent code u16 (0-9999); consent: user index u8, consent code u16;
                    delete users: user index u8 (255 all); response: request op code u8, value u8,
                    parameter (register, delete users: user index u8)
    response values: 1 success, 2 op code not supported, 3 invalid parameter, 4 failed,
    5 user not authorized

    consent of user 1 by 1234 `02 01 D2 04` · granted `20 02 01` · wrong code `20 02 05`

Sources: Bluetooth SIG User Data Service 1.0, GATT Specification Supplement; op codes 4 and 5 are
of version 1.1 and second-hand. May hold: these formats and the asking for consent. May not: what
comes of it.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from gateway_agent.drivers.arrivals import Take, hear_out
from gateway_agent.gatt import CannotDecode, Cursor, u16
from gateway_agent.talk import Ask, Heard, Listen, Refused, Write
from vitals.errors import KangbanError, MendDevice, TryAgain

USER_INDEX = "2A9A"
CHANGE_INCREMENT = "2A99"
USER_CONTROL_POINT = "2A9F"

# User Index: nobody has given consent
NOBODY = 255

# op codes
REGISTER, CONSENT, DELETE, LIST, DELETE_USERS, RESPONSE = 1, 2, 3, 4, 5, 0x20
# response values
SUCCESS, OP_CODE_UNKNOWN, PARAMETER_INVALID, FAILED, NOT_AUTHORIZED = 1, 2, 3, 4, 5
RESPONSE_TEXT = {
    SUCCESS: "success",
    OP_CODE_UNKNOWN: "op code not supported",
    PARAMETER_INVALID: "invalid parameter",
    FAILED: "operation failed",
    NOT_AUTHORIZED: "user not authorized",
}

# seconds; as long as any procedure of the Generic Attribute Profile (Core Vol 3 Part F §3.3.3),
# unconfirmed for this control point
ANSWER_S = 30.0

# parameter octets of each op code: user index, consent code
_PARAMETERS = {
    REGISTER: (0, 2),
    CONSENT: (1, 2),
    DELETE: (0, 0),
    LIST: (0, 0),
    DELETE_USERS: (1, 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserIndex:
    """Whose readings the device hands over now."""

    index: int

    @classmethod
    def decode(cls, data: bytes) -> "UserIndex":
        """The index in 1 octet. Raises CannotDecode for another length."""
        cursor = Cursor(data, "User Index")
        cursor.require(1)
        return cls(index=cursor.u8())

    def encode(self) -> bytes:
        """1 octet."""
        return bytes((self.index,))

    def document(self) -> dict[str, object]:
        """The index, null for nobody."""
        return {"user_index": None if self.index == NOBODY else self.index}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeIncrement:
    """How often a user's data were changed."""

    count: int

    @classmethod
    def decode(cls, data: bytes) -> "ChangeIncrement":
        """The count in 4 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Database Change Increment")
        cursor.require(4)
        return cls(count=int.from_bytes(cursor.take(4), "little"))

    def encode(self) -> bytes:
        """4 octets."""
        return self.count.to_bytes(4, "little")

    def document(self) -> dict[str, object]:
        """The count by name."""
        return {"change_increment": self.count}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCommand:
    """A request; `user` and `code` where its op code has them."""

    op_code: int
    user: int | None = None
    code: int | None = None

    @classmethod
    def decode(cls, data: bytes) -> "UserCommand":
        """The request. Raises CannotDecode for a length or an op code that there is not."""
        cursor = Cursor(data, "User Control Point")
        op_code = cursor.u8()
        if op_code not in _PARAMETERS:
            raise CannotDecode(f"op code {op_code} is not one of the User Control Point.")
        user, code = _PARAMETERS[op_code]
        cursor.require(1 + user + code)
        return cls(
            op_code=op_code,
            user=cursor.u8() if user else None,
            code=cursor.u16() if code else None,
        )

    def encode(self) -> bytes:
        """1 to 4 octets."""
        data = bytes((self.op_code,))
        if self.user is not None:
            data += bytes((self.user,))
        return data if self.code is None else data + u16(self.code)

    def document(self) -> dict[str, object]:
        """The fields by name; a consent code is a secret and is not told."""
        document: dict[str, object] = {"opcode": self.op_code}
        if self.user is not None:
            document["user_index"] = self.user
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class UserResponse:
    """A device's answer; `parameter` as it came."""

    request: int
    value: int
    parameter: bytes = b""

    def encode(self) -> bytes:
        """3 octets or more: granted consent is `20 02 01`."""
        return bytes((RESPONSE, self.request, self.value)) + self.parameter

    def text(self) -> str:
        """The value in words."""
        return RESPONSE_TEXT.get(self.value, f"response value {self.value}")

    def document(self) -> dict[str, object]:
        """The fields by name."""
        document: dict[str, object] = {
            "opcode": RESPONSE,
            "request_opcode": self.request,
            "response_value": self.value,
            "meaning": self.text(),
        }
        if self.parameter:
            document["parameter"] = self.parameter.hex()
        return document


def decode(data: bytes) -> UserCommand | UserResponse:
    """What stands in a value of 0x2A9F, in either direction. Raises CannotDecode."""
    cursor = Cursor(data, "User Control Point")
    if cursor.u8() != RESPONSE:
        return UserCommand.decode(data)
    request, value = cursor.u8(), cursor.u8()
    return UserResponse(request=request, value=value, parameter=cursor.take(cursor.length - 3))


DECODERS: dict[str, Callable[[bytes], object]] = {
    USER_INDEX: UserIndex.decode,
    CHANGE_INCREMENT: ChangeIncrement.decode,
    USER_CONTROL_POINT: decode,
}

# seconds without a reading after which a user's memory has been handed over; engineering choice
USER_SILENCE_S = 3.0


def consent_of_each(
    consents: Mapping[int, int], take: Take
) -> Generator[Ask, Heard | None, KangbanError | None]:
    """Asks for each user's readings, one after the other, and takes what comes meanwhile.

    Its end is what went wrong, None where all consents were granted: whoever asks has readings to
    keep first, and those of the last user to wait for. The control point must be subscribed to.
    """
    refused = []
    try:
        for place, (user, code) in enumerate(consents.items()):
            if place:
                yield from hear_out(take, wait_s=USER_SILENCE_S)
            answer = yield from _consent(user, code, take)
            if answer.value != SUCCESS:
                refused.append(f"user {user}: {answer.text()}")
    except KangbanError as error:
        return error
    if not refused:
        return None
    return MendDevice(
        f"It does not hand over all readings ({'; '.join(refused)}). Enter the consent code of "
        "that user anew, as the device shows it."
    )


def _consent(user: int, code: int, take: Take) -> Generator[Ask, Heard | None, UserResponse]:
    command = UserCommand(op_code=CONSENT, user=user, code=code)
    yield Write(characteristic=USER_CONTROL_POINT, data=command.encode())
    while True:
        heard = yield Listen(wait_s=ANSWER_S)
        if heard is None:
            raise TryAgain(
                f"It did not answer to user {user}'s consent code within {ANSWER_S:.0f} s; leave "
                "it near the gateway and step on it again."
            )
        if heard.characteristic != USER_CONTROL_POINT:
            yield from take(heard)
            continue
        try:
            answer = decode(heard.data)
        except CannotDecode as error:
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
            continue
        if isinstance(answer, UserResponse) and answer.request == CONSENT:
            return answer
