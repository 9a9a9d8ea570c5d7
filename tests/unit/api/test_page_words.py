"""The words of the pages: complete in both languages, all used, none that diagnoses."""

import re
import string
from pathlib import Path

import pytest

from api.access import Deed
from api.errors import TELLINGS
from api.view.chain import DEVICE_KINDS
from api.vocabulary.kinds import UNITS_ZH
from api.words import LOCALES, WORDS, say, unit_in
from rules.line import Hop
from vitals.measurement import Flag, Meal
from vitals.units import UNIT_TEXT

API = Path(__file__).parents[3] / "api"
_LITERAL = re.compile(r"""t\('([a-z0-9_]+)'(?! ~)""")
_PREFIX = re.compile(r"""t\('([a-z0-9_]+_)' ~""")
_IN_CODE = re.compile(r'"([a-z0-9_]+)"')


def templates() -> str:
    return "\n".join(path.read_text("utf-8") for path in (API / "templates").glob("*.html"))


def code() -> str:
    return "\n".join(path.read_text("utf-8") for path in API.rglob("*.py"))


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_something_with_the_same_parts(key: str) -> None:
    zh, en = WORDS[key]
    assert zh
    assert en
    assert holes(zh) == holes(en)
    if key not in ("role_doctor",):
        assert not re.search(r"[\u4e00-\u9fff]", en), "Chinese in the English words"


def test_every_word_that_a_template_names_is_there() -> None:
    assert set(_LITERAL.findall(templates())) <= WORDS.keys()


def test_every_word_is_used() -> None:
    used = set(_LITERAL.findall(templates())) | set(_IN_CODE.findall(code()))
    prefixes = tuple(set(_PREFIX.findall(templates())) | {"error_", "kind_", "flag_", "do_"})
    unused = [key for key in WORDS if key not in used and not key.startswith(prefixes)]
    assert unused == []


def test_every_flag_meal_hop_device_and_error_has_words() -> None:
    wanted = {f"flag_{flag}" for flag in Flag} | {f"meal_{meal}" for meal in Meal}
    wanted |= {f"hop_{hop}" for hop in Hop} | {f"do_{hop}" for hop in Hop}
    wanted |= {f"device_{kind}" for kind in DEVICE_KINDS}
    wanted |= {telling.words for _, telling in TELLINGS}
    wanted |= {f"{telling.words}_do" for _, telling in TELLINGS}
    assert wanted <= WORDS.keys()


@pytest.mark.parametrize("key", WORDS)
def test_no_page_diagnoses_or_advises_a_drug(key: str) -> None:
    zh, en = WORDS[key]
    for word in ("确诊", "停药", "加药", "剂量", "治疗方案"):
        assert word not in zh
    for word in ("dose", "diagnosed", "medication"):
        assert word not in en.lower()


def test_units_that_are_words_are_in_the_readers_language() -> None:
    assert [unit_in("zh-CN", each) for each in ("/min", "steps", "mmHg")] == ["次/分", "步", "mmHg"]
    assert unit_in("en", "steps") == "steps"
    assert UNITS_ZH.keys() <= set(UNIT_TEXT.values())


def test_what_is_no_locale_of_ours_is_chinese() -> None:
    assert say("brand", "fr") == "康伴"
    assert {say("brand", locale) for locale in LOCALES} == {"康伴", "Kangban"}


def test_the_disclaimer_says_what_the_line_of_regulation_asks() -> None:
    zh, en = WORDS["disclaimer"]
    assert "不用于急救" in zh
    assert "不是诊断" in zh
    assert "120" in zh
    assert "Not for emergencies" in en
    assert "120" in en


def test_there_is_a_deed_for_whatever_is_done_to_a_patient() -> None:
    assert {each.value for each in Deed} >= {"view", "acknowledge", "sign", "decide"}
