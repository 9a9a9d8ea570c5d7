"""Published bytes judge the decoders: our own files, and the public collection where it is there.

`tests/vectors/*.json`: `characteristic`, `hex`, `source`, and either `expected` (field names of
`kangban gateway decode`) or `refused` (why no decoder may take it).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_agent.drivers import decode
from gateway_agent.drivers.registry import DECODERS
from gateway_agent.gatt import CannotDecode

OWN = Path(__file__).parents[2] / "vectors"
NAMES = {*DECODERS, "SFLOAT", "FLOAT"}
# what the public collection holds for the drivers of this house, counted by hand
PUBLIC = {
    "SFLOAT": 6, "FLOAT": 2, "2A08": 1, "2A2B": 1, "2A18": 5, "2A34": 3, "2A52": 7,
    "2A35": 7, "2A36": 1, "2A37": 6, "2A1C": 4, "2A5E": 1, "2A5F": 3,
    "2A9C": 1, "2A9D": 3,
}  # fmt: skip

Vector = dict[str, Any]


def own_vectors() -> list[Any]:
    return [
        pytest.param(
            vector, id=f"{path.stem}-{vector['characteristic']}-{vector['hex'] or 'empty'}"
        )
        for path in sorted(OWN.glob("*.json"))
        for vector in json.loads(path.read_text(encoding="utf-8"))
    ]


def differences(vector: Vector) -> dict[str, tuple[Any, Any]]:
    """Fields that are not as expected: (expected, decoded)."""
    fields = decode(vector["characteristic"], bytes.fromhex(vector["hex"]))
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields
    return {
        name: (expected, fields.get(name, "absent"))
        for name, expected in vector["expected"].items()
        if name not in vector.get("exclude", ())
        and (name not in fields or fields[name] != expected)
    }


@pytest.mark.parametrize("vector", own_vectors())
def test_bytes_from_the_specifications_decode_to_what_the_tables_say(vector: Vector) -> None:
    assert vector["source"]
    if "refused" in vector:
        with pytest.raises(CannotDecode):
            decode(vector["characteristic"], bytes.fromhex(vector["hex"]))
        return
    assert differences(vector) == {}


def test_every_decoder_has_a_vector_of_our_own() -> None:
    judged = {param.values[0]["characteristic"] for param in own_vectors()}
    # serial number and firmware are texts like maker and model
    assert judged >= NAMES - {"2A25", "2A26"}


def test_published_and_captured_bytes_decode_to_what_their_source_says(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "ble.json").read_text(encoding="utf-8"))
    ours = [each for each in vectors if each["characteristic"] in NAMES]
    wrong = {
        f"{each['characteristic']} {each['hex']} ({each['source']})": found
        for each in ours
        if (found := differences(each))
    }
    assert wrong == {}
    judged = [each["characteristic"] for each in ours]
    assert {name: judged.count(name) for name in PUBLIC} == PUBLIC


def test_the_public_trap_is_decoded_and_never_shown(shared: Path) -> None:
    """A meter's filler: FF FF reads as -0.1 kg/L, which is no glucose of anybody."""
    from gateway_agent.drivers.glucose_record import GlucoseMeasurement, reading_of

    vectors = json.loads((shared / "vectors" / "ble.json").read_text(encoding="utf-8"))
    traps = [each for each in vectors if "trap" in each.get("note", "")]
    assert traps
    for each in traps:
        data = bytes.fromhex(each["hex"])
        reading = reading_of(GlucoseMeasurement.decode(data), None, raw=data)
        assert (reading.values, reading.withheld) == ((), "filler")
