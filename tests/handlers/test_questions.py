"""Asking the requestor: one question, one answer, both on the card, each told once; nobody is held up."""

from __future__ import annotations

from typing import Any

import pytest
from bolt_rig import BoltRig, body_of, slack_no, texts
from build import decided
from people import ann, ben, rita, rob, slack_of

from app.decisions.asking import QUESTION_LIMIT
from app.domain.errors import Unavailable
from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Status
from app.domain.row import Question
from app.notifier.wording import notice_message
from app.ports import Notice
from blocks import ids
from blocks.links import GLOBAL

HOSTILE = "<!channel> *now* <https://evil.example|ok>"


async def asked(rig: BoltRig, *, known: bool = True) -> ActivationRequest:
    """Rob's request, which Ann may decide; Rob is known in Slack."""
    request = await rig.house.ask()
    await rig.house.link(ann)
    if known:
        await rig.house.book.matched(request.key, Match(How.BY_MAIL, slack_of(rob)), rig.house.clock())
        await rig.house.paint()
    return request


async def form(rig: BoltRig, request: ActivationRequest) -> str:
    await rig.choose(ann, request, ids.ASK)
    return str(rig.screens.opened[-1][1]["private_metadata"])


async def send(rig: BoltRig, token: str, words: str = "Which mailbox?") -> dict[str, Any]:
    return body_of(await rig.act(rig.written(ann, ids.ASK_MODAL, token, words)))


async def reply(rig: BoltRig, token: str, words: str = "The one of Lee") -> dict[str, Any]:
    return body_of(await rig.act(rig.written(rob, ids.ANSWER_MODAL, token, words)))


async def told(rig: BoltRig, topic: str) -> list[Notice]:
    return [notice for notice in await rig.house.notices() if notice.topic == topic]


async def test_question_and_answer_stand_on_the_card_and_are_told(rig: BoltRig) -> None:
    request = await asked(rig)
    token = await form(rig, request)
    assert "Question sent" in texts((await send(rig, token))["view"])
    (question,) = await told(rig, "question")
    assert question.to_slack == slack_of(rob)
    assert (await rig.house.row(request)).questions == (Question(ann.name, "Which mailbox?"),)
    assert len(await rig.house.outbox.unpainted(10)) == 1

    drawn = notice_message(question, await rig.house.row(request), rig.house.clock(), GLOBAL)
    assert drawn is not None
    await rig.act(rig.press(rob, ids.ANSWER, drawn.blocks[-1]["elements"][0]["value"]))
    assert "Which mailbox?" in texts(rig.screens.opened[-1][1])
    assert "Answer sent" in texts((await reply(rig, token))["view"])
    (answer,) = await told(rig, "answer")
    assert (answer.to_slack, answer.facts["text"]) == (slack_of(ann), "The one of Lee")
    assert (await rig.house.row(request)).questions == (Question(ann.name, "Which mailbox?", "The one of Lee"),)
    assert rig.wakes


async def test_a_requestor_who_is_not_in_slack_cannot_be_asked(rig: BoltRig) -> None:
    request = await asked(rig, known=False)
    await rig.choose(ann, request, ids.ASK)
    assert rig.screens.opened == []
    assert "not known in Slack" in rig.screens.whispers[0].text


async def test_only_who_may_decide_asks(rig: BoltRig) -> None:
    request = await asked(rig)
    await rig.choose(ben, request, ids.ASK)
    assert rig.screens.opened == []
    assert "Sign in" in rig.screens.whispers[0].text


async def test_nobody_else_sends_the_form_or_answers_it(rig: BoltRig) -> None:
    token = await form(rig, await asked(rig))
    stolen = body_of(await rig.act(rig.written(ben, ids.ASK_MODAL, token, "Mine now")))
    assert "not yours" in texts(stolen["view"])
    await send(rig, token)
    stolen = body_of(await rig.act(rig.written(rita, ids.ANSWER_MODAL, token, "Mine now")))
    assert "not yours" in texts(stolen["view"])
    await rig.act(rig.press(rita, ids.ANSWER, token))
    assert "not yours" in rig.screens.whispers[-1].text
    assert await told(rig, "answer") == []


async def test_each_is_sent_once(rig: BoltRig) -> None:
    request = await asked(rig)
    token = await form(rig, request)
    for _ in range(2):
        await send(rig, token)
    for words in ("First", "Second"):
        await reply(rig, token, words)
    assert (await rig.house.row(request)).questions == (Question(ann.name, "Which mailbox?", "First"),)
    assert (len(await told(rig, "question")), len(await told(rig, "answer"))) == (1, 1)


async def test_a_draft_is_nobodys_question(rig: BoltRig) -> None:
    request = await asked(rig)
    token = await form(rig, request)
    assert (await rig.house.row(request)).questions == ()
    await rig.act(rig.press(rob, ids.ANSWER, token))
    assert "not yours" in rig.screens.whispers[-1].text


@pytest.mark.parametrize("words", ["", "   ", "\n"])
async def test_nothing_written_is_said_in_the_form(rig: BoltRig, words: str) -> None:
    token = await form(rig, await asked(rig))
    assert (await send(rig, token, words))["errors"] == {"words": "Write a sentence."}
    assert "Question sent" in texts((await send(rig, token))["view"])


async def test_what_is_too_long_is_cut(rig: BoltRig) -> None:
    request = await asked(rig)
    await send(rig, await form(rig, request), "x" * 3000)
    assert (await rig.house.row(request)).questions[0].text == "x" * QUESTION_LIMIT


async def test_once_decided_nobody_is_asked_and_nobody_answers(rig: BoltRig) -> None:
    request = await asked(rig)
    token, late = await form(rig, request), await form(rig, request)
    await send(rig, token)
    (question,) = await told(rig, "question")
    await rig.house.book.settle(request.key, Status.DENIED, decided(), None, rig.house.clock())
    assert "not waiting any more" in texts((await send(rig, late))["view"])
    assert "not waiting any more" in texts((await reply(rig, token))["view"])
    assert notice_message(question, await rig.house.row(request), rig.house.clock(), GLOBAL) is None


async def test_asking_blocks_nobody(rig: BoltRig) -> None:
    request = await asked(rig)
    await send(rig, await form(rig, request))
    await rig.house.paint()
    await rig.house.link(ben)
    opened = await rig.house.press(ben, request)
    assert type(opened).__name__ == "Opening"


async def test_foreign_words_stay_words(rig: BoltRig) -> None:
    request = await asked(rig)
    token = await form(rig, request)
    await send(rig, token, HOSTILE)
    await reply(rig, token, HOSTILE)
    row = await rig.house.row(request)
    for notice in [*await told(rig, "question"), *await told(rig, "answer")]:
        drawn = notice_message(notice, row, rig.house.clock(), GLOBAL)
        assert drawn is not None
        assert "<!channel>" not in drawn.text
        assert "<https" not in drawn.text


async def test_without_a_database_nothing_is_sent_and_the_form_says_so(
    rig: BoltRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await asked(rig)
    token = await form(rig, request)

    async def gone(*_: object) -> bool:
        raise Unavailable("The database is gone.")

    monkeypatch.setattr(rig.house.questions, "ask", gone)
    assert "could not be recorded" in texts((await send(rig, token))["view"])


async def test_a_form_that_comes_too_late_is_said(rig: BoltRig) -> None:
    request = await asked(rig)
    rig.screens.failures["open_modal"] = slack_no()
    await rig.choose(ann, request, ids.ASK)
    assert "did not open" in rig.screens.whispers[-1].text
