"""What stands before every emulated service: the call log, and the faults that `/control/faults` orders.

Never alters an answer unasked.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import httpx
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from app.sandbox.world import World

Deed = Literal["answer", "drop_before", "drop_after", "slow"]
Sleep = Callable[[float], Awaitable[None]]

# Slack's root is `/slack/api`; its OpenID pages and response URLs lie beside it and keep their own first segment.
ROOTS = {"/graph": "graph", "/arm": "arm", "/login": "login", "/slack/api": "slack", "/slack": "slack"}
MASKED = frozenset(
    {"client_secret", "client_assertion", "refresh_token", "access_token", "id_token", "code", "code_verifier"}
    | {"assertion", "token"},
)


@dataclass(slots=True)
class Fault:
    """A disturbance: which calls it meets, what it does, and how often still (None: until cleared).

    `switch` names the page's switch that ordered it.
    """

    service: str
    path: re.Pattern[str]
    do: Deed
    method: str | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None
    seconds: float = 0.0
    times: int | None = None
    switch: str = ""

    def meets(self, service: str, method: str, path: str) -> bool:
        """Whether this fault is for a call to `path` below the service's root."""
        if self.times == 0 or self.service != service:
            return False
        return (self.method is None or self.method == method) and bool(self.path.search(path))


@dataclass(frozen=True, slots=True)
class Call:
    """One call a service received; `body` is the request's, secrets masked; `status` None: no answer was due."""

    n: int
    at: datetime
    service: str
    method: str
    path: str
    query: dict[str, str]
    who: str | None
    status: int | None
    body: object


class ConnectionDropped(httpx.RemoteProtocolError):
    """Stands for a closed connection where the application is called in process and no socket exists."""


class FaultGate:
    """ASGI middleware around the whole world: logs each service call, after what a fault did to it."""

    def __init__(self, app: ASGIApp, world: World, sleep: Sleep = asyncio.sleep) -> None:
        self.app = app
        self.world = world
        self.sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass anything that is no service call on untouched."""
        place = _place(scope["path"]) if scope["type"] == "http" else None
        if place is None:
            await self.app(scope, receive, send)
            return
        service, path = place
        body = await _read_all(receive)
        fault = take_fault(self.world.faults, service, scope["method"], path)
        notes: dict[str, Any] = scope.setdefault("state", {})
        traffic = _Traffic(body, receive, send)
        try:
            await self._serve(scope, traffic, fault)
        finally:
            self._log(scope, service, path, traffic.status, _parsed(scope, body), notes.get("who"))

    async def _serve(self, scope: Scope, traffic: _Traffic, fault: Fault | None) -> None:
        if fault is None:
            await self.app(scope, traffic.receive, traffic.send)
            return
        if fault.seconds:
            await self.sleep(fault.seconds)
        if fault.do == "answer":
            await _ordered(fault)(scope, traffic.receive, traffic.send)
        elif fault.do == "drop_before":
            await _drop(traffic.source)
        else:
            traffic.is_mute = fault.do == "drop_after"
            await self.app(scope, traffic.receive, traffic.send)
            if traffic.is_mute:
                await _drop(traffic.source)

    def _log(self, scope: Scope, service: str, path: str, status: int | None, body: object, who: str | None) -> None:
        world = self.world
        world.calls_seen += 1
        query = masked(dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))
        call = Call(world.calls_seen, world.now(), service, scope["method"], path, query, who, status, masked(body))
        world.record(call)


class _Traffic:
    """One call's two directions: the body is given again to the application, the answer may be kept back."""

    def __init__(self, body: bytes, source: Receive, send: Send) -> None:
        self.body: bytes | None = body
        self.source = source
        self.target = send
        self.is_mute = False
        self.status: int | None = None

    async def receive(self) -> Message:
        if self.body is None:
            return await self.source()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        if not self.is_mute:
            await self.target(message)


def take_fault(faults: list[Fault], service: str, method: str, path: str) -> Fault | None:
    """The oldest fault that meets this call, counted down by one use; None when all is well."""
    for fault in faults:
        if fault.meets(service, method, path):
            if fault.times is not None:
                fault.times -= 1
            return fault
    return None


def masked(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A copy of JSON data in which the values of secrets are three asterisks."""
    if isinstance(value, dict):
        return {key: "***" if key in MASKED and item else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _place(path: str) -> tuple[str, str] | None:
    for root, service in ROOTS.items():
        if path == root or path.startswith(f"{root}/"):
            return service, path[len(root) :]
    return None


async def _read_all(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _ordered(fault: Fault) -> Response:
    headers = {name.lower(): value for name, value in fault.headers.items()}
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, {"content-type": "text/plain; charset=utf-8", **headers})
    content = b"" if fault.body is None else json.dumps(fault.body).encode()
    return Response(content, fault.status, {"content-type": "application/json", **headers})


async def _drop(receive: Receive) -> None:
    # Under uvicorn `receive` is a method of the request's cycle, which owns the connection. Returning without an
    # answer would make uvicorn write a 500, so the connection is cut and its end awaited first.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDropped("Server disconnected without sending a response.")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _parsed(scope: Scope, body: bytes) -> object:
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    kind = dict(scope["headers"]).get(b"content-type", b"")
    if kind.startswith(b"application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    if kind.startswith(b"application/json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
