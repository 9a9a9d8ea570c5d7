"""Who may do what: the whole table, row by row."""

import pytest

from api.access import PERMITS, Answer, Deed, Relation, may


@pytest.mark.parametrize("deed", list(Deed))
def test_a_stranger_learns_not_even_that_the_patient_exists(deed: Deed) -> None:
    assert may(None, deed) is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("relation", "allowed"),
    [
        (Relation.SELF, {Deed.VIEW, Deed.READ_REPORT, Deed.UNDO}),
        (Relation.FAMILY, {Deed.VIEW, Deed.SET_UP_GATEWAY, Deed.ACKNOWLEDGE}),
        (Relation.DOCTOR, set(Deed)),
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
