"""Does this process live, and can it serve? For supervisors; says nothing else to anybody."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.visitor import Db
from store.pool import transaction
from store.sessions import answers
from vitals.errors import TryAgain

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """This process lives."""
    return {"state": "alive"}


@router.get("/readyz", responses={503: {"description": "the database is away"}})
def readyz(db: Db) -> JSONResponse:
    """This process can serve: the database answers."""
    try:
        with transaction(db) as connection:
            answers(connection)
    except TryAgain:
        return JSONResponse({"state": "waiting for the database"}, status_code=503)
    return JSONResponse({"state": "ready"})
