"""Slack's deliveries through a websocket that we open: each envelope is handed on, its answer sent back.

It reads no payload and remembers nothing. Slack's own client is not used: once a one-time address failed it tries that
same address for ever, and it closes the old connection before a new one stands.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from app.domain.errors import BotError, Unavailable
from app.notifier.gateway import TIMEOUT, Gateway, Payload

HEARTBEAT = 15.0  # seconds between our pings; a peer that answers none is gone
FIRST_PATIENCE, LONGEST_PATIENCE = 1.0, 30.0  # seconds between two attempts to connect
LAST_WORDS = 3.0  # seconds for answers under way when we stop: Slack waits no longer for them

# What becomes of an envelope: the payload of its acknowledgement, which may be empty; None: it is not acknowledged.
Deliver = Callable[[Payload], Awaitable[Payload | None]]
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class SocketMode:
    """Keeps one connection to Slack. `trouble`: why no click arrives at present, or an empty string.

    `attempted` is set as soon as the first attempt has ended, well or not.
    """

    gateway: Gateway
    session: aiohttp.ClientSession
    token: str
    deliver: Deliver
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    trouble: str = field(init=False, default="")
    attempted: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _failures: int = field(init=False, default=0)

    async def run(self) -> None:
        """Connect, and connect anew whenever Slack says so or the connection is lost, until cancelled."""
        async with asyncio.TaskGroup() as connections:
            while True:
                connection = await self._connected()
                connections.create_task(connection.serve())
                # Slack announces that it will close: the old connection serves on until it does.
                await connection.leaving.wait()

    async def _connected(self) -> _Connection:
        while True:
            try:
                async with asyncio.timeout(TIMEOUT):
                    address = await self.gateway.socket_address(self.token)
                    socket = await self.session.ws_connect(address, heartbeat=HEARTBEAT)
                    return await self._greeted(socket)
            except (BotError, aiohttp.ClientError, TimeoutError) as failure:
                await self.sleep(self._wait(failure))

    async def _greeted(self, socket: aiohttp.ClientWebSocketResponse) -> _Connection:
        """Slack says hello first; a connection without it does not count."""
        greeted = False
        try:
            greeted = _parsed(await socket.receive()).get("type") == "hello"
        finally:
            if not greeted:
                await socket.close()
        if not greeted:
            raise Unavailable("Slack closed the connection before it said hello.")
        if self.trouble:
            log.warning("Slack's socket is connected again.")
        self.trouble, self._failures = "", 0
        self.attempted.set()
        return _Connection(socket, self.deliver)

    def _wait(self, failure: Exception) -> float:
        """Seconds until the next attempt. The reason is logged once, without the address, which is a secret."""
        why = str(failure) if isinstance(failure, BotError) else "Slack cannot be reached."
        if not self.trouble:
            log.warning("Slack's socket is not connected: %s", why)
        self.trouble = f"Clicks do not arrive: Slack's socket is not connected. {why}"
        self._failures += 1
        self.attempted.set()
        patience = min(FIRST_PATIENCE * 2.0 ** min(self._failures - 1, 10), LONGEST_PATIENCE)
        return max(patience, (failure.retry_after or 0) if isinstance(failure, Unavailable) else 0)


class _Connection:
    """One websocket. `leaving` is set once it is time for another one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, deliver: Deliver) -> None:
        self.leaving = asyncio.Event()
        self._socket = socket
        self._deliver = deliver
        self._answering: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Take envelopes until the connection ends, then let the answers under way finish."""
        try:
            async for message in self._socket:
                self._take(_parsed(message))
        finally:
            self.leaving.set()
            if self._answering:
                await asyncio.wait(set(self._answering), timeout=LAST_WORDS)
            await self._socket.close()

    def _take(self, envelope: Payload) -> None:
        if envelope.get("type") == "disconnect":
            self.leaving.set()
        elif envelope.get("envelope_id"):
            task = asyncio.create_task(self._answer(envelope))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, envelope: Payload) -> None:
        """One envelope, from delivery to acknowledgement. Without one Slack tells the person, or delivers again."""
        try:
            payload = await self._deliver(envelope)
        except Exception:  # the edge of every delivery: nobody above could go on with the next one
            log.exception("An envelope of Slack could not be handled.")
            return
        if payload is None:
            return
        answer = {"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})}
        try:
            await self._socket.send_str(json.dumps(answer))
        except (aiohttp.ClientError, ConnectionError):
            log.warning("An answer came too late: Slack had closed the connection. What was asked for is done anyway.")


def _parsed(message: aiohttp.WSMessage) -> Payload:
    """The JSON object of a message; empty for anything else."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        found = json.loads(message.data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
