"""The socket: envelopes in, answers out, and a new connection whenever the old one goes, before a Slack on a port."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.domain.errors import SlackFailed
from app.notifier.gateway import Gateway
from app.notifier.socket_mode import FIRST_PATIENCE, LONGEST_PATIENCE, SocketMode

SOON = 20.0  # seconds until a test gives up waiting
TOKEN = "xapp-1-A0PIM-canary"
Json = dict[str, Any]


@dataclass
class FakeSlack:
    """Gives out addresses as told by `answers`, then sound ones; keeps the connections, and what came through them."""

    answers: list[Json | int] = field(default_factory=list)
    greets: bool = True
    asked: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    heard: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)
    joined: asyncio.Queue[web.WebSocketResponse] = field(default_factory=asyncio.Queue)
    root: str = ""

    async def open(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("Authorization", ""))
        answer = (
            self.answers.pop(0) if self.answers else {"ok": True, "url": f"{self.root}/socket".replace("http", "ws", 1)}
        )
        if isinstance(answer, int):
            return web.Response(status=answer, headers={"Retry-After": "77"})
        return web.json_response(answer)

    def address(self, path: str) -> str:
        return self.root.replace("http", "ws", 1) + path

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        if not self.greets:
            await socket.close()
            return socket
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets)})
        self.joined.put_nowait(socket)
        async for message in socket:
            self.heard.put_nowait(json.loads(message.data))
        return socket

    async def next(self) -> web.WebSocketResponse:
        """The next connection that was greeted."""
        async with asyncio.timeout(SOON):
            return await self.joined.get()

    async def answer(self) -> Json:
        """The next thing we are told."""
        async with asyncio.timeout(SOON):
            return await self.heard.get()


@dataclass
class Listener:
    """What the envelopes are handed to; answers as told."""

    answer: Json | None = field(default_factory=dict)
    fails: Exception | None = None
    envelopes: list[Json] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def deliver(self, envelope: Json) -> Json | None:
        self.envelopes.append(envelope)
        self.arrived.set()
        await self.may_answer.wait()
        if self.fails is not None:
            raise self.fails
        return self.answer


@dataclass
class Line:
    """One bot's socket and Slack's end of it. `slept`: how long it waited between attempts."""

    slack: FakeSlack
    listener: Listener
    socket: SocketMode
    slept: list[float]

    @asynccontextmanager
    async def up(self) -> AsyncIterator[web.WebSocketResponse]:
        """Listening, as the process does it; Slack's end of the first connection."""
        task = asyncio.create_task(self.socket.run())
        try:
            yield await self.slack.next()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    slack, listener, slept = FakeSlack(), Listener(), list[float]()
    app = web.Application()
    app.router.add_post("/api/apps.connections.open", slack.open)
    app.router.add_get("/socket", slack.serve)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        slack.root = str(server.make_url("")).rstrip("/")
        gateway = Gateway("xoxb-1", f"{slack.root}/api", session)
        socket = SocketMode(gateway=gateway, session=session, token=TOKEN, deliver=listener.deliver, sleep=sleep)
        yield Line(slack, listener, socket, slept)


def envelope(name: str = "e1", **payload: object) -> Json:
    return {"envelope_id": name, "type": "interactive", "accepts_response_payload": True, "payload": payload}


# Envelopes


async def test_an_envelope_is_handed_on_and_acknowledged(line: Line) -> None:
    async with line.up() as slack:
        await slack.send_json(envelope(type="block_actions"))
        assert await line.slack.answer() == {"envelope_id": "e1"}
    assert line.listener.envelopes == [envelope(type="block_actions")]


async def test_what_is_answered_travels_with_the_acknowledgement(line: Line) -> None:
    line.listener.answer = {"response_action": "clear"}
    async with line.up() as slack:
        await slack.send_json(envelope())
        assert await line.slack.answer() == {"envelope_id": "e1", "payload": {"response_action": "clear"}}


async def test_what_is_not_taken_is_not_acknowledged(line: Line) -> None:
    line.listener.answer = None
    async with line.up() as slack:
        await slack.send_json(envelope("refused"))
        await line.listener.arrived.wait()
        line.listener.answer = {}
        await slack.send_json(envelope("taken"))
        assert await line.slack.answer() == {"envelope_id": "taken"}


