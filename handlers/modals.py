"""Submitted decision modals: acknowledged with "Sending to Microsoft…", then updated with what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.decisions.deciding import Decisions
from app.decisions.sending import Fate
from app.decisions.values import Submission, Verify, Waiting
from app.domain.errors import BotError
from app.domain.request import RequestKey, Status, Where
from app.domain.ruling import Refused
from app.ports import Clock, Notice, Outbox, Screens, View
from blocks.modal import outcome_modal, refused_modal, sending_modal
from handlers.answers import FORM_NOT_RECORDED
from handlers.payloads import Body, Submitted, parse_submission
from handlers.reception import Ack, Reception, send_back

FAILED = "Something went wrong on our side. Close this and look at the card: it shows what is true."
VERIFY_LATER = (
    "A newer sign-in is needed to decide this request. Nothing was sent; press the button on its card again, and the "
    "form will take you there."
)
STILL_LOOKING = (
    "Microsoft has not said what became of your decision. Nothing is sent twice: we keep asking, the card will show "
    "the answer, and you will get a direct message."
)


@dataclass(kw_only=True, slots=True)
class Modals:
    """Listeners for view submissions. `decided` hears where, to what end and within how many seconds."""

    reception: Reception
    decisions: Decisions
    screens: Screens
    outbox: Outbox
    clock: Clock
    decided: Callable[[Where, str, float], None] = lambda _where, _outcome, _seconds: None

    async def submitted(self, ack: Ack, body: Body) -> None:
        """A decision: looked at, written down, acknowledged, carried out in the background."""
        submitted = parse_submission(body)
        if submitted is None:
            await ack(response_action="update", view=refused_modal(FORM_NOT_RECORDED))
            return
        try:
            shown = await self.decisions.review(_submission(submitted))
            fresh = await self.reception.take(submitted, "submission")
        except BotError:
            await ack(response_action="update", view=refused_modal(FORM_NOT_RECORDED))
            return
        if isinstance(shown, Refused):
            await send_back(ack, shown, submitted.block_id)
            await self.reception.close(submitted.key, f"refused: {shown.why}")
            return
        await ack(response_action="update", view=sending_modal(shown.row, shown.verdict))
        if fresh:
            self.reception.work(submitted, self._decide(submitted, shown.row.key), self._failed(submitted))

    async def _decide(self, submitted: Submitted, key: RequestKey) -> str:
        began = self.clock()
        fate = await self.decisions.decide(_submission(submitted))
        outcome = type(fate).__name__.lower()
        self.decided(Where.SLACK, outcome, (self.clock() - began).total_seconds())
        self.reception.wake()
        if not await self._show(submitted, await self._view(submitted, fate)):
            await self._tell(submitted, key, fate)
        return outcome

    async def _view(self, submitted: Submitted, fate: Fate | Verify) -> View:
        if isinstance(fate, Verify):
            return await self.reception.answers.verification(fate)
        if isinstance(fate, Refused):
            return await self.reception.answers.refusal_modal(submitted.team, submitted.user, fate)
        if isinstance(fate, Waiting):
            return outcome_modal(fate.row, "No answer yet", STILL_LOOKING)
        approved = fate.row.status is Status.APPROVED
        body = "Microsoft activates the role now." if approved else "Nothing was activated. The requestor is told why."
        return outcome_modal(fate.row, f"You {'approved' if approved else 'denied'} this request", body)

    async def _show(self, submitted: Submitted, view: View) -> bool:
        try:
            return await self.screens.update_modal(submitted.view_id, view)
        except BotError:
            return False  # the modal cannot be reached: a direct message says the same

    async def _tell(self, submitted: Submitted, key: RequestKey, fate: Fate | Verify) -> None:
        """The modal was closed: a direct message instead. While waiting there is nothing to tell yet."""
        if isinstance(fate, Waiting):
            return
        refused = fate.text if isinstance(fate, Refused) else VERIFY_LATER if isinstance(fate, Verify) else ""
        notice = Notice(submitted.key, "fate", key, to_slack=submitted.user, facts={"refused": refused})
        await self.outbox.owe(notice, f"fate:{submitted.key}", self.clock())

    def _failed(self, submitted: Submitted) -> Callable[[], Awaitable[None]]:
        async def failed() -> None:
            await self._show(submitted, refused_modal(FAILED))

        return failed


def _submission(submitted: Submitted) -> Submission:
    return Submission(submitted.team, submitted.user, submitted.token, submitted.comment, submitted.view_id)
