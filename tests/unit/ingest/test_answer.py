"""One receipt names what several envelopes of a gateway brought, and nothing is left unnamed."""

from ingest.answer import answers
from vitals.wire import Receipt


def receipt(batch: str, *committed: str, **rejected: tuple[str, ...]) -> Receipt:
    return Receipt(v=1, batch=batch, committed=committed, rejected=rejected)


def test_a_lone_receipt_is_sent_as_it_is() -> None:
    assert answers([("g1", receipt("b1", "1"))]) == [("g1", receipt("b1", "1"))]
    assert answers([]) == []


def test_what_one_gateway_brought_is_named_together() -> None:
    sent = answers(
        [
            ("g1", receipt("b1", "1", "2")),
            ("g2", receipt("b9", "9")),
            ("g1", receipt("b2", "3", x=("no",))),
            ("g1", receipt("b3")),
        ]
    )

    assert sent == [
        ("g1", receipt("b3", "1", "2", "3", x=("no",))),
        ("g2", receipt("b9", "9")),
    ]


def test_no_receipt_names_more_than_a_gateway_has_in_flight() -> None:
    # nine full envelopes: eight in the first receipt, one in the second
    brought = [[f"{batch}-{number}" for number in range(50)] for batch in range(9)]

    first, second = answers([("g1", receipt(str(n), *ids)) for n, ids in enumerate(brought)])

    assert first == ("g1", receipt("7", *[each for ids in brought[:8] for each in ids]))
    assert second == ("g1", receipt("8", *brought[8]))


def test_an_envelope_is_named_whole_however_large() -> None:
    many = [str(number) for number in range(500)]

    assert [len(each.committed) for _, each in answers([("g1", receipt("b", *many))] * 2)] == [
        500,
        500,
    ]
