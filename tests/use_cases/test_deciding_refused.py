"""Every no of the decision pipeline: said in words to the one who asked, with nothing sent, claimed or changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from build import NOW, REPORTS_READER, a_request, an_intent, decided, guid
from fakes import ALWAYS, FakePeople
from people import TEAM, adm_rob, ann, ben, gus, rita, rob
from use_cases.house import House

from app.decisions.values import Done, Submission
from app.domain.errors import (
    BotError,
    DeviceDemanded,
    GraphRefused,
    Malformed,
    RequestGone,
    SlackFailed,
    Unavailable,
)
from app.domain.request import ActivationRequest, PolicyFacts, Scope, Status, Ticket, Verdict
from app.domain.risk import Level, Risk
from app.domain.ruling import Refused, Step, Why
from app.store.engine import open_engine
from app.store.writer import Store

Trouble = Callable[[House, ActivationRequest], Awaitable[object] | None]
LOW = Risk(Level.LOW, ("Reports Reader is not a privileged role",))
OPTIONAL = PolicyFacts(comment_required=False)
DAY = timedelta(hours=24)


async def everything(house: House) -> tuple[Any, ...]:
    """What a refusal must leave alone: rows, claims, messages owed, the audit trail, and what Microsoft was sent."""
    requests = await house.sql("SELECT * FROM requests")
    cards = await house.sql("SELECT * FROM cards")
    audit = await house.sql("SELECT * FROM audit")
    return requests, cards, audit, await house.outcomes(), await house.notices(), list(house.desk.sent)


async def refused(house: House, submission: Submission, why: Why, words: str) -> None:
    """It is refused with these words, and nothing is different afterwards."""
    before = await everything(house)
    said = await house.decisions.decide(submission)
    assert isinstance(said, Refused)
    assert (said.why, words in said.text) == (why, True), said.text
    assert "Nothing was" in said.text or why is Why.COMMENT_MISSING
    assert await everything(house) == before


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann is signed in and may decide."""
    await house.link(ann)
    return await house.ask()


async def test_without_any_of_these_troubles_the_decision_is_made(house: House, activation: ActivationRequest) -> None:
    assert isinstance(await house.decisions.decide(await house.form(ann, activation)), Done)


# --- the form ---


async def test_an_unknown_form_is_refused(house: House, activation: ActivationRequest) -> None:
    form = replace(await house.form(ann, activation), modal="made-up")
    await refused(house, form, Why.UNKNOWN_CARD, "This form is not yours")


@pytest.mark.parametrize("stolen", [{"user": "U0BEN00001"}, {"team": "T0OTHER001"}])
async def test_another_persons_form_is_refused(
    house: House, activation: ActivationRequest, stolen: dict[str, str]
) -> None:
    await house.link(ben)
    form = replace(await house.form(ann, activation), **stolen)
    await refused(house, form, Why.UNKNOWN_CARD, "This form is not yours")
    assert house.people.asked == []


# --- the person ---


def as_(**facts: object) -> Callable[[FakePeople], None]:
    """Ann, as Slack describes her today."""

    def change(people: FakePeople) -> None:
        people.persons["U0ANN00001"] = replace(people.persons["U0ANN00001"], **facts)  # type: ignore[arg-type]

    return change


@pytest.mark.parametrize(
    "change",
    [as_(member=False), as_(team="T0OTHER001"), as_(team=""), lambda people: people.persons.clear()],
    ids=["deleted, guest or bot", "another workspace", "no workspace", "unknown"],
)
async def test_who_is_no_full_member_right_now_is_refused(
    house: House, activation: ActivationRequest, change: Callable[[FakePeople], None]
) -> None:
    change(house.people)
    await refused(house, await house.form(ann, activation), Why.NOT_MEMBER, "Guests, bots and outside accounts")
    assert house.desk.calls == []


async def test_a_guest_with_a_link_is_refused(house: House) -> None:
    await house.link(gus)
    request = await house.ask(approvers=(gus,))
    await refused(house, await house.form(gus, request), Why.NOT_MEMBER, "Guests, bots and outside accounts")


@pytest.mark.parametrize(
    "failure,why",
    [
        (Unavailable("Slack cannot be reached."), Why.UNAVAILABLE),
        (Unavailable("Slack asks us to wait 30 seconds.", retry_after=30.0), Why.UNAVAILABLE),
        (SlackFailed("Slack refused: missing_scope", code="missing_scope"), Why.REFUSED),
    ],
)
async def test_not_knowing_who_it_is_fails_closed(
    house: House, activation: ActivationRequest, failure: BotError, why: Why
) -> None:
    house.people.failure = failure
    await refused(house, await house.form(ann, activation), why, str(failure))
    assert house.desk.calls == []


# --- the link ---


