"""How people are answered: a whisper, a modal, a sign-in address. One sentence, never a traceback, never silence."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from app.domain.errors import BotError
from app.domain.ruling import Refused, Why
from app.linking import Linking
from app.ports import Screens, View
from blocks import modal, notices
from blocks.message import Message

SOMETHING_FAILED = (
    "Something went wrong on our side. Please look at the card before you press again: it shows what is true."
)
NOT_RECORDED = "Your click could not be recorded. Nothing was changed; try again in a moment, or use the portal."
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Answers:
    """Answers to one person."""

    screens: Screens
    linking: Linking

    async def whisper(self, response_url: str, message: Message, *, replace: bool = False) -> None:
        """A message only they see. Where Slack gives no way to answer, or does not take it, the log says so."""
        if not response_url:
            log.info("There is no way to answer this click: %s", message.text)
            return
        try:
            await self.screens.whisper(response_url, message.text, message.blocks, replace=replace)
        except BotError as failure:
            log.warning("A person could not be answered: %s", failure)

    async def refuse(self, team: str, user: str, response_url: str, refused: Refused) -> None:
        """Say why not; with the person's own sign-in address where signing in is the way on."""
        await self.whisper(response_url, await self.refusal(team, user, refused))

    async def refusal(self, team: str, user: str, refused: Refused) -> Message:
        """The same as a message."""
        if refused.why in (Why.NOT_LINKED, Why.SIGN_IN_AGAIN):
            return notices.not_linked(await self.linking.begin(team, user))
        return notices.refusal(refused.text)

    async def refusal_modal(self, team: str, user: str, refused: Refused) -> View:
        """The same inside the modal that was open."""
        if refused.why in (Why.NOT_LINKED, Why.SIGN_IN_AGAIN):
            return modal.sign_in_modal(await self.linking.begin(team, user))
        return modal.refused_modal(refused.text)
