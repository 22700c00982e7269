"""How people are answered: a whisper, a modal, a sign-in address. One sentence, never a traceback, never silence."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from app.decisions.values import Verify
from app.domain.errors import BotError
from app.domain.request import Kind
from app.domain.ruling import Refused, Why
from app.linking import Linking
from app.ports import Screens, View
from blocks import modal, notices
from blocks.links import Portal
from blocks.message import Message

SOMETHING_FAILED = (
    "Something went wrong on our side. Please look at the card before you press again: it shows what is true."
)
NOT_RECORDED = "Your click could not be recorded. Nothing was changed; try again in a moment, or use the portal."
FORM_NOT_RECORDED = "It could not be recorded, so nothing was sent. Close this and try again in a moment."
TOO_SLOW = "Slack did not open the form in time. Nothing was changed; please press the button again."
# Where signing in is the way on, and what is said instead of the words for the first time.
_SIGN_IN = {
    Why.NOT_LINKED: "",
    Why.SIGN_IN_AGAIN: "Your Microsoft session is over. Nothing was changed; sign in again, then press the button.",
}
log = logging.getLogger(__name__)


class Pressed(Protocol):
    """Who pressed a button, and how they can be answered; one of the two ways is given."""

    @property
    def team(self) -> str:
        """Their workspace."""

    @property
    def user(self) -> str:
        """Their Slack account."""

    @property
    def response_url(self) -> str:
        """For a whisper beside a message."""

    @property
    def trigger_id(self) -> str:
        """For a modal, within three seconds."""


@dataclass(kw_only=True, slots=True)
class Answers:
    """Answers to one person."""

    screens: Screens
    linking: Linking
    portal: Portal

    async def whisper(self, response_url: str, message: Message, *, replace: bool = False) -> None:
        """A message only they see. Where Slack gives no way to answer, or does not take it, the log says so."""
        if not response_url:
            log.info("There is no way to answer this click: %s", message.text)
            return
        try:
            await self.screens.whisper(response_url, message.text, message.blocks, replace=replace)
        except BotError as failure:
            log.warning("A person could not be answered: %s", failure)

    async def open(self, pressed: Pressed, view: View) -> str:
        """Open a form, or say that it came too late; how it went, for the row of the delivery."""
        try:
            await self.screens.open_modal(pressed.trigger_id, view)
        except BotError:
            await self.whisper(pressed.response_url, notices.refusal(TOO_SLOW))
            return "modal did not open"
        return "modal opened"

    async def refuse(self, pressed: Pressed, refused: Refused) -> str:
        """Say why not, with the person's own sign-in address where signing in is the way on; how it went."""
        if pressed.response_url:
            await self.whisper(pressed.response_url, await self.refusal(pressed.team, pressed.user, refused))
        else:
            await self._refuse_in_modal(pressed, refused)
        return f"refused: {refused.why}"

    async def _refuse_in_modal(self, pressed: Pressed, refused: Refused) -> None:
        """App Home gives no way to whisper."""
        try:
            view = await self.refusal_modal(pressed.team, pressed.user, refused)
            await self.screens.open_modal(pressed.trigger_id, view)
        except BotError as failure:
            log.warning("A person could not be answered: %s", failure)

    async def refusal(self, team: str, user: str, refused: Refused) -> Message:
        """The same as a message."""
        if refused.why in _SIGN_IN:
            return notices.not_linked(await self.linking.begin(team, user), _SIGN_IN[refused.why])
        return notices.refusal(refused.text)

    async def refusal_modal(self, team: str, user: str, refused: Refused) -> View:
        """The same inside the modal that was open."""
        if refused.why in _SIGN_IN:
            return modal.sign_in_modal(await self.linking.begin(team, user), _SIGN_IN[refused.why])
        portal = self.portal.decide(Kind.ENTRA) if refused.why is Why.MANAGED_DEVICE else ""
        return modal.refused_modal(refused.text, portal_url=portal)

    async def verification(self, verify: Verify) -> View:
        """The way to a newer sign-in, in the modal whose decision waits for it."""
        address = await self.linking.verify(verify.waiting, verify.claims)
        return modal.verify_modal(verify.row, verify.waiting.verdict, address, verify.why)

    async def sign_in_modal(self, trigger_id: str, team: str, user: str) -> None:
        """An address of their own where no message can be whispered: App Home has no response_url."""
        try:
            await self.screens.open_modal(trigger_id, modal.sign_in_modal(await self.linking.begin(team, user)))
        except BotError as failure:
            log.warning("A person could not be answered: %s", failure)
