"""Taking a role away, by button and form. No rule lives here."""

from __future__ import annotations

from dataclasses import dataclass

from app.decisions.removing import GoneSince, Outcome, Removing
from app.decisions.values import Press, Waiting
from app.domain.errors import BotError
from app.domain.removal import GONE_SINCE
from app.domain.request import Kind
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why
from app.ports import Clock, Notice, Outbox, Screens, View
from blocks import ids
from blocks.modal import outcome_modal, refused_modal, removing_modal
from blocks.removal import NOT_KNOWN_YET, TAKEN, TITLE, remove_form
from handlers.answers import FORM_NOT_RECORDED
from handlers.payloads import Action, Body, Written, parse_written
from handlers.reception import Ack, Reception, send_back


@dataclass(kw_only=True, slots=True)
class RemovalForms:
    """Opens the form, and carries out what is submitted."""

    reception: Reception
    removing: Removing
    screens: Screens
    outbox: Outbox
    clock: Clock

    async def begin(self, action: Action) -> str:
        """Open the form, or say why there is none."""
        press = Press(action.team, action.user, action.channel, action.ts, action.value)
        found = await self.removing.begin(press)
        answers = self.reception.answers
        if isinstance(found, Refused):
            return await answers.refuse(action, found)
        return await answers.open(action, remove_form(*found))

    async def submitted(self, ack: Ack, body: Body) -> None:
        """Looked at, written down, acknowledged, carried out in the background."""
        written = parse_written(body)
        try:
            row = await self.removing.review(written.team, written.user, written.token, written.words)
            first = await self.reception.take(written, "removal")
        except BotError:
            await ack(response_action="update", view=refused_modal(FORM_NOT_RECORDED))
            return
        if isinstance(row, Refused):
            await send_back(ack, row, ids.WORDS_BLOCK)
            await self.reception.close(written.key, f"refused: {row.why}")
            return
        await ack(response_action="update", view=removing_modal(row))
        if first:
            self.reception.work(written, self._remove(written, row), self.reception.sorry(""))

    async def _remove(self, written: Written, row: RequestRow) -> str:
        outcome = await self.removing.carry_out(written.team, written.user, written.token, written.words)
        self.reception.wake()
        try:
            shown = await self.screens.update_modal(written.view_id, await self._view(written, row.key.kind, outcome))
        except BotError:
            shown = False
        if not shown:  # the form was closed: a direct message instead
            notice = Notice(f"removal:{written.key}", "removal", row.key, to_slack=written.user, facts=_said(outcome))
            await self.outbox.owe(notice, notice.id, self.clock())
        return type(outcome).__name__.lower()

    async def _view(self, written: Written, kind: Kind, outcome: Outcome) -> View:
        answers = self.reception.answers
        if not isinstance(outcome, Refused):
            return outcome_modal(outcome.row, TITLE, _said(outcome)["said"])
        if outcome.why is Why.REFUSED:
            return refused_modal(outcome.text, portal_url=answers.portal.decide(kind))
        return await answers.refusal_modal(written.team, written.user, outcome)


def _said(outcome: Outcome) -> dict[str, str]:
    if isinstance(outcome, Refused):
        return {"said": outcome.text}
    if isinstance(outcome, GoneSince):
        return {"said": GONE_SINCE}
    return {"said": NOT_KNOWN_YET if isinstance(outcome, Waiting) else TAKEN}
