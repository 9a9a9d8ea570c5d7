"""Numbers and times of the health profiles, at the edges of their formats."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payloads import date_times, floats

from gateway_agent.gatt import (
    CannotDecode,
    Cursor,
    DateTime,
    Special,
    decode_float,
    decode_sfloat,
    encode_float,
    encode_sfloat,
    number_document,
)
from vitals.errors import MendData

# little-endian words; the sum stands behind each
SFLOATS = [
    ("7800", Decimal("120")),  # 0x078 = 120, exponent 0
    ("72f0", Decimal("11.4")),  # 0x072 = 114, 0xF = -1
    ("63b0", Decimal("0.00099")),  # 0x063 = 99, 0xB = -5
    ("37c0", Decimal("0.0055")),  # 0x037 = 55, 0xC = -4
    ("e0ff", Decimal("-3.2")),  # 0xFE0 = -32, 0xF = -1
    ("fd07", Decimal("2045")),  # the largest usable mantissa
    ("0308", Decimal("-2045")),  # 0x803 = -2045, the smallest
    ("0170", Decimal("1E+7")),  # the largest exponent
    ("0180", Decimal("1E-8")),  # the smallest
]
FLOATS = [
    ("6e0100ff", Decimal("36.6")),  # 0x16E = 366, 0xFF = -1
    ("c50e00fe", Decimal("37.81")),  # 0xEC5 = 3781, 0xFE = -2
    ("85ffffff", Decimal("-12.3")),  # 0xFFFF85 = -123, -1
    ("fdff7f00", Decimal("8388605")),  # the largest usable mantissa
    ("03008000", Decimal("-8388605")),  # the smallest
]
SPECIALS = [
    ("fe07", "feff7f00", Special.POSITIVE_INFINITY),
    ("ff07", "ffff7f00", Special.NAN),
    ("0008", "00008000", Special.NRES),
    ("0108", "01008000", Special.RESERVED),
    ("0208", "02008000", Special.NEGATIVE_INFINITY),
]


@pytest.mark.parametrize(("word", "number"), SFLOATS)
def test_a_two_octet_number_is_exact_in_both_directions(word: str, number: Decimal) -> None:
    assert decode_sfloat(bytes.fromhex(word)) == number
    assert encode_sfloat(number).hex() == word


@pytest.mark.parametrize(("word", "number"), FLOATS)
def test_a_four_octet_number_is_exact_in_both_directions(word: str, number: Decimal) -> None:
    assert decode_float(bytes.fromhex(word)) == number
    assert encode_float(number).hex() == word


@pytest.mark.parametrize(("short", "long", "special"), SPECIALS)
def test_a_special_word_is_never_a_number(short: str, long: str, special: Special) -> None:
    assert decode_sfloat(bytes.fromhex(short)) is special
    assert decode_float(bytes.fromhex(long)) is special
    assert encode_sfloat(special).hex() == short
    assert encode_float(special).hex() == long


@pytest.mark.parametrize("word", ["fe17", "ff87", "0018", "01f8", "0278"])
def test_a_special_mantissa_beside_an_exponent_is_suspect(word: str) -> None:
    assert decode_sfloat(bytes.fromhex(word)) is Special.SUSPECT


def test_the_same_in_four_octets() -> None:
    assert decode_float(bytes.fromhex("ffff7f01")) is Special.SUSPECT
    # 0x7FFFFFFF, which some parsers take for infinity: mantissa -1, exponent 127
    assert decode_float(bytes.fromhex("ffffff7f")) == Decimal("-1E+127")


def test_every_word_of_two_octets_comes_back_as_it_was() -> None:
    for word in range(0x10000):
        data = word.to_bytes(2, "little")
        number = decode_sfloat(data)
        if number is not Special.SUSPECT:
            assert encode_sfloat(number) == data


@given(floats)
def test_every_number_of_four_octets_comes_back_as_it_was(number: Decimal | Special) -> None:
    assert decode_float(encode_float(number)) == number


def test_a_suspect_number_cannot_be_sent() -> None:
    with pytest.raises(MendData):
        encode_sfloat(Special.SUSPECT)
    with pytest.raises(MendData):
        encode_sfloat(Decimal("NaN"))


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        ("2046", Decimal("2.05E+3")),  # one above the mantissa: the last digit is rounded
        ("123456", Decimal("1.235E+5")),
        ("0.000000004", Decimal("0E-8")),  # half of the smallest step goes to the even 0
        ("2.045E+10", Decimal("2.045E+10")),  # the largest number
        ("2.046E+10", Special.POSITIVE_INFINITY),  # one step above
        ("-2.046E+10", Special.NEGATIVE_INFINITY),
        ("1E+9", Decimal("1E+9")),  # exponent 9 does not fit; 100E+7 does
    ],
)
def test_what_does_not_fit_is_rounded_or_infinite_never_wrapped(
    number: str, sent: Decimal | Special
) -> None:
    assert decode_sfloat(encode_sfloat(Decimal(number))) == sent


def test_decimals_are_kept_as_they_were_said() -> None:
    # 5.50 says more than 5.5
    assert str(decode_sfloat(encode_sfloat(Decimal("5.50")))) == "5.50"


@given(st.binary(max_size=12))
def test_numbers_and_times_of_any_other_length_are_refused(data: bytes) -> None:
    for decode, length in ((decode_sfloat, 2), (decode_float, 4), (DateTime.decode, 7)):
        if len(data) == length:
            decode(data)
        else:
            with pytest.raises(CannotDecode, match="refused whole"):
                decode(data)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_finite_number_can_be_sent(number: Decimal) -> None:
    assert len(encode_sfloat(number)) == 2
    assert len(encode_float(number)) == 4


def test_the_words_for_json() -> None:
    assert number_document("value", Decimal("11.4")) == {"value": 11.4}
    assert number_document("value", Special.NAN) == {"value": "NaN"}
    assert number_document("value", Special.NEGATIVE_INFINITY) == {"value": "-INF"}
    assert number_document("value", Special.NRES) == {"value": "NaN", "special": "NRes"}
    assert number_document("map", Special.SUSPECT) == {"map": "NaN", "map_special": "suspect"}


def test_a_date_and_time_in_seven_octets() -> None:
    morning = DateTime.decode(bytes.fromhex("ea070b16080f00"))
    assert morning.moment() == datetime(2026, 11, 22, 8, 15)
    assert morning == DateTime.of(datetime(2026, 11, 22, 8, 15))
    assert morning.encode().hex() == "ea070b16080f00"


@pytest.mark.parametrize(
    "unknown",
    [
        "00000000000000",  # nothing known
        "00000b16080f00",  # year 0: unknown
        "ea070016080f00",  # month 0
        "ea070b00080f00",  # day 0
        "2d060b16080f00",  # 1581, before the calendar
        "10270b16080f00",  # 10000, beyond it
        "ea07021d080f00",  # 29 February 2026
        "ea070b16180f00",  # 24 o'clock
        "ffffffffffffff",
    ],
)
def test_an_unknown_or_impossible_time_is_no_time_and_no_crash(unknown: str) -> None:
    time = DateTime.decode(bytes.fromhex(unknown))
    assert time.moment() is None
    assert time.parts()["year"] == time.year
    assert time.encode().hex() == unknown


@pytest.mark.parametrize("known", ["2e060101000000", "0f270c1f173b3b", "e807021d000000"])
def test_the_first_and_the_last_moment_and_a_leap_day_are_times(known: str) -> None:
    time = DateTime.decode(bytes.fromhex(known))
    assert time.moment() is not None
    assert time.parts() == {}


@given(date_times)
def test_any_time_comes_back_as_it_was(time: DateTime) -> None:
    assert DateTime.decode(time.encode()) == time


def test_a_field_beyond_the_end_is_refused() -> None:
    cursor = Cursor(b"\x01", "Test")
    with pytest.raises(CannotDecode, match="in the middle of a field"):
        cursor.u16()


def test_signed_and_unsigned_fields() -> None:
    cursor = Cursor(bytes.fromhex("c4ff c4ff ff 72f0 6e0100ff"), "Test")
    assert (cursor.s16(), cursor.u16(), cursor.u8()) == (-60, 65476, 255)
    assert (cursor.sfloat(), cursor.float()) == (Decimal("11.4"), Decimal("36.6"))
