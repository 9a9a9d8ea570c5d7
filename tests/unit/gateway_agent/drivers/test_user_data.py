"""What a shared device is asked for is a user's readings, and the code for them stays a secret."""

import pytest

from gateway_agent.drivers import decode
from gateway_agent.drivers.user_data import CONSENT, UserCommand, UserResponse


def test_a_consent_code_is_never_told() -> None:
    command = UserCommand(op_code=CONSENT, user=1, code=1234)
    assert command.encode().hex() == "0201d204"
    assert decode("2A9F", command.encode()) == {"opcode": 2, "user_index": 1}


@pytest.mark.parametrize(
    ("value", "words"),
    [(1, "success"), (4, "operation failed"), (5, "user not authorized"), (9, "response value 9")],
)
def test_an_answer_is_told_in_words(value: int, words: str) -> None:
    assert UserResponse(request=CONSENT, value=value).text() == words
