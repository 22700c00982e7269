"""Looking after what was approved: when the role really starts, ends, or is taken away. A few looks a tick, when due.

It also tries again to learn how a request ended that nobody could read at the time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.domain.errors import BotError
from app.domain.lifecycle import RARELY, SOON, Approved, Nothing, follow
from app.domain.request import Kind, Status
from app.domain.row import RequestRow
from app.ports import Clock, Desk, RequestBook
from app.watcher.readers import THE_BOT, Readers
from app.watcher.reconciling import Reconciling

BATCH = 20  # looks a tick; the rest is due at the next one
EXPLAINED_WITHIN = timedelta(days=30)  # Microsoft keeps requests about that long
EXPLAIN_EVERY = timedelta(hours=1)
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Following:
    """Follows approved roles to their end."""

    desks: Mapping[Kind, Desk]
    book: RequestBook
    readers: Readers
    reconciling: Reconciling
    clock: Clock

    async def tick(self) -> None:
        """Look at what is due."""
        for row in await self.book.look_due(self.clock(), BATCH):
            desk = self.desks.get(row.key.kind)
            if desk is None:
                await self.book.look_again(row.key, None)
            elif row.status is Status.APPROVED:
                await self._follow(desk, row)
            else:
                await self._explain(desk, row)

    async def _follow(self, desk: Desk, row: RequestRow) -> None:
        now = self.clock()
        approved_at = row.decided.at if row.decided is not None else now
        removed_at = row.removed.at if row.removed is not None else None
        role = Approved(row.request, approved_at, row.holding, removed_at)
        if now < role.begins:
            await self.book.look_again(row.key, role.begins)
            return
        try:
            seen = await self.readers.ask(desk, "terms", lambda token: desk.term(row.request, token), first=THE_BOT)
            native = await self._native(desk, row) if seen is None else ""
        except BotError as outage:
            log.info("The role of %s cannot be looked at right now: %s", row.key, outage)
            await self.book.look_again(row.key, now + SOON)
            return
        await self.book.followed(row.key, follow(role, seen, native, now))

    async def _native(self, desk: Desk, row: RequestRow) -> str:
        """Microsoft's word for the request, which says why there is no instance; empty when nobody may read it."""
        fresh = await self.readers.ask(
            desk, "requests", lambda token: desk.fetch(row.request, token), first=row.known_approvers
        )
        return "" if isinstance(fresh, Nothing) else fresh.native_status

    async def _explain(self, desk: Desk, row: RequestRow) -> None:
        now = self.clock()
        if row.status is Status.UNKNOWN and not await self.reconciling.explain(desk, row):
            hopeful = now - row.request.created < EXPLAINED_WITHIN
            await self.book.look_again(row.key, now + max(EXPLAIN_EVERY, RARELY) if hopeful else None)
