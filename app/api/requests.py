"""Reading over HTTP: what waits, history, one's own requests, the counters, one request. It decides nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.api.bearer_gate import admitted
from app.api.problems import NO_SUCH, Problem
from app.api.promises import NOT_MODIFIED, answers
from app.api.shapes import Filters, Item, ItemList, OverviewShape, item_of, list_of, overview_of
from app.lookups import CallerLookups
from app.ports import READ

NOT_CHANGED = 304
Asked = Annotated[Filters, Query()]


def reading_routes(lookups: CallerLookups) -> APIRouter:
    """The five calls that only read."""
    reading = _Reading(lookups)
    router = APIRouter()
    lists: tuple[tuple[str, Any, type[BaseModel], str], ...] = (
        ("/pending-approvals", reading.pending, ItemList, "What waits for a decision, the soonest to expire first"),
        ("/requests/history", reading.history, ItemList, "Every request the caller may see, newest first"),
        ("/my-requests", reading.mine, ItemList, "What the caller asked for, newest first"),
        ("/overview", reading.overview, OverviewShape, "Counters over what the caller may see"),
    )
    for path, endpoint, shape, summary in lists:
        responses = answers(401, 403, 422, 429, 500, 503) | NOT_MODIFIED
        router.add_api_route(path, endpoint, response_model=shape, responses=responses, summary=summary)
    responses = answers(401, 403, 404, 422, 429, 500, 503)
    router.add_api_route("/requests/{id}", reading.one, response_model=Item, responses=responses, summary="One request")
    return router


@dataclass(frozen=True, slots=True)
class _Reading:
    """What each address answers."""

    lookups: CallerLookups

    async def pending(self, request: Request, asked: Asked) -> Response:
        page = await self.lookups.pending(admitted(request, READ), asked.query())
        return _tagged(request, list_of(page))

    async def history(self, request: Request, asked: Asked) -> Response:
        page = await self.lookups.history(admitted(request, READ), asked.query())
        return _tagged(request, list_of(page))

    async def mine(self, request: Request, asked: Asked) -> Response:
        page = await self.lookups.mine(admitted(request, READ), asked.query())
        return _tagged(request, list_of(page))

    async def overview(self, request: Request) -> Response:
        return _tagged(request, overview_of(await self.lookups.overview(admitted(request, READ))))

    async def one(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the path says so
        row = await self.lookups.find(admitted(request, READ), str(id))
        if row is None:
            raise Problem("not_found", NO_SUCH)
        return plain(item_of(row))


def plain(shape: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON for this caller only. A single request has no tag: its digest is what conditions are about."""
    content = shape.model_dump_json()
    return Response(content, status, {**_PRIVATE, **(headers or {})}, "application/json")


def _tagged(request: Request, shape: BaseModel) -> Response:
    """The same with an ETag over its bytes; 304 to who has them already."""
    response = plain(shape)
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    wanted = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in wanted or "*" in wanted:
        return Response(status_code=NOT_CHANGED, headers={**_PRIVATE, "ETag": tag})
    return response


_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
