"""Work that goes on after the ack: references are kept, failures reported, and a stop waits for what is running.

Slack's own background listeners are bare tasks: unreferenced, unreported, and lost at shutdown.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import BotError
from handlers.pace import Pace

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tasks:
    """The tasks of this process that answer people, each begun when the pace gives it a turn."""

    pace: Pace = field(default_factory=lambda: Pace(monotonic=time.monotonic))
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None], on_error: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run it; when it fails, log the reason and let `on_error` tell the person. Never raises."""
        task = asyncio.create_task(self._in_turn(work, on_error))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def drain(self, seconds: float) -> None:
        """Wait for what is running, at most so long. What is cut off is repaired by rows after the next start."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)

    async def _in_turn(self, work: Coroutine[Any, Any, None], on_error: Callable[[], Awaitable[None]]) -> None:
        await self.pace.turn()
        await _guarded(work, on_error)


async def _guarded(work: Coroutine[Any, Any, None], on_error: Callable[[], Awaitable[None]]) -> None:
    if not await _done(work, "A click could not be answered"):
        await _done(on_error(), "The person could not be told either")


async def _done(work: Awaitable[None], otherwise: str) -> bool:
    """Whether it went well. An outage is one line in the log; a defect comes with its traceback."""
    try:
        await work
    except BotError as failure:
        log.error("%s: %s", otherwise, failure)  # noqa: TRY400 - an expected failure needs no traceback
    except Exception:  # the edge of every listener: nobody above could tell the person
        log.exception("%s.", otherwise)
    else:
        return True
    return False
