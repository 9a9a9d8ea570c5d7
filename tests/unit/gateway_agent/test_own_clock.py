"""Is this computer's clock kept right? What the kernel may answer, and no answer at all."""

import ctypes
from typing import Any

import pytest

from gateway_agent.own_clock import is_kept_right


@pytest.mark.parametrize(
    ("state", "sure"),
    [(0, True), (1, True), (4, True), (5, False), (-1, None)],
)
def test_the_kernels_word_is_taken(
    monkeypatch: pytest.MonkeyPatch, state: int, sure: bool | None
) -> None:
    class Kernel:
        @staticmethod
        def adjtimex(asked: Any) -> int:
            # the first field says what is to be changed: nothing
            assert bytes(asked)[:4] == b"\0\0\0\0"
            return state

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Kernel)
    assert is_kept_right() is sure


def test_a_system_without_that_question_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    assert is_kept_right() is None


def test_this_computer_answers() -> None:
    # whatever it is, asking does no harm and is no crash
    assert is_kept_right() in {True, False, None}
