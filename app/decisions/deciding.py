"""The decision pipeline up to the claim, in its fixed order; then the courier takes over.

Person, link, what our memory forbids, a recent sign-in, a fresh read under the approver's own token, claim. Each no is
a sentence for the one who asked, and nothing is changed by it; where a newer sign-in helps, the decision waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.decisions.sending import Courier, Fate
from app.decisions.standing import standing
from app.decisions.step_up import CHALLENGED, NOT_YOURS, OVER, StepUp, reason
from app.decisions.values import (
    UNKNOWN_REQUEST,
    Case,
    Claimed,
    Opening,
    Submission,
    Unproven,
    Verify,
    Wish,
    known,
    not_sent,
)
from app.domain.endings import conclude, nameless
from app.domain.errors import BotError, RequestGone, SignInRequired
from app.domain.policy import Policy
from app.domain.request import ActivationRequest, Decided, Kind, RequestKey, Status, Where
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Step, Why, justify, own_request, rule, rule_row, taken
from app.ports import Cards, Clock, Desk, Intent, Link, Links, Modal, People, RequestBook, Tokens, TokenSource

CHANGED = Refused(Why.CHANGED, "The request changed just now. Nothing was sent; look at the new card.")


@dataclass(kw_only=True, slots=True)
class Decisions:
    """Carries one submitted modal to Microsoft, at most once.

    `new_token`: makes the ids of intents.
    """

    desks: Mapping[Kind, Desk]
    book: RequestBook
    cards: Cards
    links: Links
    tokens: Tokens
    people: People
    courier: Courier
    step_up: StepUp
    clock: Clock
    new_token: Callable[[], str]
    policy: Policy = Policy()

    async def review(self, submission: Submission) -> Opening | Refused:
        """What was just submitted, from our own memory, before the ack: what is missing is said in the form."""
        modal = await self._modal(submission)
        if isinstance(modal, Refused):
            return modal
        row = await self.book.find(modal.key)
        if row is None:
            return UNKNOWN_REQUEST
        said = justify(row, modal.verdict, submission.comment)
        return said if isinstance(said, Refused) else Opening(row, modal.verdict, modal.token)

    async def decide(self, submission: Submission) -> Fate | Verify:
        """What became of it. Failures of the world before sending come back as a `Refused` too."""
        try:
            wish = await self._wished(submission)
            ready = wish if isinstance(wish, Refused) else await self._prepare(wish)
        except BotError as failure:
            return not_sent(failure)
        return await self._send(ready) if isinstance(ready, Claimed) else ready

    async def unfinished(self, waiting_id: str, link: Link) -> Verify | Refused:
        """A decision that waited for this sign-in, for a last look; or why it cannot be finished any more."""
        shown = await self.step_up.show(waiting_id, link)
        if isinstance(shown, Refused):
            return shown
        if shown.row.request.digest != shown.waiting.digest:
            return CHANGED
        return await self._forbidden(shown.row, link) or shown

    async def finish(self, waiting_id: str, link: Link) -> Fate | Verify:
        """Carry out what waited, by the same steps as any decision, now that this person has signed in."""
        try:
            wish = await self.step_up.take(waiting_id, link)
            ready = wish if isinstance(wish, Refused) else await self._prepare(wish)
        except BotError as failure:
            return not_sent(failure)
        return await self._send(ready) if isinstance(ready, Claimed) else ready

    async def _prepare(self, wish: Wish) -> Claimed | Refused | Verify:
        """Everything up to the claim."""
        case = await self._case(wish)
        if isinstance(case, Refused):
            return case
        why = self.step_up.demanded(case)
        if why:
            return await self._wait(case, why, "")
        try:
            step = await self._live_step(case)
        except SignInRequired as demand:
            return await self._wait(case, *reason(demand))
        if isinstance(step, Refused):
            return step
        intent = self._intent(case, step)
        claimed = await self.book.claim(intent, self.clock())
        return Claimed(case, intent) if claimed is not None else await self._beaten(case)

    async def _send(self, claimed: Claimed) -> Fate | Verify:
        fate = await self.courier.send(claimed.intent)
        if not isinstance(fate, Unproven):
            return fate
        try:
            return await self._wait(claimed.case, CHALLENGED if fate.claims else OVER, fate.claims)
        except BotError as failure:
            return not_sent(failure)

    async def _wait(self, case: Case, why: str, claims: str) -> Verify | Refused:
        return await self.step_up.wait(case, why, claims) or await self._beaten(case)

    async def _case(self, wish: Wish) -> Case | Refused:
        """Who wants what, as far as our own memory allows it."""
        link = await self._approver(wish)
        if isinstance(link, Refused):
            return link
        row = await self.book.find(wish.key)
        if row is None:
            return UNKNOWN_REQUEST
        refused = await self._forbidden(row, link)
        if refused is not None:
            return refused
        justification = justify(row, wish.verdict, wish.comment)
        return justification if isinstance(justification, Refused) else Case(wish, row, link, justification)

    async def _forbidden(self, row: RequestRow, link: Link) -> Refused | None:
        return rule_row(row, await standing(self.links, link), self.clock(), self.policy)

    async def _wished(self, submission: Submission) -> Wish | Refused:
        modal = await self._modal(submission)
        if isinstance(modal, Refused):
            return modal
        return Wish(
            team=submission.team,
            user=submission.user,
            key=modal.key,
            verdict=modal.verdict,
            comment=submission.comment,
            digest=modal.digest,
            view_id=submission.view_id,
        )

    async def _modal(self, submission: Submission) -> Modal | Refused:
        """What the form showed. It counts only for the person it was opened for."""
        modal = await self.cards.modal(submission.modal)
        if modal is None or (modal.team, modal.user) != (submission.team, submission.user):
            return Refused(Why.UNKNOWN_CARD, "This form is not yours, or too old. Nothing was changed; open it again.")
        return modal

    async def _approver(self, wish: Wish) -> Link | Refused:
        """Who this is: a full member of the workspace right now, and linked. Doubt fails closed."""
        person = await self.people.person(wish.user)
        if person is None or not person.member or person.team != wish.team:
            return Refused(Why.NOT_MEMBER, "Guests, bots and outside accounts cannot decide here. Nothing was changed.")
        link = known(await self.links.by_slack(wish.team, wish.user))
        if isinstance(link, Link) and wish.oid and link.person.id != wish.oid:
            return NOT_YOURS
        return link

    def _token(self, case: Case) -> TokenSource:
        return self.tokens.of(case.link, self.desks[case.row.key.kind].resource)

    async def _live_step(self, case: Case) -> Step | Refused:
        """The one step this approver can decide now. A request that ended meanwhile is settled on the spot."""
        row, token = case.row, self._token(case)
        desk = self.desks[row.key.kind]
        request, steps = await asyncio.gather(desk.fetch(row.request, token), self._steps(row, token))
        now = self.clock()
        ruling = await self._own(case, request) or rule(request, steps, case.wish.digest, now)
        ending = conclude(row.request, desk.ended(request), steps, now)
        if isinstance(ruling, Refused) and ruling.why is Why.NO_STEP and ending is None:
            await self.book.staled(row.key, stale=True)  # the buttons go; the watcher looks again
        if isinstance(ruling, Step) or ending is None or nameless(ending):
            return ruling  # who made a decision of this moment may not show yet: the watcher asks again
        return await self._ended(row.key, ending, now) or ruling

    async def _own(self, case: Case, fresh: ActivationRequest) -> Refused | None:
        """Whether Microsoft's own word makes this their own request, whatever our memory of it says."""
        approver = await standing(self.links, case.link)
        return own_request(replace(case.row, request=fresh), approver, self.policy)

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

    async def _beaten(self, case: Case) -> Refused:
        """Somebody was first: say who."""
        row = await self.book.find(case.wish.key)
        refused = await self._forbidden(row, case.link) if row is not None else None
        return refused or CHANGED

    def _intent(self, case: Case, step: Step) -> Intent:
        wish, link = case.wish, case.link
        return Intent(
            id=self.new_token(),
            key=wish.key,
            step=step.id,
            verdict=wish.verdict,
            justification=case.justification,
            digest=wish.digest,
            approver=link.person,
            tenant=link.tenant,
            slack_user=wish.user,
            where=Where.SLACK,
            at=self.clock(),
            view_id=wish.view_id,
        )
