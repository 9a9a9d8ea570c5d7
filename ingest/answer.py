"""Receipts as they are sent: those of one gateway in one load travel together.

A gateway looks for measurements in a receipt, not for an envelope, so that one receipt may name
what several envelopes brought. A message costs the broker as much as the one it answers: where
gateways send single readings, this is a third of everybody's work. Pure. May hold: this joining.
May not: I/O, what a receipt says.
"""

from collections.abc import Iterable

from vitals.wire import MAX_MEASUREMENTS, Receipt

# measurements named in one receipt: as many as a gateway has in flight (eight full envelopes), in
# 8 kB
_MOST = 8 * MAX_MEASUREMENTS


def answers(receipts: Iterable[tuple[str, Receipt]]) -> list[tuple[str, Receipt]]:
    """The receipts to send, by gateway, in the order in which the gateways' first were given.

    `batch` is that of the last envelope.
    """
    gathered: dict[str, list[list[Receipt]]] = {}
    room: dict[str, int] = {}
    for gateway, receipt in receipts:
        named = len(receipt.committed) + len(receipt.rejected)
        if gateway not in gathered or named > room[gateway]:
            gathered.setdefault(gateway, []).append([])
            room[gateway] = _MOST
        gathered[gateway][-1].append(receipt)
        room[gateway] -= named
    return [(gateway, _one(each)) for gateway, groups in gathered.items() for each in groups]


def _one(receipts: list[Receipt]) -> Receipt:
    if len(receipts) == 1:
        return receipts[0]
    return Receipt(
        v=receipts[-1].v,
        batch=receipts[-1].batch,
        committed=tuple([each for receipt in receipts for each in receipt.committed]),
        rejected={
            name: reasons for receipt in receipts for name, reasons in receipt.rejected.items()
        },
    )
