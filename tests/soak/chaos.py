"""A TCP proxy that misbehaves on demand: cuts, stalls, turns to another target. It reads nothing that it carries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Target = tuple[str, int] | str  # host and port, or the path of a Unix socket
CHUNK = 64 * 1024  # bytes
T = TypeVar("T")


class Chaos:
    """One listening port on loopback, in a thread of its own, between clients and targets taken in turns."""

    def __init__(self, *targets: Target, port: int = 0) -> None:
        """`port` zero: any free one."""
        self._targets = targets
        self._turn = 0
        self._cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos", daemon=True)
        self._thread.start()
        self._flows = self._done(self._event)
        self._server = asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result(10)
        self.port = int(self._server.sockets[0].getsockname()[1])

    # --- what a test does to it ---

    def aim(self, *targets: Target) -> None:
        """New connections go there, in turns."""
        self._targets = targets

    def cut(self) -> None:
        """Every connection is reset, and so is every new one."""
        self._cut = True
        self._done(self._reset)

    def stall(self) -> None:
        """Connections stay open, and nothing passes."""
        self._done(self._flows.clear)

    def heal(self) -> None:
        """All is well again."""
        self._cut = False
        self._done(self._flows.set)

    def close(self) -> None:
        """Nobody listens any more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # --- in its own thread ---

    def _done(self, act: Callable[[], T]) -> T:
        async def run() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _event(self) -> asyncio.Event:
        flows = asyncio.Event()
        flows.set()
        return flows

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):  # the task ends here either way
                await self._connect(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        if self._cut:
            return
        self._turn += 1
        target = self._targets[self._turn % len(self._targets)]
        opened = asyncio.open_unix_connection(target) if isinstance(target, str) else asyncio.open_connection(*target)
        far_reader, far_writer = await opened
        self._writers.add(far_writer)
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            await self._flows.wait()
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
