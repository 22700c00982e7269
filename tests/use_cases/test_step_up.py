"""Verify and finish: a decision waits for its approver's sign-in without a claim, and only that person finishes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, decided
from fakes import ALWAYS
from people import TENANT, ann, ben, cleo, slack_of
from use_cases.house import House

from app.decisions.step_up import GONE, NOT_ENOUGH, NOT_YOURS
from app.decisions.values import Done, Verify
from app.domain.errors import BotError, ClaimsChallenge, SignInRequired
from app.domain.policy import Freshness
from app.domain.request import ActivationRequest, Person, Status, Verdict
from app.domain.risk import Level, Risk
from app.domain.ruling import Refused, Why
from app.ports import Link, LinkState

CLAIMS = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann and Ben are signed in and may decide."""
    await house.link(ann, ben)
    return await house.ask()


async def waits(house: House, request: ActivationRequest, person: Person = ann) -> Verify:
    """The decision waits: no claim, nothing sent, buttons still there, and the card says who is verifying."""
    said = await house.decide(person, request)
    assert isinstance(said, Verify)
    row = await house.row(request)
    assert (row.status, row.deciding, row.verifying) == (Status.PENDING, None, person)
    assert [card.key for card, _ in await house.outbox.unpainted(10)] == [request.key]
    assert house.desk.accepted == []
    await house.paint()
    return said


async def renewed(house: House, person: Person = ann) -> Link:
    """They come back from a full sign-in, a minute later."""
    house.clock.advance(MINUTE)
    before = await house.links.by_entra(TENANT, person.id)
    assert before is not None
    link = replace(before, state=LinkState.ACTIVE, signed_in_at=house.clock(), generation=before.generation + 1)
    assert await house.links.save(link, "sealed anew", 1, house.clock())
    house.desk.heal()
    house.tokens.over.clear()
    return link


async def everything(house: House) -> object:
    return await house.sql("SELECT status, intent_id FROM requests"), house.desk.sent, await house.book.unsettled()


# --- what makes a decision wait ---


async def test_a_lapsed_window_asks_for_a_sign_in_before_microsoft_is_asked(
    house: House, activation: ActivationRequest
) -> None:
    house.clock.advance(timedelta(hours=20))
    house.step_up.freshness = Freshness(window=timedelta(hours=20))
    verify = await waits(house, activation)
    assert "yours is older" in verify.why
    assert house.desk.calls == []


async def test_an_hour_less_than_the_window_is_enough(house: House, activation: ActivationRequest) -> None:
    house.clock.advance(timedelta(hours=20))
    house.step_up.freshness = Freshness(window=timedelta(hours=20, minutes=1))
    assert isinstance(await house.decide(ann, activation), Done)


async def test_a_critical_role_asks_sooner(house: House) -> None:
    await house.link(ann, signed_in_at=NOW - timedelta(hours=12))
    ordinary = await house.ask()
    critical = await house.ask(risk=Risk(Level.CRITICAL, ("Global Administrator",)))
    assert "Critical role" in (await waits(house, critical)).why
    assert isinstance(await house.decide(ann, ordinary), Done)


async def test_a_window_of_nothing_asks_every_time(house: House, activation: ActivationRequest) -> None:
    house.step_up.freshness = Freshness(window=timedelta(0))
    verify = await waits(house, activation)
    assert "every decision" in verify.why
    assert isinstance(await house.decisions.finish(verify.waiting.id, await renewed(house)), Done)


@pytest.mark.parametrize("method", ["fetch", "steps", "decide"])
@pytest.mark.parametrize(
    "failure,claims", [(SignInRequired(), ""), (ClaimsChallenge(claims=CLAIMS), CLAIMS)], ids=["over", "challenge"]
)
async def test_a_demand_of_microsoft_at_any_step_makes_it_wait(
    house: House, activation: ActivationRequest, method: str, failure: BotError, claims: str
) -> None:
    house.desk.fail(method, failure, times=ALWAYS)
    assert (await waits(house, activation)).claims == claims
    assert await house.book.unsettled() == []


