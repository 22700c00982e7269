"""Decisions over HTTP: sent in the caller's own name, by the same rules, and found out about after a crash."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from build import NOW, REPORTS_READER, a_link, a_request
from fakes import ALWAYS, ProcessKilled, Sent
from people import TENANT, adm_rob, ann, ben, cleo, olga, rita, rob
from use_cases.house import House

from app.decisions.sending import SEND_AGAIN_WITHIN
from app.decisions.values import Done, Unproven, Waiting
from app.domain.errors import ClaimsChallenge, DeviceDemanded, SignInRequired, Unavailable
from app.domain.match import How, Match
from app.domain.policy import Aliases, Policy
from app.domain.request import ActivationRequest, Decided, Person, PolicyFacts, Status, Verdict, Where
from app.domain.risk import Level, Risk
from app.domain.ruling import DEFAULT_COMMENTS, Refused, Why
from app.store.writer import Store

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann, Ben and Cleo may decide, and nobody has signed in from Slack."""
    return await house.ask(approvers=(ann, ben, cleo))


async def untouched(house: House, request: ActivationRequest) -> None:
    assert house.desk.sent == []
    assert (await house.row(request)).status is Status.PENDING
    assert (await house.audit(request), await house.outcomes()) == ([], [])


async def refused(house: House, request: ActivationRequest, said: object, why: Why) -> None:
    assert isinstance(said, Refused), said
    assert said.why is why
    await untouched(house, request)


# What counts


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("person", [ann, cleo])
async def test_a_decision_is_sent_in_the_callers_own_name(
    house: House, activation: ActivationRequest, person: Person, verdict: Verdict
) -> None:
    fate = await house.call(person, activation, verdict)
    assert isinstance(fate, Done)
    step, comment = house.desk.held[activation.key.id].step, "It is in the change calendar"
    assert house.desk.sent == [Sent(activation.key.id, step, verdict, comment, person.id)]
    assert {who for _, who in house.desk.calls} == {person.id}
    assert (fate.row.status, fate.row.decided) == (verdict.status, Decided(NOW, Where.API, person, comment))
    assert [(row.what, row.who) for row in await house.audit(activation)] == [(verdict.status.value, person.id)]
    assert [notice.topic for notice in await house.notices()] == ["outcome"]
    assert house.tokens.asked == []


async def test_where_a_comment_is_optional_ours_says_where_it_was_decided(house: House) -> None:
    request = a_request(role=REPORTS_READER)
    await house.ask(request, risk=Risk(Level.LOW), policy=PolicyFacts(comment_required=False))
    assert isinstance(await house.call(ann, request, comment=""), Done)
    assert [sent.justification for sent in house.desk.sent] == [DEFAULT_COMMENTS[Where.API]]


async def test_two_calls_at_once_are_one_decision(house: House, activation: ActivationRequest) -> None:
    fates = await asyncio.gather(house.call(ann, activation), house.call(cleo, activation, Verdict.DENY))
    assert [type(fate) for fate in fates].count(Done) == 1
    assert len(house.desk.sent) == 1
    assert [type(fate) for fate in fates].count(Refused) == 1


async def test_slack_and_http_take_the_same_claim(house: House, activation: ActivationRequest) -> None:
    await house.link(ann)
    fates = await asyncio.gather(house.decide(ann, activation), house.call(cleo, activation))
    assert len(house.desk.accepted) == 1
    assert sorted(type(fate).__name__ for fate in fates) == ["Done", "Refused"]


async def test_a_lost_answer_is_read_back_with_the_callers_token(house: House, activation: ActivationRequest) -> None:
    house.desk.lose_answer_after()
    assert isinstance(await house.call(cleo, activation), Done)
    assert house.desk.calls[-1] == ("steps", cleo.id)
    assert len(house.desk.sent) == 1


async def test_what_stays_unknown_keeps_the_claim(house: House, activation: ActivationRequest) -> None:
    house.desk.lose_answer_after()
    house.desk.before("decide", lambda: house.desk.fail("steps", Unavailable(), times=ALWAYS))
    assert isinstance(await house.call(cleo, activation), Waiting)
    assert (await house.row(activation)).status is Status.DECIDING


