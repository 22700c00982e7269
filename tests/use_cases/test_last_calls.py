"""Last calls on the real store: each requestor hears once, in time, and not of what is decided or over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import a_request, an_intent, decided
from people import rob
from use_cases.house import House

from app.domain.last_calls import LastCall
from app.domain.lifecycle import Course, Holding
from app.domain.request import APPROVAL_WINDOW, ActivationRequest, Status
from app.reminders import LastCalls
from app.store.reminding import StoredReminding

MINUTE = timedelta(minutes=1)


@pytest.fixture
def calls(house: House) -> LastCalls:
    rows = StoredReminding(house.store, house.new_id)
    return LastCalls(rows=rows, outbox=house.outbox, clock=house.clock)


async def waiting(house: House, left: timedelta) -> ActivationRequest:
    """A request that dies so long from now."""
    return await house.ask(a_request(created=house.clock() + left - APPROVAL_WINDOW))


async def held(house: House, left: timedelta) -> ActivationRequest:
    """A role that is active for two hours in all, and ends so long from now."""
    request, until = await house.ask(), house.clock() + left
    await house.book.settle(request.key, Status.APPROVED, decided(), None, house.clock())
    await house.book.followed(request.key, Course(Holding(until - timedelta(hours=2), until)))
    return request


async def told(house: House) -> list[tuple[str, str, str]]:
    """Who is told what about which request, endings apart."""
    found = [one for one in await house.notices() if one.topic in tuple(LastCall)]
    return sorted((one.topic, one.key.id if one.key is not None else "", one.to_entra) for one in found)


async def test_both_are_told_once_however_often_it_is_looked_at(house: House, calls: LastCalls) -> None:
    dying, ending = await waiting(house, 20 * MINUTE), await held(house, 20 * MINUTE)
    assert not await calls.tick()
    house.clock.advance(6 * MINUTE)
    assert await calls.tick()
    for _ in range(14):
        house.clock.advance(MINUTE)
        assert not await calls.tick()
    assert await told(house) == [("dying", dying.key.id, rob.id), ("ending", ending.key.id, rob.id)]


async def test_a_bot_that_comes_back_in_the_last_minutes_still_tells(house: House, calls: LastCalls) -> None:
    request = await waiting(house, 2 * MINUTE)
    assert await calls.tick()
    assert await told(house) == [("dying", request.key.id, rob.id)]


async def test_what_is_being_decided_is_told_only_if_it_waits_again(house: House, calls: LastCalls) -> None:
    request = await waiting(house, 10 * MINUTE)
    intent = an_intent(request)
    assert await house.book.claim(intent) is not None
    assert not await calls.tick()
    await house.book.release(intent, intent.outcome, "not taken", house.clock())
    assert await calls.tick()


@pytest.mark.parametrize("status", [Status.DENIED, Status.CANCELED, Status.EXPIRED])
async def test_what_has_ended_is_not_told(house: House, calls: LastCalls, status: Status) -> None:
    request = await waiting(house, 10 * MINUTE)
    await house.book.settle(request.key, status, decided(), None, house.clock())
    assert not await calls.tick()


async def test_a_role_given_back_early_is_not_told(house: House, calls: LastCalls) -> None:
    request = await held(house, 30 * MINUTE)
    row = await house.row(request)
    ended = Holding(row.holding.activated, row.holding.until, deactivated=house.clock())
    await house.book.followed(request.key, Course(ended))
    house.clock.advance(20 * MINUTE)
    assert not await calls.tick()