async def test_a_demand_after_the_claim_gives_the_claim_back_first(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("decide", ClaimsChallenge(claims=CLAIMS))
    await waits(house, activation)
    assert await house.outcomes() == [("refused", 1)]
    assert isinstance(await house.decide(ben, activation), Done)


async def test_a_demand_of_the_token_makes_it_wait(house: House, activation: ActivationRequest) -> None:
    house.tokens.failures[ann.id] = ClaimsChallenge(claims=CLAIMS)
    assert (await waits(house, activation)).claims == CLAIMS


async def test_a_suspended_approver_finds_the_same_way_back(house: House) -> None:
    await house.link(ann, state=LinkState.SUSPENDED)
    request = await house.ask()
    assert "session is over" in (await waits(house, request)).why
    assert house.desk.calls == []


async def test_somebody_frozen_is_refused_with_their_own_sentence(house: House, activation: ActivationRequest) -> None:
    link = await house.links.by_entra(TENANT, ann.id)
    assert link is not None
    await house.freezes.freeze(link, NOW)
    said = await house.decide(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, "frozen" in said.text) == (Why.FROZEN, True)


async def test_what_is_forbidden_anyway_asks_nobody_to_sign_in(house: House, activation: ActivationRequest) -> None:
    house.step_up.freshness = Freshness(window=timedelta(0))
    await house.book.settle(activation.key, Status.CANCELED, decided(None), None, NOW)
    assert isinstance(await house.decide(ann, activation), Refused)
    assert await house.sql("SELECT * FROM waiting_decisions") == []


# --- finishing ---


@pytest.mark.parametrize("verdict,native", [(Verdict.APPROVE, Status.APPROVED), (Verdict.DENY, Status.DENIED)])
async def test_who_comes_back_finishes_what_they_began(
    house: House, activation: ActivationRequest, verdict: Verdict, native: Status
) -> None:
    house.desk.fail("fetch", ClaimsChallenge(claims=CLAIMS))
    verify = await house.decide(ann, activation, verdict)
    assert isinstance(verify, Verify)
    fate = await house.decisions.finish(verify.waiting.id, await renewed(house))
    assert isinstance(fate, Done)
    assert (fate.row.status, fate.row.verifying) == (native, None)
    assert [(sent.by, sent.justification) for sent in house.desk.accepted] == [(ann.id, verify.waiting.comment)]


async def test_nothing_is_sent_by_itself(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    await waits(house, activation)
    await renewed(house)
    house.restart()
    await house.courier.resume(after_start=True)
    assert house.desk.sent == []


async def test_a_waiting_decision_survives_a_restart(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    house.restart()
    assert isinstance(await house.decisions.finish(verify.waiting.id, await renewed(house)), Done)


async def test_the_last_look_shows_what_waits_and_takes_nothing(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    link = await renewed(house)
    for _ in range(2):
        shown = await house.decisions.unfinished(verify.waiting.id, link)
        assert isinstance(shown, Verify)
        assert (shown.row.key, shown.waiting) == (activation.key, verify.waiting)


async def test_it_is_finished_once(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    link = await renewed(house)
    assert isinstance(await house.decisions.finish(verify.waiting.id, link), Done)
    assert await house.decisions.finish(verify.waiting.id, link) == GONE
    assert len(house.desk.sent) == 1


async def test_somebody_else_finishes_nothing_and_spoils_nothing(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    before = await everything(house)
    other = await renewed(house, ben)
    assert await house.decisions.unfinished(verify.waiting.id, other) == NOT_YOURS
    assert await house.decisions.finish(verify.waiting.id, other) == NOT_YOURS
    assert await everything(house) == before
    assert isinstance(await house.decisions.finish(verify.waiting.id, await renewed(house)), Done)


async def test_another_account_of_the_same_slack_user_finishes_nothing(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    link = await renewed(house)
    assert await house.decisions.finish(verify.waiting.id, replace(link, person=cleo)) == NOT_YOURS


async def test_ten_minutes_are_the_end_of_it(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    house.clock.advance(timedelta(minutes=9))
    link = await renewed(house)
    assert await house.decisions.unfinished(verify.waiting.id, link) == GONE
    assert await house.decisions.finish(verify.waiting.id, link) == GONE
    assert house.desk.sent == []


async def test_the_card_forgets_who_did_not_come_back(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    await waits(house, activation)
    assert await house.waiting.expire(NOW + timedelta(minutes=9, seconds=59)) == 0
    assert await house.waiting.expire(NOW + timedelta(minutes=10)) == 1
    assert (await house.row(activation)).verifying is None
    assert [card.key for card, _ in await house.outbox.unpainted(10)] == [activation.key]


async def test_who_was_beaten_meanwhile_is_told_by_whom(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired(), who=ann.id)
    verify = await waits(house, activation)
    assert isinstance(await house.decide(ben, activation), Done)
    link = await renewed(house)
    for said in (
        await house.decisions.unfinished(verify.waiting.id, link),
        await house.decisions.finish(verify.waiting.id, link),
    ):
        assert isinstance(said, Refused)
        assert (said.why, "Ben Bauer already approved" in said.text) == (Why.ALREADY_DECIDED, True)
    assert [sent.by for sent in house.desk.sent] == [ben.id]


async def test_a_request_that_reads_differently_now_is_not_decided(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    house.desk.change(activation.key.id, duration=timedelta(hours=8))
    link = await renewed(house)
    said = await house.decisions.finish(verify.waiting.id, link)
    assert isinstance(said, Refused)
    assert (said.why, house.desk.sent) == (Why.CHANGED, [])


async def test_a_request_we_know_to_read_differently_is_not_even_shown(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    house.desk.change(activation.key.id, duration=timedelta(hours=8))
    await house.watcher.tick()
    said = await house.decisions.unfinished(verify.waiting.id, await renewed(house))
    assert isinstance(said, Refused)
    assert said.why is Why.CHANGED


async def test_a_sign_in_that_proves_too_little_is_not_asked_for_again(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.fail("fetch", ClaimsChallenge(claims=CLAIMS))
    verify = await waits(house, activation)
    link = await renewed(house)
    house.desk.fail("decide", ClaimsChallenge(claims=CLAIMS))
    assert await house.decisions.finish(verify.waiting.id, link) == NOT_ENOUGH
    assert (await house.row(activation)).status is Status.PENDING


async def test_an_older_sign_in_does_not_finish_it(house: House, activation: ActivationRequest) -> None:
    house.step_up.freshness = Freshness(window=timedelta(0))
    verify = await waits(house, activation)
    link = await house.links.by_entra(TENANT, ann.id)
    assert link is not None
    await house.links.save(replace(link, signed_in_at=NOW - MINUTE), "sealed", 1, NOW)
    assert await house.decisions.finish(verify.waiting.id, link) == NOT_ENOUGH
    assert house.desk.sent == []


async def test_a_second_press_replaces_the_first(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired(), times=ALWAYS)
    first = await waits(house, activation)
    second = await waits(house, activation)
    link = await renewed(house)
    assert await house.decisions.finish(first.waiting.id, link) == GONE
    assert isinstance(await house.decisions.finish(second.waiting.id, link), Done)


async def test_guests_of_today_finish_nothing(house: House, activation: ActivationRequest) -> None:
    house.desk.fail("fetch", SignInRequired())
    verify = await waits(house, activation)
    link = await renewed(house)
    user = slack_of(ann)
    house.people.persons[user] = replace(house.people.persons[user], member=False)
    said = await house.decisions.finish(verify.waiting.id, link)
    assert isinstance(said, Refused)
    assert (said.why, house.desk.sent) == (Why.NOT_MEMBER, [])
