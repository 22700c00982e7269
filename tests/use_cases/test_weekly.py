"""The weekly digest: once for each week, whoever asks how often, after a restart too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from build import a_request
from people import CHANNEL
from use_cases.house import House

from app.domain.weekly import A_WEEK, Weekly, read_tally
from app.store.weekly import StoredWeeks
from app.weekly import WeeklyDigest

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)


def a_digest(
    house: House,
    policy: Weekly | None = Weekly(0, 8),  # noqa: B008 - frozen
    *,
    routed: bool = False,
    channel: str = CHANNEL,
) -> WeeklyDigest:
    """A new process's."""
    weeks = StoredWeeks(house.store)
    return WeeklyDigest(
        weeks=weeks, outbox=house.outbox, clock=house.clock, channel=channel, policy=policy, routed=routed
    )


async def topics(house: House) -> list[str]:
    return [note.topic for note in await house.outbox.unpainted_notes()]


async def test_two_processes_and_a_restart_write_one_for_each_week(house: House) -> None:
    house.clock.now = MONDAY - timedelta(minutes=30)
    one, other = a_digest(house), a_digest(house)
    for _ in range(24 * 9):
        ticked = [await digest.tick() for digest in (one, other, a_digest(house))]
        assert ticked in ([False, False, False], [True, False, False])
        house.clock.advance(timedelta(hours=1))
    assert await topics(house) == ["week:2026-W48", "week:2026-W49"]


async def test_the_figures_are_those_of_the_moment_it_was_due(house: House) -> None:
    house.clock.now = MONDAY
    await house.book.remember([], MONDAY)
    await house.ask(a_request(created=MONDAY - timedelta(hours=1)))
    await a_digest(house).tick()
    [note] = await house.outbox.unpainted_notes()
    tally = read_tally(note.text)
    assert (tally.asked, tally.begin, tally.end) == (1, (MONDAY - A_WEEK).isoformat(), MONDAY.isoformat())
    assert note.channel == CHANNEL


@pytest.mark.parametrize("routed, channel, named", [(True, CHANNEL, 1), (True, "C0OTHER", 0), (False, "C0OTHER", 1)])
async def test_with_routes_it_names_what_its_own_channel_was_shown(
    house: House, *, routed: bool, channel: str, named: int
) -> None:
    house.clock.now = MONDAY
    await house.ask(a_request(created=MONDAY - timedelta(hours=1)))
    await a_digest(house, routed=routed, channel=channel).tick()
    [note] = await house.outbox.unpainted_notes()
    tally = read_tally(note.text)
    assert (tally.asked, len(tally.busiest)) == (1, named)


async def test_another_day_in_the_same_week_is_no_second_digest(house: House) -> None:
    house.clock.now = MONDAY
    assert await a_digest(house).tick()
    house.clock.advance(timedelta(days=2))
    assert not await a_digest(house, Weekly(2, 8)).tick()


async def test_without_a_day_there_is_none(house: House) -> None:
    house.clock.now = MONDAY
    assert not await a_digest(house, None).tick()
    assert await topics(house) == []
