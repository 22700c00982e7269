"""The rounds: only the holder of the lease ticks, nothing stops the next tick, and a woken round comes at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from app.domain.errors import Superseded, Unavailable
from app.schedule import LEASE_SECONDS, RENEW_EVERY, Schedule

SOON = 20.0  # seconds until a test gives up waiting


@dataclass
class FakeLeases:
    """The leases table; `holds` is what it answers next, or how it fails. Zero seconds give the lease back."""

    holds: int | Exception = 1
    asked: list[tuple[str, str, float]] = field(default_factory=list)
    fences: list[tuple[str, int]] = field(default_factory=list)

    async def hold(self, name: str, holder: str, seconds: float) -> int:
        self.asked.append((name, holder, seconds))
        if isinstance(self.holds, Exception):
            raise self.holds
        return self.holds

    @contextmanager
    def fence(self, name: str, epoch: int) -> Iterator[None]:
        self.fences.append((name, epoch))
        yield


@dataclass
class Round:
    """Counts its ticks; `fails` is raised by each."""

    fails: Exception | None = None
    ticks: int = 0
    rang: asyncio.Event = field(default_factory=asyncio.Event)

    async def tick(self) -> None:
        self.ticks += 1
        self.rang.set()
        if self.fails is not None:
            raise self.fails


@dataclass
class Rig:
    """A schedule whose time the test holds."""

    leases: FakeLeases = field(default_factory=FakeLeases)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.schedule = Schedule(leases=self.leases, holder="us", monotonic=lambda: self.now)

    async def due(self, name: str = "watch") -> None:
        """The time of this round has come: do what the scheduler would."""
        job = self.schedule.scheduler.get_job(name)
        await job.func(*job.args)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.schedule.stop()


async def test_the_holder_of_the_lease_ticks(rig: Rig) -> None:
    watch = Round()
    rig.schedule.every(20, "watch", watch.tick)
    await rig.due()
    assert (watch.ticks, rig.leases.asked) == (1, [("rounds", "us", LEASE_SECONDS)])


async def test_what_a_tick_writes_is_fenced_by_the_epoch_of_the_lease(rig: Rig) -> None:
    rig.leases.holds = 7
    rig.schedule.every(20, "watch", Round().tick)
    await rig.due()
    assert rig.leases.fences == [("rounds", 7)]


async def test_a_round_that_was_superseded_asks_for_the_lease_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    watch = Round(fails=Superseded())
    rig.schedule.every(20, "watch", watch.tick)
    await rig.due()
    rig.leases.holds = 0
    await rig.due()
    assert (watch.ticks, len(rig.leases.asked)) == (1, 2)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.records[0].exc_info is None


async def test_another_replica_does_not_tick(rig: Rig) -> None:
    watch, rig.leases.holds = Round(), False
    rig.schedule.every(20, "watch", watch.tick)
    await rig.due()
    assert watch.ticks == 0


async def test_the_lease_is_renewed_well_before_it_ends_and_not_at_every_tick(rig: Rig) -> None:
    rig.schedule.every(1, "watch", Round().tick)
    for _ in range(10):
        await rig.due()
        rig.now += RENEW_EVERY / 5
    assert len(rig.leases.asked) == 2
    assert RENEW_EVERY * 2 < LEASE_SECONDS


async def test_who_loses_the_lease_stops_ticking_and_who_gets_it_begins(rig: Rig) -> None:
    watch = Round()
    rig.schedule.every(20, "watch", watch.tick)
    for holds in (True, False, True):
        rig.leases.holds = holds
        await rig.due()
        rig.now += RENEW_EVERY
    assert watch.ticks == 2


async def test_nobody_ticks_while_the_lease_cannot_be_asked_for(rig: Rig) -> None:
    watch = Round()
    rig.schedule.every(20, "watch", watch.tick)
    await rig.due()
    rig.now += RENEW_EVERY
    rig.leases.holds = Unavailable("The database is gone.")
    for _ in range(3):
        await rig.due()
    assert (watch.ticks, len(rig.leases.asked)) == (1, 4)


@pytest.mark.parametrize("problem", [Unavailable(), RuntimeError("a bug")])
async def test_a_failing_tick_is_logged_once_and_the_next_one_comes(
    rig: Rig, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    watch = Round(fails=problem)
    rig.schedule.every(20, "watch", watch.tick)
    for _ in range(5):
        await rig.due()
    assert watch.ticks == 5
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "watch" in caplog.text


async def test_a_failure_after_a_good_tick_is_news_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    watch = Round()
    rig.schedule.every(20, "watch", watch.tick)
    for problem in (RuntimeError(), RuntimeError(), None, RuntimeError()):
        watch.fails = problem
        await rig.due()
    assert len(caplog.records) == 2


async def test_one_failing_round_does_not_hide_the_failure_of_another(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("watch", "paint"):
        rig.schedule.every(20, name, Round(fails=RuntimeError()).tick)
        await rig.due(name)
    assert len(caplog.records) == 2


async def test_being_told_to_stop_is_no_failure(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    rig.schedule.every(20, "watch", cancelled)
    with pytest.raises(asyncio.CancelledError):
        await rig.due()
    assert caplog.records == []


async def test_a_round_begins_at_once_and_again_when_it_is_woken(rig: Rig) -> None:
    watch = Round()
    rig.schedule.every(3600, "watch", watch.tick)
    rig.schedule.start()
    async with asyncio.timeout(SOON):
        await watch.rang.wait()
        watch.rang.clear()
        rig.schedule.wake("watch")
        await watch.rang.wait()
    assert watch.ticks == 2


async def test_waking_a_round_nobody_runs_is_nothing(rig: Rig) -> None:
    rig.schedule.wake("paint")
    assert rig.schedule.scheduler.get_jobs() == []


async def test_a_round_is_never_run_twice_at_once_and_never_given_up_for_being_late(rig: Rig) -> None:
    rig.schedule.every(20, "watch", Round().tick, jitter=4)
    job = rig.schedule.scheduler.get_job("watch")
    assert (job.max_instances, job.coalesce, job.misfire_grace_time) == (1, True, None)
    assert (job.trigger.interval.total_seconds(), job.trigger.jitter) == (20, 4)


async def test_nothing_runs_after_the_stop(rig: Rig) -> None:
    watch = Round()
    rig.schedule.every(3600, "watch", watch.tick)
    rig.schedule.start()
    async with asyncio.timeout(SOON):
        await watch.rang.wait()
    await rig.schedule.stop()
    rig.schedule.wake("watch")
    await asyncio.sleep(0)
    assert (watch.ticks, rig.schedule.scheduler.running) == (1, False)


async def test_stopping_before_the_start_is_nothing(rig: Rig) -> None:
    await rig.schedule.stop()
    assert (rig.schedule.scheduler.running, rig.leases.asked) == (False, [])


async def test_a_stop_hands_the_lease_over(rig: Rig) -> None:
    rig.schedule.every(20, "watch", Round().tick)
    await rig.due()
    await rig.schedule.stop()
    await rig.schedule.stop()
    assert rig.leases.asked == [("rounds", "us", LEASE_SECONDS), ("rounds", "us", 0)]


async def test_a_stop_takes_no_lease_from_another(rig: Rig) -> None:
    rig.leases.holds = False
    rig.schedule.every(20, "watch", Round().tick)
    await rig.due()
    await rig.schedule.stop()
    assert len(rig.leases.asked) == 1


async def test_a_stop_without_a_database_is_a_stop(rig: Rig) -> None:
    rig.schedule.every(20, "watch", Round().tick)
    await rig.due()
    rig.leases.holds = Unavailable("The database is gone.")
    await rig.schedule.stop()
    assert not rig.schedule.scheduler.running


async def test_a_round_woken_while_it_runs_runs_once_more(rig: Rig) -> None:
    ticks: list[str] = []
    done = asyncio.Event()

    async def tick() -> None:
        ticks.append("tick")
        if len(ticks) == 1:
            rig.schedule.wake("paint")
            rig.schedule.wake("paint")
        else:
            done.set()

    rig.schedule.every(3600, "paint", tick)
    rig.schedule.start()
    async with asyncio.timeout(SOON):
        await done.wait()
    assert ticks == ["tick", "tick"]
