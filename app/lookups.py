"""Reading: what waits, what happened, the counters. Every row passes `may_see`; nothing is ever written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.policy import Freshness, Windows
from app.domain.request import RequestKey
from app.domain.row import RequestRow
from app.domain.ruling import Viewer
from app.ports import Cards, Clock, Counters, Coverage, Link, Links, LinkState, Page, People, Query, RequestBook, Sights

PAGE_ROWS = 10
WAITING_ROWS = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """What `/pim` alone and the App Home show."""

    link: Link | None
    counters: Counters
    waiting: tuple[RequestRow, ...]
    windows: Windows | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What `/pim pending` shows: rows, how many `more` wait, and how many are `hidden` since nobody can decide them."""

    rows: tuple[RequestRow, ...]
    more: int = 0
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """Neither signed in nor a member of a channel with cards: an invitation to sign in, and no rows."""


@dataclass(kw_only=True, slots=True)
class Lookups:
    """Reads on behalf of one Slack account. `slack_url`: the workspace's own address, with a slash at the end."""

    book: RequestBook
    links: Links
    people: People
    cards: Cards
    sights: Sights
    clock: Clock
    slack_url: str
    freshness: Freshness = field(default_factory=Freshness)

    async def overview(self, team: str, user: str) -> Overview | Nothing:
        """Counters, what waits, and the sign-in state."""
        viewer, link = await self._viewer(team, user)
        if viewer == Viewer():
            return Nothing()
        waiting = await self.book.waiting(viewer, WAITING_ROWS)
        now = self.clock()
        windows = self.freshness.windows(link.signed_in_at, now) if link is not None else None
        return Overview(link, await self.book.counters(viewer, now), tuple(waiting), windows)

    async def pending(self, team: str, user: str) -> Pending | Nothing:
        """What waits, the soonest to expire first."""
        viewer, _ = await self._viewer(team, user)
        if viewer == Viewer():
            return Nothing()
        rows = await self.book.waiting(viewer, WAITING_ROWS)
        counters = await self.book.counters(viewer, self.clock())
        return Pending(tuple(rows), max(counters.pending - len(rows), 0), counters.stale)

    async def history(self, team: str, user: str, query: Query) -> Page | Nothing:
        """A page of history, newest first."""
        viewer, _ = await self._viewer(team, user)
        return Nothing() if viewer == Viewer() else await self.book.page(viewer, query)

    async def coverage(self) -> Sequence[Coverage]:
        """Since when history is complete on each desk, and its gaps. It names no request, so anybody may know."""
        return await self.sights.coverage()

    async def card_addresses(self, rows: Sequence[RequestRow]) -> dict[RequestKey, str]:
        """Where the cards of these requests stand in Slack, as web addresses; rows without a card are left out."""
        places = await self.cards.places([row.key for row in rows])
        root = f"{self.slack_url}archives"
        return {key: f"{root}/{channel}/p{ts.replace('.', '')}" for key, (channel, ts) in places.items()}

    async def object_id(self, team: str, user: str) -> str:
        """The Entra object id of a signed-in person, or an empty string."""
        link = await self.links.by_slack(team, user)
        return link.person.id if link is not None and link.state is LinkState.ACTIVE else ""

    async def _viewer(self, team: str, user: str) -> tuple[Viewer, Link | None]:
        link = await self.links.by_slack(team, user)
        oid = link.person.id if link is not None and link.state is LinkState.ACTIVE else None
        return Viewer(oid, await self.people.channels_of(user)), link
