"""What a requestor presses about their own request: Withdraw and Nudge. No rule lives here.

Microsoft may take longer than Slack lets a modal be opened; so on App Home, where nothing can be whispered, one is
opened first.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.decisions.values import Press
from app.decisions.withdrawing import Withdrawing
from app.domain.errors import BotError
from app.domain.row import RequestRow
from app.domain.ruling import Refused
from app.ports import Clock, Screens
from app.reminders import Nudging
from app.reminders.nudging import Nudged, TooSoon
from blocks import notices
from blocks.message import Message
from blocks.modal import asking_modal, outcome_modal
from blocks.own_request import NOTHING_ACTIVATED, asked_again, asked_too_soon
from handlers.payloads import Action
from handlers.reception import Reception

WITHDRAWN = "Your request is withdrawn"


@dataclass(kw_only=True, slots=True)
class OwnRequests:
    """Answers requestors in the place where they pressed."""

    reception: Reception
    withdrawing: Withdrawing
    nudging: Nudging
    screens: Screens
    clock: Clock

    async def withdraw(self, action: Action) -> str:
        """Carry it out, then say what became of it."""
        view_id = "" if action.response_url else await self._ask_for_patience(action)
        found = await self.withdrawing.withdraw(_press(action))
        self.reception.wake()
        if action.response_url:
            await self._whisper(action, found)
        elif view_id:
            await self._show(action, view_id, found)
        return f"refused: {found.why}" if isinstance(found, Refused) else "withdrawn"

    async def nudge(self, action: Action) -> str:
        """Have the approvers asked again; how many were, or when it is possible."""
        row = await self.withdrawing.openings.details(_press(action))
        found = row if isinstance(row, Refused) else await self.nudging.nudge(row.key, action.user)
        self.reception.wake()
        await self.reception.answers.whisper(action.response_url, self._said(found))
        return "nudged" if isinstance(found, Nudged) else "not nudged"

    def _said(self, found: Nudged | TooSoon | Refused) -> Message:
        now = self.clock()
        if isinstance(found, Nudged):
            return asked_again(found.row, found.asked, found.again, now)
        if isinstance(found, TooSoon):
            return asked_too_soon(found.row, found.again, now)
        return notices.refusal(found.text)

    async def _ask_for_patience(self, action: Action) -> str:
        """The modal in which the answer will stand; empty when Slack did not open it: the tab is drawn anew anyway."""
        try:
            return await self.screens.open_modal(action.trigger_id, asking_modal())
        except BotError:
            return ""

    async def _whisper(self, action: Action, found: RequestRow | Refused) -> None:
        answers = self.reception.answers
        if isinstance(found, Refused):
            message = await answers.refusal(action.team, action.user, found)
        else:
            message = notices.result_message(found, WITHDRAWN, NOTHING_ACTIVATED)
        await answers.whisper(action.response_url, message)

    async def _show(self, action: Action, view_id: str, found: RequestRow | Refused) -> None:
        if isinstance(found, Refused):
            view = await self.reception.answers.refusal_modal(action.team, action.user, found)
        else:
            view = outcome_modal(found, WITHDRAWN, NOTHING_ACTIVATED)
        await self.screens.update_modal(view_id, view)


def _press(action: Action) -> Press:
    return Press(action.team, action.user, action.channel, action.ts, action.value)
