"""What a report says: order, at most three actions, numbers in the sentence, nothing forbidden."""

import pytest
from report_builders import TWICE, four_weeks, week
from rule_builders import every_day

from rules.report.sections import sections_of
from rules.report.shape import Action, Figure, Line, Section, Table, Tone
from rules.report.week import Measuring, PatientWeek


def by_key(found: PatientWeek) -> dict[str, Section]:
    return {each.key: each for each in sections_of(found)}


def words(section: Section) -> str:
    said = []
    for block in section.blocks:
        if isinstance(block, Line):
            said.append(block.text.zh)
        elif isinstance(block, Action):
            said += [block.title.zh, block.sentence.zh, block.question.zh]
    return "\n".join(said)


def test_a_full_week_has_its_sections_in_the_doctors_order() -> None:
    full = week(*four_weeks(), measuring=(Measuring(session="bp", planned=14, done=13),))
    keys = [each.key for each in sections_of(full)]
    assert keys == [
        "header", "conclusion", "actions", "pressure", "glucose", "measuring", "method",
    ]  # fmt: skip


def test_an_empty_week_says_so_and_nothing_more() -> None:
    empty = by_key(week())
    assert list(empty) == ["header", "conclusion", "method"]
    assert "没有血压和血糖数据" in words(empty["conclusion"])


def test_the_conclusion_holds_the_numbers_that_caused_it() -> None:
    text = words(by_key(week(*four_weeks()))["conclusion"])
    assert "血压 143.0/85.0（28 次）≥ 135/85" in text
    assert "低血糖 1 次（最低 2.8，11月20日03:10）" in text


def test_a_quiet_week_asks_for_nothing() -> None:
    quiet = by_key(week(*every_day(["07:00 bp 124/76", "20:00 bp 126/78"], first=27)))
    assert "actions" not in quiet
    assert words(quiet["conclusion"]).startswith("没有需要您处理的事项")
    (lead,) = quiet["conclusion"].blocks
    assert isinstance(lead, Line)
    assert lead.tone is Tone.LEAD


def test_no_more_than_three_actions_and_the_rest_is_counted() -> None:
    section = by_key(week(*four_weeks()))["actions"]
    shown = [each for each in section.blocks if isinstance(each, Action)]
    assert len(shown) == 3
    # the level 2 low leads, though it was over twenty minutes later
    assert [each.severity for each in shown] == [3, 2, 2]
    assert "另有" in words(section)


def test_every_action_has_its_evidence_and_a_question() -> None:
    for block in by_key(week(*four_weeks()))["actions"].blocks:
        if isinstance(block, Action):
            assert block.evidence.rows
            assert block.question.zh.endswith("？")


def test_every_chart_has_its_numbers_behind_it() -> None:
    found = [
        block
        for section in sections_of(week(*four_weeks()))
        for block in section.blocks
        if isinstance(block, Figure)
    ]
    assert len(found) == 2
    for figure in found:
        drawn = max(len(series.points) for series in figure.chart.series)
        assert len(figure.table.rows) >= drawn


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (every_day(["07:00 bp 150/90"], first=6), "初步"),
        (every_day(["07:00 bp 150/90"], first=3), "数据不足"),
        (every_day(TWICE, first=6), "有效"),
    ],
)
def test_thin_evidence_is_said_to_be_thin(lines: list[str], says: str) -> None:
    assert says in words(by_key(week(*lines))["pressure"])


def test_a_running_week_is_said_to_run() -> None:
    from rule_builders import local_moment

    running = week(*every_day(TWICE, first=6, last=3), as_of=local_moment("12:00", 3))
    assert "本周尚未结束，数据截至 11月19日12:00" in words(by_key(running)["header"])


def test_missing_days_are_named_with_their_reason() -> None:
    text = words(by_key(week(*every_day(TWICE, first=27, last=2)))["missing"])
    assert "血压：11月21日、11月22日 无数据，没有测量。" in text


def test_silence_is_said_with_its_hop() -> None:
    text = words(by_key(week(*every_day(TWICE, first=27, last=4)))["missing"])
    assert "没有血压数据" in text


def test_no_section_prescribes_or_diagnoses() -> None:
    for section in sections_of(week(*four_weeks())):
        for word in ("确诊", "加药", "停药", "治疗方案"):
            assert word not in words(section)


def test_every_report_says_what_it_is_not() -> None:
    text = words(by_key(week())["method"])
    for said in ("不作诊断或用药依据", "不用于急救", "120", "待临床医生签审"):
        assert said in text


def test_every_cell_is_said_in_both_languages() -> None:
    for section in sections_of(week(*four_weeks())):
        for block in section.blocks:
            if isinstance(block, Table):
                assert all(len(row) == len(block.columns) for row in block.rows)
                assert all(cell.zh and cell.en for row in block.rows for cell in row)
