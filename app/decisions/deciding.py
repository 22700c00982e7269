"""The decision pipeline of what is submitted in Slack, in its fixed order; then the courier takes over.

Person, link, what our memory forbids, a recent sign-in, a fresh read under the approver's own token, claim. Each no is
a sentence for the one who asked, and nothing is changed by it; where a newer sign-in helps, the decision waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.decisions.claiming import Claiming
from app.decisions.sending import Courier, Fate
from app.decisions.standing import standing
from app.decisions.step_up import CHALLENGED, NOT_YOURS, OVER, StepUp, reason
from app.decisions.values import (
    CHANGED,
    NOT_MEMBER,
    UNKNOWN_REQUEST,
    Case,
    Claimant,
    Claimed,
    Opening,
    Submission,
    Unproven,
    Verify,
    Wish,
    known,
    not_sent,
)
from app.domain.errors import BotError, SignInRequired
from app.domain.request import Where
from app.domain.ruling import Refused, Why, justify
from app.ports import Cards, Link, Links, Modal, People, RequestBook, Tokens


@dataclass(kw_only=True, slots=True)
class Decisions:
    """Carries one submitted modal to Microsoft, at most once."""

    claiming: Claiming
    book: RequestBook
    cards: Cards
    links: Links
    tokens: Tokens
    people: People
    courier: Courier
    step_up: StepUp

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
        return self.claiming.forbidden(shown.row, await standing(self.links, link)) or shown

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
            intent = await self.claiming.claim(wish, case.row, self._claimant(case), case.justification)
        except SignInRequired as demand:
            return await self._wait(case, *reason(demand))
        return intent if isinstance(intent, Refused) else Claimed(case, intent)

    async def _send(self, claimed: Claimed) -> Fate | Verify:
        fate = await self.courier.send(claimed.intent)
        if not isinstance(fate, Unproven):
            return fate
        try:
            return await self._wait(claimed.case, CHALLENGED if fate.claims else OVER, fate.claims)
        except BotError as failure:
            return not_sent(failure)

    async def _wait(self, case: Case, why: str, claims: str) -> Verify | Refused:
        waiting = await self.step_up.wait(case, why, claims)
        return waiting or await self.claiming.beaten(case.row.key, case.approver)

    async def _case(self, wish: Wish) -> Case | Refused:
        """Who wants what, as far as our own memory allows it."""
        link = await self._approver(wish)
        if isinstance(link, Refused):
            return link
        row = await self.book.find(wish.key)
        if row is None:
            return UNKNOWN_REQUEST
        approver = await standing(self.links, link)
        refused = self.claiming.forbidden(row, approver)
        if refused is not None:
            return refused
        said = justify(row, wish.verdict, wish.comment)
        return said if isinstance(said, Refused) else Case(wish, row, link, approver, said)

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
            return NOT_MEMBER
        link = known(await self.links.by_slack(wish.team, wish.user))
        if isinstance(link, Link) and wish.oid and link.person.id != wish.oid:
            return NOT_YOURS
        return link

    def _claimant(self, case: Case) -> Claimant:
        token = self.tokens.of(case.link, self.claiming.resource(case.row.key.kind))
        return Claimant(case.approver, case.link.tenant, token, Where.SLACK)
