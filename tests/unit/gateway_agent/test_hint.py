"""What a person is told so that a device can be added: something for every kind."""

import pytest

from gateway_agent.drivers import DRIVERS
from gateway_agent.hint import hint_of, picture_of
from gateway_agent.quirk import QUIRKS, STANDARD


@pytest.mark.parametrize("kind", DRIVERS)
def test_every_kind_has_a_hint_of_its_own_in_both_languages(kind: str) -> None:
    hint = hint_of(STANDARD, DRIVERS[kind])
    assert hint != hint_of(STANDARD, None)
    assert hint.zh
    assert hint.en
    assert picture_of(STANDARD, DRIVERS[kind]) == kind


def test_no_two_kinds_share_a_hint_but_the_scales() -> None:
    hints = {kind: hint_of(STANDARD, each) for kind, each in DRIVERS.items()}
    assert hints.pop("body_composition_scale") == hints["weight_scale"]
    assert len(set(hints.values())) == len(hints)


def test_what_a_model_says_goes_before_its_kind() -> None:
    for row in QUIRKS:
        if row.driver is not None and row.pairing is not None:
            assert hint_of(row, DRIVERS[row.driver]) == row.pairing
