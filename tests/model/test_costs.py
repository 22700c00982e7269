"""How many calls everything costs, counted at the emulated Microsoft and Slack, so that no call creeps in unseen."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from model.test_outages import ask, decide
from model.town import Town

from app.decisions.values import Done

POLL = timedelta(seconds=20)


class Bill:
    """The calls since it was made, by service; and what each was, for the message of a failure."""

    def __init__(self, town: Town) -> None:
        self._world = town.world
        self._from = len(town.world.log)

    def __str__(self) -> str:
        return ", ".join(f"{call.method} {call.service}{call.path}" for call in self._world.log[self._from :])

    def total(self) -> dict[str, int]:
        return dict(Counter(call.service for call in self._world.log[self._from :]))


async def warmed_up(town: Town) -> None:
    """What is asked once after a start, or once in a while, has been asked."""
    for kind in ("entra", "azure"):
        ask(town, kind)
    for _ in range(2):
        await town.poll()
    for _ in range(4):
        await town.paint()


async def test_a_poll_costs_the_same_whatever_waits(town: Town) -> None:
    await warmed_up(town)
    for waiting in (2, 12, 32):
        while len(town.world.requests) < waiting:
            ask(town)
        await town.poll()
        town.clock.advance(POLL)
        bill = Bill(town)
        await town.poll()
        assert bill.total() == {"graph": 1, "arm": 1}, f"{waiting} waiting: {bill}"


async def test_a_hundred_quiet_rounds_of_the_painter_cost_nothing(town: Town) -> None:
    await warmed_up(town)
    bill = Bill(town)
    for _ in range(100):
        await town.paint()
    assert bill.total() == {}, str(bill)


@pytest.mark.parametrize("kind, calls", [("entra", {"graph": 1, "slack": 1}), ("azure", {"arm": 1, "slack": 1})])
async def test_a_new_request_of_a_known_role_costs_a_look_and_a_post(
    town: Town, kind: str, calls: dict[str, int]
) -> None:
    await warmed_up(town)
    quiet = Bill(town)
    await town.poll()
    for_nothing = quiet.total()
    ask(town, kind)
    bill = Bill(town)
    await town.poll()
    await town.paint()
    await town.paint()
    assert {name: n - for_nothing.get(name, 0) for name, n in bill.total().items()} == {
        "graph": 0,
        "arm": 0,
        **calls,
    }, str(bill)


@pytest.mark.parametrize("kind, calls", [("entra", {"graph": 3, "slack": 1}), ("azure", {"arm": 3, "slack": 1})])
async def test_a_decision_costs_two_reads_one_send_and_who_it_is(town: Town, kind: str, calls: dict[str, int]) -> None:
    await warmed_up(town)
    request = ask(town, kind)
    await town.poll()
    await town.paint()
    await town.paint()
    bill = Bill(town)
    assert isinstance(await decide(town, request), Done)
    assert bill.total() == calls, str(bill)


async def test_showing_a_decision_costs_one_edit_and_telling_who_asked(town: Town) -> None:
    await warmed_up(town)
    request = ask(town)
    await town.poll()
    await town.paint()
    await town.paint()
    assert isinstance(await decide(town, request), Done)
    bill = Bill(town)
    for _ in range(10):
        await town.paint()
    assert bill.total() == {"slack": 4}, str(bill)  # the edit; who asked, the conversation with them, the message