# What does not


async def test_nobody_approves_their_own_request(house: House) -> None:
    request = await house.ask(a_request(requestor=ann), approvers=(ann, ben))
    await refused(house, request, await house.call(ann, request), Why.OWN_REQUEST)
    assert (house.desk.calls, house.on_behalf.asked) == ([], [])


async def test_nobody_approves_what_they_asked_for_in_somebody_elses_name(house: House) -> None:
    request = await house.ask(a_request(requestor=rita, created_by=ann.id))
    await refused(house, request, await house.call(ann, request), Why.OWN_REQUEST)


async def test_a_nameless_token_does_not_hide_an_admin_account(store: Store) -> None:
    """The caller's token names nobody, so that only Microsoft's own word says that Rob stands behind it."""
    policy = Policy(aliases=Aliases(rules=(("adm-{x}@", "{x}@"),)))
    house = House(store, policy=policy)
    request = await house.ask(a_request(requestor=adm_rob), approvers=(rob, ben))
    await refused(house, request, await house.call(rob, request), Why.OWN_REQUEST)


async def test_accounts_once_linked_to_one_slack_account_are_one_human(house: House) -> None:
    for person in (adm_rob, ann):
        await house.link(person, slack_user="U0ONCE")
        await house.sign_out(person)
    request = await house.ask(a_request(requestor=adm_rob))
    await refused(house, request, await house.call(ann, request), Why.OWN_REQUEST)


async def test_a_requestor_matched_to_the_callers_slack_account_is_the_caller(house: House) -> None:
    await house.link(ann)
    request = await house.ask(a_request(requestor=adm_rob))
    await house.book.matched(request.key, Match(How.BY_MAIL, a_link(ann).slack_user), NOW)
    await refused(house, request, await house.call(ann, request), Why.OWN_REQUEST)


async def test_who_is_no_approver_is_refused_by_microsofts_word(house: House, activation: ActivationRequest) -> None:
    await refused(house, activation, await house.call(olga, activation), Why.NOT_APPROVER)


async def test_whoever_said_that_a_sign_in_was_not_theirs_decides_nothing(
    house: House, activation: ActivationRequest
) -> None:
    await house.link(ann)
    link = await house.links.by_entra(TENANT, ann.id)
    assert link is not None
    await house.freezes.freeze(link, NOW)
    said = await house.call(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, house.desk.calls) == (Why.FROZEN, [])


@pytest.mark.parametrize("digest", ["", "0" * 64])
async def test_another_digest_than_microsofts_is_refused(
    house: House, activation: ActivationRequest, digest: str
) -> None:
    await refused(house, activation, await house.call(ann, activation, digest=digest), Why.CHANGED)


async def test_a_request_that_changed_in_microsoft_is_refused(house: House, activation: ActivationRequest) -> None:
    house.desk.change(activation.key.id, justification="Something else")
    await refused(house, activation, await house.call(ann, activation), Why.CHANGED)


async def test_a_denial_without_a_reason_is_refused(house: House, activation: ActivationRequest) -> None:
    said = await house.call(ann, activation, Verdict.DENY, comment="  ")
    await refused(house, activation, said, Why.COMMENT_MISSING)


async def test_an_expired_request_is_refused(house: House, activation: ActivationRequest) -> None:
    house.clock.advance(timedelta(days=1))
    said = await house.call(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, house.desk.sent) == (Why.EXPIRED, [])


# What Microsoft wants first


@pytest.mark.parametrize("failure, claims", [(ClaimsChallenge(claims=CLAIMS), CLAIMS), (SignInRequired(), "")])
async def test_a_demand_before_the_claim_goes_back_to_the_caller(
    house: House, activation: ActivationRequest, failure: SignInRequired, claims: str
) -> None:
    house.on_behalf.failures[ann.id] = failure
    said = await house.call(ann, activation)
    assert isinstance(said, Unproven)
    assert said.claims == claims
    await untouched(house, activation)