async def test_who_signed_out_since_the_modal_opened_is_refused(house: House, activation: ActivationRequest) -> None:
    await house.sign_out(ann)
    await refused(house, await house.form(ann, activation), Why.NOT_LINKED, "Sign in with Microsoft first")


# --- what our own memory forbids ---


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_the_requestor_is_refused(house: House, verdict: Verdict) -> None:
    await house.link(rob)
    request = await house.ask(approvers=(ann, rob))
    await refused(house, await house.form(rob, request, verdict=verdict), Why.OWN_REQUEST, "your own request")


async def test_the_creator_is_refused(house: House) -> None:
    await house.link(rob)
    request = await house.ask(a_request(requestor=adm_rob, created_by=rob.id), approvers=(rob,))
    await refused(house, await house.form(rob, request), Why.OWN_REQUEST, "your own request")


async def _approved(house: House, request: ActivationRequest) -> None:
    await house.book.settle(request.key, Status.APPROVED, decided(ben), None, NOW)


async def _withdrawn(house: House, request: ActivationRequest) -> None:
    await house.book.settle(request.key, Status.CANCELED, decided(rob), None, NOW)


async def _claimed(house: House, request: ActivationRequest) -> None:
    await house.book.claim(an_intent(request, ben))


def _a_day_later(house: House, _: ActivationRequest) -> None:
    house.clock.advance(DAY)


@pytest.mark.parametrize(
    "trouble,why,words",
    [
        (_approved, Why.ALREADY_DECIDED, "Ben Bauer already approved this request."),
        (_withdrawn, Why.ALREADY_DECIDED, "The requestor withdrew this request."),
        (_claimed, Why.CLAIMED, "Ben Bauer is deciding this request right now."),
        (_a_day_later, Why.EXPIRED, "the requestor must ask again"),
    ],
)
async def test_what_memory_forbids_is_refused_before_microsoft_is_asked(
    house: House, activation: ActivationRequest, trouble: Trouble, why: Why, words: str
) -> None:
    happening = trouble(house, activation)
    if happening is not None:
        await happening
    await refused(house, await house.form(ann, activation), why, words)
    assert house.desk.calls == []


@pytest.mark.parametrize(
    "over", [{"action": "selfExtend"}, {"action": "selfRenew"}, {"duration": None, "duration_text": "P1M"}]
)
async def test_what_only_the_portal_can_decide_is_refused(house: House, over: dict[str, str | None]) -> None:
    await house.link(ann)
    request = await house.ask(a_request(**over))
    await refused(house, await house.form(ann, request), Why.PORTAL_ONLY, "only be decided in the portal")
    assert house.desk.calls == []


# --- the comment ---


@pytest.mark.parametrize("comment", ["", "   ", "\n\t\u00a0"])
@pytest.mark.parametrize(
    "verdict,facts,words",
    [
        (Verdict.DENY, {"policy": OPTIONAL, "risk": LOW}, "Say why you deny"),
        (Verdict.APPROVE, {"policy": PolicyFacts(), "risk": LOW}, "Say why you approve"),
        (Verdict.APPROVE, {"policy": PolicyFacts(comment_required=True), "risk": LOW}, "Say why you approve"),
        (Verdict.APPROVE, {"policy": OPTIONAL, "risk": Risk(Level.HIGH)}, "Say why you approve"),
        (Verdict.APPROVE, {"policy": OPTIONAL, "risk": Risk(Level.CRITICAL)}, "Say why you approve"),
    ],
    ids=["deny", "settings unknown", "settings demand it", "high", "critical"],
)
async def test_a_missing_comment_is_asked_for(
    house: House, comment: str, verdict: Verdict, facts: dict[str, object], words: str
) -> None:
    await house.link(ann)
    request = await house.ask(a_request(role=REPORTS_READER), **facts)
    form = replace(await house.form(ann, request, verdict=verdict), comment=comment)
    await refused(house, form, Why.COMMENT_MISSING, words)
    assert house.desk.calls == []


# --- the fresh read ---


@pytest.mark.parametrize(
    "over",
    [
        {"justification": "Another reason"},
        {"ticket": Ticket("CHG-9999", "ServiceNow")},
        {"ticket": Ticket("CHG-4711", "Jira")},
        {"role": REPORTS_READER},
        {"scope": Scope("/administrativeUnits/1")},
        {"start": NOW + timedelta(hours=1)},
        {"duration": timedelta(hours=8)},
        {"action": "adminAssign"},
        {"requestor": rita},
        {"created_by": rita.id},
    ],
    ids="-".join,
)
async def test_a_request_that_changed_since_the_card_is_refused(
    house: House, activation: ActivationRequest, over: dict[str, object]
) -> None:
    form = await house.form(ann, activation)
    house.desk.change(activation.key.id, **over)
    await refused(house, form, Why.CHANGED, "read the new card and decide again")


