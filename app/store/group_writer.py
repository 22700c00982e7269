"""SQLite's single writer: everything that waits is committed as one transaction. It decides nothing about the rows.

One commit costs a lock and perhaps a disk flush whether it carries one row or two hundred; a burst of clicks shares it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, Transaction, exc

from app.domain.errors import Unavailable
from app.store.engine import FLUSHING, WRITING
from app.store.outages import GONE, STOPPING, Work, plain, told_plainly
from app.store.threads import Threads, perform

T = TypeVar("T")
GROUP = 256  # jobs in one transaction at most, so that the first of a flood is not kept waiting by the last


@dataclass(slots=True)
class _Job:
    """A function to run, and where its caller waits. `answer` or `error` is known before the commit, told after it."""

    work: Work[Any]
    flush: bool
    caller: asyncio.Future[Any]
    answer: Any = None
    error: BaseException | None = None

    def wake(self) -> None:
        """Tell the caller, unless it has stopped waiting."""
        if self.caller.done():
            return
        if self.error is not None:
            self.caller.set_exception(self.error)
        else:
            self.caller.set_result(self.answer)


class GroupWriter:
    """Collects jobs in the event loop and runs them in one thread. Its task lives only while something waits."""

    def __init__(self, engine: Engine) -> None:
        self._thread = Threads("pim-writer", 1)
        self._quick = engine.execution_options(**WRITING)
        self._flushed = engine.execution_options(**WRITING, **FLUSHING)
        self._waiting: list[_Job] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, work: Work[T], *, flush: bool) -> T:
        """Queue the function and wait until its group is committed; with `flush` until a power cut cannot undo it."""
        if self._closed:
            raise Unavailable(STOPPING)
        job = _Job(work, flush, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return cast("T", await job.caller)

    async def aclose(self) -> None:
        """Refuse new work and wait for the old."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._thread.aclose()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                await self._commit([job for job in group if not job.caller.cancelled()])
        finally:
            # Empty, unless this task was cancelled: whoever still waits must not wait for ever.
            for job in self._waiting:
                job.error = Unavailable(GONE)
                job.wake()
            self._waiting.clear()

    async def _commit(self, group: Sequence[_Job]) -> None:
        engine = self._flushed if any(job.flush for job in group) else self._quick
        try:
            with told_plainly():
                await self._thread.run(lambda: _write(engine, group))
        except BaseException as error:
            # The loop's edge: no caller may wait for ever, and none may believe in a commit that did not happen.
            for job in group:
                job.error = error if isinstance(error, Exception) else Unavailable(GONE)
            if not isinstance(error, Exception):
                raise
        finally:
            for job in group:
                job.wake()


def _write(engine: Engine, group: Sequence[_Job]) -> None:
    """One transaction. Hardly any job ever fails, so savepoints are paid for only when one did."""
    with engine.connect() as connection:
        if not _all_at_once(connection, group) and len(group) > 1:
            _each_for_itself(connection, group)


def _all_at_once(connection: Connection, group: Sequence[_Job]) -> bool:
    """False when a job failed: then nothing is written, and that job knows why."""
    with connection.begin() as transaction:
        if all(_done(connection, job) for job in group):
            return True
        _undo(transaction)
    return False


def _each_for_itself(connection: Connection, group: Sequence[_Job]) -> None:
    """The same again with a savepoint for each: whatever a job meets is its caller's alone."""
    with connection.begin():
        for job in group:
            savepoint = connection.begin_nested()
            if _done(connection, job):
                savepoint.commit()
            else:
                _undo(savepoint)


def _done(connection: Connection, job: _Job) -> bool:
    job.error = None
    try:
        job.answer = perform(job.work, connection)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this caller's alone; the others go on
        job.error = plain(error)
    return job.error is None


def _undo(transaction: Transaction) -> None:
    try:
        transaction.rollback()
    except exc.DBAPIError as error:
        # A full disk makes SQLite roll back the whole transaction by itself: then the group is lost, not one job.
        raise Unavailable(GONE) from error
