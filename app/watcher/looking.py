"""Asking a desk what is pending: as the application, or as a few signed-in people who together see everything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.changes import Known, Listing, covering, seen_by, union
from app.domain.errors import BotError, DeviceDemanded, GraphRefused, SignInRequired
from app.domain.request import Kind
from app.ports import Clock, Desk, Link, Links, Tokens

EVERYBODY_EVERY = timedelta(minutes=5)  # between two polls of every signed-in approver
_REFUSED = (SignInRequired, GraphRefused, DeviceDemanded)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a desk: what was listed, and whose calls failed with what."""

    listing: Listing | None
    failures: tuple[BotError, ...] = ()

    @property
    def blind(self) -> bool:
        """Nobody's live token can list this desk: no viewer, or each was refused. An outage is not blindness."""
        refused = all(isinstance(failure, _REFUSED) for failure in self.failures)
        return self.listing is None and refused


@dataclass(kw_only=True, slots=True)
class Lookout:
    """Looks at desks. `as_application`: `PIM_WATCH_AS=application`."""

    links: Links
    tokens: Tokens
    clock: Clock
    as_application: bool
    _everybody_at: dict[Kind, datetime] = field(init=False, default_factory=dict)
    _met: dict[Kind, frozenset[str]] = field(init=False, default_factory=dict)

    async def look(self, desk: Desk, known: Mapping[str, Known]) -> Look:
        """What the desk lists now."""
        if self.as_application:
            return await self._look_as_application(desk)
        everybody = {link.person.id: link for link in await self.links.active()}
        viewers = self._viewers(desk, known, everybody)
        look = await self._look_as_each(desk, viewers)
        if look.blind and len(viewers) < len(everybody):
            # The few who cover everything may not look any more: that says nothing about the others.
            look = await self._look_as_each(desk, list(everybody.values()))
        return look

    async def _look_as_each(self, desk: Desk, viewers: Sequence[Link]) -> Look:
        results = await asyncio.gather(*(self._look_as(desk, link) for link in viewers))
        listings = [result for result in results if isinstance(result, Listing)]
        failures = tuple(result for result in results if isinstance(result, BotError))
        if not listings:
            return Look(None, failures)
        return Look(union(desk.kind, listings, all_answered=not failures), failures)

    async def _look_as_application(self, desk: Desk) -> Look:
        try:
            return Look(await desk.list_all(self.tokens.application(desk.resource)))
        except BotError as failure:
            return Look(None, (failure,))

    async def _look_as(self, desk: Desk, link: Link) -> Listing | BotError:
        try:
            return seen_by(await desk.list_for(self.tokens.of(link, desk.resource)), link.person.id)
        except BotError as failure:
            return failure

    def _viewers(self, desk: Desk, known: Mapping[str, Known], links: Mapping[str, Link]) -> list[Link]:
        now = self.clock()
        newcomers = links.keys() - self._met.get(desk.kind, frozenset())  # nobody knows yet what only they can see
        self._met[desk.kind] = frozenset(links)
        if now - self._everybody_at.get(desk.kind, now - EVERYBODY_EVERY) >= EVERYBODY_EVERY:
            self._everybody_at[desk.kind] = now
            return list(links.values())
        chosen = covering({id_: row.approvers for id_, row in known.items()}, links) | newcomers
        return [links[oid] for oid in sorted(chosen)]
