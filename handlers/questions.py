"""Questions to requestors and their answers, by buttons and forms. No rule lives here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.decisions.asking import ANSWER_LIMIT, QUESTION_LIMIT, Asking
from app.decisions.values import Press
from app.domain.errors import BotError
from app.domain.row import RequestRow
from app.domain.ruling import Refused
from blocks import ids
from blocks.modal import outcome_modal, refused_modal
from blocks.questions import answer_form, question_form
from handlers.answers import FORM_NOT_RECORDED
from handlers.payloads import Action, Body, parse_written
from handlers.reception import Ack, Reception, send_back

Take = Callable[[str, str, str, str], Awaitable[RequestRow | Refused]]


@dataclass(kw_only=True, slots=True)
class QuestionForms:
    """Listeners for the two forms, and what opens them."""

    reception: Reception
    asking: Asking

    async def begin(self, action: Action, press: Press) -> str:
        """Open the form of the question."""
        draft = await self.asking.begin(press)
        if isinstance(draft, Refused):
            return await self.reception.answers.refuse(action, draft)
        row = await self.asking.openings.book.find(draft.key)
        if row is None:
            return "gone"
        return await self.reception.answers.open(action, question_form(row, draft.id, QUESTION_LIMIT))

    async def read(self, action: Action) -> str:
        """Open the form of the answer, for whoever was asked."""
        found = await self.asking.read(action.team, action.user, action.value)
        if isinstance(found, Refused):
            return await self.reception.answers.refuse(action, found)
        row, question = found
        return await self.reception.answers.open(action, answer_form(row, question.id, question.text, ANSWER_LIMIT))

    async def asked(self, ack: Ack, body: Body) -> None:
        """A question was sent off."""
        await self._written(ack, body, self.asking.ask, "Question sent")

    async def answered(self, ack: Ack, body: Body) -> None:
        """An answer was sent off."""
        await self._written(ack, body, self.asking.answer, "Answer sent")

    async def _written(self, ack: Ack, body: Body, take: Take, done: str) -> None:
        """It is one short transaction, so the ack itself says how it went."""
        written = parse_written(body)
        try:
            first = await self.reception.take(written, "written")
            taken = await take(written.team, written.user, written.token, written.words) if first else None
        except BotError:
            await ack(response_action="update", view=refused_modal(FORM_NOT_RECORDED))
            return
        if isinstance(taken, RequestRow):
            await ack(response_action="update", view=outcome_modal(taken, done, "It stands on the card now."))
            self.reception.wake()
        elif taken is not None:
            await send_back(ack, taken, ids.WORDS_BLOCK)
        else:
            await ack()
        await self.reception.close(written.key, done if isinstance(taken, RequestRow) else "refused")
