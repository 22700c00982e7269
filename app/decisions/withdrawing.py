"""A requestor takes their own request back, with their own token. Nothing is called withdrawn but by Microsoft's word.

At most one call is on its way for a request. Unlike a decision it may be made again after a crash: a second call can do
no more than the first. So a claim that was left behind lapses, and an ending that nobody told is found by the poll.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.decisions.opening import Openings
from app.decisions.values import Press, not_sent, usable
from app.domain.errors import BotError, ClaimsChallenge, OutcomeUnknown
from app.domain.own_requests import not_mine, withdrawal_refused
from app.domain.request import Decided, Kind, RequestKey, Status, Where
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why
from app.ports import Clock, Desk, Link, Tokens, TokenSource, Withdrawal, Withdrawals

CLAIM_LASTS = timedelta(minutes=2)  # longer than the call and every look after it
LOOKS = (0.5, 1.0, 2.0, 4.0)  # seconds before each look for what became of a call without an answer
ON_ITS_WAY = Refused(Why.CLAIMED, "This request is being withdrawn right now. Nothing more was sent.")
ENDED = Refused(
    Why.ALREADY_DECIDED,
    "Microsoft shows that this request has ended. Nothing was changed; its card and message follow.",
)
NOT_NOTED = Refused(
    Why.ALREADY_DECIDED,
    "Microsoft withdrew your request. It could not be written down here yet; its card and message follow in minutes.",
)
NO_ANSWER = Refused(
    Why.UNAVAILABLE,
    "Microsoft has not said what became of it. If it was withdrawn, this message says so within minutes; if not, press "
    "the button again then.",
)
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Withdrawing:
    """Withdraws requests for those who made them."""

    openings: Openings
    desks: Mapping[Kind, Desk]
    tokens: Tokens
    withdrawals: Withdrawals
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def withdraw(self, press: Press) -> RequestRow | Refused:
        """The request, withdrawn; or why it is not. Failures of the world come back as a `Refused` too."""
        try:
            found = await self._allowed(press)
            return found if isinstance(found, Refused) else await self._withdraw(*found)
        except BotError as failure:
            return _failed(failure)

    async def _allowed(self, press: Press) -> tuple[RequestRow, Link] | Refused:
        """What our memory allows, and then Microsoft's own word about whose it is, read with the requestor's token."""
        row = await self.openings.details(press)
        if isinstance(row, Refused):
            return row
        link = usable(await self.openings.links.by_slack(press.team, press.user))
        if isinstance(link, Refused):
            return link
        refused = withdrawal_refused(row, link.person, self.clock())
        if refused is not None:
            return refused
        desk = self.desks[row.key.kind]
        fresh = await desk.fetch(row.request, self.tokens.of(link, desk.resource))
        if desk.ended(fresh) is not None:
            return ENDED
        return not_mine(fresh, link.person) or (row, link)

    async def _withdraw(self, row: RequestRow, link: Link) -> RequestRow | Refused:
        now = self.clock()
        withdrawal = Withdrawal(row.key, link.person, link.tenant, link.slack_user, now)
        if not await self.withdrawals.begin(withdrawal, now + CLAIM_LASTS):
            return ON_ITS_WAY
        desk = self.desks[row.key.kind]
        token = self.tokens.of(link, desk.resource)
        try:
            await desk.cancel(row.request, token)
        except OutcomeUnknown:
            if not await self._shows(desk, row, token):
                return NO_ANSWER
        except BotError as failure:
            refused = _failed(failure)
            await self.withdrawals.refused(withdrawal, refused.text, self.clock())
            return refused
        try:
            return await self._settled(row.key)
        except BotError as failure:  # the claim lapses, and the next poll writes the ending down
            log.warning("%s was withdrawn, which could not be written down: %s", row.key, failure)
            return NOT_NOTED

    async def _shows(self, desk: Desk, row: RequestRow, token: TokenSource) -> bool:
        """Whether Microsoft shows it withdrawn within seconds. If not, the claim stays until it lapses."""
        for pause in LOOKS:
            await self.sleep(pause)
            try:
                fresh = await desk.fetch(row.request, token)
            except BotError:
                continue
            if desk.ended(fresh) is Status.CANCELED:
                return True
        return False

    async def _settled(self, key: RequestKey) -> RequestRow | Refused:
        """Written down at once, unless a decision is under way: its sender then finds out how it ended."""
        book, now = self.openings.book, self.clock()
        row = await book.find(key)
        if row is not None and row.status is Status.PENDING:
            await book.settle(key, Status.CANCELED, Decided(now, Where.SLACK), intent=None, now=now)
            row = await book.find(key)
        return row or ENDED


def _failed(failure: BotError) -> Refused:
    """Signing in as usual proves no more than before, so a demand of Conditional Access sends people to the portal."""
    if isinstance(failure, ClaimsChallenge):
        return Refused(Why.REFUSED, f"{failure} Nothing was changed; withdraw it in Microsoft's portal.")
    return not_sent(failure)
