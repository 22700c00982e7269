"""Over HTTP too, nobody approves their own request with another account, linked or not; doubt decides nothing.

Rob asks as adm-rob and calls as rob. No alias says that both are his.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from build import NOW, a_link, a_request
from people import adm_rob, ann, ben, cleo, olga, rita, rob, slack_of
from use_cases.house import House

from app.decisions import calling
from app.decisions.values import Done
from app.domain.errors import BotError, SlackFailed, Unavailable
from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Person, Status, Verdict
from app.domain.ruling import Refused, Why

ROB = slack_of(rob)
Tie = Callable[[House, ActivationRequest], Awaitable[object]]


async def asked_by(house: House, requestor: Person = adm_rob) -> ActivationRequest:
    return await house.ask(a_request(requestor=requestor), approvers=(rob, ann, cleo))


async def untouched(house: House, request: ActivationRequest, said: object, why: Why) -> None:
    assert isinstance(said, Refused), said
    assert said.why is why
    assert "Nothing was changed" in said.text
    assert (house.desk.sent, (await house.row(request)).status) == ([], Status.PENDING)


async def matched_by_mail(house: House, request: ActivationRequest) -> None:
    await house.book.matched(request.key, Match(How.BY_MAIL, ROB), NOW)


async def linked_now(house: House, request: ActivationRequest) -> None:
    await house.link(adm_rob, slack_user=ROB)
    await house.book.matched(request.key, Match(How.SIGNED_IN, ROB), NOW)


async def linked_once(house: House, request: ActivationRequest) -> None:
    """Slack knows of no such account today, but it was signed in from Rob's."""
    await house.link(adm_rob, slack_user=ROB)
    await house.sign_out(adm_rob)
    await house.book.matched(request.key, Match(How.NOT_IN_SLACK), NOW)


async def linked_over_another_slack_account(house: House, request: ActivationRequest) -> None:
    """A chain: the account that asks and Rob's Slack account were both once linked with a third."""
    for person, slack_user in ((adm_rob, "U0SECOND"), (olga, "U0SECOND"), (olga, ROB)):
        await house.link(person, slack_user=slack_user)
        await house.sign_out(person)
    await house.book.matched(request.key, Match(How.NOT_IN_SLACK), NOW)


TIES = [matched_by_mail, linked_now, linked_once, linked_over_another_slack_account]


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("tie", TIES, ids=[tie.__name__ for tie in TIES])
async def test_an_account_that_was_never_linked_is_known_by_its_owners_slack_account(
    house: House, tie: Tie, verdict: Verdict
) -> None:
    request = await asked_by(house)
    await tie(house, request)
    await untouched(house, request, await house.call(rob, request, verdict), Why.OWN_REQUEST)


async def test_a_requestor_whom_nobody_has_looked_for_yet_is_looked_for_now(house: House) -> None:
    request = await asked_by(house, replace(adm_rob, mail=rob.mail))
    assert (await house.row(request)).match.how is How.UNKNOWN
    await untouched(house, request, await house.call(rob, request), Why.OWN_REQUEST)


@pytest.mark.parametrize("person", [ann, cleo], ids=["in Slack", "not in Slack"])
async def test_anybody_else_decides(house: House, person: Person) -> None:
    request = await asked_by(house)
    await matched_by_mail(house, request)
    assert isinstance(await house.call(person, request), Done)


@pytest.mark.parametrize("failure", [Unavailable("Slack cannot be reached."), SlackFailed("missing_scope")])
async def test_while_slack_does_not_say_whose_the_account_is_nothing_is_decided(
    house: House, failure: BotError
) -> None:
    request = await asked_by(house, rita)
    house.people.failure = failure
    await untouched(house, request, await house.call(cleo, request), Why.UNAVAILABLE)
    house.people.failure = None
    assert isinstance(await house.call(cleo, request), Done)


async def test_nor_while_slack_does_not_answer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(calling, "PATIENCE", 0.0)
    request = await asked_by(house)
    house.people.by_mail = silent
    await untouched(house, request, await house.call(cleo, request), Why.UNAVAILABLE)


async def test_whoever_is_linked_decides_without_slack(house: House) -> None:
    request = await asked_by(house, rita)
    await house.link(ann)
    await house.book.matched(request.key, Match(How.BY_MAIL, slack_of(rita)), NOW)
    house.people.failure = Unavailable("Slack cannot be reached.")
    assert isinstance(await house.call(ann, request), Done)


async def test_but_not_while_nobody_knows_whose_the_request_is(house: House) -> None:
    request = await asked_by(house, rita)
    await house.link(ann)
    house.people.failure = Unavailable("Slack cannot be reached.")
    await untouched(house, request, await house.call(ann, request), Why.UNAVAILABLE)


async def test_a_match_speaks_for_nobody(house: House) -> None:
    """Ben's Slack account has Olga's address: that makes her no approver."""
    request = await asked_by(house)
    await house.link(ben)
    house.people.persons[a_link(ben).slack_user] = replace(house.people.persons[slack_of(ben)], mail=olga.mail)
    await untouched(house, request, await house.call(olga, request), Why.NOT_APPROVER)
