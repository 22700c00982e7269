"""After kill -9, or when a fate stayed unknown: what is true is found out, and nothing that counts is sent twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from build import NOW, a_request, an_intent
from fakes import ALWAYS, APP, ProcessKilled
from people import ann, ben, cleo, slack_of
from use_cases.house import SETTLE_SECONDS, House

from app.decisions.sending import GRACE, SEND_AGAIN_WITHIN
from app.domain.errors import GraphRefused, Unavailable
from app.domain.request import ActivationRequest, Decided, Status, Verdict, Where
from app.ports import Intent

SECOND = timedelta(seconds=1)
FORBIDDEN = GraphRefused("Microsoft refused: no", status=403)


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann and Ben are signed in and may decide."""
    await house.link(ann, ben)
    return await house.ask()


async def claimed(house: House, request: ActivationRequest, **over: Any) -> Intent:  # noqa: ANN401 - of an intent
    """The process died after Ann's claim, before anything was sent."""
    intent = an_intent(request, ann, step=house.desk.held[request.key.id].step, **over)
    assert await house.book.claim(intent) is not None
    return intent


async def killed(house: House, request: ActivationRequest, *, late: bool = False) -> None:
    """The process dies while Ann's decision is under way: before Microsoft processed it, or right after."""

    async def die(_: str = "") -> None:
        raise ProcessKilled

    async def die_at_the_answer(method: str) -> None:
        if method == "answer":
            raise ProcessKilled

    if late:
        house.desk.turn = die_at_the_answer
    else:
        house.desk.before("decide", die)
    with pytest.raises(ProcessKilled):
        await house.decide(ann, request)
    house.desk.turn = None


async def resumed(house: House) -> None:
    """A new process, and its first round."""
    house.restart()
    await house.courier.resume(after_start=True)


async def mine(house: House, request: ActivationRequest) -> None:
    """Ann approved it in Slack, it is written down once, and she is told once."""
    row = await house.row(request)
    assert row.decided is not None
    assert (row.status, row.decided.by, row.decided.where) == (Status.APPROVED, ann, Where.SLACK)
    assert [(entry.what, entry.who) for entry in await house.audit(request)] == [("approved", ann.id)]
    told = [notice for notice in await house.notices() if notice.topic == "fate"]
    assert [(notice.to_slack, notice.facts) for notice in told] == [("U0ANN00001", {"refused": ""})]


async def given_back(house: House, request: ActivationRequest, words: str) -> None:
    """Anybody may decide it again, and Ann is told why."""
    assert (await house.row(request)).status is Status.PENDING
    assert [(entry.what, entry.who) for entry in await house.audit(request)] == [("released", ann.id)]
    (notice,) = await house.notices()
    assert (notice.topic, notice.to_slack, words in notice.facts["refused"]) == ("fate", "U0ANN00001", True)


# --- kill -9 at every step ---


async def test_a_crash_after_the_claim_sends_once(house: House, activation: ActivationRequest) -> None:
    await claimed(house, activation)
    await resumed(house)
    assert (len(house.desk.sent), await house.outcomes()) == (1, [("mine", 1)])
    await mine(house, activation)


# --- somebody writes to the database ---


@pytest.mark.parametrize(
    "change",
    [
        "verdict = 'Deny'",
        "justification = 'Because I say so'",
        "digest = 'another'",
        f"approver_oid = '{ben.id}', slack_user = '{slack_of(ben)}'",
        f"slack_user = '{slack_of(ben)}'",
        "place = 'api'",
        "at = '2026-11-23 09:29:00.000000'",
        "seal = ''",
        "id = 'another'",
    ],
    ids=lambda change: change.split(" =")[0],
)
async def test_a_decision_that_somebody_wrote_into_the_database_is_never_sent(
    house: House, activation: ActivationRequest, change: str
) -> None:
    """Whoever can write to the database, and no more, cannot decide with the session of somebody who is signed in."""
    await claimed(house, activation)
    await house.edit(f"UPDATE intents SET {change}")  # noqa: S608 - from the table above
    await house.edit("UPDATE requests SET intent_id = (SELECT id FROM intents)")
    await resumed(house)
    assert (house.desk.sent, (await house.row(activation)).status) == ([], Status.PENDING)
    (notice,) = await house.notices()
    assert "not what the bot wrote down" in notice.facts["refused"]


async def test_a_crash_before_microsoft_took_it_sends_once_more(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation)
    assert await house.outcomes() == [("sending", 1)]
    await resumed(house)
    assert (len(house.desk.accepted), await house.outcomes()) == (1, [("mine", 2)])
    await mine(house, activation)


async def test_a_crash_after_microsoft_took_it_sends_nothing(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation, late=True)
    await resumed(house)
    (entry,) = await house.audit(activation)
    assert json.loads(entry.facts)["client_request_id"] == house.desk.sent[0].call  # known without a memory
    assert (len(house.desk.sent), await house.outcomes()) == (1, [("mine", 1)])
    await mine(house, activation)


