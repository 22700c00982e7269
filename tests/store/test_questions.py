"""Questions on both databases: a draft says nothing, each is asked once and answered once, and only while it counts."""

from __future__ import annotations

import asyncio

import pytest
from build import NOW, a_request, decided, guid, seen
from people import TEAM, ann, rob, slack_of

from app.domain.request import ActivationRequest, Status
from app.domain.row import Question
from app.ports import StoredQuestion
from app.store.outbox import StoredOutbox
from app.store.questions import StoredQuestions
from app.store.request_book import StoredRequests
from app.store.writer import Store

WORDS, ANSWER = "Which mailbox, and why now?", "The leaver's; legal asked today."


@pytest.fixture
def questions(store: Store) -> StoredQuestions:
    return StoredQuestions(store)


@pytest.fixture
async def request_(book: StoredRequests) -> ActivationRequest:
    request = a_request()
    await book.remember([seen(request)], NOW)
    return request


async def drafted(questions: StoredQuestions, request: ActivationRequest) -> StoredQuestion:
    question = StoredQuestion(guid(), request.key, TEAM, ann, slack_of(ann), slack_of(rob))
    await questions.draft(question, NOW)
    found = await questions.find(question.id)
    assert found == question
    return question


async def shown(book: StoredRequests, request: ActivationRequest) -> tuple[Question, ...]:
    row = await book.find(request.key)
    assert row is not None
    return row.questions


async def test_a_draft_is_on_no_card_and_tells_nobody(
    questions: StoredQuestions, book: StoredRequests, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    await drafted(questions, request_)
    assert await shown(book, request_) == ()
    assert await outbox.due_notices(NOW, 10) == []


async def test_a_question_and_its_answer_stand_on_the_card_and_tell_the_other(
    questions: StoredQuestions, book: StoredRequests, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    question = await drafted(questions, request_)
    assert await questions.ask(question, WORDS, NOW)
    assert await shown(book, request_) == (Question(ann.label, WORDS),)
    asked = await questions.find(question.id)
    assert asked is not None
    assert await questions.answer(asked, ANSWER, NOW)
    assert await shown(book, request_) == (Question(ann.label, WORDS, ANSWER),)
    told = {notice.topic: (notice.to_slack, notice.facts["text"]) for notice in await outbox.due_notices(NOW, 10)}
    assert told == {"question": (slack_of(rob), WORDS), "answer": (slack_of(ann), ANSWER)}


async def test_of_many_at_once_one_is_asked_and_one_answered(
    questions: StoredQuestions, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    question = await drafted(questions, request_)
    asked = await asyncio.gather(*(questions.ask(question, f"{WORDS} {n}", NOW) for n in range(8)))
    found = await questions.find(question.id)
    assert found is not None
    answered = await asyncio.gather(*(questions.answer(found, f"{ANSWER} {n}", NOW) for n in range(8)))
    assert (sum(asked), sum(answered), len(await outbox.due_notices(NOW, 10))) == (1, 1, 2)


async def test_before_it_is_asked_there_is_nothing_to_answer(
    questions: StoredQuestions, request_: ActivationRequest
) -> None:
    assert not await questions.answer(await drafted(questions, request_), ANSWER, NOW)


async def test_once_it_is_decided_nobody_asks_or_answers(
    questions: StoredQuestions, book: StoredRequests, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    early, late = await drafted(questions, request_), await drafted(questions, request_)
    assert await questions.ask(early, WORDS, NOW)
    await book.settle(request_.key, Status.DENIED, decided(), None, NOW)
    assert not await questions.ask(late, WORDS, NOW)
    assert not await questions.answer(early, ANSWER, NOW)
    assert "answer" not in {notice.topic for notice in await outbox.due_notices(NOW, 10)}


async def test_a_question_nobody_knows_is_none(questions: StoredQuestions) -> None:
    assert await questions.find("made up") is None


async def test_cards_are_painted_anew_when_one_is_asked_and_answered(
    questions: StoredQuestions, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    async def painted() -> int:
        """How many cards were behind."""
        behind = await outbox.unpainted(10)
        for card, row in behind:
            await outbox.painted(card, card.ts or "17.1", row.version)
        return len(behind)

    assert await painted() == 1
    question = await drafted(questions, request_)
    assert await painted() == 0
    await questions.ask(question, WORDS, NOW)
    assert await painted() == 1
    found = await questions.find(question.id)
    assert found is not None
    await questions.answer(found, ANSWER, NOW)
    assert await painted() == 1
