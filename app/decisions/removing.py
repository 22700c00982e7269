"""Taking an active role away again after a mis-click, in the name and with the rights of whoever pressed. Once.

What is held is looked at first: Microsoft takes a role away by person, role and scope, whichever request it came of.
Those are taken from Microsoft's own words, not from our rows. A lost answer is read back and never sent again; a role
that is gone then may be anybody's doing. How it ended, the card learns from its instance as always.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.decisions.opening import Openings
from app.decisions.values import NOT_MEMBER, SIGN_IN_AGAIN, UNKNOWN_REQUEST, Done, Press, Waiting, not_sent, usable
from app.decisions.witnesses import fresh, readers_of, witness
from app.domain.calls import call_name
from app.domain.errors import BotError, GraphRefused, OutcomeUnknown
from app.domain.policy import Policy
from app.domain.removal import (
    DOUBTFUL_FOR,
    GONE_SINCE,
    NOT_HELD,
    NOT_THE_SAME,
    ON_ITS_WAY,
    REFUSED_BEFORE,
    may_not,
    not_removable,
    nothing_held,
    same_access,
)
from app.domain.request import ActivationRequest, Kind
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT, Refused, Why
from app.ports import Clock, Desk, Link, People, Removal, RemovalFate, Removals, StoredRemoval, Tokens, TokenSource

LOOKS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two looks at a role whose removal was not answered
NOT_YOURS = Refused(Why.UNKNOWN_CARD, "This form is not yours, or it was used already. Nothing was changed.")
NO_REASON = Refused(Why.COMMENT_MISSING, "Say why: Microsoft keeps it, and whoever holds the role is told.")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GoneSince:
    """It was sent without an answer, and the role is gone: by whom is not known."""

    row: RequestRow


Outcome = Done | GoneSince | Waiting | Refused


@dataclass(frozen=True, slots=True)
class Ready:
    """All that is needed to send it. `request`: in Microsoft's words; `witness`: whose token showed what is held."""

    row: RequestRow
    request: ActivationRequest
    removal: StoredRemoval
    token: TokenSource
    witness: TokenSource


