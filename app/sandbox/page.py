"""The page at `/`: Slack as each person sees it, beside the requestor's side of PIM. It loads nothing from outside.

One template, one style sheet, a few small scripts. Server-sent events say that something changed; the page then reads
its state anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.sandbox.page_acts import act_routes
from app.sandbox.page_offers import offers
from app.sandbox.page_state import cast, page_state
from app.sandbox.page_templates import FOLDER, render
from app.sandbox.wire import JsonAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.sandbox.people import Person
    from app.sandbox.world import World

FIRST_PERSON = "ann"
COOKIE = "sandbox_person"
QUIET_SECONDS = 15.0
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def routes(world: World, new_client: Callable[[], httpx.AsyncClient] | None = None) -> list[BaseRoute]:
    """The page, its files, state, events and acts; `new_client` makes the HTTP client that reaches the bot."""
    page = _Page(world)
    return [
        Route("/", page.show),
        Route("/archives/{channel}/p{ts}", page.permalink),
        Route("/page/state", page.state),
        Route("/page/events", page.events),
        *act_routes(world, new_client or _loopback_client),
        Mount("/page/files", StaticFiles(directory=FOLDER, check_dir=False)),
    ]


class _Page:
    """The reading half of the page; each call says for whom by `?user=`."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def show(self, request: Request) -> Response:
        known = request.query_params.get("user") or request.cookies.get(COOKIE, "")
        person = self.world.person(known) or self.world.people[FIRST_PERSON]
        state = page_state(self.world, person)
        html = render("index.html", person=person, people=cast(self.world), offers=offers(), state=state)
        answer = HTMLResponse(html, headers={"content-security-policy": POLICY, "cache-control": "no-store"})
        # Sign in with Slack greets this browser as the person it last looked as.
        answer.set_cookie(COOKIE, person.id, httponly=True, samesite="lax")
        return answer

    async def permalink(self, request: Request) -> Response:
        wanted = {"channel": request.path_params["channel"], "ts": request.path_params["ts"]}
        return RedirectResponse(f"/?{urlencode(dict(request.query_params) | wanted)}")

    async def state(self, request: Request) -> Response:
        person = self._person(request)
        if person is None:
            return JSONResponse({"error": "There is nobody of that name."}, status_code=404)
        return JsonAnswer(page_state(self.world, person), headers={"cache-control": "no-store"})

    async def events(self, request: Request) -> Response:
        if self._person(request) is None:
            return JSONResponse({"error": "There is nobody of that name."}, status_code=404)
        return StreamingResponse(
            _revisions(self.world), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    def _person(self, request: Request) -> Person | None:
        return self.world.person(request.query_params.get("user", ""))


async def _revisions(world: World) -> AsyncIterator[str]:
    """A line at once and after every change; a comment now and then, so that a dead connection is noticed."""
    known = -1
    while True:
        revision = await world.wait_change(known, QUIET_SECONDS)
        yield f"data: {revision}\n\n" if revision != known else ": still here\n\n"
        known = revision


def _loopback_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False)
