"""A decision that counts: sent once, in the approver's own name, written down once, and nobody else's after it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, REPORTS_READER, a_request
from fakes import FakeDesk, Sent, bearer
from people import ann, ben, cleo, rob
from use_cases.house import House
from use_cases.turns import LateAnswer

from app.decisions.values import Done
from app.domain.request import ActivationRequest, Decided, PolicyFacts, Status, Verdict, Where
from app.domain.risk import Level, Risk
from app.domain.ruling import COMMENT_LIMIT, DEFAULT_COMMENTS, Refused, Step, Why

VERDICTS = [(Verdict.APPROVE, Status.APPROVED), (Verdict.DENY, Status.DENIED)]


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann and Ben are signed in and may decide."""
    await house.link(ann, ben)
    return await house.ask()


async def settled_once(house: House, request: ActivationRequest, what: str, who: str) -> None:
    """One audit row says so, one message is owed to the requestor, and no intent is left open."""
    assert [(row.what, row.who) for row in await house.audit(request)] == [(what, who)]
    assert [(notice.topic, notice.to_entra) for notice in await house.notices()] == [("outcome", rob.id)]
    assert await house.book.unsettled() == []
    assert await house.trail.verify() is None


@pytest.mark.parametrize("verdict,status", VERDICTS)
async def test_a_decision_is_sent_in_the_approvers_name_and_settled(
    house: House, activation: ActivationRequest, verdict: Verdict, status: Status
) -> None:
    fate = await house.decide(ann, activation, verdict)
    comment = "It is in the change calendar"
    step = house.desk.held[activation.key.id].step
    assert house.desk.sent == [Sent(activation.key.id, step, verdict, comment, ann.id)]
    assert isinstance(fate, Done)
    assert fate.row == await house.row(activation)
    assert (fate.row.status, fate.row.decided) == (status, Decided(NOW, Where.SLACK, ann, comment))
    assert await house.outcomes() == [("mine", 1)]
    await settled_once(house, activation, status.value, ann.id)


async def test_a_decision_makes_the_card_due_and_its_buttons_void(house: House, activation: ActivationRequest) -> None:
    await house.decide(ann, activation)
    assert [(card.key, row.status) for card, row in await house.outbox.unpainted(10)] == [
        (activation.key, Status.APPROVED)
    ]
    said = await house.press(ben, activation)
    assert isinstance(said, Refused)
    assert (said.why, "Ann Archer already approved" in said.text) == (Why.ALREADY_DECIDED, True)


async def test_while_it_is_on_its_way_the_card_says_who_is_deciding(
    house: House, activation: ActivationRequest
) -> None:
    seen = []

    async def look() -> None:
        seen.append(await house.row(activation))

    house.desk.before("decide", look)
    await house.decide(ann, activation)
    assert [(row.status, row.deciding) for row in seen] == [(Status.DECIDING, ann)]


async def test_where_a_comment_is_optional_our_own_words_are_sent(house: House) -> None:
    await house.link(ann)
    facts = {"policy": PolicyFacts(comment_required=False), "risk": Risk(Level.MEDIUM)}
    request = await house.ask(a_request(role=REPORTS_READER), **facts)
    await house.decisions.decide(replace(await house.form(ann, request), comment="  "))
    assert [sent.justification for sent in house.desk.sent] == [DEFAULT_COMMENTS[Where.SLACK]]


async def test_a_long_comment_is_cut_at_what_pim_takes(house: House, activation: ActivationRequest) -> None:
    await house.decisions.decide(replace(await house.form(ann, activation), comment=f"  {'y' * 600}"))
    assert [sent.justification for sent in house.desk.sent] == ["y" * COMMENT_LIMIT]


async def test_what_the_audit_row_keeps(house: House, activation: ActivationRequest) -> None:
    await house.decide(ann, activation)
    (row,) = await house.audit(activation)
    for fact in (
        ann.label,
        rob.id,
        activation.digest,
        "U0ANN00001",
        "Approve",
        "slack",
        "It is in the change calendar",
    ):
        assert f'"{fact}"' in row.facts


