"""Presses on buttons: Approve and Deny open a modal, Sign in whispers an address, Older turns a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.decisions.opening import Openings
from app.decisions.values import Click
from app.domain.policy import Policy
from app.domain.ruling import Refused
from app.linking import Freezing
from app.ports import Clock
from blocks import ids, notices
from blocks.modal import decide_modal
from handlers.commands import Commands
from handlers.menu import Menu
from handlers.own_requests import OwnRequests
from handlers.payloads import Action, Body, parse_action
from handlers.reception import Ack, Reception


@dataclass(kw_only=True, slots=True)
class Buttons:
    """Listeners for block actions."""

    reception: Reception
    openings: Openings
    freezing: Freezing
    commands: Commands
    menu: Menu
    own: OwnRequests
    clock: Clock
    policy: Policy = Policy()

    async def pressed(self, ack: Ack, body: Body) -> None:
        """Any of our buttons that does something here."""
        action = parse_action(body)
        first = action is not None and await self.reception.first(action, action.action_id, action.response_url)
        await ack()
        if action is not None and first:
            self.reception.work(action, self._answer(action), self.reception.sorry(action.response_url))

    async def opened_address(self, ack: Ack) -> None:
        """A button that opens an address in the browser: Slack wants an ack, nobody wants anything else."""
        await ack()

    async def _answer(self, action: Action) -> str:
        answers: dict[str, Callable[[Action], Awaitable[str]]] = {
            ids.SIGN_IN: self._give_address,
            ids.NOT_ME: self._freeze,
            ids.PAGE: self.commands.turn_page,
            ids.NEWER: self.commands.turn_page,
            ids.ANSWER: self.menu.questions.read,
            ids.MORE: self.menu.chosen,
            ids.WITHDRAW: self.own.withdraw,
            ids.NUDGE: self.own.nudge,
            ids.SETTINGS: self._open_settings,
            ids.REMOVE: self.menu.removals.begin,
        }
        return await answers.get(action.action_id, self._open_modal)(action)

    async def _give_address(self, action: Action) -> str:
        if action.response_url:
            return await self.commands.whisper_sign_in(action.team, action.user, action.response_url)
        await self.reception.answers.sign_in_modal(action.trigger_id, action.team, action.user)
        return "sign-in address given"

    async def _open_settings(self, action: Action) -> str:
        opened = await self.commands.settings.open(action.trigger_id, action.team, action.user)
        return "settings opened" if opened else "modal did not open"

    async def _freeze(self, action: Action) -> str:
        """The receipt's own button: the receipt then says what was done."""
        refused = await self.freezing.not_me(action.team, action.user, action.value)
        answers = self.reception.answers
        if refused is not None:
            await answers.whisper(action.response_url, notices.refusal(refused.text))
            return f"refused: {refused.why}"
        await answers.whisper(action.response_url, notices.frozen(), replace=True)
        self.reception.wake()
        return "link frozen"

    async def _open_modal(self, action: Action) -> str:
        """From a click to an open modal inside Slack's three seconds, out of our own memory."""
        click = Click(action.team, action.user, action.channel, action.ts, action.value, action.verdict)
        opening = await self.openings.open(click)
        answers = self.reception.answers
        if isinstance(opening, Refused):
            return await answers.refuse(action, opening)
        view = decide_modal(
            opening.row,
            opening.verdict,
            opening.modal,
            now=self.clock(),
            portal=answers.portal,
            ticket=self.policy.ticket_facts(opening.row.request.ticket),
        )
        return await answers.open(action, view)
