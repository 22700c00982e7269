"""Twelve people who could decide are polled as one, as long as one of them sees everything."""

from __future__ import annotations

from datetime import timedelta

from build import a_link, a_request
from people import TEAM, TENANT
from use_cases.house import House

from app.domain.request import Person
from app.watcher.looking import EVERYBODY_EVERY

TWELVE = tuple(Person(f"abababab-0000-4000-8000-0000000000{n:02}", f"Approver {n}") for n in range(12))
POLL = timedelta(seconds=20)


async def signed_in(house: House) -> None:
    for n, person in enumerate(TWELVE):
        link = a_link(person, slack_user=f"U0TWELVE{n:02}", team=TEAM, tenant=TENANT)
        assert await house.links.save(link, "sealed", 1, house.clock())


async def polled(house: House, rounds: int) -> int:
    """How many listings so many polls asked for."""
    before = house.desk.count("list_for")
    for _ in range(rounds):
        house.clock.advance(POLL)
        await house.watcher.tick()
    return house.desk.count("list_for") - before


async def test_twelve_approvers_cost_one_listing_a_poll(shared_house: House) -> None:
    house = shared_house
    await signed_in(house)
    for _ in range(5):
        house.desk.ask(a_request(), TWELVE)
    assert await polled(house, 1) == len(TWELVE)  # nobody knows yet what only one of them sees
    rounds = int(EVERYBODY_EVERY / POLL) - 1
    assert await polled(house, rounds) == rounds


async def test_everybody_is_asked_every_five_minutes(shared_house: House) -> None:
    house = shared_house
    await signed_in(house)
    house.desk.ask(a_request(), TWELVE)
    rounds = 4 * int(EVERYBODY_EVERY / POLL)
    assert await polled(house, rounds) == rounds + 4 * (len(TWELVE) - 1)


async def test_what_one_may_read_is_asked_of_no_other(shared_house: House) -> None:
    house = shared_house
    await signed_in(house)
    request = a_request()
    house.desk.ask(request, TWELVE)
    await polled(house, 1)
    house.desk.withdraw(request.key.id)
    before = len(house.desk.calls)
    await polled(house, 1)
    asked = [call for call in house.desk.calls[before:] if call[0] in ("fetch", "steps", "policy")]
    assert len(asked) <= 3, asked
