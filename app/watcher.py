"""One poll: ask each desk what is pending, compare with what we know, remember; then ask about what vanished.

It never concludes anything from absence alone, and never paints or sends: rows do that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.changes import Known, Listing, compare, covering, seen_by, union
from app.domain.endings import conclude
from app.domain.errors import BotError, GraphRefused, RequestGone, SignInRequired
from app.domain.request import ActivationRequest, Kind, PolicyFacts, RequestKey, Status
from app.domain.risk import RiskPolicy, assess
from app.domain.ruling import Step
from app.ports import Clock, Desk, Link, Links, Outbox, RequestBook, Seen, Tokens
from blocks import notices

EVERYBODY_EVERY = timedelta(minutes=5)  # between two polls of every signed-in approver
POLICY_LASTS = timedelta(minutes=10)  # role settings rarely change
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a desk: what was listed, and whose calls failed with what."""

    listing: Listing | None
    failures: tuple[BotError, ...] = ()

    @property
    def blind(self) -> bool:
        """Nobody's live token can list this desk: no viewer, or each was refused. An outage is not blindness."""
        refused = all(isinstance(failure, SignInRequired | GraphRefused) for failure in self.failures)
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
    _policies: dict[str, tuple[datetime, PolicyFacts]] = field(init=False, default_factory=dict)
    _troubles: dict[Kind, str] = field(init=False, default_factory=dict)

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
        vanished: tuple[str, ...] = ()
        if look.listing is not None:
            changes = compare(known, look.listing)
            await self._remember(desk, (*changes.appeared, *changes.changed), look.listing)
            vanished = changes.vanished
        await self._reconcile(desk, vanished)
        await self._note_sight(desk, look, arrived=len(look.listing.requests) if look.listing else 0)

    # --- looking ---

    async def _look(self, desk: Desk, known: Mapping[str, Known]) -> Look:
        if self.as_application:
            return await self._look_as_application(desk)
        viewers = await self._viewers(desk, known)
        results = await asyncio.gather(*(self._look_as(desk, link) for link in viewers))
        listings = [result for result in results if isinstance(result, Listing)]
        failures = tuple(result for result in results if isinstance(result, BotError))
        if not listings:
            return Look(None, failures)
        return Look(union(desk.kind, listings, all_answered=not failures), failures)

    async def _look_as_application(self, desk: Desk) -> Look:
        try:
            return Look(await desk.list_all(self.tokens.application()))
        except BotError as failure:
            return Look(None, (failure,))

    async def _look_as(self, desk: Desk, link: Link) -> Listing | BotError:
        try:
            return seen_by(await desk.list_for(self.tokens.of(link)), link.person.id)
        except BotError as failure:
            return failure

    async def _viewers(self, desk: Desk, known: Mapping[str, Known]) -> list[Link]:
        links = {link.person.id: link for link in await self.links.active()}
        now = self.clock()
        if now - self._everybody_at.get(desk.kind, now - EVERYBODY_EVERY) >= EVERYBODY_EVERY:
            self._everybody_at[desk.kind] = now
            return list(links.values())
        chosen = covering({id_: row.approvers for id_, row in known.items()}, links)
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
        for token in await self.tokens.readers():
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
        row = await self.book.find(key)
        if row is None or row.status is not Status.PENDING:
            return  # a decision of ours is on its way: its own read-back settles it
        now = self.clock()
        fresh = await self._fetch(desk, key)
        native = desk.ended(fresh) if fresh is not None else None
        steps = await self._steps(desk, key) if native is not None or now >= row.request.expires else None
        ending = conclude(row.request, native, steps, now)
        if ending is not None:
            await self.book.settle(key, *ending, intent=None, now=now)

    async def _fetch(self, desk: Desk, key: RequestKey) -> ActivationRequest | None:
        for token in await self.tokens.readers():
            try:
                return await desk.fetch(key.id, token)
            except RequestGone:
                return None
            except BotError as failure:
                log.info("%s could not be read by one of the readers: %s", key, failure)
        return None

    async def _steps(self, desk: Desk, key: RequestKey) -> tuple[Step, ...] | None:
        for token in await self.tokens.readers():
            try:
                return await desk.steps(key.id, token)
            except BotError as failure:
                log.info("The approval of %s could not be read by one of the readers: %s", key, failure)
        return None

    # --- saying what cannot be seen ---

    def _note_trouble(self, desk: Desk, look: Look) -> None:
        """Log once when a desk goes away and once when it is back."""
        if look.listing is None and look.failures:
            if desk.kind not in self._troubles:
                log.warning("The %s desk cannot be read: %s", desk.kind, look.failures[0])
            self._troubles[desk.kind] = f"{notices.desk_name(desk.kind)} requests cannot be read: {look.failures[0]}"
        elif self._troubles.pop(desk.kind, None):
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
