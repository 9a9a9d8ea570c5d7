"""The shapes of the wire at the server's door, for msgspec: thorough ones, and lean ones.

`Item` and `Bundle` are the shapes of `vitals.wire`, decoded five times faster than its dataclasses,
and without fields that nobody knows. `Line` and `Page` are the same as lean as they can be: words
are looked up while they are decoded, moments stay text and are read by the column (`sheet.py`). A
test holds all to the names and defaults of the wire. May hold: these shapes. May not: judgement.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit

if TYPE_CHECKING:
    _KindWord: TypeAlias = str
    _UnitWord: TypeAlias = str
    _ClockWord: TypeAlias = str
    _MealWord: TypeAlias = str
    _FlagWord: TypeAlias = str
else:
    # a known word is the same object each time, so that looking it up again needs no hashing
    _KindWord, _UnitWord, _ClockWord, _MealWord, _FlagWord = (
        Literal[tuple(map(str, words))] for words in (Kind, Unit, Clock, Meal, Flag)
    )

_Id = Annotated[str, Meta(min_length=16, max_length=16)]
_Device = Annotated[str, Meta(min_length=1, max_length=128)]
_Aware = Annotated[datetime, Meta(tz=True)]
# a record number or 63 bits of a content number: PostgreSQL's int8, not negative
_Sequence = Annotated[int, Meta(ge=0, le=2**63 - 1)]
# PostgreSQL's int4
_Int4 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
# 255 stands for an unknown user (GATT Specification Supplement, User Index)
_User = Annotated[int, Meta(ge=0, le=254)]
# one GATT notification is at most 512 bytes; a glucose record with its context is two
_Raw = Annotated[bytes, Meta(max_length=2048)]
# text that people or devices chose; longer is a mistake
_Text = Annotated[str, Meta(max_length=200)]
_Batch = Annotated[str, Meta(min_length=1, max_length=200)]


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One measurement on the wire; words (kind, unit, …) are still text."""

    id: _Id
    device: _Device
    kind: str
    value: float
    unit: str
    taken_at: _Aware
    sequence: _Sequence
    clock: str
    device_time: Annotated[datetime, Meta(tz=False)] | None = None
    clock_offset_s: _Int4 = 0
    user: _User | None = None
    meal: str | None = None
    flags: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    raw: _Raw = b""


class Bundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One envelope on the wire."""

    v: int
    gateway: str
    batch: _Batch
    sent_at: _Aware
    measurements: tuple[Item, ...]
    resync: bool = False
    software: _Text = ""


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One measurement on the wire whose words are known; its moments are still text."""

    id: _Id
    device: _Device
    kind: _KindWord
    value: float
    unit: _UnitWord
    taken_at: str
    sequence: _Sequence
    clock: _ClockWord
    device_time: str | None = None
    clock_offset_s: _Int4 = 0
    user: _User | None = None
    meal: _MealWord | None = None
    flags: Annotated[tuple[_FlagWord, ...], Meta(max_length=32)] = ()
    raw: _Raw = b""


class Page(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One envelope of lines."""

    v: int
    gateway: str
    batch: _Batch
    sent_at: _Aware
    measurements: tuple[Line, ...]
    resync: bool = False
    software: _Text = ""
