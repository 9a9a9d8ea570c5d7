"""What every decoder is tried with, one file a family of drivers, found by being there.

Each file has `FORMATS`: by characteristic its decoder and every value that it can meet
(Hypothesis), and says of its formats what is true of them alone:
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Decode = Callable[[bytes], Any]


@dataclass(frozen=True)
class Format:
    """A decoder and every value that it can meet.

    `says_it_all`: bytes that, cut short or drawn out, are a whole value all the same, because their
    length alone says how much there is (RR intervals, text); True for those.
    """

    decode: Decode
    values: st.SearchStrategy[Any]
    says_it_all: Callable[[bytes], bool] = lambda data: False


def every_format() -> dict[str, Format]:
    """By characteristic."""
    found: dict[str, Format] = {}
    for each in pkgutil.iter_modules([str(Path(__file__).parent)]):
        found |= importlib.import_module(f"{__name__}.{each.name}").FORMATS
    return found