async def test_a_listener_that_fails_costs_its_own_acknowledgement_only(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.listener.fails = RuntimeError("a defect")
    async with line.up() as slack:
        await slack.send_json(envelope("broken"))
        await line.listener.arrived.wait()
        line.listener.fails = None
        await slack.send_json(envelope("sound"))
        assert await line.slack.answer() == {"envelope_id": "sound"}
    assert "could not be handled" in caplog.text


async def test_a_slow_envelope_keeps_no_other_waiting(line: Line) -> None:
    line.listener.may_answer.clear()
    async with line.up() as slack:
        await slack.send_json(envelope("slow"))
        await line.listener.arrived.wait()
        line.listener.may_answer = asyncio.Event()
        line.listener.may_answer.set()
        await slack.send_json(envelope("quick"))
        assert await line.slack.answer() == {"envelope_id": "quick"}


@pytest.mark.parametrize("noise", ["", "hello?", "[]", "17", '{"type": "interactive"}', '{"type": "hello"}'])
async def test_what_is_no_envelope_is_passed_over(line: Line, noise: str) -> None:
    async with line.up() as slack:
        await slack.send_str(noise)
        await slack.send_bytes(b"\x00")
        await slack.send_json(envelope())
        assert await line.slack.answer() == {"envelope_id": "e1"}
    assert len(line.listener.envelopes) == 1


# Connections


async def test_the_app_token_opens_the_connection(line: Line) -> None:
    async with line.up():
        assert line.slack.asked == [f"Bearer {TOKEN}"]
        async with asyncio.timeout(SOON):
            await line.socket.attempted.wait()


async def test_a_lost_connection_is_replaced(line: Line) -> None:
    async with line.up() as first:
        await first.close()
        second = await line.slack.next()
        await second.send_json(envelope())
        assert await line.slack.answer() == {"envelope_id": "e1"}


async def test_the_old_connection_serves_on_until_slack_closes_it(line: Line) -> None:
    async with line.up() as first:
        await first.send_json({"type": "disconnect", "reason": "refresh_requested"})
        second = await line.slack.next()
        await first.send_json(envelope("late"))
        assert await line.slack.answer() == {"envelope_id": "late"}
        assert not second.closed


async def test_an_answer_under_way_still_goes_out_when_we_stop(line: Line) -> None:
    line.listener.may_answer.clear()
    async with line.up() as slack:
        await slack.send_json(envelope())
        await line.listener.arrived.wait()
        asyncio.get_running_loop().call_soon(line.listener.may_answer.set)
    assert await line.slack.answer() == {"envelope_id": "e1"}


async def test_an_answer_after_the_connection_is_gone_harms_nothing(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.listener.may_answer.clear()
    async with line.up() as first:
        await first.send_json(envelope("gone"))
        await line.listener.arrived.wait()
        await first.close()
        second = await line.slack.next()
        line.listener.may_answer.set()
        await second.send_json(envelope("next"))
        assert await line.slack.answer() == {"envelope_id": "next"}
    assert "What was asked for is done anyway" in caplog.text


# Trouble


OUTAGES: dict[str, Json | int] = {
    "broken": 500,
    "a refusal": {"ok": False, "error": "internal_error"},
    "nobody there": 404,
}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES.keys())
async def test_an_outage_is_waited_out_and_said_once(
    line: Line, caplog: pytest.LogCaptureFixture, outage: Json | int
) -> None:
    caplog.set_level(logging.WARNING)
    if outage == 404:
        outage = {"ok": True, "url": line.slack.address("/nowhere")}
    line.slack.answers = [outage] * 7
    async with line.up() as slack:
        await slack.send_json(envelope())
        await line.slack.answer()
    assert line.slept == [FIRST_PATIENCE, 2, 4, 8, 16, LONGEST_PATIENCE, LONGEST_PATIENCE]
    down, up = [record.getMessage() for record in caplog.records]
    assert down.startswith("Slack's socket is not connected: Slack")
    assert up == "Slack's socket is connected again."
    assert line.socket.trouble == ""


async def test_while_there_is_no_connection_readiness_says_why(line: Line) -> None:
    told = list[str]()
    line.slack.answers = [{"ok": False, "error": "token_revoked"}]

    async def sleep(_: float) -> None:
        told.append(line.socket.trouble)
        assert line.socket.attempted.is_set()

    line.socket.sleep = sleep
    async with line.up() as slack:
        await slack.send_json(envelope())
        await line.slack.answer()
        assert line.socket.trouble == ""
    assert told == ["Clicks do not arrive: Slack's socket is not connected. Slack refused: token_revoked."]


async def test_slack_says_how_long_to_wait(line: Line) -> None:
    line.slack.answers = [429]
    async with line.up():
        assert line.slept == [77]


async def test_a_connection_without_a_hello_does_not_count(line: Line) -> None:
    line.slack.greets = False

    async def sleep(_: float) -> None:
        line.slack.greets = True

    line.socket.sleep = sleep
    async with line.up():
        assert len(line.slack.sockets) == 2


async def test_the_one_time_address_is_never_logged(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    line.slack.answers = [{"ok": True, "url": line.slack.address("/nowhere?ticket=canary")}]
    async with line.up():
        assert line.slept
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("app.")]
    assert not any("canary" in words for words in ours)


FOREIGN = ["wss://slack.com.evil.example/link", "wss://evil.example/?slack.com", "ws://wss-primary.slack.com/link", ""]


@pytest.mark.parametrize("url", [*FOREIGN, "wss://me@wss-primary.slack.com/link", "wss://wss.slack.com:99999/"])
async def test_only_slacks_own_hosts_are_believed(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        gateway = Answering("xoxb-1", "https://slack.com/api", session)
        gateway.url = url
        with pytest.raises(SlackFailed):
            await gateway.socket_address(TOKEN)


async def test_slacks_own_address_is_believed() -> None:
    async with aiohttp.ClientSession() as session:
        gateway = Answering("xoxb-1", "https://slack.com/api", session)
        gateway.url = "wss://wss-primary.slack.com/link/?ticket=1"
        assert await gateway.socket_address(TOKEN) == gateway.url


async def test_the_emulated_slack_is_believed_at_its_own_origin_only(line: Line) -> None:
    line.slack.answers = [{"ok": True, "url": "wss://wss-primary.slack.com/link/?ticket=1"}]
    with pytest.raises(SlackFailed):
        await line.socket.gateway.socket_address(TOKEN)


class Answering(Gateway):
    """A gateway whose only answer is this address."""

    url = ""

    async def call(self, method: str, **arguments: object) -> Json:
        assert (method, arguments) == ("apps_connections_open", {"app_token": TOKEN})
        return {"ok": True, "url": self.url}
