"""Reading what ended without us: the requests Microsoft still keeps (about 30 days), with who and when where it says.

It adds to history and fills what history left open; it never changes what is known, and posts nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.changes import Listing, union
from app.domain.chronicle import Event
from app.domain.errors import BotError
from app.domain.lifecycle import Nothing
from app.domain.records import record_of
from app.domain.request import ActivationRequest, Kind, PolicyFacts, RequestKey, Status
from app.domain.risk import RiskPolicy, assess
from app.domain.ruling import Step
from app.ports import Chronicle, Clock, Desk, RequestBook, Seen, Sights, Tokens, TokenSource
from app.watcher.readers import THE_BOT, Readers
from app.watcher.settings import kept_under, read_settings

KEPT = timedelta(days=30)  # Microsoft documents 30 days for what was withdrawn; people report up to 45
Events = Mapping[str, Sequence[Event]]
Told = Callable[[str, int, int], None]  # what is under way, how many are done, of how many
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one desk: rows `read`, `added` to history or filled in; `trouble`: why it is not everything."""

    kind: Kind
    read: int = 0
    added: int = 0
    trouble: str = ""


@dataclass(kw_only=True, slots=True)
class Backfilling:
    """Fills history from what Microsoft keeps."""

    desks: Sequence[Desk]
    chronicle: Chronicle
    book: RequestBook
    sights: Sights
    tokens: Tokens
    clock: Clock
    risk: RiskPolicy
    _policies: dict[tuple[str, str, str], PolicyFacts] = field(init=False, default_factory=dict)

    async def run(self, since: datetime, tell: Told) -> Sequence[Report]:
        """Read everything asked since then, desk by desk. A desk that fails is reported; the others go on."""
        readers = Readers(tokens=self.tokens, clock=self.clock)
        tell("Microsoft's audit log", 0, 1)
        events = await self._events(readers, since)
        tell("Microsoft's audit log", 1, 1)
        return [await self._fill(desk, readers, events, since, tell) for desk in self.desks]

    async def complete(self) -> int:
        """Name who decided what history could not say, from audit rows that came late. How many rows gained by it."""
        lacking = await self.book.lacking(self.clock() - KEPT)
        if not lacking:
            return 0
        since = min(row.request.created for row in lacking)
        events = await self._events(Readers(tokens=self.tokens, clock=self.clock), since)
        gained = 0
        for row in lacking:
            told = events.get(row.key.id, ())
            if told:
                gained += await self._learn(row.request, row.status, (), told)
        return gained

    async def _fill(self, desk: Desk, readers: Readers, events: Events, since: datetime, tell: Told) -> Report:
        try:
            listing = await self._list(desk, since)
        except BotError as failure:
            return Report(desk.kind, trouble=str(failure))
        if listing is None:
            return Report(desk.kind, trouble="Nobody who is signed in, nor the bot itself, may list what has ended.")
        added = 0
        for number, request in enumerate(listing.requests):
            tell(f"{desk.kind.capitalize()} requests", number, len(listing.requests))
            added += await self._one(desk, readers, request, events.get(request.key.id, ()))
        tell(f"{desk.kind.capitalize()} requests", len(listing.requests), len(listing.requests))
        if listing.complete:
            await self.sights.filled(desk.kind, since, self.clock())
        trouble = "" if listing.complete else "Microsoft did not show all of it; run this again."
        return Report(desk.kind, len(listing.requests), added, trouble)

    async def _one(self, desk: Desk, readers: Readers, request: ActivationRequest, events: Sequence[Event]) -> bool:
        status = desk.ended(request)
        if status is None:
            return False
        steps: Sequence[Step] = ()
        if not events and status in (Status.APPROVED, Status.DENIED) and await self._unnamed(request.key):
            steps = await self._steps(desk, readers, request)
        return await self._learn(request, status, steps, events, await self._policy(desk, readers, request))

    async def _learn(
        self,
        request: ActivationRequest,
        status: Status,
        steps: Sequence[Step],
        events: Sequence[Event],
        policy: PolicyFacts = PolicyFacts(),
    ) -> bool:
        now = self.clock()
        approvers = frozenset(person.id for person in policy.approvers or ())
        seen = Seen(request, assess(request, self.risk), policy, approvers=approvers)
        return await self.book.learned(record_of(request, status, steps, events, now), seen, now)

    async def _policy(self, desk: Desk, readers: Readers, request: ActivationRequest) -> PolicyFacts:
        """Who may approve today may read what was asked; who might have then is not known any more."""
        which = kept_under(request)
        if which not in self._policies:
            read = await read_settings(desk, readers, request)
            if read is None:
                return PolicyFacts()
            self._policies[which] = read
        return self._policies[which]

    async def _unnamed(self, key: RequestKey) -> bool:
        row = await self.book.find(key)
        return row is None or row.decided is None or row.decided.by is None

    async def _list(self, desk: Desk, since: datetime) -> Listing | None:
        """By the bot itself, else by everybody who is signed in: each sees a part, so that is never the whole."""
        own = await self._seen_by(desk, self.tokens.application(desk.resource), since)
        if own is not None:
            return own
        people = [reader.token for reader in await self.tokens.readers(desk.resource) if reader.who]
        parts = [await self._seen_by(desk, token, since) for token in people]
        shown = [part for part in parts if part is not None]
        return union(desk.kind, shown, all_answered=False) if shown else None

    async def _seen_by(self, desk: Desk, token: TokenSource, since: datetime) -> Listing | None:
        """None: whose token it is may not list it."""
        try:
            return await desk.list_ended(since, token)
        except BotError as failure:
            if failure.retryable:
                raise
            log.info("The ended %s requests cannot be listed: %s", desk.kind, failure)
            return None

    async def _steps(self, desk: Desk, readers: Readers, request: ActivationRequest) -> Sequence[Step]:
        try:
            steps = await readers.ask(desk, "steps", lambda token: desk.steps(request, token))
        except BotError as outage:
            log.info("The approval of %s could not be read: %s", request.key, outage)
            return ()
        return () if isinstance(steps, Nothing) else steps

    async def _events(self, readers: Readers, since: datetime) -> Events:
        """Audit rows by request; none where nobody may read them."""
        found: defaultdict[str, list[Event]] = defaultdict(list)
        for reader in await readers.everybody(THE_BOT):
            try:
                async for page in self.chronicle.since(since, reader.token):
                    for event in page:
                        found[event.request_id].append(event)
            except BotError as failure:
                log.info("%s cannot read the audit log: %s", reader.who or "The bot", failure)
                continue
            break
        return found
