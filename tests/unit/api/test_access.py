"""Who may do what: the whole table, row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from api.access import (
    AT_HOME,
    MOST_COMMANDS,
    PERMITS,
    Answer,
    Deed,
    Relation,
    is_too_often,
    may,
)


@pytest.mark.parametrize("deed", list(Deed))
def test_a_stranger_learns_not_even_that_the_patient_exists(deed: Deed) -> None:
    assert may(None, deed) is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("relation", "allowed"),
    [
        (
            Relation.SELF,
            {Deed.VIEW, Deed.READ_REPORT, Deed.UNDO, Deed.ASSIGN, Deed.MANAGE_DEVICES},
        ),
        (
            Relation.FAMILY,
            {
                Deed.VIEW,
                Deed.ACKNOWLEDGE,
                Deed.ASSIGN,
                Deed.SET_ASIDE,
                Deed.MANAGE_DEVICES,
                Deed.SET_UP_GATEWAY,
                Deed.RELEASE,
            },
        ),
        (Relation.DOCTOR, set(Deed) - AT_HOME),
    ],
)
def test_each_relation_permits_what_it_permits_and_nothing_else(
    relation: Relation, allowed: set[Deed]
) -> None:
    for deed in Deed:
        expected = Answer.YES if deed in allowed else Answer.NOT_ALLOWED
        assert may(relation, deed) is expected, deed


def test_only_a_doctor_signs_and_decides() -> None:
    for relation, deeds in PERMITS.items():
        assert (relation is Relation.DOCTOR) == (Deed.SIGN in deeds)
        assert (relation is Relation.DOCTOR) == (Deed.DECIDE in deeds)


def test_only_people_at_home_say_whose_a_reading_is() -> None:
    assert may(Relation.DOCTOR, Deed.ASSIGN) is Answer.NOT_ALLOWED
    assert may(Relation.SELF, Deed.SET_ASIDE) is Answer.NOT_ALLOWED


NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "seconds_ago", "expected"),
    [
        (MOST_COMMANDS - 1, 1, False),
        (MOST_COMMANDS, 1, True),
        (MOST_COMMANDS, 59, True),
        (MOST_COMMANDS, 60, False),
    ],
)
def test_a_gateway_is_asked_so_much_in_a_minute_and_no_more(
    count: int, seconds_ago: int, expected: bool
) -> None:
    asked = [NOW - timedelta(seconds=seconds_ago)] * count
    assert is_too_often(asked, now=NOW) is expected
