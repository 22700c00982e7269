"""An answer kept for a moment, so that whoever asks without a sign-in costs the database no more for asking often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Asks anew when the last answer is older than `seconds`, and never twice at the same time."""

    def __init__(self, ask: Callable[[], Awaitable[T]], monotonic: Callable[[], float], seconds: float) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._last: tuple[float, T] | None = None

    async def get(self) -> T:
        """The answer. A failure is not kept: it is whoever asked who hears of it."""
        async with self._lock:
            if self._last is None or self._monotonic() - self._last[0] >= self._seconds:
                answer = await self._ask()
                self._last = (self._monotonic(), answer)
            return self._last[1]
