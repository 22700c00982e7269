"""Removals that were left in the air, by a crash, an outage or Microsoft's silence: found out and told, never repeated.

They are looked at when no replica lags any more: what is still held then, no removal took away. What is gone then may
be anybody's doing, so it is nobody's here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from app.decisions.witnesses import readers_of, witness
from app.domain.errors import BotError
from app.domain.lifecycle import Phase
from app.domain.removal import DOUBTFUL_FOR, GONE_SINCE, NOT_ARRIVED
from app.domain.request import Kind
from app.ports import Clock, Desk, RemovalFate, Removals, RequestBook, StoredRemoval, Tokens

BATCH = 20  # looks a round; the rest is for the next one
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Finishing:
    """Gives every removal that was sent an end, and tells whoever pressed."""

    book: RequestBook
    removals: Removals
    tokens: Tokens
    desks: Mapping[Kind, Desk]
    clock: Clock

    async def tick(self) -> bool:
        """Settle what is old enough; whether anybody is to be told of anything."""
        left = await self.removals.left_open(self.clock() - DOUBTFUL_FOR, BATCH)
        return any([await self._finish(removal) for removal in left])

    async def _finish(self, removal: StoredRemoval) -> bool:
        try:
            held = await self._held(removal)
        except BotError as failure:
            log.info("%s: what became of a removal cannot be seen right now: %s", removal.key, failure)
            return False
        fate, said = (RemovalFate.NOT_TAKEN, NOT_ARRIVED) if held else (RemovalFate.GONE_SINCE, GONE_SINCE)
        await self.removals.finish(removal, fate, said, self.clock())
        return True

    async def _held(self, removal: StoredRemoval) -> bool:
        """Out of our memory where that knows of an end; else as Microsoft shows it."""
        row = await self.book.find(removal.key)
        desk = self.desks.get(removal.key.kind)
        if row is None or desk is None or row.phase(self.clock()) is Phase.ENDED:
            return False
        return await witness(desk, row.request, await readers_of(self.tokens, desk)) is not None
