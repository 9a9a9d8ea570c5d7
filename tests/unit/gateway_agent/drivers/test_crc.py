"""The sum behind a value is CRC-16/MCRF4XX, least significant octet first."""

import pytest

from gateway_agent.drivers.crc import Seal, crc16, is_intact, opened
from gateway_agent.gatt import CannotDecode

# the check values of the catalogues and of the service's own specification
PUBLISHED = [
    (b"123456789", 0x6F91),
    (bytes.fromhex("3e010203040506070809"), 0x2F01),
    (b"", 0xFFFF),
]


@pytest.mark.parametrize(("data", "crc"), PUBLISHED)
def test_the_sum_is_the_published_one(data: bytes, crc: int) -> None:
    assert crc16(data) == crc
    assert Seal.of(data).encode() == crc.to_bytes(2, "little")


def test_a_seal_is_what_stands_behind_the_fields_and_nothing_else() -> None:
    _, none = opened(b"123456789", 9, "value")
    assert none is None
    _, right = opened(b"123456789\x91\x6f", 9, "value")
    assert right is not None
    assert right.document() == {"crc_ok": True}
    _, wrong = opened(b"123456789\x6f\x91", 9, "value")
    assert wrong is not None
    assert wrong.document() == {"crc_ok": False, "actual_crc": 0x6F91}
    for length in (8, 10, 12):
        with pytest.raises(CannotDecode):
            opened(b"1" * length, 9, "value")


@pytest.mark.parametrize(
    ("seal", "wanted", "intact"),
    [
        (None, False, True),
        (None, True, False),
        (Seal.of(b"1"), False, True),
        (Seal.of(b"1"), True, True),
        (Seal(crc=0, actual=1), False, False),
        (Seal(crc=0, actual=1), True, False),
    ],
)
def test_a_value_is_intact_where_its_seal_is_right_or_none_is_wanted(
    seal: Seal | None, wanted: bool, intact: bool
) -> None:
    assert is_intact(seal, wanted=wanted) is intact
