"""Every decoder against every value that can be, cut short, drawn out, and against noise.

The round trip is a second opinion only: published bytes judge in `test_vectors.py`. In CI more than
100,000 cases are tried; `KANGBAN_CASES=2000000` tries as many as wanted.
"""

import json
import os

import pytest
from formats import every_format
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway_agent.drivers.device_information import Text
from gateway_agent.drivers.registry import DECODERS
from gateway_agent.gatt import CannotDecode

FORMATS = every_format()
# cases over all formats and all four properties
CASES = int(os.environ.get("KANGBAN_CASES") or 100_000)
_EACH = -(-CASES // (4 * len(FORMATS)))

each_format = pytest.mark.parametrize("name", FORMATS)
tried = settings(
    max_examples=_EACH,
    deadline=None,
    # each case is small; a format that is refused often is still tried as often as the others
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    database=None,
)


def test_every_decoder_is_tried_here_and_often_enough() -> None:
    assert set(FORMATS) == set(DECODERS)
    assert _EACH * 4 * len(FORMATS) >= CASES


@each_format
@tried
@given(st.data())
def test_any_combination_of_fields_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    value = data.draw(FORMATS[name].values)
    assert FORMATS[name].decode(value.encode()) == value


@each_format
@tried
@given(st.data())
def test_a_truncated_value_is_refused_whole(name: str, data: st.DataObject) -> None:
    whole = data.draw(FORMATS[name].values).encode()
    cut = whole[: data.draw(st.integers(0, max(0, len(whole) - 1)))]
    if FORMATS[name].says_it_all(cut):
        FORMATS[name].decode(cut)
        return
    with pytest.raises(CannotDecode):
        FORMATS[name].decode(cut)


@each_format
@tried
@given(st.data())
def test_a_value_with_more_at_its_end_is_refused_whole(name: str, data: st.DataObject) -> None:
    long = data.draw(FORMATS[name].values).encode() + data.draw(st.binary(min_size=1, max_size=20))
    if FORMATS[name].says_it_all(long):
        FORMATS[name].decode(long)
        return
    with pytest.raises(CannotDecode):
        FORMATS[name].decode(long)


@each_format
@tried
@given(data=st.binary(max_size=40))
def test_noise_is_a_value_or_is_refused_and_nothing_else(name: str, data: bytes) -> None:
    try:
        value = FORMATS[name].decode(data)
    except CannotDecode:
        return
    assert json.dumps(value.document(), allow_nan=False)


@given(data=st.binary(max_size=40))
def test_any_bytes_are_some_text(data: bytes) -> None:
    text = Text.decode(data).text
    assume(text)
    assert "\0" not in text[-1:]