async def test_a_form_older_than_our_memory_is_refused(house: House, activation: ActivationRequest) -> None:
    form = await house.form(ann, activation)
    house.desk.change(activation.key.id, justification="Another reason")
    await house.watcher.tick()
    await refused(house, form, Why.CHANGED, "read the new card and decide again")


def _only_ben_may(house: House, request: ActivationRequest) -> None:
    house.desk.held[request.key.id] = replace(house.desk.held[request.key.id], approvers=frozenset({ben.id}))


def _two_live_steps(house: House, request: ActivationRequest) -> None:
    another = Step(guid(), "InProgress", "NotReviewed", assigned_to_me=True)
    house.desk.held[request.key.id] = replace(house.desk.held[request.key.id], more_steps=(another,))


@pytest.mark.parametrize("trouble", [_only_ben_may, _two_live_steps])
async def test_who_has_not_exactly_one_live_step_is_refused(
    house: House, activation: ActivationRequest, trouble: Trouble
) -> None:
    trouble(house, activation)
    form = await house.form(ann, activation)
    await refused(house, form, Why.NOT_APPROVER, "Microsoft does not list you as an approver")


@pytest.mark.parametrize("method", ["fetch", "steps"])
@pytest.mark.parametrize(
    "failure,why,words",
    [
        (Unavailable("Microsoft cannot be reached."), Why.UNAVAILABLE, "or use the portal"),
        (Malformed(), Why.UNAVAILABLE, "try again in a moment"),
        (GraphRefused("Microsoft refused: no", status=403), Why.REFUSED, "Microsoft refused: no"),
        (DeviceDemanded(), Why.MANAGED_DEVICE, "only from a managed device"),
    ],
)
async def test_a_failing_read_is_refused(
    house: House, activation: ActivationRequest, method: str, failure: BotError, why: Why, words: str
) -> None:
    house.desk.fail(method, failure, times=ALWAYS)
    await refused(house, await house.form(ann, activation), why, words)


@pytest.mark.parametrize("method,why", [("fetch", Why.REFUSED), ("steps", Why.NOT_APPROVER)])
async def test_a_request_that_is_gone_is_refused(
    house: House, activation: ActivationRequest, method: str, why: Why
) -> None:
    house.desk.fail(method, RequestGone("Microsoft refused: no such request", status=404))
    await refused(house, await house.form(ann, activation), why, "Microsoft")


async def test_a_database_that_cannot_take_the_claim_is_refused(
    house: House, activation: ActivationRequest, database_url: str
) -> None:
    form = await house.form(ann, activation)
    house.desk.before("steps", house.store.aclose)
    said = await house.decisions.decide(form)
    assert isinstance(said, Refused)
    assert said.why is Why.UNAVAILABLE
    house.store = Store(open_engine(database_url))
    assert (house.desk.sent, await house.outcomes()) == ([], [])
    await house.store.aclose()


# --- the order, and what is read for whom ---


async def test_the_first_reason_in_the_pipelines_order_is_the_one_that_is_said(
    house: House, activation: ActivationRequest
) -> None:
    form = replace(await house.form(rob, activation, verdict=Verdict.DENY), comment="")
    known = dict(house.people.persons)
    await _approved(house, activation)

    async def why() -> Why:
        said = await house.decisions.decide(form)
        assert isinstance(said, Refused)
        return said.why

    house.people.persons.clear()
    reasons = [await why()]
    house.people.persons.update(known)
    reasons.append(await why())
    await house.link(rob)
    reasons.append(await why())
    assert reasons == [Why.NOT_MEMBER, Why.NOT_LINKED, Why.OWN_REQUEST]


async def test_the_fresh_read_is_made_with_the_approvers_own_token(house: House, activation: ActivationRequest) -> None:
    await house.link(ben)
    await house.decisions.decide(await house.form(ann, activation))
    assert {who for _, who in house.desk.calls} == {ann.id}


async def test_review_says_what_is_missing_before_anybody_is_asked(house: House, activation: ActivationRequest) -> None:
    form = await house.form(ann, activation, verdict=Verdict.DENY)
    missing = await house.decisions.review(replace(form, comment=" "))
    strangers = await house.decisions.review(replace(form, team=TEAM, user="U0BEN00001"))
    fine = await house.decisions.review(form)
    assert isinstance(missing, Refused)
    assert isinstance(strangers, Refused)
    assert (missing.why, strangers.why) == (Why.COMMENT_MISSING, Why.UNKNOWN_CARD)
    assert not isinstance(fine, Refused)
    assert (fine.verdict, house.desk.calls, house.people.asked) == (Verdict.DENY, [], [])