# --- two at once ---


@pytest.mark.parametrize("verdicts", [(Verdict.APPROVE, Verdict.DENY), (Verdict.DENY, Verdict.APPROVE)])
async def test_two_approvers_two_clicks_one_decision_and_the_loser_hears_who(
    house: House, activation: ActivationRequest, verdicts: tuple[Verdict, Verdict]
) -> None:
    clicks = zip((ann, ben), verdicts, strict=True)
    fates = await asyncio.gather(*(house.decide(person, activation, verdict) for person, verdict in clicks))
    (done,) = [fate for fate in fates if isinstance(fate, Done)]
    (lost,) = [fate for fate in fates if isinstance(fate, Refused)]
    assert done.row.decided is not None
    winner = done.row.decided.by
    assert winner is not None
    assert lost.why in (Why.CLAIMED, Why.ALREADY_DECIDED)
    assert lost.text.startswith(winner.label)
    assert [sent.by for sent in house.desk.sent] == [winner.id]
    await settled_once(house, activation, done.row.status.value, winner.id)


async def test_a_claim_lost_at_the_last_moment_says_who_is_deciding(
    house: House, activation: ActivationRequest
) -> None:
    forms = [await house.form(person, activation) for person in (ann, ben)]
    bens: list[object] = []

    async def ben_is_faster() -> None:
        bens.append(await house.decisions.decide(forms[1]))

    house.desk.before("steps", ben_is_faster)
    said = await house.decisions.decide(forms[0])
    assert [type(fate) for fate in bens] == [Done]
    assert isinstance(said, Refused)
    assert (said.why, said.text.split(" this")[0]) == (Why.ALREADY_DECIDED, "Ben Bauer already approved")
    assert [sent.by for sent in house.desk.sent] == [ben.id]


async def test_a_request_that_changes_in_memory_before_the_claim_is_not_claimed(
    house: House, activation: ActivationRequest
) -> None:
    async def the_watcher_sees_a_change() -> None:
        house.desk.change(activation.key.id, justification="Another reason")
        await house.watcher.tick()
        house.desk.change(activation.key.id, justification=activation.justification)

    form = await house.form(ann, activation)
    house.desk.before("fetch", the_watcher_sees_a_change)
    said = await house.decisions.decide(form)
    assert isinstance(said, Refused)
    assert (said.why, house.desk.sent, await house.outcomes()) == (Why.CHANGED, [], [])
    assert "The request changed just now. Nothing was sent" in said.text


async def test_the_same_form_submitted_twice_is_one_decision(house: House, activation: ActivationRequest) -> None:
    form = await house.form(ann, activation)
    fates = await asyncio.gather(*(house.decisions.decide(form) for _ in range(2)))
    assert sorted(type(fate).__name__ for fate in fates) == ["Done", "Refused"]
    assert len(house.desk.sent) == 1
    await settled_once(house, activation, "approved", ann.id)


async def test_the_same_form_submitted_again_later_says_it_is_decided(
    house: House, activation: ActivationRequest
) -> None:
    form = await house.form(ann, activation)
    await house.decisions.decide(form)
    again = await house.decisions.decide(form)
    assert isinstance(again, Refused)
    assert (again.why, "Ann Archer already approved" in again.text) == (Why.ALREADY_DECIDED, True)
    assert len(house.desk.sent) == 1


async def test_a_loser_who_sees_the_winners_decision_at_microsoft_first_does_not_call_it_made_elsewhere(
    house: House, activation: ActivationRequest
) -> None:
    form = await house.form(ann, activation)
    anns = LateAnswer(house.desk, lambda: house.decisions.decide(form))
    for method in ("fetch", "steps"):
        house.desk.before(method, anns.begin)
    said = await house.decide(ben, activation)
    assert isinstance(said, Refused)
    assert (said.why, said.text.split(" this")[0]) == (Why.CLAIMED, "Ann Archer is deciding")
    fate = await anns.end()
    assert isinstance(fate, Done)
    assert fate.row.decided == Decided(NOW, Where.SLACK, ann, "It is in the change calendar")
    await settled_once(house, activation, "approved", ann.id)


