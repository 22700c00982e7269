"""Who the requestors are in Slack: asked when a request is new, and hourly while Slack gives no answer.

What is found serves telling people and refusing their own requests, never allowing anything. Slack being away costs
nothing but the knowledge: the poll goes on.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import BotError, Unavailable
from app.domain.match import Match
from app.domain.row import RequestRow
from app.ports import Clock, Matching, RequestBook

BATCH = 20  # requests looked at in one round; the rest is for the next one
ASK_AGAIN = timedelta(hours=1)
PATIENCE = 3.0  # seconds Slack may take for one person
PAUSE = timedelta(minutes=1)  # after a failure, unless Slack says how long
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Requestors:
    """Finds the Slack account of every open request's requestor."""

    book: RequestBook
    matching: Matching
    clock: Clock
    _wait_until: datetime | None = field(init=False, default=None)

    async def tick(self) -> None:
        """Look for those nobody has found yet. The first failure ends the round."""
        now = self.clock()
        if self._wait_until is not None and now < self._wait_until:
            return
        found: dict[str, Match] = {}
        for row in await self.book.unmatched(now - ASK_AGAIN, BATCH):
            match = found.get(row.request.requestor.id) or await self._ask(row)
            await self.book.matched(row.key, match or Match(), self.clock())
            if match is None:
                return
            found[row.request.requestor.id] = match

    async def _ask(self, row: RequestRow) -> Match | None:
        """None when Slack cannot tell right now; then it is left alone for a while."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.matching.match(row.request.requestor)
        except (BotError, TimeoutError) as failure:
            log.info("The requestor of %s could not be looked up in Slack: %s", row.key, failure or "no answer")
            said = failure.retry_after if isinstance(failure, Unavailable) else None
            self._wait_until = self.clock() + (timedelta(seconds=said) if said else PAUSE)
            return None
