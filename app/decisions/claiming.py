"""From "may they?" to the claim, whichever way a wish came: what memory forbids, a fresh read under their own token.

It never sends, and never learns where a token comes from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.decisions.values import CHANGED, Claimant, Wish
from app.domain.endings import conclude, nameless
from app.domain.errors import RequestGone
from app.domain.policy import Policy
from app.domain.request import Decided, Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Approver, Refused, Step, Why, own_request, rule, rule_row, taken
from app.ports import Clock, Desk, Intent, RequestBook, Resource, TokenSource


@dataclass(kw_only=True, slots=True)
class Claiming:
    """Claims a request for somebody who may decide it. `new_token`: makes the ids of intents."""

    desks: Mapping[Kind, Desk]
    book: RequestBook
    clock: Clock
    new_token: Callable[[], str]
    policy: Policy = Policy()

    def resource(self, kind: Kind) -> Resource:
        """Whose tokens this desk takes."""
        return self.desks[kind].resource

    def forbidden(self, row: RequestRow, approver: Approver) -> Refused | None:
        """What our own memory says against it, before anybody asks Microsoft."""
        return rule_row(row, approver, self.clock(), self.policy)

    async def claim(self, wish: Wish, row: RequestRow, claimant: Claimant, said: str) -> Intent | Refused:
        """The intent, written down with the claim; or why not.

        `said` is what Microsoft is told. Whatever a read raises comes through, such as SignInRequired.
        """
        step = await self._live_step(wish, row, claimant)
        if isinstance(step, Refused):
            return step
        intent = self._intent(wish, claimant, step, said)
        claimed = await self.book.claim(intent)
        return intent if claimed is not None else await self.beaten(wish.key, claimant.approver)

    async def beaten(self, key: RequestKey, approver: Approver) -> Refused:
        """Somebody was first: say who."""
        row = await self.book.find(key)
        refused = self.forbidden(row, approver) if row is not None else None
        return refused or CHANGED

    async def _live_step(self, wish: Wish, row: RequestRow, claimant: Claimant) -> Step | Refused:
        """The one step this approver can decide now. A request that ended meanwhile is settled on the spot."""
        desk = self.desks[row.key.kind]
        fresh, steps = await asyncio.gather(desk.fetch(row.request, claimant.token), self._steps(row, claimant.token))
        now = self.clock()
        # Microsoft's own word may make it their own request, whatever our memory of it says.
        own = own_request(replace(row, request=fresh), claimant.approver, self.policy)
        ruling = own or rule(fresh, steps, wish.digest, now)
        ending = conclude(row.request, desk.ended(fresh), steps, now)
        if isinstance(ruling, Refused) and ruling.why is Why.NO_STEP and ending is None:
            await self.book.staled(row.key, stale=True)  # the buttons go; the watcher looks again
        if isinstance(ruling, Step) or ending is None or nameless(ending):
            return ruling  # who made a decision of this moment may not show yet: the watcher asks again
        return await self._ended(row.key, ending, now) or ruling

    async def _ended(self, key: RequestKey, ending: tuple[Status, Decided], now: datetime) -> Refused | None:
        """Write down an ending that a read shows, and say it.

        It may be the work of a decision of ours that is still on its way: then its sender settles it, who knows where
        it was made. That claim was there before Microsoft could show its effect, so looking after the read is enough.
        """
        row = await self.book.find(key)
        if row is not None and row.status is Status.PENDING:
            await self.book.settle(key, *ending, intent=None, now=now)
            row = await self.book.find(key)
        return taken(row) if row is not None else None

    async def _steps(self, row: RequestRow, token: TokenSource) -> tuple[Step, ...]:
        """None at all where the approval is gone: the request itself then says that it was withdrawn."""
        try:
            return await self.desks[row.key.kind].steps(row.request, token)
        except RequestGone:
            return ()

    def _intent(self, wish: Wish, claimant: Claimant, step: Step, said: str) -> Intent:
        return Intent(
            id=self.new_token(),
            key=wish.key,
            step=step.id,
            verdict=wish.verdict,
            justification=said,
            digest=wish.digest,
            approver=claimant.approver.person,
            tenant=claimant.tenant,
            slack_user=wish.user,
            where=claimant.where,
            at=self.clock(),
            view_id=wish.view_id,
        )
