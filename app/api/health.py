"""Whether the process lives, and whether it can take a click. An outage elsewhere is a note, never a 503."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.api.kept import Kept

KEPT_SECONDS = 1.0  # nobody signs in for it, and it asks the database
Check = Callable[[], Awaitable[str]]
Notes = Callable[[], Awaitable[Sequence[str]]]


def health_routes(vital: Check, notes: Notes, monotonic: Callable[[], float]) -> APIRouter:
    """`vital`: one sentence about what stops this process taking a click, or ''; `notes`: what else is amiss."""
    router = APIRouter(tags=["health"])
    stopped, noted = Kept(vital, monotonic, KEPT_SECONDS), Kept(notes, monotonic, KEPT_SECONDS)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """503 when clicks cannot be taken; else 200 with what is amiss."""
        broken = await stopped.get()
        if broken:
            return JSONResponse({"status": "down", "notes": [broken]}, status_code=503)
        amiss = list(await noted.get())
        return JSONResponse({"status": "degraded" if amiss else "ok", "notes": amiss})

    return router
