"""The decision pipeline up to the claim, in its fixed order; then the courier takes over.

Person, link, what our memory forbids, a fresh read under the approver's own token, claim. Each no is a sentence for
the one who asked, and nothing is changed by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.decisions.sending import Courier
from app.decisions.values import UNKNOWN_REQUEST, Done, Opening, Submission, Waiting, not_sent, usable
from app.domain.endings import conclude, nameless
from app.domain.errors import BotError, RequestGone
from app.domain.request import Kind, Where
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Step, Why, already_decided, justify, rule, rule_row
from app.ports import Cards, Clock, Desk, Intent, Link, Links, Modal, People, RequestBook, Tokens, TokenSource


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
    clock: Clock
    new_token: Callable[[], str]

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

    async def decide(self, submission: Submission) -> Done | Waiting | Refused:
        """What became of it. Failures of the world before sending come back as a `Refused` too."""
        try:
            intent = await self._prepare(submission)
            if isinstance(intent, Refused):
                return intent
            claimed = await self.book.claim(intent, self.clock())
        except BotError as failure:
            return not_sent(failure)
        if claimed is None:
            return await self._beaten(intent)
        return await self.courier.send(intent)

    async def _prepare(self, submission: Submission) -> Intent | Refused:
        modal = await self._modal(submission)
        if isinstance(modal, Refused):
            return modal
        link = await self._approver(submission)
        if isinstance(link, Refused):
            return link
        row = await self.book.find(modal.key)
        if row is None:
            return UNKNOWN_REQUEST
        refused = rule_row(row, link.person, self.clock())
        if refused is not None:
            return refused
        justification = justify(row, modal.verdict, submission.comment)
        if isinstance(justification, Refused):
            return justification
        step = await self._live_step(row, modal, self.tokens.of(link))
        return step if isinstance(step, Refused) else self._intent(submission, modal, link, step, justification)

    async def _modal(self, submission: Submission) -> Modal | Refused:
        """What the form showed. It counts only for the person it was opened for."""
        modal = await self.cards.modal(submission.modal)
        if modal is None or (modal.team, modal.user) != (submission.team, submission.user):
            return Refused(Why.UNKNOWN_CARD, "This form is not yours, or too old. Nothing was changed; open it again.")
        return modal

    async def _approver(self, submission: Submission) -> Link | Refused:
        """Who this is: a full member of the workspace right now, with a live link. Doubt fails closed."""
        person = await self.people.person(submission.user)
        if person is None or not person.member or person.team != submission.team:
            return Refused(Why.NOT_MEMBER, "Guests, bots and outside accounts cannot decide here. Nothing was changed.")
        return usable(await self.links.by_slack(submission.team, submission.user))

    async def _live_step(self, row: RequestRow, modal: Modal, token: TokenSource) -> Step | Refused:
        """The one step this approver can decide now. A request that ended meanwhile is settled on the spot."""
        desk = self.desks[row.key.kind]
        request, steps = await asyncio.gather(desk.fetch(row.key.id, token), self._steps(row, token))
        now = self.clock()
        ruling = rule(request, steps, modal.digest, now)
        ending = conclude(row.request, desk.ended(request), steps, now)
        if isinstance(ruling, Step) or ending is None or nameless(ending):
            return ruling  # who made a decision of this moment may not show yet: the watcher asks again
        await self.book.settle(row.key, *ending, intent=None, now=now)
        ended = await self.book.find(row.key)
        return already_decided(ended) if ended is not None else ruling

    async def _steps(self, row: RequestRow, token: TokenSource) -> tuple[Step, ...]:
        """None at all where the approval is gone: the request itself then says that it was withdrawn."""
        try:
            return await self.desks[row.key.kind].steps(row.key.id, token)
        except RequestGone:
            return ()

    async def _beaten(self, intent: Intent) -> Refused:
        """Somebody was first: say who."""
        row = await self.book.find(intent.key)
        refused = rule_row(row, intent.approver, self.clock()) if row is not None else None
        return refused or Refused(Why.CHANGED, "The request changed just now. Nothing was sent; look at the new card.")

    def _intent(self, submission: Submission, modal: Modal, link: Link, step: Step, justification: str) -> Intent:
        return Intent(
            id=self.new_token(),
            key=modal.key,
            step=step.id,
            verdict=modal.verdict,
            justification=justification,
            digest=modal.digest,
            approver=link.person,
            tenant=link.tenant,
            slack_user=submission.user,
            where=Where.SLACK,
            at=self.clock(),
            view_id=submission.view_id,
        )
