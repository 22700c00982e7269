"""Questions to requestors and their answers. Each is written, put on the card and told in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, Person, RequestKey
from app.ports import Notice, StoredQuestion
from app.store import notices
from app.store.repainting import repaint_pending
from app.store.rows import person_of, person_values
from app.store.tables import questions
from app.store.writer import Store


class StoredQuestions:
    """Implements `ports.Questions`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def draft(self, question: StoredQuestion, now: datetime) -> None:
        """Remember whose form it is."""
        row = {
            "id": question.id,
            "kind": question.key.kind,
            "request_id": question.key.id,
            "team": question.team,
            **person_values("asker", question.asker),
            "asker_slack": question.asker_slack,
            "asked_slack": question.asked_slack,
            "text": "",
            "answer": "",
            "opened": now,
        }
        await self._store.write(lambda connection: connection.execute(insert(questions).values(**row)))

    async def find(self, question_id: str) -> StoredQuestion | None:
        """One question, in whatever state."""
        wanted = select(questions).where(questions.c.id == question_id)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        row = found.mappings().one_or_none()
        if row is None:
            return None
        return StoredQuestion(
            id=row["id"],
            key=RequestKey(Kind(row["kind"]), row["request_id"]),
            team=row["team"],
            asker=person_of(row, "asker") or Person(""),
            asker_slack=row["asker_slack"],
            asked_slack=row["asked_slack"],
            text=row["text"],
            answer=row["answer"],
        )

    async def ask(self, question: StoredQuestion, text: str, now: datetime) -> bool:
        """Send it, once."""
        told = Notice(
            f"question:{question.id}",
            "question",
            question.key,
            to_slack=question.asked_slack,
            facts={"id": question.id, "by": question.asker.label, "text": text},
        )
        return await self._store.write(lambda connection: _ask(connection, question, text, told, now))

    async def answer(self, question: StoredQuestion, text: str, now: datetime) -> bool:
        """Answer it, once."""
        told = Notice(
            f"answer:{question.id}",
            "answer",
            question.key,
            to_slack=question.asker_slack,
            facts={"text": text, "question": question.text},
        )
        return await self._store.write(lambda connection: _answer(connection, question, text, told, now))


async def _ask(connection: AsyncConnection, question: StoredQuestion, text: str, told: Notice, now: datetime) -> bool:
    if not await repaint_pending(connection, question.key):
        return False
    draft = and_(questions.c.id == question.id, questions.c.text == "")
    written = await connection.execute(update(questions).where(draft).values(text=text, asked_at=now))
    return written.rowcount == 1 and await notices.owe(connection, told, told.id, now)


async def _answer(
    connection: AsyncConnection, question: StoredQuestion, text: str, told: Notice, now: datetime
) -> bool:
    if not await repaint_pending(connection, question.key):
        return False
    waiting = and_(questions.c.id == question.id, questions.c.text != "", questions.c.answer == "")
    written = await connection.execute(update(questions).where(waiting).values(answer=text, answered_at=now))
    return written.rowcount == 1 and await notices.owe(connection, told, told.id, now)
