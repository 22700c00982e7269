"""The page's own calls, in process: a world with the test's clock, and a bot that records."""

from __future__ import annotations

from typing import Any

import httpx
from sandbox.slack_rig import Clock, FakeBot
from starlette.applications import Starlette

from app.sandbox import page
from app.sandbox.world import World

REQUESTOR_ASKS = {
    "kind": "entra",
    "role": "Exchange Administrator",
    "scope": "/",
    "duration": "PT2H",
    "justification": "Mail flow",
    "ticket": "",
}
PROD = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
DATABASES = "9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703"


class Browser:
    """The page's own calls, without a browser; the bot behind it records."""

    def __init__(self) -> None:
        self.world = World(clock=Clock())
        self.workspace = self.world.workspace
        self.bot = FakeBot()
        transport = httpx.ASGITransport(Starlette(routes=page.routes(self.world, lambda: self.bot.client)))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765")

    async def state(self, user: str) -> dict[str, Any]:
        state: dict[str, Any] = (await self.http.get("/page/state", params={"user": user})).json()
        return state

    async def act(self, name: str, user: str, **fields: object) -> httpx.Response:
        return await self.http.post(f"/page/{name}", json={"user": user, **fields})
