"""What is not listed any more, or overdue: re-read by id, and settled only when the reading says so.

A status or a review that Microsoft shows is believed at once. That it knows the request no more is believed the second
time, each time missing from a complete listing. What nobody may read stays open, said to be uncheckable, for its day.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.endings import conclude, nameless
from app.domain.errors import Malformed, Unavailable
from app.domain.lifecycle import LAG, SURE, Doubt, Nothing, unsettled_end
from app.domain.request import ActivationRequest, Decided, RequestKey, Status, Where
from app.domain.row import RequestRow
from app.domain.ruling import Step
from app.ports import Clock, Desk, RequestBook
from app.watcher.readers import Readers

__all__ = ["LAG", "Reconciling"]
Ending = tuple[Status, Decided]
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Reconciling:
    """Asks about single requests."""

    book: RequestBook
    readers: Readers
    clock: Clock
    _nameless: dict[RequestKey, datetime] = field(init=False, default_factory=dict)

    async def reconcile(self, desk: Desk, vanished: Sequence[str]) -> None:
        """Ask about what vanished from a complete listing and about what is older than its 24 hours."""
        overdue = await self.book.overdue(desk.kind, self.clock())
        mortal = [row.key.id for row in overdue if row.request.mortal]
        for request_id in dict.fromkeys((*vanished, *mortal)):
            await self.ask_about(desk, RequestKey(desk.kind, request_id))

    async def ask_about(self, desk: Desk, key: RequestKey) -> None:
        """Read one request by id; settle it when Microsoft says it ended, or note what could not be confirmed."""
        row = await self._open(key)
        if row is None:
            return
        now = self.clock()
        try:
            ending = await self._read(desk, row, now)
        except (Unavailable, Malformed) as outage:
            log.info("%s cannot be read right now: %s", key, outage)
            return  # an ending is written once and for all: better late than without a name, or wrong
        if isinstance(ending, Doubt):
            await self._note(row, ending)
        elif await self._open(key) is not None:  # still: a decision of ours may have ended it while we read
            await self.book.settle(key, *ending, intent=None, now=now)
            self._nameless.pop(key, None)

    async def explain(self, desk: Desk, row: RequestRow) -> bool:
        """Try once more to learn how a request ended that nobody could read. True: it is learned."""
        now = self.clock()
        try:
            fresh = await self._fetch(desk, row)
            steps = await self._steps(desk, row)
        except (Unavailable, Malformed) as outage:
            log.info("%s cannot be read right now: %s", row.key, outage)
            return False
        if isinstance(fresh, Nothing) and isinstance(steps, Nothing):
            return False
        ending = conclude(row.request, _native(desk, fresh), _shown(steps), now)
        return ending is not None and await self.book.settle(row.key, *ending, intent=None, now=now)

    async def _read(self, desk: Desk, row: RequestRow, now: datetime) -> Ending | Doubt:
        """How it ended, or what remains in doubt: nothing, if it still waits."""
        fresh = await self._fetch(desk, row)
        native = _native(desk, fresh)
        late = row.request.mortal and now >= row.request.expires
        steps = await self._steps(desk, row) if native or late or isinstance(fresh, Nothing) else None
        read = not isinstance(fresh, Nothing) or _reviewed(steps)
        ending = conclude(row.request, native, _shown(steps), now) if read else _unread(fresh, steps, row, now)
        if ending is None:
            return SURE
        late_name = isinstance(ending, tuple) and _shown(steps) is not None and self._named_later(row, ending, now)
        return SURE if late_name else ending

    async def _fetch(self, desk: Desk, row: RequestRow) -> ActivationRequest | Nothing:
        first = row.known_approvers
        return await self.readers.ask(desk, "requests", lambda token: desk.fetch(row.request, token), first=first)

    async def _steps(self, desk: Desk, row: RequestRow) -> tuple[Step, ...] | Nothing:
        first = row.known_approvers
        return await self.readers.ask(desk, "steps", lambda token: desk.steps(row.request, token), first=first)

    async def _note(self, row: RequestRow, doubt: Doubt) -> None:
        if doubt != row.doubt:
            await self.book.doubted(row.key, doubt)

    async def _open(self, key: RequestKey) -> RequestRow | None:
        """The row while nobody has it. A decision of ours that is on its way is settled by its own read-back."""
        row = await self.book.find(key)
        return row if row is not None and row.status is Status.PENDING else None

    def _named_later(self, row: RequestRow, ending: Ending, now: datetime) -> bool:
        """Whether to wait for the name of who decided: the approval may lag behind the request."""
        return nameless(ending) and now - self._nameless.setdefault(row.key, now) < LAG


def _unread(
    fresh: ActivationRequest | Nothing, steps: tuple[Step, ...] | Nothing | None, row: RequestRow, now: datetime
) -> Ending | Doubt:
    """Neither a status nor a review: where the request cannot be read, its open step still says that it waits."""
    if not isinstance(steps, Nothing) and any(step.open for step in steps or ()) and now < row.request.expires:
        return SURE
    end = unsettled_end(gone=fresh is Nothing.GONE, doubt=row.doubt, expires=row.request.expires, now=now)
    if isinstance(end, Doubt):
        return end
    return end, Decided(min(now, row.request.expires), Where.OUTSIDE)


def _native(desk: Desk, fresh: ActivationRequest | Nothing) -> Status | None:
    return None if isinstance(fresh, Nothing) else desk.ended(fresh)


def _shown(steps: tuple[Step, ...] | Nothing | None) -> tuple[Step, ...] | None:
    return None if isinstance(steps, Nothing) else steps


def _reviewed(steps: tuple[Step, ...] | Nothing | None) -> bool:
    return any(step.verdict is not None for step in _shown(steps) or ())
