"""Reading: what waits, what happened, the counters. Every row passes `may_see`; nothing is ever written here."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from app.domain.errors import BotError, ClaimsChallenge
from app.domain.policy import Freshness, Windows
from app.domain.request import RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer, may_see
from app.ports import (
    Caller,
    Cards,
    Clock,
    Counters,
    Coverage,
    Link,
    Links,
    LinkState,
    Page,
    People,
    Query,
    RequestBook,
    Sights,
)
from blocks.links import card_address

PAGE_ROWS = 10
log = logging.getLogger(__name__)
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


Look = Callable[[Caller], Awaitable[BotError | None]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page in its own order, with the cursors that lead on and back from it ('' where there is nothing)."""

    rows: tuple[RequestRow, ...]
    older: str = ""
    newer: str = ""


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

    async def leaf(self, team: str, user: str, query: Query, after: str, *, back: bool) -> Leaf | Nothing:
        """The page beyond this cursor in the order of the query, or back from it; without a cursor the first."""
        back = back and bool(after)
        ordered = replace(query, after=after, oldest_first=query.oldest_first != back)
        page = await self.history(team, user, ordered)
        if isinstance(page, Nothing):
            return page
        if not back:
            return Leaf(page.rows, page.next, page.first if after else "")
        if not page.rows:  # whatever came before is out of sight now
            return await self.leaf(team, user, query, "", back=False)
        return Leaf(page.rows[::-1], older=page.first, newer=page.next)

    async def by_person(self, team: str, user: str, query: Query) -> Query:
        """Only what this Slack user asked for: by their sign-in, else by the account that their requests matched."""
        link = await self.links.by_slack(team, user)
        return replace(query, requestor=link.person.id) if link is not None else replace(query, requestor_slack=user)

    async def counters(self, team: str, user: str) -> Counters:
        """The overview over what this person may see."""
        viewer, _ = await self._viewer(team, user)
        return await self.book.counters(viewer, self.clock())

    async def coverage(self) -> Sequence[Coverage]:
        """Since when history is complete on each desk, and its gaps. It names no request, so anybody may know."""
        return await self.sights.coverage()

    async def card_addresses(self, rows: Sequence[RequestRow]) -> dict[RequestKey, str]:
        """Where the cards of these requests stand in Slack, as web addresses; rows without a card are left out."""
        places = await self.cards.places([row.key for row in rows])
        return {key: card_address(self.slack_url, channel, ts) for key, (channel, ts) in places.items()}

    async def object_id(self, team: str, user: str) -> str:
        """The Entra object id of a signed-in person, or an empty string."""
        link = await self.links.by_slack(team, user)
        return link.person.id if link is not None and link.state is LinkState.ACTIVE else ""

    async def viewer(self, team: str, user: str) -> Viewer:
        """Whose eyes this Slack account reads with."""
        return (await self._viewer(team, user))[0]

    async def _viewer(self, team: str, user: str) -> tuple[Viewer, Link | None]:
        link = await self.links.by_slack(team, user)
        oid = link.person.id if link is not None and link.state is LinkState.ACTIVE else None
        return Viewer(oid, await self.people.channels_of(user)), link


@dataclass(kw_only=True, slots=True)
class CallerLookups:
    """Reads on behalf of whoever calls the HTTP API.

    `look`: asks Microsoft in their name what they may decide, now and then, and says what kept it from telling.
    """

    book: RequestBook
    links: Links
    people: People
    look: Look
    clock: Clock

    async def pending(self, caller: Caller, query: Query) -> Page:
        """What waits and can be decided, the soonest to expire first.

        ClaimsChallenge when Microsoft tells them what waits for them only after another proof.
        """
        failure = await self.look(caller)
        if isinstance(failure, ClaimsChallenge):
            raise failure
        waiting = frozenset({Status.PENDING})
        if query.statuses and not query.statuses & waiting:
            return Page(())
        asked = replace(query, statuses=waiting, decidable=True, oldest_first=True)
        return await self.book.page(await self._viewer(caller), asked)

    async def history(self, caller: Caller, query: Query) -> Page:
        """Everything they may see, newest first."""
        await self._looked(caller)
        return await self.book.page(await self._viewer(caller), query)

    async def mine(self, caller: Caller, query: Query) -> Page:
        """What they asked for themselves, newest first."""
        oid = caller.person.id
        if query.requestor not in ("", oid):
            return Page(())
        return await self.book.page(Viewer(oid), replace(query, requestor=oid))

    async def overview(self, caller: Caller) -> Counters:
        """The counters over what they may see."""
        await self._looked(caller)
        return await self.book.counters(await self._viewer(caller), self.clock())

    async def find(self, caller: Caller, request_id: str) -> RequestRow | None:
        """One request, if there is such a one and they may see it: nobody can tell the two apart."""
        row = await self.book.find_id(request_id)
        if row is not None and may_see(Viewer(caller.person.id, auditor=caller.auditor), row):
            return row
        if row is None or row.status.open:
            await self._looked(caller)
            row = await self.book.find_id(request_id)
        return row if row is not None and may_see(await self._viewer(caller), row) else None

    async def _looked(self, caller: Caller) -> None:
        """What waits for them may be news; when Microsoft does not say, what we know must do. Auditors see it all."""
        failure = None if caller.auditor else await self.look(caller)
        if failure is not None:
            log.info("Microsoft did not say what waits for a caller: %s", failure)

    async def _viewer(self, caller: Caller) -> Viewer:
        return Viewer(caller.person.id, await self._channels(caller), auditor=caller.auditor)

    async def _channels(self, caller: Caller) -> frozenset[str]:
        """The channels of the Slack account they are linked to. Slack being away takes them, and nothing else."""
        link = await self.links.by_entra(caller.tenant, caller.person.id)
        if caller.auditor or link is None or link.state is not LinkState.ACTIVE:
            return frozenset()
        try:
            return await self.people.channels_of(link.slack_user)
        except BotError as failure:
            log.warning("A caller is shown only what Microsoft says is theirs: %s", failure)
            return frozenset()
