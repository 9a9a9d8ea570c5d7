"""Every reason has a word that stays, what it means and what to do."""

from ingest.reason import MEANING, OF_TIME, QUARANTINED, Reason, in_order


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert MEANING.keys() == set(Reason)
    assert all(each.text and each.do.endswith(".") for each in MEANING.values())


def test_the_words_are_those_that_databases_and_scripts_already_hold() -> None:
    assert [str(each) for each in Reason] == [
        "unknown_gateway",
        "other_gateway",
        "foreign_topic",
        "too_large",
        "unknown_version",
        "stray_event",
        "failed_here",
        "malformed",
        "unknown_word",
        "database",
        "implausible",
        "pressure_pair",
        "future",
        "before_clocks",
    ]


def test_what_is_malformed_comes_before_what_is_not_believable() -> None:
    assert in_order({Reason.FUTURE, Reason.MALFORMED}) == (Reason.MALFORMED, Reason.FUTURE)
    assert OF_TIME < QUARANTINED
