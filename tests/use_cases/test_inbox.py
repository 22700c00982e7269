"""Deliveries: each is taken once, and a restart tells whoever was left without an answer, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from build import an_intent
from people import ann, ben, slack_of
from use_cases.house import House

from app.inbox import Deliveries
from app.ports import Outcome

ANN, BEN = slack_of(ann), slack_of(ben)


@pytest.fixture
def deliveries(house: House) -> Deliveries:
    return Deliveries(inbox=house.inbox, outbox=house.outbox, clock=house.clock)


async def told(house: House) -> list[tuple[str, str]]:
    return sorted((notice.topic, notice.to_slack) for notice in await house.notices())


async def test_a_repeated_delivery_is_taken_once(deliveries: Deliveries) -> None:
    assert await deliveries.take("action:1", "pim_approve", ANN)
    assert not await deliveries.take("action:1", "pim_approve", ANN)
    assert await deliveries.take("action:2", "pim_approve", ANN)


async def test_a_delivery_that_was_answered_is_still_not_taken_again(deliveries: Deliveries) -> None:
    await deliveries.take("action:1", "pim_approve", ANN)
    await deliveries.close("action:1", "opened")
    assert not await deliveries.take("action:1", "pim_approve", ANN)


async def test_of_ten_copies_at_once_one_is_taken(deliveries: Deliveries) -> None:
    copies = [deliveries.take("action:1", "pim_approve", ANN) for _ in range(10)]
    assert sorted(await asyncio.gather(*copies)) == [False] * 9 + [True]


async def test_a_restart_tells_each_person_once_that_nothing_was_changed(house: House, deliveries: Deliveries) -> None:
    for key, user in (("1", ANN), ("2", ANN), ("3", BEN)):
        await deliveries.take(key, "pim_approve", user)
    for _ in range(2):
        await deliveries.sweep(timedelta(0))
    assert await told(house) == [("restarted", ANN), ("restarted", BEN)]


async def test_a_second_restart_at_another_time_tells_nobody_twice(house: House, deliveries: Deliveries) -> None:
    await deliveries.take("1", "pim_approve", ANN)
    await deliveries.sweep(timedelta(0))
    house.clock.advance(timedelta(minutes=1))
    await deliveries.sweep(timedelta(0))
    assert await told(house) == [("restarted", ANN)]
    await deliveries.take("2", "pim_approve", ANN)
    await deliveries.sweep(timedelta(0))
    assert await told(house) == [("restarted", ANN)] * 2


async def test_whoever_was_answered_hears_nothing_after_a_restart(house: House, deliveries: Deliveries) -> None:
    await deliveries.take("1", "pim_approve", ANN)
    await deliveries.close("1", "opened")
    await deliveries.take("2", "event", "")
    await deliveries.sweep(timedelta(0))
    assert await told(house) == []


@pytest.mark.parametrize("outcome,heard", [(None, []), (Outcome.NOT_TAKEN, [("restarted", ANN)])])
async def test_whoever_sent_a_decision_is_not_told_that_nothing_was_changed(
    house: House, deliveries: Deliveries, outcome: Outcome | None, heard: list[tuple[str, str]]
) -> None:
    request = await house.ask()
    await deliveries.take("1", "submission", ANN)
    intent = an_intent(request, ann)
    await house.book.claim(intent)
    if outcome is not None:
        await house.book.release(intent, outcome, "not taken", house.clock())
    await deliveries.sweep(timedelta(0))
    assert await told(house) == heard
