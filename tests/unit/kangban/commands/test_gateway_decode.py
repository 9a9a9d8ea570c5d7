"""`kangban gateway decode` for every characteristic that some driver knows."""

import json
from pathlib import Path

import pytest

from gateway_agent.drivers.registry import DECODERS
from kangban.commands.gateway import decode
from vitals.errors import KangbanError

_VECTORS = [
    vector
    for path in sorted((Path(__file__).parents[3] / "vectors").glob("*.json"))
    for vector in json.loads(path.read_text(encoding="utf-8"))
]

# names and numbers of Device Information: whatever they hold is text
_TEXTS = {"2A24", "2A25", "2A26", "2A27", "2A28", "2A29", "2A2A"}


def bytes_for(characteristic: str) -> list[str]:
    """Hexadecimal bytes that may stand in it: our vectors', and each length of nothing."""
    known = [each["hex"] for each in _VECTORS if each["characteristic"] == characteristic]
    return [*known, *("00" * length for length in range(24)), "FF" * 20]


@pytest.mark.parametrize("characteristic", sorted(DECODERS))
def test_what_it_sent_is_json_or_a_sentence_says_why_not(
    characteristic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed, reasons = 0, []
    for each in bytes_for(characteristic):
        try:
            decode(characteristic.lower(), each)
        except KangbanError as error:
            # no half of a value is printed
            assert capsys.readouterr().out == ""
            reasons.append(str(error))
        else:
            assert isinstance(json.loads(capsys.readouterr().out), dict)
            printed += 1
    assert printed
    assert all(reasons)
    assert bool(reasons) is (characteristic not in _TEXTS)
