"""`/pim` and what may follow it. Everything read goes through `may_see`; an unknown word is answered with the help.

The bot is not a member of the channels where people type, so answers go with the ack, or through the response_url when
they take longer than Slack waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.domain.errors import BotError
from app.lookups import Lookups, Nothing
from app.ports import Clock
from blocks import lists, notices
from blocks.message import Message
from handlers.answers import TOO_SLOW
from handlers.language import LISTS, read_turn
from handlers.listings import Listings
from handlers.payloads import Action, Body, Command, parse_command
from handlers.reception import Ack, Reception
from handlers.settings import SettingsForm

PATIENCE = 2.0  # seconds an answer may take before it goes through the response_url; Slack waits three
SIGNED_OUT = "You are signed out: your Microsoft session is gone from this bot. /pim sign-in brings you back."
NOT_SIGNED_IN = "You are not signed in here, so there was nothing to end."

Answer = Callable[[Command], Awaitable[Message | None]]


@dataclass(kw_only=True, slots=True)
class Commands:
    """Listeners for the slash command."""

    reception: Reception
    lookups: Lookups
    listings: Listings
    settings: SettingsForm
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
        """Answer a button that turns the page of a list, in place."""
        turn = read_turn(action.value, self.clock())
        message = await self.listings.page(action.team, action.user, turn)
        await self.reception.answers.whisper(action.response_url, message, replace=True)
        return "page turned"

    async def _answer_in_time(self, ack: Ack, command: Command) -> None:
        found: list[Message | None] = []
        late = False

        async def job() -> str:
            message = await self._choose(command)(command)
            found.append(message)
            if late and message is not None:
                await self.reception.answers.whisper(command.response_url, message)
            return "answered"

        task = self.reception.work(command, job(), self.reception.sorry(command.response_url))
        await asyncio.wait({task}, timeout=PATIENCE)
        late = not found
        message = found[0] if found else None
        await (ack(text=message.text, blocks=message.blocks) if message is not None else ack())

    def _choose(self, command: Command) -> Answer:
        if not command.words:
            return self._overview
        answers: dict[str, Answer] = {
            **dict.fromkeys(LISTS, self._list),
            "sign-in": self._invitation,
            "sign-out": self._sign_out,
            "settings": self._settings,
            "help": self._help,
        }
        return answers.get(command.words[0].lower(), self._unknown)

    async def _overview(self, command: Command) -> Message:
        found = await self.lookups.overview(command.team, command.user)
        if isinstance(found, Nothing):
            return await self._invitation(command)
        waiting = await self.listings.waiting(found.waiting)
        return lists.overview(found.counters, waiting, found.link, now=self.clock(), windows=found.windows)

    async def _list(self, command: Command) -> Message:
        which, words = command.words[0].lower(), " ".join(command.words[1:])
        return await self.listings.asked(command.team, command.user, which, words)

    async def _sign_out(self, command: Command) -> Message:
        ended = await self.reception.answers.linking.sign_out(command.team, command.user)
        return notices.refusal(SIGNED_OUT if ended else NOT_SIGNED_IN)

    async def _settings(self, command: Command) -> Message | None:
        """A form, and nothing to read beside it."""
        opened = await self.settings.open(command.trigger_id, command.team, command.user)
        return None if opened else notices.refusal(TOO_SLOW)

    async def _help(self, _command: Command) -> Message:
        return lists.help_text()

    async def _unknown(self, command: Command) -> Message:
        return lists.help_text(command.words[0])

    async def _invitation(self, command: Command) -> Message:
        return notices.not_linked(await self.reception.answers.linking.begin(command.team, command.user))
