"""Submissions: acknowledged with what happens next, carried out once, and every person hears how it went."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from bolt_rig import BoltRig, BrokenInbox, addresses, body_of, slack_no, texts
from people import ann, ben, slack_of

from app.domain.errors import OutcomeUnknown, SignInRequired, Unavailable
from app.domain.request import ActivationRequest, Verdict, Where
from blocks import ids


async def form(rig: BoltRig, verdict: Verdict = Verdict.APPROVE) -> tuple[ActivationRequest, str]:
    """A request with Ann's open modal; the modal's token."""
    request = await rig.house.ask()
    await rig.house.link(ann)
    return request, await rig.open_form(ann, request, ids.APPROVE if verdict is Verdict.APPROVE else ids.DENY)


def shown(rig: BoltRig) -> str:
    """What the modal says in the end."""
    (update,) = rig.screens.updated
    return texts(update[1])


async def test_an_approval_is_sent_while_the_modal_says_so_and_then_how_it_went(rig: BoltRig) -> None:
    request, token = await form(rig)
    answer = await rig.deliver(rig.submission(ann, token, view_id="V7", comment="Ticket checked"))
    sent = body_of(answer)
    assert (answer.status, sent["response_action"]) == (200, "update")
    assert "Sending to Microsoft" in texts(sent["view"])
    await rig.settled()
    (accepted,) = rig.house.desk.accepted
    assert (accepted.request_id, accepted.justification, accepted.by) == (request.key.id, "Ticket checked", ann.id)
    assert rig.screens.updated[0][0] == "V7"
    assert "You approved this request" in shown(rig)


async def test_how_long_a_decision_took_is_told_with_its_end(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.house.desk.before("decide", lambda: rig.house.clock.advance(timedelta(seconds=3)))
    await rig.act(rig.submission(ann, token, comment="Ticket checked"))
    assert rig.decided == [(Where.SLACK, "done", 3.0)]


async def test_a_denial_is_sent_with_its_reason(rig: BoltRig) -> None:
    _, token = await form(rig, Verdict.DENY)
    await rig.act(rig.submission(ann, token, reason="Not on call"))
    (accepted,) = rig.house.desk.accepted
    assert (accepted.verdict, accepted.justification) == (Verdict.DENY, "Not on call")
    assert "You denied this request" in shown(rig)


async def test_the_modal_shows_progress_with_no_button_left_to_press(rig: BoltRig) -> None:
    _, token = await form(rig)
    answer = body_of(await rig.act(rig.submission(ann, token, comment="Fine")))
    views = [answer["view"], rig.screens.updated[0][1]]
    assert [view["callback_id"] for view in views] == [ids.RESULT_MODAL] * 2
    assert not any("submit" in view for view in views)


async def test_the_painter_hears_of_it_at_once(rig: BoltRig) -> None:
    _, token = await form(rig)
    before = rig.wakes
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert rig.wakes > before


async def test_the_submission_is_a_row_that_is_closed_with_its_fate(rig: BoltRig) -> None:
    _, token = await form(rig)
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert await rig.outcomes() == ["modal opened", "done"]


# What is missing is said in the form


@pytest.mark.parametrize(
    "verdict, block", [(Verdict.DENY, ids.REASON_BLOCK), (Verdict.APPROVE, ids.COMMENT_BLOCK)], ids=str
)
@pytest.mark.parametrize("written", ["", "   ", "\n"])
async def test_a_missing_text_is_an_error_on_its_own_block(
    rig: BoltRig, verdict: Verdict, block: str, written: str
) -> None:
    _, token = await form(rig, verdict)
    answer = body_of(await rig.act(rig.submission(ann, token, **{block: written})))
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [block]
    assert (rig.house.desk.sent, rig.screens.updated) == ([], [])
    assert await rig.outcomes() == ["modal opened", "refused: comment_missing"]


async def test_a_null_text_is_a_missing_text(rig: BoltRig) -> None:
    _, token = await form(rig, Verdict.DENY)
    payload = rig.submission(ann, token, reason="")
    payload["view"]["state"]["values"]["reason"]["pim_reason"]["value"] = None
    assert body_of(await rig.act(payload))["response_action"] == "errors"


@pytest.mark.parametrize(
    "written, sent", [("", "The ticket is missing."), ("See CHG-1", "The ticket is missing. See CHG-1")]
)
async def test_a_ready_made_reason_is_enough_and_goes_before_ones_own(rig: BoltRig, written: str, sent: str) -> None:
    _, token = await form(rig, Verdict.DENY)
    payload = rig.submission(ann, token, reason=written)
    chosen = {"type": "radio_buttons", "selected_option": {"value": "The ticket is missing."}}
    payload["view"]["state"]["values"]["template"] = {"pim_template": chosen}
    await rig.act(payload)
    assert [one.justification for one in rig.house.desk.accepted] == [sent]


async def test_after_the_error_the_same_form_can_be_sent(rig: BoltRig) -> None:
    _, token = await form(rig, Verdict.DENY)
    await rig.act(rig.submission(ann, token, reason=""))
    await rig.act(rig.submission(ann, token, reason="Not on call"))
    assert len(rig.house.desk.accepted) == 1


# Forms that are not this person's


def refusal(answer: dict[str, Any]) -> str:
    assert answer["response_action"] == "update"
    assert "submit" not in answer["view"]
    return texts(answer["view"])


async def test_a_form_of_another_person_is_refused(rig: BoltRig) -> None:
    _, token = await form(rig)
    await rig.house.link(ben)
    assert "not yours" in refusal(body_of(await rig.act(rig.submission(ben, token, comment="Fine"))))
    assert rig.house.desk.sent == []


@pytest.mark.parametrize("token", ["", "nobody-knows", '{"r":"r1","v":1,"d":"approve"}', "x" * 3000])
async def test_a_token_nobody_knows_is_refused(rig: BoltRig, token: str) -> None:
    await rig.house.link(ann)
    assert "Not done" in refusal(body_of(await rig.act(rig.submission(ann, token, comment="Fine"))))


# Refused by the pipeline


async def test_a_refusal_after_the_ack_is_shown_in_the_modal(rig: BoltRig) -> None:
    request, token = await form(rig)
    rig.house.desk.elsewhere(request.key.id, ben, Verdict.DENY)
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert "Ben Bauer already denied" in shown(rig)
    assert rig.house.desk.accepted == []


async def test_whose_session_ended_gets_an_address_of_their_own_in_the_modal(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.house.tokens.failures[ann.id] = SignInRequired()
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert len(addresses(rig.screens.updated[0][1])) == 1
    assert rig.house.desk.sent == []


async def test_an_answer_that_does_not_come_is_told_as_it_is(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.house.desk.fail("decide", OutcomeUnknown())
    rig.house.desk.turn = _deaf_after_sending(rig)
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert "Nothing is sent twice" in shown(rig)
    assert (await rig.outcomes())[-1] == "waiting"


# Once


async def test_a_replayed_submission_is_acknowledged_and_decides_nothing_more(rig: BoltRig) -> None:
    _, token = await form(rig)
    payload = rig.submission(ann, token, comment="Fine")
    answers = [await rig.act(payload) for _ in range(3)]
    assert {answer.status for answer in answers} == {200}
    assert (len(rig.house.desk.sent), len(rig.screens.updated)) == (1, 1)


async def test_twenty_replays_at_once_are_one_decision(rig: BoltRig) -> None:
    _, token = await form(rig)
    payload = rig.submission(ann, token, comment="Fine")
    await asyncio.gather(*(rig.deliver(payload) for _ in range(20)))
    await rig.settled()
    assert (len(rig.house.desk.sent), len(await rig.house.sql("SELECT id FROM intents"))) == (1, 1)


async def test_the_same_form_sent_twice_is_one_accepted_decision(rig: BoltRig) -> None:
    _, token = await form(rig)
    first, second = (rig.submission(ann, token, comment="Fine") for _ in range(2))
    await asyncio.gather(rig.deliver(first), rig.deliver(second))
    await rig.settled()
    assert len(rig.house.desk.accepted) == 1
    assert len(rig.screens.updated) == 2


# Closed modals


async def fates(rig: BoltRig) -> list[tuple[str, str]]:
    owed = [notice for notice in await rig.house.notices() if notice.topic == "fate"]
    return [(notice.to_slack, notice.facts["refused"]) for notice in owed]


async def test_who_closed_the_modal_is_owed_a_direct_message(rig: BoltRig) -> None:
    request, token = await form(rig)
    rig.screens.closed.add("V7")
    await rig.act(rig.submission(ann, token, view_id="V7", comment="Fine"))
    assert await fates(rig) == [(slack_of(ann), "")]
    (notice,) = [notice for notice in await rig.house.notices() if notice.topic == "fate"]
    assert notice.key == request.key


async def test_a_refusal_is_told_there_too(rig: BoltRig) -> None:
    request, token = await form(rig)
    rig.screens.closed.add("V7")
    rig.house.desk.elsewhere(request.key.id, ben, Verdict.DENY)
    await rig.act(rig.submission(ann, token, view_id="V7", comment="Fine"))
    ((_, said),) = await fates(rig)
    assert "Ben Bauer already denied" in said


async def test_a_modal_that_slack_cannot_update_is_as_good_as_closed(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.screens.failures["update_modal"] = slack_no("internal")
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert await fates(rig) == [(slack_of(ann), "")]


async def test_who_still_has_the_modal_open_is_owed_nothing(rig: BoltRig) -> None:
    _, token = await form(rig)
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert await fates(rig) == []


async def test_while_nobody_knows_there_is_nothing_to_tell_yet(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.screens.closed.add("V7")
    rig.house.desk.fail("decide", OutcomeUnknown())
    rig.house.desk.turn = _deaf_after_sending(rig)
    await rig.act(rig.submission(ann, token, view_id="V7", comment="Fine"))
    assert await fates(rig) == []


def _deaf_after_sending(rig: BoltRig) -> Any:  # noqa: ANN401 - the desk's own type of hook
    async def turn(method: str) -> None:
        if method == "decide":
            rig.house.desk.fail("steps", Unavailable(), times=100)

    return turn


# When something is broken


async def test_without_a_database_nothing_is_sent_and_the_modal_says_so(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable())
    assert "nothing was sent" in refusal(body_of(await rig.act(rig.submission(ann, token, comment="Fine"))))
    assert rig.house.desk.sent == []


@pytest.mark.parametrize("problem", [Unavailable(), RuntimeError("a bug")])
async def test_a_failure_before_the_ack_is_a_sentence_in_the_modal(
    rig: BoltRig, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def fail(_: object) -> None:
        raise problem

    _, token = await form(rig)
    monkeypatch.setattr(rig.house.cards, "modal", fail)
    answer = await rig.act(rig.submission(ann, token, comment="Fine"))
    assert answer.status == 200
    assert "Not done" in refusal(body_of(answer))


async def test_a_bug_after_the_ack_is_a_sentence_in_the_modal(
    rig: BoltRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: object) -> None:
        raise RuntimeError("a bug")

    _, token = await form(rig)
    monkeypatch.setattr(rig.house.book, "sending", fail)
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert "look at the card" in shown(rig)
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.ERROR]


async def test_a_row_that_cannot_be_closed_does_not_unsay_a_decision(rig: BoltRig) -> None:
    _, token = await form(rig)
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable(), takes=True)
    await rig.act(rig.submission(ann, token, comment="Fine"))
    assert "You approved this request" in shown(rig)


async def test_a_row_that_cannot_be_closed_does_not_unsay_an_error(rig: BoltRig) -> None:
    _, token = await form(rig, Verdict.DENY)
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable(), takes=True)
    assert body_of(await rig.act(rig.submission(ann, token, reason="")))["response_action"] == "errors"
