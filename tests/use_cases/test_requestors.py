"""Requestors are looked for in Slack once, and hourly while nobody can tell; Slack being away stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from build import a_request
from people import rita, rob, slack_of
from use_cases.house import House

from app import requestors
from app.domain.errors import BotError, SlackFailed, Unavailable
from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Person
from app.requestors import ASK_AGAIN, Requestors


@dataclass
class FakeMatching:
    """Says what it is told to say, and keeps whom it was asked about."""

    answers: Mapping[str, Match] = field(default_factory=lambda: {rob.id: Match(How.BY_MAIL, slack_of(rob))})
    failure: BotError | None = None
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    async def match(self, person: Person) -> Match:
        self.asked.append(person.id)
        if self.silent:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return self.answers.get(person.id, Match(How.NOT_IN_SLACK))


@pytest.fixture
def matching() -> FakeMatching:
    return FakeMatching()


@pytest.fixture
def finder(house: House, matching: FakeMatching) -> Requestors:
    return Requestors(book=house.book, matching=matching, clock=house.clock)


async def match_of(house: House, request: ActivationRequest) -> Match:
    return (await house.row(request)).match


async def test_a_new_requestor_is_found_and_not_asked_for_again(
    house: House, finder: Requestors, matching: FakeMatching
) -> None:
    request = await house.ask()
    await finder.tick()
    await finder.tick()
    assert await match_of(house, request) == Match(How.BY_MAIL, slack_of(rob))
    assert matching.asked == [rob.id]


async def test_somebody_not_in_slack_is_known_not_to_be(house: House, finder: Requestors) -> None:
    request = await house.ask(a_request(requestor=rita))
    await finder.tick()
    assert (await match_of(house, request)).how is How.NOT_IN_SLACK


async def test_several_requests_of_one_person_are_one_question(
    house: House, finder: Requestors, matching: FakeMatching
) -> None:
    requests = [await house.ask() for _ in range(3)]
    await finder.tick()
    assert matching.asked == [rob.id]
    assert {(await match_of(house, one)).how for one in requests} == {How.BY_MAIL}


@pytest.mark.parametrize("failure", [Unavailable(), SlackFailed(code="missing_scope")])
async def test_a_failure_leaves_it_unknown_and_ends_the_round(
    house: House, finder: Requestors, matching: FakeMatching, failure: BotError
) -> None:
    first, second = [await house.ask(a_request(requestor=person)) for person in (rob, rita)]
    matching.failure = failure
    await finder.tick()
    assert len(matching.asked) == 1
    assert {(await match_of(house, one)).how for one in (first, second)} == {How.UNKNOWN}


async def test_after_a_failure_the_others_wait_as_long_as_slack_says(
    house: House, finder: Requestors, matching: FakeMatching
) -> None:
    for person in (rob, rita):
        await house.ask(a_request(requestor=person))
    matching.failure = Unavailable(retry_after=90)
    await finder.tick()
    matching.failure = None
    house.clock.advance(timedelta(seconds=89))
    await finder.tick()
    assert len(matching.asked) == 1
    house.clock.advance(timedelta(seconds=1))
    await finder.tick()
    assert len(set(matching.asked)) == 2


async def test_who_stayed_unknown_is_asked_for_again_after_an_hour(
    house: House, finder: Requestors, matching: FakeMatching
) -> None:
    request = await house.ask()
    matching.failure = Unavailable()
    await finder.tick()
    matching.failure = None
    house.clock.advance(ASK_AGAIN - timedelta(seconds=1))
    await finder.tick()
    assert len(matching.asked) == 1
    house.clock.advance(timedelta(seconds=2))
    await finder.tick()
    assert (await match_of(house, request)).how is How.BY_MAIL


async def test_a_slack_that_never_answers_holds_nobody_up(
    house: House, finder: Requestors, matching: FakeMatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requestors, "PATIENCE", 0.01)
    request = await house.ask()
    matching.silent = True
    await finder.tick()
    assert (await match_of(house, request)).how is How.UNKNOWN


async def test_one_round_looks_at_a_handful_only(
    house: House, finder: Requestors, matching: FakeMatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requestors, "BATCH", 1)
    for person in (rob, rita):
        await house.ask(a_request(requestor=person))
    await finder.tick()
    assert len(matching.asked) == 1
    await finder.tick()
    assert len(matching.asked) == 2
