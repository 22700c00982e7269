"""A world whose clock the test holds, and a client for its Slack services, all in process."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette

from app.sandbox import slack_api, slack_files, slack_openid, slack_response
from app.sandbox.world import World

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ANN, BEN, ROB, GUS, OLGA = "U0ANNALDER", "U0BENBROOK", "U0ROBREED1", "U0GUSGROVE", "U0OLGAOAKE"
DESK, GENERAL = "C0APPROVE1", "C0GENERAL1"


@dataclass
class Clock:
    """A clock that moves only when told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Rig:
    """A fresh world, its clock, and calls to its Slack Web API as the installed app."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.world = World(clock=self.clock)
        self.workspace = self.world.workspace
        parts = (slack_api, slack_files, slack_openid, slack_response)
        app = Starlette(routes=[route for part in parts for route in part.routes(self.world)])
        transport = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url=self.world.settings.world_url)

    async def send(self, method: str, token: str = "", **args: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.world.settings.bot_token}"}
        return await self.http.post(f"/slack/api/{method}", json=args, headers=headers)

    async def call(self, method: str, **args: object) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.send(method, **args)).json()
        return answer

    async def error(self, method: str, **args: object) -> object:
        return (await self.call(method, **args)).get("error")


@dataclass
class FakeBot:
    """Stands where the bot listens: records what Slack posted and answers what the test ordered."""

    answer: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200))
    requests: list[httpx.Request] = field(default_factory=list)

    @property
    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.requests[-1].content.decode()).items()}

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.form["payload"])
        return payload

    def signature(self, secret: str) -> str:
        request = self.requests[-1]
        stamp = request.headers["x-slack-request-timestamp"].encode()
        digest = hmac.new(secret.encode(), b"v0:" + stamp + b":" + request.content, hashlib.sha256)
        return f"v0={digest.hexdigest()}"

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": text}


def button(action_id: str, **more: object) -> dict[str, object]:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), **more}


def actions(*elements: dict[str, object], **more: object) -> dict[str, object]:
    return {"type": "actions", "elements": list(elements), **more}


def section(text: str, **more: object) -> dict[str, object]:
    return {"type": "section", "text": mrkdwn(text), **more}


def quote(text: str) -> dict[str, object]:
    run = {"type": "rich_text_quote", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [run]}


def text_input(block_id: str, *, optional: bool = False, **more: object) -> dict[str, object]:
    element = {"type": "plain_text_input", "action_id": "text", **more}
    label = plain(block_id.title())
    return {"type": "input", "block_id": block_id, "label": label, "element": element, "optional": optional}


def modal(*blocks: dict[str, object], **more: object) -> dict[str, object]:
    given = {"type": "modal", "title": plain("Deny request"), "submit": plain("Deny"), "blocks": list(blocks)}
    return given | {"callback_id": "pim_decide", **more}


def home(*blocks: dict[str, object], **more: object) -> dict[str, object]:
    return {"type": "home", "blocks": list(blocks), **more}
