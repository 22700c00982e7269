"""Acks come first: work that answers people begins in a pause between deliveries. It decides nothing else.

Slack's three seconds for an ack cannot be extended, and an answer may come a moment later; so a burst is taken in
before it is worked on. Without this the answers of the first clicks would delay the acks of the last.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PAUSE = 0.003  # seconds without a delivery that count as a pause
STEP = 0.001  # seconds between two beginnings in a pause
TURN = 0.02  # seconds after which one piece of work begins all the same, so that no flood can starve the answers


@dataclass(kw_only=True, slots=True)
class Pace:
    """Gives turns, first come first served. `monotonic`: seconds that never jump."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _taking: int = field(init=False, default=0)
    _last: float = field(init=False, default=float("-inf"))
    _waiting: deque[asyncio.Future[None]] = field(init=False, default_factory=deque)
    _task: asyncio.Task[None] | None = field(init=False, default=None)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """For as long as a delivery is being taken in."""
        self._taking += 1
        try:
            yield
        finally:
            self._taking -= 1
            self._last = self.monotonic()

    async def turn(self) -> None:
        """Return when the caller may begin."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._give())
        await mine

    async def _give(self) -> None:
        """Its task lives only while somebody waits."""
        while self._waiting:
            until = self.monotonic() + TURN
            while self._busy() and self.monotonic() < until:
                await self.sleep(PAUSE)
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_result(None)
            await self.sleep(STEP)

    def _busy(self) -> bool:
        return self._taking > 0 or self.monotonic() - self._last < PAUSE