async def test_a_crash_while_replicas_lag_sends_again_and_only_one_counts(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lag = 2
    await killed(house, activation, late=True)
    await resumed(house)
    assert (len(house.desk.sent), len(house.desk.accepted)) == (2, 1)
    await mine(house, activation)


async def test_resuming_twice_changes_nothing_more(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation)
    for _ in range(3):
        await resumed(house)
    await mine(house, activation)
    assert len(house.desk.accepted) == 1


async def test_somebody_else_decided_during_the_crash(house: House, activation: ActivationRequest) -> None:
    await claimed(house, activation)
    house.desk.elsewhere(activation.key.id, cleo, Verdict.DENY, "No")
    await resumed(house)
    row = await house.row(activation)
    assert (row.status, row.decided) == (Status.DENIED, Decided(NOW, Where.OUTSIDE, cleo, "No"))
    assert (house.desk.sent, await house.outcomes()) == ([], [("theirs", 0)])
    (told,) = [notice for notice in await house.notices() if notice.topic == "fate"]
    assert told.facts["refused"].startswith("Cleo Chen already denied")


# --- how old, and how often ---


@pytest.mark.parametrize("age,sends", [(SEND_AGAIN_WITHIN - SECOND, 1), (SEND_AGAIN_WITHIN, 0)])
async def test_an_intent_is_sent_again_only_within_15_minutes(
    house: House, activation: ActivationRequest, age: timedelta, sends: int
) -> None:
    await claimed(house, activation)
    house.clock.advance(age)
    await resumed(house)
    assert timedelta(minutes=15) == SEND_AGAIN_WITHIN
    assert len(house.desk.sent) == sends


async def test_an_old_intent_that_is_still_live_is_given_back(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation)
    house.clock.advance(SEND_AGAIN_WITHIN)
    await resumed(house)
    assert (house.desk.sent, await house.outcomes()) == ([], [("not_taken", 1)])
    await given_back(house, activation, "did not take the decision")


async def test_a_decision_is_sent_again_only_once(house: House, activation: ActivationRequest) -> None:
    house.desk.before("decide", _die)
    with pytest.raises(ProcessKilled):
        await house.decide(ann, activation)
    house.desk.before("decide", _die)
    with pytest.raises(ProcessKilled):
        await resumed(house)
    await resumed(house)
    assert (len(house.desk.sent), await house.outcomes()) == (0, [("not_taken", 2)])
    await given_back(house, activation, "did not take the decision")


def _die() -> None:
    raise ProcessKilled


async def test_a_resumed_decision_that_is_refused_is_given_back(house: House, activation: ActivationRequest) -> None:
    await claimed(house, activation)
    house.desk.fail("decide", GraphRefused("Microsoft refused: policy", status=400))
    await resumed(house)
    await given_back(house, activation, "Microsoft refused: policy")


async def test_a_resumed_decision_whose_answer_is_lost_is_read_back(
    house: House, activation: ActivationRequest
) -> None:
    await claimed(house, activation)
    house.desk.lose_answer_after()
    await resumed(house)
    await mine(house, activation)


# --- whose business it is ---


@pytest.mark.parametrize("late,touched", [(0.0, False), (1.0, True)])
async def test_a_running_process_takes_up_only_what_is_left_behind(
    house: House, activation: ActivationRequest, late: float, touched: object
) -> None:
    await claimed(house, activation)
    house.clock.advance(timedelta(seconds=SETTLE_SECONDS + GRACE + late))
    await house.courier.resume(after_start=False)
    assert bool(house.desk.sent) is touched


async def test_what_this_very_process_is_sending_is_left_alone(house: House, activation: ActivationRequest) -> None:
    reads = []

    async def resume_meanwhile() -> None:
        await house.courier.resume(after_start=True)
        reads.append(house.desk.count("steps"))

    house.desk.before("decide", resume_meanwhile)
    await house.decide(ann, activation)
    assert (reads, len(house.desk.sent)) == ([1], 1)


# --- when the approver's own session cannot tell ---


async def test_without_a_link_anybody_may_tell_that_it_was_mine(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation, late=True)
    await house.sign_out(ann)
    await resumed(house)
    await mine(house, activation)
    assert house.desk.count("steps", ben.id) == 1


async def test_with_a_session_that_is_over_anybody_may_tell(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation, late=True)
    house.tokens.over.add(ann.id)
    await resumed(house)
    await mine(house, activation)


async def test_what_nobody_may_name_is_settled_without_a_name_after_a_while(
    house: House, activation: ActivationRequest
) -> None:
    await killed(house, activation, late=True)
    await house.sign_out(ann)
    house.desk.fail("steps", FORBIDDEN, times=ALWAYS)
    house.clock.advance(SEND_AGAIN_WITHIN - SECOND)
    await resumed(house)
    assert (await house.row(activation)).status is Status.DECIDING
    house.clock.advance(SECOND)
    await resumed(house)
    row = await house.row(activation)
    assert (row.status, row.decided) == (Status.APPROVED, Decided(house.clock(), Where.OUTSIDE))
    assert [(entry.what, entry.who) for entry in await house.audit(activation)] == [("approved", "")]


async def test_an_outage_of_the_steps_does_not_cost_the_name(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation, late=True)
    await house.sign_out(ann)
    house.desk.fail("steps", Unavailable(), times=2)
    for status in (Status.DECIDING, Status.APPROVED):
        await resumed(house)
        assert (await house.row(activation)).status is status
    await mine(house, activation)


async def test_without_a_link_a_live_request_keeps_the_claim_while_it_is_young(
    house: House, activation: ActivationRequest
) -> None:
    await killed(house, activation)
    await house.sign_out(ann)
    await resumed(house)
    assert (await house.row(activation)).status is Status.DECIDING
    house.clock.advance(SEND_AGAIN_WITHIN)
    await resumed(house)
    assert house.desk.sent == []
    await given_back(house, activation, "did not reach Microsoft")


async def test_nobody_who_can_read_means_nothing_is_concluded(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation, late=True)
    house.desk.fail("steps", Unavailable(), times=ALWAYS)
    house.desk.fail("fetch", Unavailable(), times=ALWAYS)
    house.clock.advance(timedelta(hours=24))
    await resumed(house)
    assert ((await house.row(activation)).status, await house.outcomes()) == (Status.DECIDING, [("sending", 1)])
    house.desk.heal()
    await resumed(house)
    await mine(house, activation)


@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_request_that_ended_undecided_during_the_crash_is_settled(house: House, signed_in: object) -> None:
    await house.link(ann, ben)
    request = await house.ask(a_request(created=NOW - timedelta(hours=23, minutes=59)))
    await killed(house, request)
    if not signed_in:
        await house.sign_out(ann)
    house.clock.advance(timedelta(minutes=1))
    await resumed(house)
    assert (await house.row(request)).status is Status.EXPIRED
    assert await house.outcomes() == [("theirs", 1)]


async def test_a_request_that_was_withdrawn_during_the_crash_is_settled(
    house: House, activation: ActivationRequest
) -> None:
    await killed(house, activation)
    house.desk.withdraw(activation.key.id)
    await resumed(house)
    assert (await house.row(activation)).status is Status.CANCELED


async def test_a_request_microsoft_forgot_is_settled_when_its_day_is_over(
    house: House, activation: ActivationRequest
) -> None:
    await killed(house, activation)
    house.desk.forget(activation.key.id)
    await resumed(house)
    assert (await house.row(activation)).status is Status.DECIDING
    house.clock.advance(timedelta(hours=24))
    await resumed(house)
    assert (await house.row(activation)).status is Status.EXPIRED


async def test_the_next_reader_is_asked_when_the_first_may_not(house: House, activation: ActivationRequest) -> None:
    await killed(house, activation)
    house.desk.withdraw(activation.key.id)
    for who in (ann.id, ben.id):
        house.desk.fail("fetch", FORBIDDEN, times=ALWAYS, who=who)
    await resumed(house)
    assert (await house.row(activation)).status is Status.CANCELED
    assert house.desk.count("fetch", APP) == 1


async def test_one_intent_that_cannot_be_resumed_does_not_hold_up_the_others(
    house: House, activation: ActivationRequest
) -> None:
    bens = await house.ask()
    await claimed(house, activation)
    await house.book.claim(an_intent(bens, ben, step=house.desk.held[bens.key.id].step, at=NOW + SECOND))
    house.tokens.over.add(ann.id)
    await resumed(house)
    assert [(await house.row(one)).status for one in (activation, bens)] == [Status.DECIDING, Status.APPROVED]


async def test_a_second_send_that_fails_says_nothing_about_the_first(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lag = 2
    await killed(house, activation, late=True)
    house.desk.fail("decide", Unavailable("Microsoft asks us to wait."))
    await resumed(house)
    row = await house.row(activation)
    assert (row.status, row.decided and (row.decided.by, row.decided.where)) == (Status.APPROVED, (ann, Where.SLACK))
    assert [entry.what for entry in await house.audit(activation)] == ["approved"]


async def test_one_look_at_lagging_steps_never_gives_back_what_was_sent(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lag = 2
    await killed(house, activation, late=True)
    house.clock.advance(SEND_AGAIN_WITHIN)
    await resumed(house)
    assert (await house.row(activation)).status is Status.APPROVED


async def test_a_session_begun_after_the_decision_is_never_used_to_send_it(
    house: House, activation: ActivationRequest
) -> None:
    await claimed(house, activation)
    house.clock.advance(SECOND)
    await house.link(ann, signed_in_at=house.clock())
    await resumed(house)
    assert (house.desk.sent, (await house.row(activation)).status) == ([], Status.PENDING)
