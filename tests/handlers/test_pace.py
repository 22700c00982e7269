"""Acks before answers: whose turn it is, on a clock of the test's own."""

from __future__ import annotations

import asyncio

from handlers.pace import PAUSE, TURN, Pace


class Hands:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pace = Pace(monotonic=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def test_in_a_quiet_hour_work_begins_at_once() -> None:
    hands = Hands()
    await hands.pace.turn()
    assert hands.now - 100.0 < PAUSE


async def test_work_waits_for_a_pause_after_the_last_delivery() -> None:
    hands = Hands()
    with hands.pace.taking():
        pass
    await hands.pace.turn()
    assert PAUSE <= hands.now - 100.0 < TURN


async def test_work_waits_while_a_delivery_is_being_taken_but_not_for_ever() -> None:
    hands = Hands()
    with hands.pace.taking():
        await hands.pace.turn()
    assert TURN <= hands.now - 100.0 < TURN + 2 * PAUSE


async def test_in_a_flood_turns_come_one_at_a_time_and_in_order() -> None:
    hands, begun = Hands(), []

    async def work(name: str) -> None:
        await hands.pace.turn()
        begun.append((name, round((hands.now - 100.0) / TURN)))

    with hands.pace.taking():
        await asyncio.gather(work("first"), work("second"), work("third"))
    assert [name for name, _ in begun] == ["first", "second", "third"]
    assert [turn for _, turn in begun] == [1, 2, 3]


async def test_who_does_not_wait_any_more_holds_up_nobody() -> None:
    hands = Hands()
    impatient = asyncio.create_task(hands.pace.turn())
    await asyncio.sleep(0)
    impatient.cancel()
    await hands.pace.turn()
