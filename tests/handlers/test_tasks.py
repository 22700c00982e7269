"""Work after the ack: kept, reported when it fails, and waited for at the end."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from handlers.tasks import Tasks

SOON = 20.0


async def nothing() -> None:
    return


async def fail() -> None:
    raise RuntimeError("a bug")


async def test_a_stop_waits_for_what_is_running() -> None:
    tasks, gate, done = Tasks(), asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append("done")

    tasks.spawn(work(), nothing)
    asyncio.get_running_loop().call_soon(gate.set)
    await tasks.drain(SOON)
    assert done == ["done"]


async def test_a_stop_does_not_wait_forever() -> None:
    tasks, gate = Tasks(), asyncio.Event()

    async def work() -> None:
        await gate.wait()

    task = tasks.spawn(work(), nothing)
    await tasks.drain(0.01)
    assert not task.done()
    gate.set()
    await task


async def test_a_stop_with_nothing_running_is_over_at_once() -> None:
    await Tasks().drain(SOON)


async def test_work_that_nobody_holds_is_not_collected() -> None:
    tasks, done = Tasks(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    tasks.spawn(work(), nothing)
    gc.collect()
    async with asyncio.timeout(SOON):
        await done.wait()


async def test_finished_work_is_let_go() -> None:
    tasks = Tasks()
    await tasks.spawn(nothing(), nothing)
    await asyncio.sleep(0)
    assert tasks == Tasks(tasks.pace)


async def test_a_failure_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    tasks, told = Tasks(), []

    async def tell() -> None:
        told.append("sorry")

    await tasks.spawn(fail(), tell)
    assert told == ["sorry"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_failure_that_cannot_be_told_is_in_the_log_and_ends_there(caplog: pytest.LogCaptureFixture) -> None:
    await Tasks().spawn(fail(), fail)
    assert len(caplog.records) == 2


async def test_one_failure_leaves_the_others_alone() -> None:
    tasks, done = Tasks(), []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("done")

    tasks.spawn(fail(), nothing)
    tasks.spawn(work(), nothing)
    await tasks.drain(SOON)
    assert done == ["done"]
