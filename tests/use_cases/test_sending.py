"""A claimed decision on its way: not taken, refused, its answer lost, or its fate unknown for now."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from build import NOW
from fakes import ALWAYS
from people import ann, ben, cleo, slack_of
from use_cases.house import SETTLE_SECONDS, House

from app.decisions.sending import LONGEST_LOOK
from app.decisions.values import Done, Verify, Waiting
from app.domain.calls import call_name
from app.domain.errors import (
    BotError,
    DeviceDemanded,
    GraphRefused,
    Malformed,
    OutcomeUnknown,
    RequestGone,
    SignInRequired,
    Unavailable,
)
from app.domain.request import ActivationRequest, Decided, Status, Verdict, Where
from app.domain.ruling import Refused, Why

THROTTLED = Unavailable("Microsoft asks us to wait 30 seconds.", retry_after=30.0)
FORBIDDEN = GraphRefused("Microsoft refused: policy", status=400, code="RoleAssignmentRequestPolicyValidationFailed")


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann and Ben are signed in and may decide."""
    await house.link(ann, ben)
    return await house.ask()


async def released(house: House, request: ActivationRequest, outcome: str, sent: int = 1) -> None:
    """The claim is given back: buttons return, the audit trail says why, and the requestor hears nothing."""
    row = await house.row(request)
    assert (row.status, row.deciding, row.decided) == (Status.PENDING, None, None)
    assert [card.key for card, _ in await house.outbox.unpainted(10)] == [request.key]
    assert [(entry.what, entry.who) for entry in await house.audit(request)] == [("released", ann.id)]
    assert (await house.outcomes(), await house.notices()) == ([(outcome, sent)], [])


async def settled(house: House, request: ActivationRequest, what: str, who: str) -> None:
    """It is over, by whom it was, and written down once."""
    row = await house.row(request)
    assert row.decided is not None
    assert row.decided.by is not None
    assert (row.status, row.decided.by.id) == (what, who)
    assert [(entry.what, entry.who) for entry in await house.audit(request)] == [(what, who)]
    assert [notice.topic for notice in await house.notices()] == ["outcome"]
    assert await house.book.unsettled() == []


# --- what the audit trail says of the call itself ---


async def told(house: House, request: ActivationRequest) -> dict[str, Any]:
    (entry,) = await house.audit(request)
    facts: dict[str, Any] = json.loads(entry.facts)
    return facts


async def test_an_accepted_decision_is_written_down_with_both_names_of_its_call(
    house: House, activation: ActivationRequest
) -> None:
    await house.decide(ann, activation)
    facts, (sent,) = await told(house, activation), house.desk.sent
    assert (facts["client_request_id"], facts["request_id"]) == (sent.call, "answer-1")
    assert UUID(sent.call).version == 5


async def test_so_is_a_refused_one(house: House, activation: ActivationRequest) -> None:
    refusal = GraphRefused("Microsoft refused: policy", status=400)
    refusal.request_id = "answer-x"
    house.desk.fail("decide", refusal)
    await house.decide(ann, activation)
    facts, (sent,) = await told(house, activation), house.desk.sent
    assert (facts["outcome"], facts["client_request_id"], facts["request_id"]) == ("refused", sent.call, "answer-x")


