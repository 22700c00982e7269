"""`/control`: the test's hand in the emulated world. Plain JSON in and out.

Every mistake of the caller is answered with one sentence and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.sandbox.control_acts import Acts, Unknown
from app.sandbox.control_asks import read_ask
from app.sandbox.control_input import NUMBER, BadInput, one_of, read, read_fault, read_shapes
from app.sandbox.control_views import call_view, request_view, settings_view, world_view
from app.sandbox.wire import JsonAnswer
from app.sandbox.world import World

ROOT = "/control"
Reply = tuple[int, object]


class BotFailure(Exception):
    """The bot's process did not do as told; the sentence says what it did."""


class Bot(Protocol):
    """The bot's process as `/control` handles it."""

    env: dict[str, str]

    async def start(self) -> int:
        """Start it unless it runs, wait until it answers, return its process id."""
        ...

    async def stop(self, *, kill: bool = False) -> int | None:
        """End it, politely or not, and return the id it had; None if it did not run."""
        ...

    async def forget(self) -> None:
        """Delete its data; it must not run."""
        ...


def routes(world: World, new_client: Callable[[], httpx.AsyncClient], bot: Bot) -> list[BaseRoute]:
    """All routes below `/control`; anything else there is a 404 with a sentence."""
    acts = Acts(world, new_client)
    hand = _Hand(world, bot)
    table: list[tuple[str, str, _Handler]] = [
        ("GET", "/settings", hand.settings),
        ("GET", "/world", hand.world_now),
        ("POST", "/requests", hand.ask),
        ("POST", "/requests/{id}/decide", _on_request(acts.decide)),
        ("POST", "/requests/{id}/cancel", _on_request(acts.cancel)),
        ("POST", "/requests/{id}/end", _on_request(acts.end)),
        ("POST", "/click", _act(acts.click)),
        ("POST", "/submit", _act(acts.submit)),
        ("POST", "/command", _act(acts.command)),
        ("POST", "/home", _act(acts.home)),
        ("POST", "/shortcut", _act(acts.shortcut)),
        ("POST", "/sign-in", _act(acts.sign_in)),
        ("POST", "/arm", hand.choose_shapes),
        ("POST", "/faults", hand.add_faults),
        ("DELETE", "/faults", hand.clear_faults),
        ("POST", "/lag", hand.set_lag),
        ("GET", "/log", hand.log),
        ("POST", "/bot", hand.command_bot),
        ("POST", "/reset", hand.reset),
        ("GET", "/token", lambda request: _token(acts, request)),
    ]
    known: list[BaseRoute] = [
        Route(f"{ROOT}{path}", _endpoint(handler), methods=[method]) for method, path, handler in table
    ]
    verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [*known, Route(f"{ROOT}/{{rest:path}}", _endpoint(_nowhere), methods=verbs)]


_Handler = Callable[[Request], Awaitable[Reply]]


class _Hand:
    """The calls that look at the world or set it up."""

    def __init__(self, world: World, bot: Bot) -> None:
        self.world = world
        self.bot = bot

    async def settings(self, request: Request) -> Reply:
        _query(request, ())
        return 200, settings_view(self.world, self.bot.env)

    async def world_now(self, request: Request) -> Reply:
        _query(request, ())
        return 200, world_view(self.world)

    async def ask(self, request: Request) -> Reply:
        made = self.world.ask(read_ask(self.world, await _body(request)))
        return 201, request_view(self.world, made)

    async def choose_shapes(self, request: Request) -> Reply:
        self.world.arm_accepts = read_shapes(await _body(request))
        return 200, {"accepts": list(self.world.arm_accepts)}

    async def add_faults(self, request: Request) -> Reply:
        body = await _body(request)
        if not isinstance(body, list):
            raise BadInput("The body must be a JSON array of faults.")
        self.world.faults.extend([read_fault(item) for item in body])
        return 200, {"faults": len(self.world.faults)}

    async def clear_faults(self, _request: Request) -> Reply:
        self.world.faults.clear()
        return 200, {"faults": 0}

    async def set_lag(self, request: Request) -> Reply:
        fields = read(await _body(request), {}, {"seconds": NUMBER, "audit_seconds": NUMBER})
        if min(fields.values(), default=0) < 0:
            raise BadInput("A lag cannot be negative.")
        self.world.lag = timedelta(seconds=fields.get("seconds", 0))
        self.world.audit_lag = timedelta(seconds=fields.get("audit_seconds", 0))
        return 200, {"seconds": fields.get("seconds", 0), "audit_seconds": fields.get("audit_seconds", 0)}

    async def log(self, request: Request) -> Reply:
        since = _query(request, ("since",)).get("since", "0")
        if not since.isdecimal():
            raise BadInput("'since' must be a whole number.")
        return 200, [call_view(call) for call in self.world.log if call.n > int(since)]

    async def command_bot(self, request: Request) -> Reply:
        fields = read(await _body(request), {"do": str})
        word = one_of("do", fields["do"], ("kill", "stop", "start"))
        if word == "start":
            return 200, {"pid": await self.bot.start()}
        return 200, {"pid": await self.bot.stop(kill=word == "kill")}

    async def reset(self, request: Request) -> Reply:
        read(await _body(request), {})
        await self.bot.stop(kill=True)
        await self.bot.forget()
        self.world.reset()
        return 200, {"pid": await self.bot.start()}


def _endpoint(handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            status, body = await handler(request)
        except BadInput as problem:
            status, body = 400, {"error": str(problem)}
        except Unknown as problem:
            status, body = 404, {"error": str(problem)}
        except BotFailure as problem:
            status, body = 500, {"error": str(problem)}
        return JsonAnswer(body, status, {"cache-control": "no-store"})

    return answer


def _act(act: Callable[[object], Awaitable[Any]]) -> _Handler:
    async def handler(request: Request) -> Reply:
        return 200, await act(await _body(request))

    return handler


def _on_request(act: Callable[[str, object], Awaitable[Any]]) -> _Handler:
    async def handler(request: Request) -> Reply:
        return 200, await act(request.path_params["id"].lower(), await _body(request))

    return handler


async def _token(acts: Acts, request: Request) -> Reply:
    query = _query(request, ("user", "resource"))
    if len(query) < 2:  # noqa: PLR2004 - both names above
        raise BadInput("Both 'user' and 'resource' are needed.")
    return 200, acts.token(query["user"], query["resource"])


async def _nowhere(request: Request) -> Reply:
    raise Unknown(f"There is no {request.method} {request.url.path} here.")


async def _body(request: Request) -> object:
    raw = await request.body()
    try:
        return json.loads(raw or b"{}")
    except ValueError as problem:
        raise BadInput("The body is not JSON.") from problem


def _query(request: Request, allowed: tuple[str, ...]) -> dict[str, str]:
    query = dict(request.query_params.items())
    unknown = set(query) - set(allowed)
    if unknown:
        raise BadInput(f"There is no query parameter '{min(unknown)}' here.")
    return query
