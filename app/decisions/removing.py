"""Taking an active role away again after a mis-click, in the name and with the rights of whoever pressed. Once.

What is held is looked at first: Microsoft takes a role away by person, role and scope, whichever request it came of. A
lost answer is read back and never sent again; how the role ended, the card learns from its instance as always.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from app.decisions.opening import Openings
from app.decisions.values import NOT_MEMBER, SIGN_IN_AGAIN, UNKNOWN_REQUEST, Done, Press, Waiting, not_sent, usable
from app.domain.calls import call_name
from app.domain.errors import BotError, GraphRefused, OutcomeUnknown, Unavailable
from app.domain.policy import Policy
from app.domain.removal import DOUBTFUL_FOR, NOT_HELD, ON_ITS_WAY, may_not, not_removable, nothing_held
from app.domain.request import Kind
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT, Refused, Why
from app.ports import Clock, Desk, Link, People, Removal, RemovalFate, Removals, StoredRemoval, Tokens, TokenSource

LOOKS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two looks at a role whose removal was not answered
WITNESSES = 5  # others who are asked whether it is held, after the bot and the person themselves
NOT_YOURS = Refused(Why.UNKNOWN_CARD, "This form is not yours, or it was used already. Nothing was changed.")
NO_REASON = Refused(Why.COMMENT_MISSING, "Say why: Microsoft keeps it, and whoever holds the role is told.")
Outcome = Done | Waiting | Refused
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """All that is needed to send it. `witness`: whose token showed that the role is held."""

    row: RequestRow
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
        """What became of it. Failures of the world before sending come back as a `Refused` too."""
        try:
            ready = await self._prepare(team, user, removal_id, reason)
            if isinstance(ready, Refused):
                return ready
            left = await self.removals.sending(ready.removal, self.clock() - DOUBTFUL_FOR, self.clock())
        except BotError as failure:
            return not_sent(failure)
        return await self._send(ready) if left else ON_ITS_WAY

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
        token = self.tokens.of(link, self.desks[row.key.kind].resource)
        await token()  # a sign-in that is over must show before it counts as sent
        witness = await self._witness(row, token)
        return Ready(row, replace(removal, person=link.person), token, witness) if witness is not None else NOT_HELD

    async def _person(self, team: str, user: str, row: RequestRow) -> Link | Refused:
        """Who this is, signed in recently enough for this risk, unless our memory speaks against taking it away."""
        link = usable(await self.openings.links.by_slack(team, user))
        if isinstance(link, Refused):
            return link
        now = self.clock()
        if not self.policy.freshness.allows(link.signed_in_at, row.risk.level, now):
            return SIGN_IN_AGAIN
        return not_removable(row, now, self.policy) or link

    async def _witness(self, row: RequestRow, token: TokenSource) -> TokenSource | None:
        """Whose token shows that it is held: the bot's, the person's own, or another's; None: it is held no more.

        Somebody may be shown nothing because it is not theirs to see, so one who sees it counts for more. Unavailable
        when nobody can look.
        """
        readers = [reader.token for reader in await self.tokens.readers(self.desks[row.key.kind].resource)]
        answered = False
        for source in islice(_in_turn(token, readers), WITNESSES):
            try:
                held = await self.desks[row.key.kind].term(row.request, source) is not None
            except BotError as failure:
                log.info("%s: one reader cannot see whether it is held: %s", row.key, failure)
                continue
            if held:
                return source
            answered = True
        if answered:
            return None
        raise Unavailable("Nobody who is signed in can see right now whether this role is held.")

    async def _send(self, ready: Ready) -> Outcome:
        removal = Removal(ready.removal.reason, call_name(ready.removal.id, 1))
        try:
            await self.desks[ready.row.key.kind].remove(ready.row.request, removal, ready.token)
        except OutcomeUnknown as doubt:
            log.warning("%s: %s Looking whether the role is still held.", ready.row.key, doubt)
            return await self._read_back(ready)
        except BotError as failure:
            return await self._refused(ready, failure)
        return await self._taken(ready)

    async def _read_back(self, ready: Ready) -> Outcome:
        """Look until it is gone. What still shows in the end may have been taken or not: nothing more is sent."""
        for pause in (0.0, *LOOKS):
            await self.sleep(pause)
            try:
                gone = await self.desks[ready.row.key.kind].term(ready.row.request, ready.witness) is None
            except BotError as failure:
                log.info("%s: the look failed: %s", ready.row.key, failure)
                continue
            if gone:
                return await self._taken(ready)
        await self._settle(ready, RemovalFate.UNKNOWN)
        return Waiting(ready.row)

    async def _taken(self, ready: Ready) -> Done:
        await self._settle(ready, RemovalFate.TAKEN)
        return Done(ready.row)

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


def _in_turn(own: TokenSource, readers: Sequence[TokenSource]) -> Sequence[TokenSource]:
    """The bot, who stands last among readers, then the person's own, then the others."""
    return [*readers[-1:], own, *readers[:-1]]
