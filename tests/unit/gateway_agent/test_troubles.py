"""Troubles of the gateway's parts: told when they come and when they go, and not in between."""

from gateway_agent.troubles import Troubles


def test_a_trouble_is_told_when_it_comes_when_its_sentence_changes_and_when_it_goes() -> None:
    troubles = Troubles()
    told: list[dict[str, str]] = []
    troubles.on_change = lambda: told.append(dict(troubles))
    troubles.arose("adapter", "it is gone")
    troubles.arose("adapter", "it is gone")
    troubles.arose("adapter", "it does not scan")
    troubles.passed("silence")
    troubles.passed("adapter")
    troubles.passed("adapter")
    assert told == [{"adapter": "it is gone"}, {"adapter": "it does not scan"}, {}]
