"""Whether the process lives, and whether it can take a click. An outage elsewhere is a note, never a 503."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[str]]
Notes = Callable[[], Awaitable[Sequence[str]]]


def health_routes(vital: Check, notes: Notes) -> APIRouter:
    """`vital`: one sentence about what stops this process taking a click, or ''; `notes`: what else is amiss."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """503 when clicks cannot be taken; else 200 with what is amiss."""
        broken = await vital()
        if broken:
            return JSONResponse({"status": "down", "notes": [broken]}, status_code=503)
        amiss = list(await notes())
        return JSONResponse({"status": "degraded" if amiss else "ok", "notes": amiss})

    return router