@dataclass(kw_only=True, slots=True)
class Removing:
    """Takes roles away. The policy's `revoke_contacts` are told where somebody wanted to and may not."""

    openings: Openings
    removals: Removals
    people: People
    tokens: Tokens
    desks: Mapping[Kind, Desk]
    clock: Clock
    policy: Policy = Policy()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def begin(self, press: Press) -> tuple[RequestRow, str] | Refused:
        """The request, and the token of a form for whoever pressed."""
        row = await self.openings.details(press)
        if isinstance(row, Refused):
            return row
        link = await self._person(press.team, press.user, row)
        if isinstance(link, Refused):
            return link
        draft = StoredRemoval(self.openings.new_token(), row.key, press.team, link.person, press.user)
        await self.removals.draft(draft, self.clock())
        return row, draft.id

    async def review(self, team: str, user: str, removal_id: str, reason: str) -> RequestRow | Refused:
        """What was just submitted, out of our own memory, before the ack."""
        found = await self._submitted(team, user, removal_id, reason)
        return found if isinstance(found, Refused) else found[0]

    async def carry_out(self, team: str, user: str, removal_id: str, reason: str) -> Outcome:
        """What became of it. Failures of the world come back as values too: a `Refused` before sending, then `Waiting`.

        What is left as `Waiting` is found out by `Finishing`.
        """
        try:
            ready = await self._prepare(team, user, removal_id, reason)
            if isinstance(ready, Refused):
                return ready
            now = self.clock()
            state = await self.removals.sending(ready.removal, now - DOUBTFUL_FOR, now)
        except BotError as failure:
            return not_sent(failure)
        if state is not RemovalFate.SENDING:
            return REFUSED_BEFORE if state is RemovalFate.REFUSED else ON_ITS_WAY
        try:
            return await self._send(ready)
        except BotError as failure:
            log.warning("%s: what became of a removal could not be written down: %s", ready.row.key, failure)
            return Waiting(ready.row)

    async def _submitted(
        self, team: str, user: str, removal_id: str, reason: str
    ) -> tuple[RequestRow, StoredRemoval] | Refused:
        draft = await self.removals.find(removal_id)
        if draft is None or draft.fate is not RemovalFate.DRAFT or (draft.team, draft.slack_user) != (team, user):
            return NOT_YOURS
        if not reason.strip():
            return NO_REASON
        row = await self.openings.book.find(draft.key)
        if row is None:
            return UNKNOWN_REQUEST
        said = replace(draft, reason=reason.strip()[:COMMENT_LIMIT])
        return not_removable(row, self.clock(), self.policy) or (row, said)

    async def _prepare(self, team: str, user: str, removal_id: str, reason: str) -> Ready | Refused:
        found = await self._submitted(team, user, removal_id, reason)
        if isinstance(found, Refused):
            return found
        row, removal = found
        person = await self.people.person(user)
        if person is None or not person.member or person.team != team:
            return NOT_MEMBER
        link = await self._person(team, user, row)
        if isinstance(link, Refused):
            return link
        desk = self.desks[row.key.kind]
        token = self.tokens.of(link, desk.resource)
        await token()  # a sign-in that is over must show before it counts as sent
        readers = await readers_of(self.tokens, desk, token)
        request = await fresh(desk, row.request, readers)
        if not same_access(row.request, request):
            log.error("%s: our row tells of another person, role or scope than Microsoft. Nothing is sent.", row.key)
            return NOT_THE_SAME
        holds = await witness(desk, request, readers)
        if holds is None:
            return NOT_HELD
        return Ready(row, request, replace(removal, person=link.person), token, holds)

    async def _person(self, team: str, user: str, row: RequestRow) -> Link | Refused:
        """Who this is, signed in recently enough for this risk, unless our memory speaks against taking it away."""
        link = usable(await self.openings.links.by_slack(team, user))
        if isinstance(link, Refused):
            return link
        now = self.clock()
        if not self.policy.freshness.allows(link.signed_in_at, row.risk.level, now):
            return SIGN_IN_AGAIN
        return not_removable(row, now, self.policy) or link

    async def _send(self, ready: Ready) -> Outcome:
        removal = Removal(ready.removal.reason, call_name(ready.removal.id, 1))
        try:
            await self.desks[ready.row.key.kind].remove(ready.request, removal, ready.token)
        except OutcomeUnknown as doubt:
            log.warning("%s: %s Looking whether the role is still held.", ready.row.key, doubt)
            return await self._read_back(ready)
        except BotError as failure:
            return await self._refused(ready, failure)
        await self._settle(ready, RemovalFate.TAKEN)
        return Done(ready.row)

    async def _read_back(self, ready: Ready) -> Outcome:
        """Look until it is gone, which may be anybody's doing: a look does not say whose. Nothing more is sent.

        What still shows in the end may have been taken or not.
        """
        for pause in (0.0, *LOOKS):
            await self.sleep(pause)
            try:
                gone = await self.desks[ready.row.key.kind].term(ready.request, ready.witness) is None
            except BotError as failure:
                log.info("%s: the look failed: %s", ready.row.key, failure)
                continue
            if gone:
                await self._settle(ready, RemovalFate.GONE_SINCE, GONE_SINCE)
                return GoneSince(ready.row)
        await self._settle(ready, RemovalFate.UNKNOWN)
        return Waiting(ready.row)

    async def _refused(self, ready: Ready, failure: BotError) -> Refused:
        if not isinstance(failure, GraphRefused):
            refused = not_sent(failure)
            await self._settle(ready, RemovalFate.NOT_TAKEN, refused.text)
            return refused
        if nothing_held(failure):
            await self._settle(ready, RemovalFate.GONE, NOT_HELD.text)
            return NOT_HELD
        tell = self.policy.revoke_contacts
        refused = may_not(ready.row.key.kind, failure, others_told=bool(tell))
        await self._settle(ready, RemovalFate.REFUSED, str(failure), tell)
        return refused

    async def _settle(self, ready: Ready, fate: RemovalFate, note: str = "", tell: Sequence[str] = ()) -> None:
        await self.removals.settle(ready.removal, fate, note, tell, self.clock())
