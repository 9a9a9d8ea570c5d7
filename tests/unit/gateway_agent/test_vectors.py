"""Published bytes judge the decoders: our own files, and the public collection where it is there.

`tests/vectors/*.json`: `characteristic`, `hex`, `source`, and either `expected` (field names of
`kangban gateway decode`) or `refused` (why no decoder may take it).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_agent.drivers import colmi_packet, decode
from gateway_agent.drivers.registry import DECODERS
from gateway_agent.gatt import CannotDecode

OWN = Path(__file__).parents[2] / "vectors"
NAMES = {*DECODERS, "SFLOAT", "FLOAT"}
# what the public collection holds for the drivers of this house, counted by hand
PUBLIC = {
    "SFLOAT": 6, "FLOAT": 2, "2A08": 1, "2A2B": 1, "2A18": 5, "2A34": 3, "2A52": 7,
    "2A35": 7, "2A36": 1, "2A37": 6, "2A1C": 4, "2A5E": 1, "2A5F": 3, "2A9C": 1, "2A9D": 3,
    "2AA7": 3, "2AA8": 1, "2AA9": 1, "2AAA": 1, "2AAC": 4,
}  # fmt: skip
# what the collection calls the formats of single makers, what we do, and how many there are
MAKERS = {
    "CARESENS_FFF1_SET_TIME": ("FFF1", 1),
    "COLMI_R02": ("6E400003-B5A3-F393-E0A9-E50E24DCCA9E", 2),
    "OMRON_14B_LE(HEM-7142T2)": ("OMRON_14B_LE", 2),
    "OMRON_14B_BE(HEM-7600T)": ("OMRON_14B_BE", 1),
}
# what is not read here, and why
NOT_READ = {
    "DEXCOM_G7": "its key is in the maker's cloud; and the collection's 156 mg/dL at 83890 s stand "
    "nowhere in its bytes, which say 138 mg/dL (8A 00)",
}

Vector = dict[str, Any]


def own_vectors() -> list[Any]:
    return [
        pytest.param(
            vector, id=f"{path.stem}-{vector['characteristic']}-{vector['hex'] or 'empty'}"
        )
        for path in sorted(OWN.glob("*.json"))
        for vector in json.loads(path.read_text(encoding="utf-8"))
    ]


def decoded(vector: Vector) -> dict[str, object]:
    """The fields of a vector, by our name for its characteristic."""
    name, data = vector["characteristic"], bytes.fromhex(vector["hex"])
    if name == "COLMI_R02" and data[0] == colmi_packet.STEPS:
        # a row of steps, in its source behind the header that says: calories in tens
        assert "after header packet 43f00101" in vector["source"]
        header = colmi_packet.Packet(command=colmi_packet.STEPS, data=bytes.fromhex("f00101"))
        row = colmi_packet.StepRow.of(colmi_packet.Packet.decode(data), header=header)
        return row.document()
    return decode(MAKERS.get(name, (name, 1))[0], data)


def differences(vector: Vector) -> dict[str, tuple[Any, Any]]:
    """Fields that are not as expected: (expected, decoded)."""
    fields = decoded(vector)
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
    ours = [each for each in vectors if each["characteristic"] in NAMES | MAKERS.keys()]
    wrong = {
        f"{each['characteristic']} {each['hex']} ({each['source']})": found
        for each in ours
        if (found := differences(each))
    }
    assert wrong == {}
    judged = [each["characteristic"] for each in ours]
    assert {name: judged.count(name) for name in PUBLIC} == PUBLIC
    assert {name: judged.count(name) for name in MAKERS} == {
        name: count for name, (_, count) in MAKERS.items()
    }


def test_every_public_vector_is_judged_or_named_with_its_reason(shared: Path) -> None:
    vectors = json.loads((shared / "vectors" / "ble.json").read_text(encoding="utf-8"))
    assert len(vectors) == 68
    names = [each["characteristic"] for each in vectors]
    judged = [name for name in names if name in NAMES | MAKERS.keys()]
    named = [name for name in names if name in NOT_READ]
    assert len(judged) + len(named) == len(vectors)


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
