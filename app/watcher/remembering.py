"""Turning what a desk lists into rows: what PIM's settings demand, how risky it is, whether anybody can decide it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.domain.changes import Listing
from app.domain.errors import BotError
from app.domain.lifecycle import Nothing
from app.domain.pattern import PAST_REQUESTS, Past, circumstances_of
from app.domain.request import ActivationRequest, Person, PolicyFacts, RequestKey
from app.domain.risk import RiskPolicy, assess
from app.ports import Accounts, Clock, Desk, RequestBook, Seen
from app.watcher.readers import Readers
from app.watcher.settings import kept_under, read_settings

ACCOUNTS = 20  # looked at together
BATCH = 200  # rows looked at again in one tick; what was asked lately costs nothing
POLICY_LASTS = timedelta(minutes=10)  # role settings rarely change
STALE_LASTS = timedelta(minutes=5)  # between two looks at a request without an open step: it may be a replica that lags
Enabled = Mapping[str, bool | None]  # by object id; None: nobody may read it
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Remembering:
    """Writes down what is listed."""

    book: RequestBook
    accounts: Accounts
    readers: Readers
    clock: Clock
    risk: RiskPolicy
    _policies: dict[tuple[str, str, str], tuple[datetime, PolicyFacts]] = field(init=False, default_factory=dict)
    _pasts: dict[str, Past] = field(init=False, default_factory=dict)
    _looked: dict[RequestKey, datetime] = field(init=False, default_factory=dict)

    async def remember(
        self, desk: Desk, listing: Listing, appeared: Sequence[ActivationRequest], changed: Sequence[ActivationRequest]
    ) -> None:
        """New requests with a card, unless nobody can decide them; changed ones as they read now."""
        self._pasts.clear()
        enabled = await self._look_at_accounts((*appeared, *changed))
        seen = [
            await self._seen(desk, request, listing, enabled, stale=await self._stale(desk, request))
            for request in appeared
        ]
        seen += [await self._seen(desk, request, listing, enabled) for request in changed]
        await self.book.remember(seen, self.clock())

    async def look_again(self, desk: Desk) -> None:
        """Requests without an open step may have one now; settings that nobody could read may be readable."""
        self._pasts.clear()
        for row in await self.book.incomplete(desk.kind, BATCH):
            if row.stale and self._due(row.key):
                stale = await self._stale(desk, row.request, row.approvers)
                if stale is False:
                    await self.book.staled(row.key, stale=False)
            elif row.policy == PolicyFacts() and await self._policy(desk, row.request) != PolicyFacts():
                enabled = await self._look_at_accounts((row.request,))
                listing = Listing(desk.kind, approvers={row.key.id: row.approvers})
                await self.book.remember([await self._seen(desk, row.request, listing, enabled)], self.clock())

    async def _seen(
        self, desk: Desk, request: ActivationRequest, listing: Listing, enabled: Enabled, *, stale: bool | None = None
    ) -> Seen:
        policy = await self._policy(desk, request)
        approvers = listing.approvers.get(request.key.id) or _named(policy)
        known = circumstances_of(request, policy, await self._past(request.requestor), self.clock())
        around = replace(known, enabled=enabled.get(request.requestor.id))
        risk = assess(request, self.risk, around)
        return Seen(
            request,
            risk,
            policy,
            approvers=approvers,
            stale=stale,
            pattern=around.pattern,
            earlier=around.earlier,
            enabled=around.enabled,
        )

    async def _look_at_accounts(self, requests: Sequence[ActivationRequest]) -> Enabled:
        """Of a few people: in a burst no card waits for what is one fact among many, and the others stay unknown."""
        people = list(dict.fromkeys(request.requestor.id for request in requests))[:ACCOUNTS]
        found = await asyncio.gather(*(self.accounts.enabled(oid) for oid in people))
        return dict(zip(people, found, strict=True))

    async def _past(self, person: Person) -> Past:
        """What they asked for before; one reading serves all that is remembered together."""
        if person.id not in self._pasts:
            self._pasts[person.id] = await self.book.past(person.id, self.clock(), PAST_REQUESTS)
        return self._pasts[person.id]

    async def _policy(self, desk: Desk, request: ActivationRequest) -> PolicyFacts:
        """The settings as they were lately; what could not be read is not asked for again at once either."""
        now = self.clock()
        which = kept_under(request)
        asked_at, facts = self._policies.get(which, (None, PolicyFacts()))
        if asked_at is not None and now - asked_at < POLICY_LASTS:
            return facts
        facts = await read_settings(desk, self.readers, request) or PolicyFacts()
        if len(self._policies) >= _MOST:
            self._policies.clear()
        self._policies[which] = (now, facts)
        return facts

    async def _stale(self, desk: Desk, request: ActivationRequest, first: frozenset[str] = frozenset()) -> bool | None:
        """Whether no approval step is open though Microsoft lists it; None: nobody could tell."""
        self._looked[request.key] = self.clock()
        if not request.mortal:
            return False
        try:
            steps = await self.readers.ask(desk, "steps", lambda token: desk.steps(request, token), first=first)
        except BotError as outage:
            log.info("The approval of %s could not be read: %s", request.key, outage)
            return None
        return None if isinstance(steps, Nothing) else not any(step.open for step in steps)

    def _due(self, key: RequestKey) -> bool:
        now = self.clock()
        if len(self._looked) >= _MOST:
            self._looked.clear()
        return now - self._looked.get(key, now - STALE_LASTS) >= STALE_LASTS


def _named(policy: PolicyFacts) -> frozenset[str]:
    """Where nobody's own list says who may decide it, PIM's settings do: those people may see it here too."""
    return frozenset(person.id for person in policy.approvers or ())


_MOST = 5_000  # of each memory; then it starts anew
