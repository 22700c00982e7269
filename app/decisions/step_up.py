"""Verify and finish: a decision that waits until its approver has signed in again. It holds no claim.

Who signs in again, or decides meanwhile, is seen when it is finished: this part only keeps it and gives it back to
the very person it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.decisions.values import UNKNOWN_REQUEST, Case, Verify, Wish
from app.domain.durations import in_words
from app.domain.errors import ClaimsChallenge, SignInRequired
from app.domain.policy import Freshness
from app.domain.request import Person
from app.domain.ruling import Refused, Why
from app.ports import Clock, Link, LinkState, RequestBook, WaitingDecision, WaitingDecisions

PATIENCE = timedelta(minutes=10)
GONE = Refused(
    Why.EXPIRED,
    "This decision waited longer than ten minutes, or was finished or replaced meanwhile. Nothing was sent; look at "
    "the card in Slack and decide there again.",
)
NOT_YOURS = Refused(
    Why.UNKNOWN_CARD,
    "This decision belongs to somebody else, and only they can finish it. Nothing was sent. If somebody gave you this "
    "address, tell your administrators.",
)
NOT_ENOUGH = Refused(
    Why.SIGN_IN_AGAIN,
    "Microsoft asks for more than the sign-in you just made proves. Nothing was changed; decide it in the portal.",
)
CHALLENGED = "Microsoft wants you to prove once more who you are before it takes this decision."
OVER = "Your Microsoft session is over."


@dataclass(kw_only=True, slots=True)
class StepUp:
    """Keeps decisions for those who must sign in first. `new_token`: unguessable; it names a waiting decision."""

    waiting: WaitingDecisions
    book: RequestBook
    clock: Clock
    new_token: Callable[[], str]
    freshness: Freshness = field(default_factory=Freshness)

    def demanded(self, case: Case) -> str:
        """Why this person must sign in again before Microsoft is asked at all; empty when they need not."""
        if case.link.state is not LinkState.ACTIVE:
            return OVER
        signed_in_at, level = case.link.signed_in_at, case.row.risk.level
        if self.freshness.allows(signed_in_at, level, self.clock(), case.wish.asked_at):
            return ""
        window = self.freshness.until(signed_in_at, level) - signed_in_at
        if not window:
            return "Your company asks for a new sign-in for every decision."
        what = f"a {level.word} role" if level.grave else "a role"
        return f"To decide {what}, your company asks for a sign-in of the last {in_words(window)}; yours is older."

    async def wait(self, case: Case, why: str, claims: str = "") -> Verify | Refused | None:
        """Keep it for ten minutes. Refused: they have signed in just now, and it was not enough.

        None: the request stopped being pending this moment.
        """
        if case.wish.asked_at is not None:
            return NOT_ENOUGH
        waiting = self._waiting(case, self.clock())
        if not await self.waiting.put(waiting):
            return None
        row = await self.book.find(case.row.key)
        return Verify(row or case.row, waiting, why, claims)

    async def show(self, waiting_id: str, link: Link) -> Verify | Refused:
        """What waits, for the page that finishes it, to the person it belongs to."""
        waiting = await self._theirs(waiting_id, link)
        if isinstance(waiting, Refused):
            return waiting
        row = await self.book.find(waiting.key)
        return Verify(row, waiting, "") if row is not None else UNKNOWN_REQUEST

    async def take(self, waiting_id: str, link: Link) -> Wish | Refused:
        """Take it up, once; somebody else's stays where it is."""
        waiting = await self._theirs(waiting_id, link)
        if isinstance(waiting, Refused):
            return waiting
        taken = await self.waiting.take(waiting_id, self.clock())
        return _wish(taken) if taken is not None else GONE

    async def _theirs(self, waiting_id: str, link: Link) -> WaitingDecision | Refused:
        waiting = await self.waiting.find(waiting_id, self.clock())
        if waiting is None:
            return GONE
        return waiting if _whose(waiting, waiting.person) == _whose(link, link.person) else NOT_YOURS

    def _waiting(self, case: Case, now: datetime) -> WaitingDecision:
        return WaitingDecision(
            id=self.new_token(),
            key=case.wish.key,
            verdict=case.wish.verdict,
            comment=case.wish.comment,
            digest=case.wish.digest,
            team=case.wish.team,
            slack_user=case.wish.user,
            tenant=case.link.tenant,
            person=case.link.person,
            asked_at=now,
            expires=now + PATIENCE,
        )


def reason(demand: SignInRequired) -> tuple[str, str]:
    """Why Microsoft wants another sign-in, and the claims that it must prove."""
    if isinstance(demand, ClaimsChallenge):
        return CHALLENGED, demand.claims
    return OVER, ""


def _whose(one: WaitingDecision | Link, person: Person) -> tuple[str, str, str, str]:
    return one.team, one.slack_user, one.tenant.casefold(), person.id.casefold()


def _wish(waiting: WaitingDecision) -> Wish:
    return Wish(
        team=waiting.team,
        user=waiting.slack_user,
        key=waiting.key,
        verdict=waiting.verdict,
        comment=waiting.comment,
        digest=waiting.digest,
        oid=waiting.person.id,
        asked_at=waiting.asked_at,
    )
