"""The whole HTTP door as one ASGI application: Slack's path and our API go through their gates, the rest to FastAPI."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import problems
from app.api.bearer_gate import PREFIX

SLACK_PATH = "/slack/events"
DESCRIPTION = (
    "Microsoft Entra PIM activation requests: what waits, what happened, and decisions that are sent to Microsoft as "
    "the person who calls. Every failure is a problem of RFC 9457 with a `code`."
)
CALLERS = (
    "An access token of Entra, version 2.0, made for this application and for a person, with the scope `Requests.Read` "
    "for what reads and `Requests.Approve` for what decides. The app role `PIM.Audit` shows every request."
)


class Door:
    """Routes by path before anybody parses."""

    def __init__(self, slack: ASGIApp | None, api: ASGIApp, rest: ASGIApp) -> None:
        """`slack`: the gated Slack application, if any; `api`: our gated API; `rest`: pages and health."""
        self._slack = slack
        self._api = api
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every path but those of Slack and of our API belongs to `rest`."""
        await self._behind(scope)(scope, receive, send)

    def _behind(self, scope: Scope) -> ASGIApp:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == SLACK_PATH and self._slack is not None:
            return self._slack
        return self._api if path == PREFIX or path.startswith(f"{PREFIX}/") else self._rest


def build_door(
    slack: ASGIApp | None, api: Sequence[APIRouter], rest: Sequence[APIRouter], guard: Callable[[ASGIApp], ASGIApp]
) -> Door:
    """One application out of the gated Slack side, our API, which `guard` puts a gate before, and the other routers.

    No Slack side: its path is a 404 like any other.
    """
    application = FastAPI(title="PIM Approvals", description=DESCRIPTION, redoc_url=None)
    problems.install(application)
    token = HTTPBearer(scheme_name="Entra", bearerFormat="JWT", description=CALLERS, auto_error=False)
    for router in api:
        application.include_router(router, prefix=PREFIX, tags=["requests"], dependencies=[Security(token)])
    for router in rest:
        application.include_router(router)
    return Door(slack, guard(application), application)
