"""How an act reaches the bot: posted and signed, or through its socket. The bot's answer comes back as one value."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from json import JSONDecodeError
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from app.sandbox import slack_payloads as payloads
from app.sandbox import slack_socket

if TYPE_CHECKING:
    from app.sandbox.slack_records import Json
    from app.sandbox.world import World

ANSWER_SECONDS = 3.0
OK = 200


@dataclass(slots=True)
class Answer:
    """What the bot answered: HTTP status (0 if it did not), parsed JSON or text, milliseconds it took.

    An acknowledgement through a socket counts as 200.
    """

    status: int
    body: object
    ms: float


async def interaction(world: World, client: httpx.AsyncClient, payload: Json) -> Answer:
    """A press, a submission or a closed modal."""
    return await _deliver(world, client, "interactive", payload, payloads.as_form(payload))


async def slash_command(world: World, client: httpx.AsyncClient, form: dict[str, str]) -> Answer:
    """A typed command."""
    return await _deliver(world, client, "slash_commands", form, urlencode(form).encode())


async def event(world: World, client: httpx.AsyncClient, body: Json) -> Answer:
    """Something that happened."""
    return await _deliver(world, client, "events_api", body, json.dumps(body).encode())


async def _deliver(world: World, client: httpx.AsyncClient, kind: str, payload: Json, body: bytes) -> Answer:
    started = time.perf_counter()
    status = 0
    said: object = "operation_timeout"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            if world.settings.app_token:
                status, said = OK, await slack_socket.deliver(world, kind, payload)
            else:
                status, said = await _post(world, client, body, "json" if kind == "events_api" else "form")
    except (TimeoutError, httpx.TimeoutException):
        pass
    except (httpx.TransportError, slack_socket.NoSocket):
        said = "dispatch_failed"
    return Answer(status, said, (time.perf_counter() - started) * 1000)


async def _post(world: World, client: httpx.AsyncClient, body: bytes, form: str) -> tuple[int, object]:
    content_type = "application/json" if form == "json" else payloads.FORM
    headers = payloads.signed(body, content_type, world.settings.signing_secret, world.now())
    response = await client.post(f"{world.settings.bot_url}/slack/events", content=body, headers=headers)
    return response.status_code, _parsed(response.content)


def _parsed(said: bytes) -> object:
    text = said.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except JSONDecodeError:
        return text