async def test_so_is_one_whose_answer_was_an_error_and_which_counted_all_the_same(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lose_answer_after()
    await house.decide(ann, activation)
    facts, (sent,) = await told(house, activation), house.desk.sent
    assert (facts["client_request_id"], "request_id" in facts) == (sent.call, False)


async def test_one_that_came_too_late_is_written_down_beside_the_one_that_was_first(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.before("decide", lambda: house.desk.elsewhere(activation.key.id, ben, Verdict.DENY))
    assert isinstance(await house.decide(ann, activation), Refused)
    facts, (sent,) = await told(house, activation), house.desk.sent
    (late,) = json.loads(facts["too_late"])
    assert (late["client_request_id"], late["request_id"], late["slack_user"]) == (sent.call, "answer-1", slack_of(ann))


async def test_each_send_of_one_decision_has_a_name_of_its_own() -> None:
    names = {call_name("one", 1), call_name("one", 2), call_name("another", 1)}
    assert len(names) == 3
    assert call_name("one", 1) in names


# --- Microsoft surely did not take it ---


@pytest.mark.parametrize(
    "failure,why,outcome,words",
    [
        (Unavailable("Microsoft cannot be reached."), Why.UNAVAILABLE, "not_taken", "try again in a moment"),
        (THROTTLED, Why.UNAVAILABLE, "not_taken", "Microsoft asks us to wait 30 seconds."),
        (FORBIDDEN, Why.REFUSED, "refused", "Microsoft refused: policy"),
        (RequestGone("Microsoft refused: gone", status=404), Why.REFUSED, "refused", "Microsoft refused: gone"),
        (DeviceDemanded(), Why.MANAGED_DEVICE, "refused", "only from a managed device"),
    ],
    ids=["connect failure", "429", "400", "404", "device"],
)
async def test_a_decision_that_was_not_taken_gives_the_buttons_back(
    house: House, activation: ActivationRequest, failure: BotError, why: Why, outcome: str, words: str
) -> None:
    house.desk.fail("decide", failure)
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, words in said.text, "Nothing was changed" in said.text) == (why, True, True)
    assert (house.desk.count("decide"), house.clock.slept) == (1, [])
    await released(house, activation, outcome)


async def test_a_refusal_does_not_spend_the_form_or_the_card(house: House, activation: ActivationRequest) -> None:
    form, token = await house.form(ann, activation), (await house.card(activation)).token
    house.desk.fail("decide", THROTTLED)
    await house.decisions.decide(form)
    assert (await house.card(activation)).token == token
    assert isinstance(await house.decisions.decide(form), Done)


async def test_another_approver_may_decide_what_was_given_back(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("decide", THROTTLED)
    await house.decide(ann, activation)
    assert isinstance(await house.decide(ben, activation), Done)
    assert [sent.by for sent in house.desk.accepted] == [ben.id]


async def test_a_session_that_ends_between_claim_and_send_sends_nothing(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.before("steps", lambda: house.tokens.over.add(ann.id))
    assert isinstance(await house.decide(ann, activation), Verify)
    assert house.desk.sent == []
    await released(house, activation, "refused", sent=0)


async def test_a_sign_out_between_claim_and_send_sends_nothing(house: House, activation: ActivationRequest) -> None:
    async def sign_out() -> None:
        await house.sign_out(ann)

    house.desk.before("steps", sign_out)
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, house.desk.sent) == (Why.NOT_LINKED, [])
    await released(house, activation, "not_taken", sent=0)


async def test_what_was_settled_before_the_send_is_not_sent(house: House, activation: ActivationRequest) -> None:
    claimed = house.book.claim

    async def claim_and_lose(intent: object) -> object:
        row = await claimed(intent)
        await house.book.settle(activation.key, Status.DENIED, Decided(NOW, Where.OUTSIDE, cleo), None, NOW)
        return row

    house.decisions.claiming.book = Wrapped(house.book, claim_and_lose)
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.text.split(" this")[0], house.desk.sent) == ("Cleo Chen already denied", [])
    await settled(house, activation, "denied", cleo.id)


class Wrapped:
    """The book, but with another claim."""

    def __init__(self, book: object, claim: object) -> None:
        self._book = book
        self.claim = claim

    def __getattr__(self, name: str) -> object:
        return getattr(self._book, name)


# --- nobody knows whether Microsoft took it ---


async def test_a_lost_answer_is_read_back_as_mine(house: House, activation: ActivationRequest) -> None:
    house.desk.lose_answer_after()
    fate = await house.decide(ann, activation)
    assert isinstance(fate, Done)
    assert fate.row.decided == Decided(NOW, Where.SLACK, ann, "It is in the change calendar")
    assert (len(house.desk.sent), await house.outcomes()) == (1, [("mine", 1)])
    await settled(house, activation, "approved", ann.id)


async def test_a_lost_decision_is_given_back_after_the_settling_time(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lose_answer_before()
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, "did not take the decision" in said.text) == (Why.UNAVAILABLE, True)
    assert (len(house.desk.sent), house.desk.accepted) == (1, [])
    await released(house, activation, "not_taken")


async def test_reading_back_slows_down_and_lasts_as_long_as_the_settling_time(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lose_answer_before()
    await house.decide(ann, activation)
    pauses = house.clock.slept
    assert pauses[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert (max(pauses), sum(pauses)) == (LONGEST_LOOK, SETTLE_SECONDS)
    assert house.desk.count("steps") == len(pauses) + 2  # the fresh read, and one look before the first pause


async def test_while_it_is_read_back_the_claim_is_kept(house: House, activation: ActivationRequest) -> None:
    house.desk.lose_answer_before()
    seen = []

    async def bens_click() -> None:
        seen.append(await house.decide(ben, activation))

    house.desk.before("decide", lambda: house.desk.before("steps", bens_click))
    await house.decide(ann, activation)
    (said,) = seen
    assert isinstance(said, Refused)
    assert said.why is Why.CLAIMED
    assert [sent.by for sent in house.desk.sent] == [ann.id]


@pytest.mark.parametrize("lose", [True, False], ids=["lost answer", "409"])
async def test_replicas_that_lag_are_waited_for(house: House, activation: ActivationRequest, lose: object) -> None:
    house.desk.lag = 4
    if lose:
        house.desk.lose_answer_after()
        await house.decide(ann, activation)
        await settled(house, activation, "approved", ann.id)
    else:
        house.desk.before("decide", lambda: _behind_the_replicas(house, activation))
        await house.decide(ann, activation)
        await settled(house, activation, "denied", cleo.id)
    assert house.clock.slept == [0.5, 1.0, 2.0, 4.0]


def _behind_the_replicas(house: House, request: ActivationRequest) -> None:
    """Cleo decides in the portal, and reads do not show it yet."""
    before = house.desk.held[request.key.id]
    house.desk.elsewhere(request.key.id, cleo, Verdict.DENY)
    house.desk.show_late(before)


async def test_a_lag_longer_than_the_settling_time_still_ends_with_microsofts_truth(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lag = 30
    house.desk.lose_answer_after()
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    await house.decide(ben, activation, Verdict.DENY)
    house.desk.heal()
    await house.watcher.tick()
    row = await house.row(activation)
    assert row.decided is not None
    assert (row.status, row.decided.by) == (Status.APPROVED, ann)
    assert [sent.by for sent in house.desk.accepted] == [ann.id]


async def test_somebody_elses_decision_is_found_by_the_read_back(house: House, activation: ActivationRequest) -> None:
    house.desk.lose_answer_before()
    house.desk.before(
        "decide",
        lambda: house.desk.before("steps", lambda: house.desk.elsewhere(activation.key.id, cleo, Verdict.DENY)),
    )
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert said.text.startswith("Cleo Chen already denied")
    assert await house.outcomes() == [("theirs", 1)]
    await settled(house, activation, "denied", cleo.id)


@pytest.mark.parametrize("failure", [Unavailable(), Malformed(), FORBIDDEN, SignInRequired()])
async def test_reads_that_fail_in_between_do_not_end_the_read_back(
    house: House, activation: ActivationRequest, failure: BotError
) -> None:
    house.desk.lose_answer_after()
    house.desk.before("decide", lambda: house.desk.fail("steps", failure, times=3))
    assert isinstance(await house.decide(ann, activation), Done)
    await settled(house, activation, "approved", ann.id)


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
async def test_what_cannot_be_read_back_keeps_the_claim_and_waits(
    house: House, activation: ActivationRequest, taken: object
) -> None:
    _ = house.desk.lose_answer_after() if taken else house.desk.lose_answer_before()
    house.desk.before("decide", lambda: house.desk.fail("steps", Unavailable(), times=ALWAYS))
    fate = await house.decide(ann, activation)
    assert isinstance(fate, Waiting)
    assert (fate.row.status, fate.row.deciding) == (Status.DECIDING, ann)
    assert (await house.outcomes(), await house.audit(activation), await house.notices()) == ([("unknown", 1)], [], [])


async def test_what_waited_is_settled_later_and_told_once(house: House, activation: ActivationRequest) -> None:
    house.desk.lose_answer_after()
    house.desk.before("decide", lambda: house.desk.fail("steps", Unavailable(), times=ALWAYS))
    await house.decide(ann, activation)
    house.desk.heal()
    house.clock.advance(timedelta(minutes=5))
    for _ in range(2):
        await house.courier.resume(after_start=False)
    told = {(notice.topic, notice.to_slack) for notice in await house.notices()}
    assert told == {("outcome", ""), ("fate", "U0ANN00001")}
    assert [(entry.what, entry.who) for entry in await house.audit(activation)] == [("approved", ann.id)]
    assert len(house.desk.sent) == 1


async def test_no_second_decision_of_anybody_is_sent_while_one_is_unknown(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.lose_answer_after()
    house.desk.before("decide", lambda: house.desk.fail("steps", OutcomeUnknown(), times=ALWAYS, who=ann.id))
    await house.decide(ann, activation)
    for person, _ in itertools.product((ann, ben), range(2)):
        said = await house.decide(person, activation)
        assert isinstance(said, Refused)
        assert said.text.startswith("Ann Archer is deciding")
    assert len(house.desk.sent) == 1
