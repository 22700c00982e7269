"""Listings out of pages and places, for every desk: what fails midway, or at one place, forbids absence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.changes import Listing
from app.domain.errors import BotError
from app.domain.request import ActivationRequest, Kind
from app.graph.shapes import Rows
from app.graph.states import ended
from app.graph.wire import Json, listed

Keep = Callable[[ActivationRequest], bool]
Read = Callable[[Sequence[object]], Awaitable[Rows]]
log = logging.getLogger(__name__)


def ended_since(since: datetime) -> Keep:
    """What was asked since then and waits no more."""
    return lambda request: request.created >= since and ended(request) is not None


async def paged(kind: Kind, pages: AsyncIterator[Json], read: Read, keep: Keep) -> Listing:
    """Every page as one listing. A failure on the first page is raised; a later one leaves an incomplete listing."""
    found: list[Rows] = []
    complete = True
    try:
        async for page in pages:
            found.append(await read(listed(page.get("value"))))  # noqa: PERF401 - what came before a failure is kept
    except BotError:
        if not found:
            raise
        complete = False
    return listing_of(kind, found, keep, complete=complete)


def listing_of(kind: Kind, found: Sequence[Rows], keep: Keep, *, complete: bool, full_page: bool = False) -> Listing:
    """The rows that are wanted, and the names of those that could not be read."""
    good = tuple(request for rows in found for request in rows.good if keep(request))
    broken = tuple(name for rows in found for name in rows.broken)
    return Listing(kind, good, complete=complete, full_page=full_page, broken=broken)


def joined(kind: Kind, listings: Iterable[Listing], *, all_answered: bool = True) -> Listing:
    """Several listings of one desk as one; a request that stands in two of them stands here once."""
    several = list(listings)
    requests = {request.key.id: request for each in several for request in each.requests}
    return Listing(
        kind,
        tuple(requests.values()),
        complete=all_answered and all(each.complete for each in several),
        full_page=any(each.full_page for each in several),
        broken=tuple(dict.fromkeys(broken for each in several for broken in each.broken)),
    )


@dataclass(slots=True)
class Places:
    """Several places that one desk is listed at, a few at a time; one that fails is logged once, and once back."""

    kind: Kind
    at_once: int = 4
    _failing: set[str] = field(init=False, default_factory=set)

    async def listed(self, asked: Mapping[str, Awaitable[Listing]]) -> Listing:
        """One listing out of all, by place. Where one fails, the whole is incomplete.

        Raises the first failure when none of them answered; no places at all are complete, and empty.
        """
        turns = asyncio.Semaphore(self.at_once)
        answers = await asyncio.gather(*(self._one(place, listing, turns) for place, listing in asked.items()))
        listings = [answer for answer in answers if isinstance(answer, Listing)]
        failures = [answer for answer in answers if isinstance(answer, BotError)]
        if failures and not listings:
            raise failures[0]
        return joined(self.kind, listings, all_answered=not failures)

    async def _one(self, place: str, listing: Awaitable[Listing], turns: asyncio.Semaphore) -> Listing | BotError:
        async with turns:
            try:
                answer = await listing
            except BotError as failure:
                if place not in self._failing:
                    log.warning("The %s requests at %s cannot be listed: %s", self.kind, place, failure)
                self._failing.add(place)
                return failure
        if place in self._failing:
            log.warning("The %s requests at %s can be listed again.", self.kind, place)
            self._failing.discard(place)
        return answer
