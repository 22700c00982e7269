"""Callers of the HTTP API look too: what waits for them is asked of Microsoft in their own name, now and then.

Somebody who never signed in from Slack is polled by nobody, so nobody would know what they may decide. What they are
shown may add to our memory, and never removes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from app.domain.changes import Listing, seen_by
from app.domain.errors import BotError, Unavailable
from app.ports import Caller, Clock, Desk, OnBehalf

EVERY = timedelta(seconds=20)  # between two looks of one caller
PATIENCE = 5.0  # seconds a reader waits for Microsoft; what we know is told all the same
MOST = 1000  # callers remembered; the oldest go first


@dataclass(frozen=True, slots=True)
class _Look:
    at: datetime
    failure: BotError | None


@dataclass(kw_only=True, slots=True)
class Visits:
    """Looks at every desk as a caller sees it. `hear`: takes what was seen into memory."""

    desks: Sequence[Desk]
    hear: Callable[[Listing], Awaitable[None]]
    on_behalf: OnBehalf
    clock: Clock
    _looks: OrderedDict[str, _Look] = field(init=False, default_factory=OrderedDict)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(init=False, default_factory=WeakValueDictionary)

    async def look(self, caller: Caller) -> BotError | None:
        """What kept Microsoft from telling all of it, or None. Asked at most every twenty seconds for one token."""
        key = f"{caller.person.id} {caller.expires.timestamp()}"
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            last = self._looks.get(key)
            if last is None or self.clock() - last.at >= EVERY:
                last = _Look(self.clock(), await self._look(caller))
                self._looks[key] = last
                self._looks.move_to_end(key)
                while len(self._looks) > MOST:
                    self._looks.popitem(last=False)
        return last.failure

    async def _look(self, caller: Caller) -> BotError | None:
        try:
            async with asyncio.timeout(PATIENCE):
                failures = await asyncio.gather(*(self._look_at(desk, caller) for desk in self.desks))
        except TimeoutError:
            return Unavailable("Microsoft takes too long to say what waits for you.")
        return next((failure for failure in failures if failure is not None), None)

    async def _look_at(self, desk: Desk, caller: Caller) -> BotError | None:
        try:
            listing = await desk.list_for(self.on_behalf.of(caller, desk.resource))
            await self.hear(seen_by(listing, caller.person.id))
        except BotError as failure:
            return failure
        return None
