"""`/pim` and what may follow it. Everything read goes through `may_see`; an unknown word is answered with the help.

The bot is not a member of the channels where people type, so answers go with the ack, or through the response_url when
they take longer than Slack waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.domain.errors import BotError
from app.domain.row import RequestRow
from app.lookups import Lookups, Nothing
from app.ports import Clock, Query
from blocks import lists, notices
from blocks.message import Message
from blocks.rows import Waiting
from handlers.payloads import Action, Body, Command, parse_command
from handlers.reception import Ack, Reception

PATIENCE = 2.0  # seconds an answer may take before it goes through the response_url; Slack waits three
SIGNED_OUT = "You are signed out: your Microsoft session is gone from this bot. /pim sign-in brings you back."
NOT_SIGNED_IN = "You are not signed in here, so there was nothing to end."

Answer = Callable[[Command], Awaitable[Message]]


@dataclass(kw_only=True, slots=True)
class Commands:
    """Listeners for the slash command."""

    reception: Reception
    lookups: Lookups
    clock: Clock

    async def typed(self, ack: Ack, body: Body) -> None:
        """Write it down, answer within the ack when that is quick enough."""
        command = parse_command(body)
        try:
            first = await self.reception.take(command, "command")
        except BotError as failure:
            await ack(text=f"{failure} Nothing was changed; try again in a moment.")
            return
        if not first:
            await ack()
            return
        await self._answer_in_time(ack, command)

    async def whisper_sign_in(self, team: str, user: str, response_url: str) -> str:
        """Answer the Sign in button of a shared note: each person gets an address of their own."""
        address = await self.reception.answers.linking.begin(team, user)
        await self.reception.answers.whisper(response_url, notices.not_linked(address))
        return "sign-in address given"

    async def turn_page(self, action: Action) -> str:
        """Answer the Older button of a history page, in place."""
        which, _, after = action.value.partition(":")
        own = await self.lookups.object_id(action.team, action.user)
        message = await self._page(action.team, action.user, _query(which, own, after), which)
        await self.reception.answers.whisper(action.response_url, message, replace=True)
        return "page turned"

    async def _answer_in_time(self, ack: Ack, command: Command) -> None:
        found: list[Message] = []
        late = False

        async def job() -> str:
            message = await self._choose(command)(command)
            found.append(message)
            if late:
                await self.reception.answers.whisper(command.response_url, message)
            return "answered"

        task = self.reception.work(command, job(), self.reception.sorry(command.response_url))
        await asyncio.wait({task}, timeout=PATIENCE)
        if found:
            await ack(text=found[0].text, blocks=found[0].blocks)
            return
        late = True
        await ack()

    def _choose(self, command: Command) -> Answer:
        if not command.words:
            return self._overview
        answers: dict[str, Answer] = {
            "pending": self._pending,
            "history": self._history,
            "mine": self._mine,
            "approved": self._approved,
            "sign-in": self._sign_in,
            "sign-out": self._sign_out,
            "help": self._help,
        }
        return answers.get(command.words[0].lower(), self._unknown)

    async def _overview(self, command: Command) -> Message:
        found = await self.lookups.overview(command.team, command.user)
        if isinstance(found, Nothing):
            return await self._invitation(command)
        waiting = await self._waiting(found.waiting)
        return lists.overview(found.counters, waiting, found.link, now=self.clock(), windows=found.windows)

    async def _pending(self, command: Command) -> Message:
        found = await self.lookups.pending(command.team, command.user)
        if isinstance(found, Nothing):
            return await self._invitation(command)
        waiting = await self._waiting(found.rows)
        return lists.pending_list(waiting, now=self.clock(), more=found.more, hidden=found.hidden)

    async def _history(self, command: Command) -> Message:
        return await self._page(command.team, command.user, Query(), "history")

    async def _mine(self, command: Command) -> Message:
        return await self._of_mine(command, "mine")

    async def _approved(self, command: Command) -> Message:
        return await self._of_mine(command, "approved")

    async def _of_mine(self, command: Command, which: str) -> Message:
        own = await self.lookups.object_id(command.team, command.user)
        if not own:
            return await self._sign_in(command)
        return await self._page(command.team, command.user, _query(which, own, ""), which)

    async def _page(self, team: str, user: str, query: Query, which: str) -> Message:
        page = await self.lookups.history(team, user, query)
        if isinstance(page, Nothing):
            return notices.not_linked(await self.reception.answers.linking.begin(team, user))
        coverage = await self.lookups.coverage() if which == "history" else ()
        return lists.history_page(page, now=self.clock(), which=which, coverage=coverage)

    async def _sign_in(self, command: Command) -> Message:
        return await self._invitation(command)

    async def _sign_out(self, command: Command) -> Message:
        ended = await self.reception.answers.linking.sign_out(command.team, command.user)
        return notices.refusal(SIGNED_OUT if ended else NOT_SIGNED_IN)

    async def _help(self, _command: Command) -> Message:
        return lists.help_text()

    async def _unknown(self, command: Command) -> Message:
        return lists.help_text(command.words[0])

    async def _invitation(self, command: Command) -> Message:
        return notices.not_linked(await self.reception.answers.linking.begin(command.team, command.user))

    async def _waiting(self, rows: Sequence[RequestRow]) -> list[Waiting]:
        places = await self.lookups.card_addresses(rows)
        return [Waiting(row, places.get(row.key, "")) for row in rows]


def _query(which: str, own: str, after: str) -> Query:
    """What a list shows. `which` comes back from a button, so it only chooses; whose rows they are is asked anew."""
    if which == "mine":
        return Query(requestor=own or _NOBODY, after=after)
    if which == "approved":
        return Query(decided_by=own or _NOBODY, after=after)
    return Query(after=after)


_NOBODY = "nobody"  # signed out meanwhile: a filter that fits no object id