# --- somebody outside was faster ---


@pytest.mark.parametrize("verdict,status", VERDICTS)
async def test_a_decision_in_the_portal_is_found_by_the_fresh_read(
    house: House, activation: ActivationRequest, verdict: Verdict, status: Status
) -> None:
    house.desk.elsewhere(activation.key.id, cleo, verdict, "By phone")
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert said.text.startswith(f"Cleo Chen already {status}")
    row = await house.row(activation)
    assert (row.status, row.decided) == (status, Decided(NOW, Where.OUTSIDE, cleo, "By phone"))
    assert (house.desk.sent, await house.outcomes()) == ([], [])
    await settled_once(house, activation, status.value, cleo.id)


async def test_a_decision_that_shows_no_name_yet_is_left_to_the_watcher(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.before("fetch", lambda: house.desk.elsewhere(activation.key.id, cleo, Verdict.DENY))
    live = await house.desk.steps(activation, bearer(ann.id))
    form = await house.form(ann, activation)
    house.decisions.claiming.desks = {activation.key.kind: OldSteps(house.desk, live)}
    said = await house.decisions.decide(form)
    assert isinstance(said, Refused)
    assert (said.why, (await house.row(activation)).status) == (Why.ALREADY_DECIDED, Status.PENDING)
    await house.watcher.tick()
    await settled_once(house, activation, "denied", cleo.id)


class OldSteps:
    """Microsoft, but its approvals lag behind its requests."""

    def __init__(self, desk: FakeDesk, steps: tuple[Step, ...]) -> None:
        self.fetch, self.ended, self.resource, self._steps = desk.fetch, desk.ended, desk.resource, steps

    async def steps(self, *_: object) -> tuple[Step, ...]:
        return self._steps


async def test_a_withdrawal_is_found_by_the_fresh_read(house: House, activation: ActivationRequest) -> None:
    house.desk.withdraw(activation.key.id)
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, said.text.split(".")[0]) == (Why.ALREADY_DECIDED, "The requestor withdrew this request")
    assert (house.desk.sent, await house.outcomes()) == ([], [])
    await settled_once(house, activation, "canceled", rob.id)


@pytest.mark.parametrize("verdict,status", VERDICTS)
async def test_a_decision_in_the_portal_between_read_and_send_is_theirs(
    house: House, activation: ActivationRequest, verdict: Verdict, status: Status
) -> None:
    house.desk.before("decide", lambda: house.desk.elsewhere(activation.key.id, cleo, verdict))
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, said.text.startswith(f"Cleo Chen already {status}")) == (Why.ALREADY_DECIDED, True)
    row = await house.row(activation)
    assert (row.status, row.decided) == (status, Decided(NOW, Where.OUTSIDE, cleo, "In the portal"))
    assert await house.outcomes() == [("theirs", 1)]
    await settled_once(house, activation, status.value, cleo.id)


async def test_ones_own_opposite_decision_in_the_portal_counts_as_made_there(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.before("decide", lambda: house.desk.elsewhere(activation.key.id, ann, Verdict.DENY))
    said = await house.decide(ann, activation)
    row = await house.row(activation)
    assert isinstance(said, Refused)
    assert (row.status, row.decided) == (Status.DENIED, Decided(NOW, Where.OUTSIDE, ann, "In the portal"))
    assert await house.outcomes() == [("theirs", 1)]


async def test_a_request_that_expires_while_the_form_is_open_is_settled_as_expired(house: House) -> None:
    await house.link(ann)
    request = await house.ask(a_request(created=NOW - timedelta(hours=23, minutes=59)))
    form = await house.form(ann, request)
    house.desk.before("steps", lambda: house.clock.advance(timedelta(minutes=1)))
    said = await house.decisions.decide(form)
    assert isinstance(said, Refused)
    assert said.text.startswith("This request expired unanswered")
    assert ((await house.row(request)).status, house.desk.sent) == (Status.EXPIRED, [])
