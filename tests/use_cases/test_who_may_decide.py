"""Who may decide, through the whole pipeline: whoever may not is told why, and Microsoft hears nothing of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from build import EXCHANGE, a_request, an_intent, seen
from people import CHANNEL, adm_rob, ann, ben, cleo, rita, rob, slack_of
from use_cases.house import House

from app.decisions.values import Done, Opening
from app.domain.match import How, Match
from app.domain.policy import Aliases, Policy
from app.domain.request import ActivationRequest, Person, Status
from app.domain.ruling import Refused, Why
from app.operating import OffSwitch
from app.store.writer import Store

POLICY = Policy(aliases=Aliases((("adm-{x}@", "{x}@"),)))
adm_ann = Person("a2a2a2a2-0000-4000-8000-00000000000a", "Ann Archer (admin)", "adm-ann@acme.example")


@pytest.fixture
def house(store: Store) -> House:
    return House(store, policy=POLICY)


def off_switch(house: House) -> OffSwitch:
    return OffSwitch(switches=house.switches, clock=house.clock, channel=CHANNEL)


async def refused_both_ways(house: House, person: Person, request: ActivationRequest, why: Why) -> str:
    """Neither a press nor a form opened earlier gets through; what is said."""
    pressed = await house.press(person, request)
    decided = await house.decide(person, request)
    for answer in (pressed, decided):
        assert isinstance(answer, Refused)
        assert answer.why is why
        assert "Nothing was changed." in answer.text
    assert house.desk.sent == []
    assert await house.outcomes() == []
    return pressed.text


async def test_ann_does_not_approve_what_her_admin_account_asks(house: House) -> None:
    await house.link(ann)
    request = await house.ask(a_request(requestor=adm_ann))
    said = await refused_both_ways(house, ann, request, Why.OWN_REQUEST)
    assert said.startswith("This is your own request, made with adm-ann@acme.example;")


async def test_an_admin_account_does_not_approve_what_its_everyday_account_asks(house: House) -> None:
    await house.link(adm_ann, slack_user=slack_of(ann))
    request = await house.ask(a_request(requestor=ann), approvers=(adm_ann,))
    said = await refused_both_ways(house, ann, request, Why.OWN_REQUEST)
    assert said.startswith("This is your own request, made with ann@acme.example;")


async def test_nobody_approves_what_was_asked_from_their_slack_account(house: House) -> None:
    await house.link(ann)
    request = await house.ask(a_request(requestor=cleo))
    await house.book.matched(request.key, Match(How.BY_MAIL, slack_of(ann)), house.clock())
    assert "belongs to your Slack account" in await refused_both_ways(house, ann, request, Why.OWN_REQUEST)


async def test_nobody_approves_what_an_account_asks_that_they_once_were(house: House) -> None:
    await house.link(cleo, slack_user=slack_of(ann))
    await house.sign_out(cleo)
    await house.link(ann)
    request = await house.ask(a_request(requestor=cleo))
    assert "once linked to your Slack account" in await refused_both_ways(house, ann, request, Why.OWN_REQUEST)


async def chained(house: House) -> None:
    """Ann's Slack account was Cleo's once, and Cleo's Microsoft account Rita's."""
    for person, user in ((cleo, slack_of(ann)), (cleo, slack_of(rita)), (rita, slack_of(rita))):
        await house.link(person, slack_user=user)
        await house.sign_out(person)


async def test_nobody_approves_what_an_account_asks_that_a_chain_of_links_makes_theirs(house: House) -> None:
    await chained(house)
    await house.link(ann)
    request = await house.ask(a_request(requestor=rita))
    assert "once linked to your Slack account" in await refused_both_ways(house, ann, request, Why.OWN_REQUEST)


async def test_nor_the_other_way_round(house: House) -> None:
    await chained(house)
    await house.link(ann)
    await house.link(rita)
    request = await house.ask(a_request(requestor=ann), approvers=(rita,))
    assert "once linked to your Slack account" in await refused_both_ways(house, rita, request, Why.OWN_REQUEST)


async def test_nobody_approves_what_a_slack_account_asks_that_was_once_tied_to_theirs(house: House) -> None:
    await chained(house)
    await house.link(ann)
    request = await house.ask(a_request(requestor=rob))
    await house.book.matched(request.key, Match(How.BY_MAIL, slack_of(rita)), house.clock())
    assert "a Slack account once linked to yours" in await refused_both_ways(house, ann, request, Why.OWN_REQUEST)


@pytest.mark.parametrize(
    "read",
    [{"requestor": ann}, {"created_by": ann.id}, {"requestor": adm_ann}, {"requestor": cleo}, {"created_by": cleo.id}],
    ids=["their own", "made by them", "their admin account's", "a former account's", "made by a former account"],
)
async def test_what_microsoft_says_right_now_is_judged_too(house: House, read: dict[str, Any]) -> None:
    """Our memory says that somebody else asked, and the form shows the very same digest."""
    await house.link(cleo, slack_user=slack_of(ann))
    await house.sign_out(cleo)
    await house.link(ann)
    truth = a_request(**read)
    house.desk.ask(truth, (ann, ben))
    await house.book.remember([seen(replace(truth, requestor=rob, created_by=rob.id))], house.clock())
    form = await house.form(ann, truth)
    answer = await house.decisions.decide(form)
    assert isinstance(answer, Refused)
    assert (answer.why, house.desk.sent, await house.outcomes()) == (Why.OWN_REQUEST, [], [])


async def test_nobody_approves_what_they_made_for_somebody_else(house: House) -> None:
    await house.link(ann)
    request = await house.ask(a_request(created_by=ann.id))
    assert "made for Rob Reyes" in await refused_both_ways(house, ann, request, Why.OWN_REQUEST)


@pytest.mark.parametrize("asks", [rob, rita, adm_rob, adm_ann])
async def test_others_approve_it(house: House, asks: Person) -> None:
    await house.link(ben)
    request = await house.ask(a_request(requestor=asks))
    assert isinstance(await house.press(ben, request), Opening)
    assert isinstance(await house.decide(ben, request), Done)


async def test_a_match_never_lets_anybody_decide(house: House) -> None:
    await house.link(rita)
    request = await house.ask(approvers=(ann,))
    await house.book.matched(request.key, Match(How.SIGNED_IN, slack_of(rob)), house.clock())
    assert isinstance(await house.decide(rita, request), Refused)
    assert house.desk.accepted == []


# --- the off switch ---


async def test_a_portal_only_role_is_not_decided_here_even_with_an_old_form(store: Store) -> None:
    house = House(store, policy=Policy(portal_only=frozenset({EXCHANGE.id})))
    await house.link(ann)
    said = await refused_both_ways(house, ann, await house.ask(), Why.PORTAL_ONLY)
    assert said.startswith("Your company decides this role in the portal only.")


async def test_a_pause_stops_cards_and_open_forms_until_it_is_over(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    await off_switch(house).pause("os:ops", "a stolen laptop")
    assert "a stolen laptop" in await refused_both_ways(house, ann, request, Why.PAUSED)
    await off_switch(house).resume("os:ops", "found again")
    assert isinstance(await house.decide(ann, request), Done)


async def test_a_pause_between_the_last_look_and_the_claim_still_stops_it(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    house.desk.before("steps", lambda: off_switch(house).pause("os:ops", "now"))
    answer = await house.decide(ann, request)
    assert isinstance(answer, Refused)
    assert answer.why is Why.PAUSED
    assert house.desk.sent == []


async def test_what_a_crash_left_is_not_sent_during_a_pause(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    claimed = an_intent(request, ann, step=house.desk.held[request.key.id].step)
    assert await house.book.claim(claimed) is not None
    await off_switch(house).pause("os:ops", "now")
    house.restart()
    await house.courier.resume(after_start=True)
    assert house.desk.sent == []
    assert (await house.row(request)).status is Status.PENDING


# --- what the policy file says is audited too ---


async def test_the_portal_only_roles_of_the_policy_file_are_audited_when_they_change(house: House) -> None:
    request = await house.ask()
    switch = off_switch(house)
    for roles in ((), ("b", "a"), ("a", "b"), ("a",), ()):
        await switch.obey(frozenset(roles))
    rows = [(row.what, row.who, json.loads(row.facts)["reason"]) for row in await house.trail.rows(0, 100)]
    assert rows == [("portal_only_on", "bot", "a b"), ("portal_only_on", "bot", "a"), ("portal_only_off", "bot", "")]
    assert (await house.row(request)).version == 4
    assert await house.outbox.unpainted_notes() == []


async def test_only_a_pause_that_holds_is_reported(house: House) -> None:
    switch = off_switch(house)
    assert await switch.paused() is None
    await switch.pause("os:ops", "a drill")
    held = await switch.paused()
    assert held is not None
    assert held.reason == "a drill"
    await switch.resume("os:ops", "over")
    assert await switch.paused() is None
