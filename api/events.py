"""Server-sent events: a page hears that something it shows has changed, and fetches itself anew.

Only patients that the visitor is related to are heard of; the relations are read again every
little while, so that an ended one ends the stream. Nothing clinical travels here, only "look". May
hold: the stream as HTTP. May not: listening to the database (`hub.py`).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.hub import Event, Hub, Stream
from api.session import hash_of
from api.visitor import Db, SignedIn, Visitor, now
from store.pool import Pool, transaction
from store.sessions import account_of_session, patients_of
from vitals.errors import TryAgain

# seconds: proxies and phones close a connection that is silent for about a minute
HEARTBEAT_S = 15.0
# milliseconds that the browser waits before it comes back
_RETRY_MS = 2000

router = APIRouter(tags=["events"])


def hub(request: Request) -> Hub:
    """The hub of this application."""
    found: Hub = request.app.state.hub
    return found


def patients_heard(visitor: SignedIn, db: Db) -> frozenset[int]:
    """The patients of whom this visitor may hear, as of now."""
    with transaction(db) as connection:
        return frozenset(patients_of(connection, visitor.account.id))


@router.get("/events", response_class=StreamingResponse)
async def events(
    request: Request,
    visitor: SignedIn,
    db: Db,
    patients: Annotated[frozenset[int], Depends(patients_heard)],
    the_hub: Annotated[Hub, Depends(hub)],
) -> StreamingResponse:
    """A stream of `reading`, `alert`, `told` and `look` events about the visitor's patients."""
    stream = Stream(account_id=visitor.account.id, patients=patients)

    def is_unchanged() -> bool:
        return _is_unchanged(db, visitor, patients=patients, at=now(request))

    async def lines() -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + HEARTBEAT_S
        the_hub.join(stream)
        try:
            yield f"retry: {_RETRY_MS}\n\n"
            while True:
                try:
                    event = await stream.next(check_at - loop.time())
                except TimeoutError:
                    if not await run_in_threadpool(is_unchanged):
                        return
                    check_at = loop.time() + HEARTBEAT_S
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                yield as_text(event)
        finally:
            the_hub.leave(stream)

    return StreamingResponse(
        lines(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def as_text(event: Event) -> str:
    """An event as it travels."""
    data = json.dumps({"patient": event.patient_id} if event.patient_id else {})
    return f"event: {event.name}\ndata: {data}\n\n"


def _is_unchanged(db: Pool, visitor: Visitor, *, patients: frozenset[int], at: datetime) -> bool:
    """Does the session live, with the same patients? While the database is away: yes."""
    try:
        with transaction(db) as connection:
            account = account_of_session(connection, token_hash=hash_of(visitor.token), now=at)
            still = frozenset(patients_of(connection, visitor.account.id))
    except TryAgain:
        return True
    return account is not None and still == patients
