"""Decisions over HTTP: the same pipeline, where a bearer token stands for place, person and recent sign-in.

What it does not stand for is judged as in Slack: not the requestor, not the creator, not another account of theirs,
be it linked or not: caller and requestor are looked for in Slack alike, and where nobody can tell, nothing is decided.
Nothing waits here for a newer sign-in: the caller gets Microsoft's challenge and comes back with another token.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from app.decisions.claiming import Claiming
from app.decisions.sending import Courier, Fate
from app.decisions.standing import caller_standing
from app.decisions.values import FROZEN, NOT_COMPARED, Claimant, Unproven, Wish, not_sent, unproven
from app.domain.errors import BotError, SignInRequired
from app.domain.match import How
from app.domain.request import Verdict, Where
from app.domain.row import RequestRow
from app.domain.ruling import Approver, Refused, justify
from app.ports import Caller, Intent, Links, LinkState, Matching, OnBehalf, TokenSource

PATIENCE = 3.0  # seconds Slack may take to say whose the two accounts are
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What a caller wants to decide. `digest` is of what they were shown, or of what we would have shown them."""

    caller: Caller
    verdict: Verdict
    comment: str
    digest: str


@dataclass(kw_only=True, slots=True)
class Calls:
    """Carries one call to Microsoft, at most once. `team`: the Slack workspace whose links tell who is who."""

    claiming: Claiming
    courier: Courier
    links: Links
    on_behalf: OnBehalf
    matching: Matching
    team: str

    async def decide(self, call: Call, row: RequestRow) -> Fate | Unproven:
        """What became of it. Failures of the world before sending come back as a `Refused` or `Unproven` too."""
        token = self.on_behalf.of(call.caller, self.claiming.resource(row.key.kind))
        try:
            intent = await self._claimed(call, row, token)
        except SignInRequired as demand:
            return unproven(demand)
        except BotError as failure:
            return not_sent(failure)
        return await self.courier.send(intent, token) if isinstance(intent, Intent) else intent

    async def _claimed(self, call: Call, row: RequestRow, token: TokenSource) -> Intent | Refused:
        """What memory says comes first, since it costs nothing; the claim looks again, with Microsoft's own words.

        Also with its names of the caller: a token need not name its person, and an account is known by its names.
        """
        link = await self.links.by_entra(call.caller.tenant, call.caller.person.id)
        if link is not None and link.state is LinkState.FROZEN:
            return FROZEN
        known = await caller_standing(self.links, self.team, call.caller.tenant, call.caller.person)
        refused = self.claiming.forbidden(row, known)
        said = refused or justify(row, call.verdict, call.comment, Where.API)
        if isinstance(said, Refused):
            return said
        compared = await self._compared(call, row)
        if isinstance(compared, Refused):
            return compared
        approver, row = compared
        wish = Wish("", "", row.key, call.verdict, call.comment, call.digest)
        return await self.claiming.claim(wish, row, Claimant(approver, call.caller.tenant, token, Where.API), said)

    async def _compared(self, call: Call, row: RequestRow) -> tuple[Approver, RequestRow] | Refused:
        """The caller with every account of theirs, and the row with its requestor's Slack account.

        Somebody may have two accounts at Microsoft and have linked neither: then only Slack knows that both are theirs.
        """
        person = await self.on_behalf.person(call.caller)
        try:
            async with asyncio.timeout(PATIENCE):
                match = await self.matching.match(person)
                if row.match.how is How.UNKNOWN:
                    row = replace(row, match=await self.matching.match(row.request.requestor))
        except (BotError, TimeoutError) as failure:
            log.warning("A caller could not be looked up in Slack, and decided nothing: %s", failure or "no answer")
            return NOT_COMPARED
        return await caller_standing(self.links, self.team, call.caller.tenant, person, match), row
