"""The page about devices, made from the drivers and the table of quirks.

`python -m kangban.devices_document` writes `docs/devices.md`; a test says when it is out of date.
May hold: the writing of the page. May not: any fact about a device.
"""

from collections.abc import Iterator
from pathlib import Path

from gateway_agent.drivers import DRIVERS
from gateway_agent.quirk import QUIRKS, Bond, ClockSetting, Confidence, Quirk

PAGE = Path(__file__).parent.parent / "docs" / "devices.md"

_HEAD = """\
# Devices

Made from the code by `python -m kangban.devices_document`; do not edit.

Any device that follows one of the Bluetooth profiles below is read, whatever its name. Models that
differ from their profile have a row in the table of quirks (`gateway_agent/quirk.py`); what
differs, and how to put each into pairing mode, stands under *Models*. `kangban gateway scan` names
what it hears.

## How a device's clock is treated

The device's own time is always kept beside the value, with what was added to it and how sure that
is. Its clock is read before its records, and may be set after they are on disk: where it is off by
more than a minute (or what its row says), was not set within a day, and the gateway is sure of its
own time; never in the hour around a change of summer time. A clock that can be set and not be read
(a ring's) is set once a day, and its records are taken for local time. What was placed before stays
where it was, and the same records read again are matched by their numbers and the device's own
time, here and at the server. A record that comes again with another value, unit, user, meal or flag
was corrected by its device: each wording of it is passed on once, at the moment at which the record
was placed first (`gateway_agent/spool_records.py`). The rules, with worked examples, stand in
`gateway_agent/clock.py` and `gateway_agent/clock_care.py`; when a device's whole memory is read
anew, in `gateway_agent/sync.py`.
"""

_SURE = {
    Confidence.VECTORS: "bytes of this model were published or captured, and are decoded to what "
    "their source says",
    Confidence.SIMULATED: "read in simulation; no bytes of this model were seen",
    Confidence.REPORTED: "others report that it follows its profile; not tried by us",
    Confidence.UNSUPPORTED: "cannot be used, for the reason given",
}

_BOND = {
    Bond.NEVER: "it shares no key",
    Bond.WHEN_ASKED: "",
    Bond.AT_ONCE: "it wants to share a key before anything else",
}

_CLOCK = {
    ClockSetting.NEVER: "its clock is never set",
    ClockSetting.AFTER_RECORDS: "",
    ClockSetting.AT_FIRST_NOTIFICATION: "its clock is set only in answer to its first reading",
}


def page() -> str:
    """The whole of `docs/devices.md`."""
    open_rows = [each for each in QUIRKS if each.confidence is not Confidence.UNSUPPORTED]
    closed = [each for each in QUIRKS if each.confidence is Confidence.UNSUPPORTED]
    parts = [
        _HEAD,
        "## What is read",
        "",
        "\n".join(_drivers()),
        "",
        "## How sure we are",
        "",
        "\n".join(f"- **{each.value}**: {said}." for each, said in _SURE.items()),
        "",
        "No row was checked on hardware by us.",
        "",
        "## Models",
        "",
        *(_model(each) for each in open_rows),
        "## Not supported, and why",
        "",
        "\n".join(_closed(closed)),
        "",
    ]
    return "\n".join(parts)


def _drivers() -> Iterator[str]:
    yield "| kind | 中文 | English | advertised service | called on again after |"
    yield "|" + "---|" * 5
    for each in DRIVERS.values():
        yield (
            f"| `{each.kind}` | {each.zh} | {each.en} | `{each.service}` | {each.revisit_s:.0f} s |"
        )


def _model(row: Quirk) -> str:
    lines = [f"### {row.en}", "", f"{row.zh}", ""]
    lines.append(f"- row `{row.id}`, read as `{row.driver}`; how sure: **{row.confidence.value}**")
    lines.append(f"- on the air: {_on_the_air(row)}")
    if row.pairing is not None:
        lines += [f"- pairing: {row.pairing.en}", f"- 配对：{row.pairing.zh}"]
    said = list(_peculiarities(row))
    if said:
        lines.append(f"- what differs: {'; '.join(said)}")
    if row.note is not None:
        lines += [f"- {row.note.en}", f"- {row.note.zh}"]
    lines.append(f"- sources: {'; '.join(row.sources)}")
    return "\n".join([*lines, ""])


def _on_the_air(row: Quirk) -> str:
    names = ", ".join(f"`{each}`" for each in row.names)
    services = ", ".join(f"`{each}`" for each in row.services)
    if names and services:
        return f"a name that begins with {names}, and service {services}"
    return f"a name that begins with {names}" if names else f"service {services}"


def _peculiarities(row: Quirk) -> Iterator[str]:
    """What the fields of a row say, in words."""
    yield from filter(None, (_BOND[row.bond],))
    if row.shows_passkey:
        yield "it shows six digits that must be typed in"
    if row.hangs_up_after_bond:
        yield "its pairing ends only when the gateway hangs up"
    if row.counts_backwards:
        yield "its record numbers count backwards and name nothing"
    if row.resends_all:
        yield "it sends its whole memory at each visit; what is known is no news"
    if row.plain_integers:
        yield "it sends plain 16-bit integers in the place of medical floats"
    if row.annunciation_backwards:
        yield "the octets of its annunciation come in the opposite order"
    yield from filter(None, (_CLOCK[row.clock_setting],))
    if row.clock is not None:
        yield f"its clock is characteristic `{row.clock}`"
    if row.clock_set_beyond_s is not None:
        yield f"its clock is set beyond {row.clock_set_beyond_s} s"


def _closed(rows: list[Quirk]) -> Iterator[str]:
    yield "| device | 中文 | why | 原因 | sources |"
    yield "|" + "---|" * 5
    for each in rows:
        assert each.reason is not None
        yield (
            f"| {each.en} | {each.zh} | {each.reason.en} | {each.reason.zh} "
            f"| {'; '.join(each.sources)} |"
        )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