async def test_a_demand_at_the_decision_itself_gives_the_claim_back(
    house: House, activation: ActivationRequest
) -> None:
    house.desk.fail("decide", ClaimsChallenge(claims=CLAIMS))
    said = await house.call(ann, activation)
    assert isinstance(said, Unproven)
    assert said.claims == CLAIMS
    assert (await house.row(activation)).status is Status.PENDING
    assert isinstance(await house.call(ann, activation), Done)


@pytest.mark.parametrize(
    "failure, why",
    [(DeviceDemanded("From a managed device only."), Why.MANAGED_DEVICE), (Unavailable(), Why.UNAVAILABLE)],
)
async def test_other_failures_before_the_claim_are_refusals(
    house: House, activation: ActivationRequest, failure: Exception, why: Why
) -> None:
    house.on_behalf.failures[ann.id] = failure
    await refused(house, activation, await house.call(ann, activation), why)


# After a crash


async def die(_: str = "") -> None:
    raise ProcessKilled


async def die_at_the_answer(method: str) -> None:
    if method == "answer":
        raise ProcessKilled


async def killed(house: House, request: ActivationRequest, *, late: bool) -> None:
    """The process dies while Cleo's call is under way: before Microsoft processed it, or right after."""
    if late:
        house.desk.turn = die_at_the_answer
    else:
        house.desk.before("decide", die)
    with pytest.raises(ProcessKilled):
        await house.call(cleo, request)
    house.desk.turn = None
    house.restart()


async def told(house: House) -> list[tuple[str, str]]:
    return [(one.to_entra, one.facts["refused"]) for one in await house.notices() if one.topic == "fate"]


async def test_after_a_crash_somebody_elses_session_shows_what_became_of_it(
    house: House, activation: ActivationRequest
) -> None:
    """Cleo never signed in from Slack: her token is gone, and Ben's session reads for her."""
    await house.link(ben)
    await killed(house, activation, late=True)
    await house.courier.resume(after_start=True)
    row = await house.row(activation)
    assert (row.status, row.decided and row.decided.by, row.decided and row.decided.where) == (
        Status.APPROVED,
        cleo,
        Where.API,
    )
    assert await told(house) == [(cleo.id, "")]


async def test_after_a_crash_nothing_is_sent_again_in_somebody_elses_session(
    house: House, activation: ActivationRequest
) -> None:
    """Cleo links her Slack account afterwards: that session did not ask for this decision."""
    await killed(house, activation, late=False)
    await house.link(cleo, slack_user="U0CLEO")
    sent = len(house.desk.sent)
    await house.courier.resume(after_start=True)
    assert len(house.desk.sent) == sent
    assert (await house.row(activation)).status is Status.PENDING
    assert [who for who, _ in await told(house)] == [cleo.id]


async def test_what_was_claimed_and_not_sent_is_given_back_at_once(house: House, activation: ActivationRequest) -> None:
    claim = house.calls.claiming.claim

    async def claim_and_die(*asked: object) -> object:
        await claim(*asked)
        raise ProcessKilled

    house.calls.claiming = Dying(house.calls.claiming, claim_and_die)
    with pytest.raises(ProcessKilled):
        await house.call(cleo, activation)
    house.restart()
    await house.courier.resume(after_start=True)
    assert (await house.row(activation)).status is Status.PENDING
    assert house.desk.sent == []
    assert [who for who, _ in await told(house)] == [cleo.id]


async def test_without_anybodys_session_the_claim_is_given_back_in_the_end(
    house: House, activation: ActivationRequest
) -> None:
    await killed(house, activation, late=False)
    await house.courier.resume(after_start=True)
    assert (await house.row(activation)).status is Status.DECIDING
    house.clock.advance(SEND_AGAIN_WITHIN)
    await house.courier.resume(after_start=False)
    assert (await house.row(activation)).status is Status.PENDING


class Dying:
    """The claiming, but the process ends right after the claim."""

    def __init__(self, claiming: object, claim: object) -> None:
        self._claiming = claiming
        self.claim = claim

    def __getattr__(self, name: str) -> object:
        return getattr(self._claiming, name)
