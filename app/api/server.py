"""The whole HTTP door as one ASGI application: Slack's path goes through the gate, everything else to FastAPI."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

SLACK_PATH = "/slack/events"


class Door:
    """Routes by path before anybody parses."""

    def __init__(self, slack: ASGIApp, rest: ASGIApp) -> None:
        """`slack`: the gated Slack application; `rest`: pages and health."""
        self._slack = slack
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every path but Slack's belongs to `rest`."""
        to_slack = scope["type"] == "http" and scope["path"] == SLACK_PATH
        await (self._slack if to_slack else self._rest)(scope, receive, send)


def build_door(slack: ASGIApp | None, routers: Sequence[APIRouter]) -> ASGIApp:
    """One application out of the gated Slack side and the routers. No Slack side: its path is a 404 like any other."""
    rest = FastAPI(title="PIM Approvals", redoc_url=None)
    for router in routers:
        rest.include_router(router)
    return Door(slack, rest) if slack is not None else rest
