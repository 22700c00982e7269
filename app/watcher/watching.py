"""The poll, step by step: look, compare, remember, reconcile, say what cannot be seen; then follow approved roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.domain.changes import Changes, Listing, compare
from app.domain.request import Kind
from app.domain.risk import RiskPolicy
from app.ports import Accounts, Clock, Desk, Links, Outbox, RequestBook, Sights, Tokens
from app.watcher.following import Following
from app.watcher.looking import Lookout
from app.watcher.outages import Outages
from app.watcher.readers import Readers
from app.watcher.reconciling import Reconciling
from app.watcher.remembering import Remembering
from app.watcher.sight import Sight


@dataclass(kw_only=True, slots=True)
class Watcher:
    """Polls every desk, as the application or as the signed-in approvers.

    `channel`: where standing notes go; `as_application`: `PIM_WATCH_AS=application`.
    """

    desks: Sequence[Desk]
    book: RequestBook
    accounts: Accounts
    outbox: Outbox
    links: Links
    tokens: Tokens
    sights: Sights
    clock: Clock
    channel: str
    as_application: bool
    risk: RiskPolicy
    _lookout: Lookout = field(init=False)
    _remembering: Remembering = field(init=False)
    _reconciling: Reconciling = field(init=False)
    _following: Following = field(init=False)
    _sight: Sight = field(init=False)
    _outages: Outages = field(init=False)
    polls: Counter[tuple[Kind, bool]] = field(init=False, default_factory=Counter)  # by whether the desk answered

    def __post_init__(self) -> None:
        """Give each step what it needs."""
        book, clock, alone = self.book, self.clock, self.as_application
        readers = Readers(tokens=self.tokens, clock=clock)
        self._lookout = Lookout(links=self.links, tokens=self.tokens, clock=clock, as_application=alone)
        self._remembering = Remembering(book=book, accounts=self.accounts, readers=readers, clock=clock, risk=self.risk)
        self._reconciling = Reconciling(book=book, readers=readers, clock=clock)
        desks = {desk.kind: desk for desk in self.desks}
        self._following = Following(desks=desks, book=book, readers=readers, reconciling=self._reconciling, clock=clock)
        self._sight = Sight(
            outbox=self.outbox, sights=self.sights, clock=clock, channel=self.channel, as_application=alone
        )
        self._outages = Outages(outbox=self.outbox, sights=self.sights, clock=clock, channel=self.channel)

    def troubles(self) -> list[str]:
        """One sentence for each desk that could not be asked at the last poll, for readiness."""
        return self._sight.troubles()

    async def tick(self) -> None:
        """Poll every desk once. A desk that fails is skipped; the others go on."""
        for desk in self.desks:
            await self._watch(desk)
        await self._sight.stand()
        await self._following.tick()

    async def hear(self, listing: Listing) -> None:
        """What somebody who is not polled was shown just now: it may add, and never removes."""
        known = await self.book.known(listing.kind)
        changes = compare(known, replace(listing, complete=False))
        desk = next(desk for desk in self.desks if desk.kind is listing.kind)
        await self._remembering.remember(desk, listing, changes.appeared, changes.changed)

    async def _watch(self, desk: Desk) -> None:
        known = await self.book.known(desk.kind)
        look = await self._lookout.look(desk, known)
        self.polls[desk.kind, look.listing is not None] += 1
        self._sight.note_trouble(desk, look)
        changes = Changes()
        if look.listing is not None:
            changes = compare(known, look.listing)
            await self._remembering.remember(desk, look.listing, changes.appeared, changes.changed)
        await self._reconciling.reconcile(desk, changes.vanished)
        await self._remembering.look_again(desk)
        await self._sight.note(desk, look, arrived=len(changes.appeared))
        await self._outages.note(desk.kind, look, arrived=len(changes.appeared))
