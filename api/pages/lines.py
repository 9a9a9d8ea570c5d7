"""The lines of several people read at once, for pages that show whether data arrive.

May hold: this read and its distribution over people. May not: judgement (`api/view/chain.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from api.view.alerts import AlertShown
from api.view.chain import Chain, chain_of
from store import pages
from store.pages import DeviceRow, GatewayRow
from store.pool import heartbeats

# whose heartbeat says that the server takes readings in
_RECEIVER = "ingest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Gateways, devices and the server's pulse for some people."""

    gateways: tuple[GatewayRow, ...]
    devices: tuple[DeviceRow, ...]
    server_seen_at: datetime | None

    def of(
        self,
        patient_id: int,
        *,
        alerts: Sequence[AlertShown],
        has_data: bool,
        now: datetime,
        locale: str,
    ) -> Chain:
        """The chain of one person."""
        return chain_of(
            gateways=[each for each in self.gateways if each.patient_id == patient_id],
            devices=[each for each in self.devices if each.patient_id == patient_id],
            server_seen_at=self.server_seen_at,
            alerts=alerts,
            has_data=has_data,
            now=now,
            locale=locale,
        )


def lines_of(connection: Connection[Any], patients: Sequence[int]) -> Lines:
    """The lines of these people."""
    return Lines(
        gateways=tuple(pages.gateways(connection, patients)),
        devices=tuple(pages.devices(connection, patients)),
        server_seen_at=heartbeats(connection).get(_RECEIVER),
    )
