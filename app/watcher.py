"""One poll: ask each desk what is pending, compare with what we know, remember; then ask about what vanished.

It never concludes anything from absence alone, and never paints or sends: rows do that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from app.domain.changes import Changes, Known, Listing, compare, covering, seen_by, union
from app.domain.endings import conclude, nameless
from app.domain.errors import (
    BotError,
    DeviceDemanded,
    GraphRefused,
    Malformed,
    RequestGone,
    SignInRequired,
    Unavailable,
)
from app.domain.request import ActivationRequest, Decided, Kind, PolicyFacts, RequestKey, Status
from app.domain.risk import RiskPolicy, assess
from app.domain.row import RequestRow
from app.ports import Clock, Desk, Link, Links, Outbox, RequestBook, Seen, Tokens, TokenSource
from blocks import notices

EVERYBODY_EVERY = timedelta(minutes=5)  # between two polls of every signed-in approver
POLICY_LASTS = timedelta(minutes=10)  # role settings rarely change
LAG = timedelta(minutes=2)  # of Microsoft's replicas, after a write
T = TypeVar("T")
_REFUSED = (SignInRequired, GraphRefused, DeviceDemanded)
log = logging.getLogger(__name__)


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
class Watcher:
    """Polls every desk, as the application or as the signed-in approvers.

    `channel`: where standing notes go; `as_application`: `PIM_WATCH_AS=application`.
    """

    desks: Sequence[Desk]
    book: RequestBook
    outbox: Outbox
    links: Links
    tokens: Tokens
    clock: Clock
    channel: str
    as_application: bool
    risk: RiskPolicy
    _everybody_at: dict[Kind, datetime] = field(init=False, default_factory=dict)
    _met: dict[Kind, frozenset[str]] = field(init=False, default_factory=dict)
    _policies: dict[str, tuple[datetime, PolicyFacts]] = field(init=False, default_factory=dict)
    _troubles: dict[Kind, str] = field(init=False, default_factory=dict)
    _nameless: dict[RequestKey, datetime] = field(init=False, default_factory=dict)

    def troubles(self) -> list[str]:
        """One sentence for each desk that could not be asked at the last poll, for readiness."""
        return list(self._troubles.values())

    async def tick(self) -> None:
        """Poll every desk once. A desk that fails is skipped; the others go on."""
        for desk in self.desks:
            await self._watch(desk)

    async def _watch(self, desk: Desk) -> None:
        known = await self.book.known(desk.kind)
        look = await self._look(desk, known)
        self._note_trouble(desk, look)
        changes = Changes()
        if look.listing is not None:
            changes = compare(known, look.listing)
            await self._remember(desk, (*changes.appeared, *changes.changed), look.listing)
        await self._reconcile(desk, changes.vanished)
        await self._note_sight(desk, look, arrived=len(changes.appeared))

    # --- looking ---

    async def _look(self, desk: Desk, known: Mapping[str, Known]) -> Look:
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

    # --- remembering ---

    async def _remember(self, desk: Desk, requests: Sequence[ActivationRequest], listing: Listing) -> None:
        if not requests:
            return
        seen = []
        for request in requests:
            policy = await self._policy(desk, request)
            approvers = listing.approvers.get(request.key.id, frozenset())
            seen.append(Seen(request, assess(request, self.risk), policy, approvers))
        await self.book.remember(seen, self.clock())

    async def _policy(self, desk: Desk, request: ActivationRequest) -> PolicyFacts:
        now = self.clock()
        asked_at, facts = self._policies.get(request.role.id, (None, PolicyFacts()))
        if asked_at is not None and now - asked_at < POLICY_LASTS:
            return facts
        for token in await self.tokens.readers(desk.resource):
            try:
                facts = await desk.policy(request, token)
            except BotError as failure:
                log.info("The settings of %s could not be read: %s", request.role.label, failure)
                continue
            if facts != PolicyFacts():
                break
        self._policies[request.role.id] = (now, facts)
        return facts

    # --- what vanished, and what is overdue ---

    async def _reconcile(self, desk: Desk, vanished: Sequence[str]) -> None:
        now = self.clock()
        overdue = [
            row.key.id
            for row in await self.book.open_rows()
            if row.key.kind is desk.kind and row.status is Status.PENDING and now >= row.request.expires
        ]
        for request_id in dict.fromkeys((*vanished, *overdue)):
            await self._ask_about(desk, RequestKey(desk.kind, request_id))

    async def _ask_about(self, desk: Desk, key: RequestKey) -> None:
        """Read one request by id; settle it when Microsoft says it ended, or when its 24 hours are over."""
        row = await self._waiting(key)
        if row is None:
            return
        now = self.clock()
        try:
            fresh = await self._ask_readers(desk, lambda token: desk.fetch(row.request, token))
            native = desk.ended(fresh) if fresh is not None else None
            read_steps = native is not None or now >= row.request.expires
            steps = await self._ask_readers(desk, lambda token: desk.steps(row.request, token)) if read_steps else None
        except (Unavailable, Malformed) as outage:
            log.info("%s cannot be read right now: %s", key, outage)
            return  # an ending is written once and for all: better late than without a name, or wrong
        ending = conclude(row.request, native, steps, now)
        if ending is None or (steps is not None and self._named_later(key, ending, now)):
            return
        if await self._waiting(key) is not None:  # still: what ended it may be a decision of ours, made while we read
            await self.book.settle(key, *ending, intent=None, now=now)
        self._nameless.pop(key, None)

    async def _waiting(self, key: RequestKey) -> RequestRow | None:
        """The row while nobody has it. A decision of ours that is on its way is settled by its own read-back."""
        row = await self.book.find(key)
        return row if row is not None and row.status is Status.PENDING else None

    def _named_later(self, key: RequestKey, ending: tuple[Status, Decided], now: datetime) -> bool:
        """Whether to wait for the name of who decided: the approval may lag behind the request."""
        return nameless(ending) and now - self._nameless.setdefault(key, now) < LAG

    async def _ask_readers(self, desk: Desk, ask: Callable[[TokenSource], Awaitable[T]]) -> T | None:
        """The first answer; None when it is gone or nobody may read it. An outage is raised: ask again later."""
        outage: BotError | None = None
        for token in await self.tokens.readers(desk.resource):
            try:
                return await ask(token)
            except RequestGone:
                return None
            except BotError as failure:
                log.info("One of the readers cannot help: %s", failure)
                outage = failure if failure.retryable else outage
        if outage is not None:
            raise outage
        return None

    # --- saying what cannot be seen ---

    def _note_trouble(self, desk: Desk, look: Look) -> None:
        """Log once when a desk goes away and once when it is back."""
        if look.listing is None and look.failures:
            if desk.kind not in self._troubles:
                log.warning("The %s desk cannot be read: %s", desk.kind, look.failures[0])
            self._troubles[desk.kind] = f"{notices.desk_name(desk.kind)} requests cannot be read: {look.failures[0]}"
        elif self._troubles.pop(desk.kind, None) and look.listing is not None:
            log.warning("The %s desk can be read again.", desk.kind)

    async def _note_sight(self, desk: Desk, look: Look, arrived: int) -> None:
        """Keep one standing note for a blind desk and one for a full list: edited as things change, never repeated."""
        if look.listing is None and not look.blind:
            return  # an outage: nothing is known to have changed
        words = notices.refused_words if self.as_application else notices.blind_words
        blind = words(desk.kind) if look.blind else ""
        over = notices.sighted_words(desk.kind, arrived)
        button = not self.as_application
        await self.outbox.put_note(f"blind:{desk.kind}", blind, over=over, button=button, channel=self.channel)
        full = look.listing is not None and look.listing.full_page
        words_full = notices.incomplete_words(desk.kind) if full else ""
        over = notices.complete_words(desk.kind)
        await self.outbox.put_note(f"full:{desk.kind}", words_full, over=over, button=False, channel=self.channel)
