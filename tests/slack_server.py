"""The emulated Slack on a port of this machine, for the bot's real HTTP client. Its clock is the test's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import httpx
from aiohttp import web
from aiohttp.test_utils import TestServer
from build import NOW
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.sandbox import slack_api, slack_files, slack_response
from app.sandbox.faults import Call, Fault, FaultGate
from app.sandbox.login_tokens import SigningKey
from app.sandbox.people import Settings
from app.sandbox.slack_records import Message
from app.sandbox.world import World

KEPT = ("content-type", "retry-after", "x-oauth-scopes")


@dataclass
class Clock:
    """Moves when told, and by `step` whenever somebody looks."""

    now: datetime = NOW
    step: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@cache
def one_key() -> SigningKey:
    """One key for all tests: making RSA keys is slow."""
    return SigningKey.make()


@dataclass
class SlackServer:
    """The world behind the port, and short ways to look at it and to disturb it."""

    world: World
    clock: Clock
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        routes = [*slack_api.routes(self.world), *slack_response.routes(self.world), *slack_files.routes(self.world)]
        app = Starlette(routes=routes, middleware=[Middleware(FaultGate, world=self.world)])
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=self.world.settings.world_url)

    @property
    def settings(self) -> Settings:
        return self.world.settings

    @property
    def api_url(self) -> str:
        return f"{self.settings.world_url}/slack/api"

    async def pass_on(self, request: web.Request) -> web.Response:
        """From the port into the application; what the application drops is a connection that breaks."""
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        try:
            answer = await self.http.request(
                request.method, str(request.rel_url), headers=headers, content=await request.read()
            )
        except httpx.RemoteProtocolError:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
        return web.Response(status=answer.status_code, body=answer.content, headers=kept)

    def disturb(
        self,
        method: str,
        do: Literal["answer", "drop_before", "drop_after"] = "answer",
        error: str = "",
        times: int | None = 1,
        **more: object,
    ) -> Fault:
        """Calls of this method are lost, or answered as told: with a Slack error, or with `status` and `body`."""
        told: dict[str, Any] = {"status": 200, "body": {"ok": False, "error": error}} if error else {}
        fault = Fault(service="slack", path=re.compile(re.escape(method) + "$"), do=do, times=times, **{**told, **more})
        self.world.faults.append(fault)
        return fault

    def calls(self, method: str = "") -> list[Call]:
        """What the bot called, in order."""
        return [call for call in self.world.log if method in ("", call.path.removeprefix("/"))]

    def messages(self, channel: str = "") -> list[Message]:
        """What stands in a channel; the approvers' one by default."""
        return list(self.world.workspace.channels[channel or self.settings.channel].messages.values())

    def said_to(self, slack_user: str) -> list[Message]:
        """The direct messages somebody got."""
        return self.messages(self.world.workspace.direct(slack_user).id)

    def remove(self, message: Message) -> None:
        """Somebody deletes a message by hand."""
        self.world.workspace.remove(message)


@asynccontextmanager
async def slack_server(clock: Clock) -> AsyncIterator[SlackServer]:
    """Slack, listening."""
    bridge = web.Application()
    server = TestServer(bridge, host="127.0.0.1")
    found: list[SlackServer] = []

    async def handle(request: web.Request) -> web.Response:
        return await found[0].pass_on(request)

    bridge.router.add_route("*", "/{path:.*}", handle)
    async with server:
        settings = replace(Settings(), port=server.port or 0)
        found.append(SlackServer(World(settings, clock=clock, key=one_key()), clock))
        try:
            yield found[0]
        finally:
            await found[0].http.aclose()
