"""Asking the requestor before deciding: a question by modal, an answer by modal, both on the card. It decides nothing.

The fuse keeps running, and nobody is held up: others may decide meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.decisions.opening import NOT_PENDING, Openings
from app.decisions.values import Press
from app.domain.request import Status
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why
from app.ports import Clock, Questions, StoredQuestion

QUESTION_LIMIT, ANSWER_LIMIT = 300, 500  # characters
NOT_YOURS = Refused(Why.UNKNOWN_CARD, "This form is not yours, or it was used already. Nothing was changed.")
NOT_IN_SLACK = Refused(
    Why.UNKNOWN_CARD,
    "The requestor is not known in Slack, so nobody can be asked here. Nothing was sent; ask them by mail or phone.",
)
NOTHING_WRITTEN = Refused(Why.COMMENT_MISSING, "Write a sentence.")


@dataclass(kw_only=True, slots=True)
class Asking:
    """Questions of approvers and answers of requestors.

    `new_token`: 128 random bits or more, URL-safe; a question is found again by nothing else.
    """

    openings: Openings
    questions: Questions
    clock: Clock
    new_token: Callable[[], str]

    async def begin(self, press: Press) -> StoredQuestion | Refused:
        """A question that is not written yet, for the form of whoever may decide this."""
        found = await self.openings.allowed(press)
        if isinstance(found, Refused):
            return found
        row, link = found
        if not row.match.slack_user:
            return NOT_IN_SLACK
        draft = StoredQuestion(
            id=self.new_token(),
            key=row.key,
            team=press.team,
            asker=link.person,
            asker_slack=press.user,
            asked_slack=row.match.slack_user,
        )
        await self.questions.draft(draft, self.clock())
        return draft

    async def ask(self, team: str, user: str, question_id: str, words: str) -> RequestRow | Refused:
        """Send what was written to the requestor, once."""
        draft = await self.questions.find(question_id)
        if draft is None or (draft.team, draft.asker_slack) != (team, user):
            return NOT_YOURS
        if not words.strip():
            return NOTHING_WRITTEN
        row = await self.openings.book.find(draft.key)
        if row is None or row.status is not Status.PENDING:
            return NOT_PENDING
        asked = await self.questions.ask(draft, words.strip()[:QUESTION_LIMIT], self.clock())
        return row if asked else NOT_YOURS

    async def read(self, team: str, user: str, question_id: str) -> tuple[RequestRow, StoredQuestion] | Refused:
        """A question that waits for this person's answer."""
        question = await self.questions.find(question_id)
        if question is None or not question.text or (question.team, question.asked_slack) != (team, user):
            return NOT_YOURS
        row = await self.openings.book.find(question.key)
        if row is None or row.status is not Status.PENDING:
            return NOT_PENDING
        return NOT_YOURS if question.answer else (row, question)

    async def answer(self, team: str, user: str, question_id: str, words: str) -> RequestRow | Refused:
        """Put the answer on the card and tell whoever asked, once."""
        found = await self.read(team, user, question_id)
        if isinstance(found, Refused):
            return found
        if not words.strip():
            return NOTHING_WRITTEN
        row, question = found
        answered = await self.questions.answer(question, words.strip()[:ANSWER_LIMIT], self.clock())
        return row if answered else NOT_YOURS
