"""Each error of the house becomes one status and one sentence; nothing of its inside is told."""

import pytest

from api.errors import (
    AnotherHomes,
    Busy,
    CodeRefused,
    ComeIn,
    GatewayRefused,
    NameTaken,
    NoAuthority,
    NotAllowed,
    SomebodyElses,
    TooLate,
    TooOften,
    Unknown,
    WeekOpen,
    telling_of,
)
from vitals.errors import AskPerson, KangbanError, MendData, MendDevice, MendSettings, TryAgain


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ComeIn("x"), 401),
        (NotAllowed("x"), 403),
        (AskPerson("x"), 403),
        (CodeRefused("x"), 403),
        (GatewayRefused("x"), 403),
        (NameTaken("x"), 409),
        (NoAuthority("x"), 501),
        (Unknown("x"), 404),
        (TooLate("x"), 409),
        (WeekOpen("x"), 409),
        (Busy("x"), 409),
        (SomebodyElses("x"), 409),
        (AnotherHomes("x"), 409),
        (TooOften("x"), 429),
        (MendData("x"), 422),
        (MendDevice("x"), 502),
        (TryAgain("x"), 503),
        (MendSettings("x"), 500),
        (ValueError("x"), 500),
    ],
)
def test_an_error_has_the_status_of_what_to_do_next(error: Exception, status: int) -> None:
    assert telling_of(error).status == status


def test_every_kind_of_our_errors_is_thought_of() -> None:
    broken = telling_of(ValueError("x"))
    for kind in KangbanError.__subclasses__():
        assert telling_of(kind("x")) != broken, kind
