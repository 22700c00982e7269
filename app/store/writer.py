"""The one way to the database: `read` and `write`. On SQLite everything waiting is committed as one transaction.

One commit costs a disk flush and a lock whether it carries one row or five hundred; a burst of clicks shares it.
It never retries by itself: who called knows whether the same call again makes sense.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.errors import Unavailable
from app.store.engine import WRITING

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

GROUP = 256  # jobs in one transaction at most, so that the first of a flood is not kept waiting by the last
_GONE = "The database cannot be used right now. Please try again in a minute."
_SQLITE_ERROR = 1  # SQLite's code for "your SQL is wrong": our mistake, not an outage
_SQLITE_RUINED = (11, 26)  # the file is damaged, or no database at all


class Store:
    """The database. `read` and `write` take a function of a connection and give its answer.

    Both raise Unavailable when the database is gone; errors of the function itself come through unchanged.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(**WRITING)
        self._group = _GroupWriter(self._writing) if engine.dialect.name == "sqlite" else None

    async def read(self, work: Work[T]) -> T:
        """Look something up. Whatever the function writes is rolled back."""
        with _told_plainly():
            async with self._engine.connect() as connection:
                return await work(connection)

    async def write(self, work: Work[T]) -> T:
        """Change something; it is committed when this returns, and nothing of it is there when this raises.

        On SQLite the function runs in the writer's task: a caller that is cancelled meanwhile stops waiting, and what
        it asked for is still written. A connection that breaks during the commit itself leaves the outcome unknown.
        """
        if self._group is not None:
            return await self._group.submit(work)
        with _told_plainly():
            async with self._writing.begin() as connection:
                return await work(connection)

    async def ping(self) -> None:
        """Ask the database for a sign of life; Unavailable when there is none."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")))

    async def aclose(self) -> None:
        """Finish what was accepted, take nothing more, and close every connection."""
        if self._group is not None:
            await self._group.aclose()
        await self._engine.dispose()


@dataclass(slots=True)
class _Job:
    """A function to run, and where its caller waits. `answer` or `error` is known before the commit, told after it."""

    work: Work[Any]
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


class _GroupWriter:
    """SQLite's single writer. Its task lives only while something waits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[_Job] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, work: Work[T]) -> T:
        """Queue the function and wait until its group is committed."""
        if self._closed:
            raise Unavailable("The bot is stopping. Nothing was changed; please try again in a minute.")
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return cast("T", await job.caller)

    async def aclose(self) -> None:
        """Refuse new work and wait for the old."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                await self._commit([job for job in group if not job.caller.cancelled()])
        finally:
            # Empty, unless this task was cancelled: whoever still waits must not wait for ever.
            for job in self._waiting:
                job.error = Unavailable(_GONE)
                job.wake()
            self._waiting.clear()

    async def _commit(self, group: list[_Job]) -> None:
        try:
            with _told_plainly():
                async with self._engine.begin() as connection:
                    for job in group:
                        await _attempt(connection, job)
        except BaseException as error:
            # The loop's edge: no caller may wait for ever, and none may believe in a commit that did not happen.
            for job in group:
                job.error = error if isinstance(error, Exception) else Unavailable(_GONE)
            if not isinstance(error, Exception):
                raise
        finally:
            for job in group:
                job.wake()


async def _attempt(connection: AsyncConnection, job: _Job) -> None:
    savepoint = await connection.begin_nested()
    try:
        job.answer = await job.work(connection)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this caller's alone; the others go on
        job.error = _plain(error)
        await _undo(savepoint)
        return
    await savepoint.commit()


async def _undo(savepoint: Any) -> None:  # noqa: ANN401 - SQLAlchemy's AsyncTransaction
    try:
        await savepoint.rollback()
    except exc.DBAPIError as error:
        # A full disk makes SQLite roll back the whole transaction by itself: then the group is lost, not one job.
        raise Unavailable(_GONE) from error


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        plain = _plain(error)
        if plain is error:
            raise
        raise plain from error


def _plain(error: Exception) -> Exception:
    """Unavailable when this means that the database is gone, busy, full or read-only; else the error itself."""
    if isinstance(error, exc.TimeoutError):
        return _unavailable(error)
    if not isinstance(error, exc.DBAPIError):
        return error
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code == _SQLITE_ERROR:
        return error
    broken = isinstance(error, (exc.OperationalError, exc.InterfaceError, exc.InternalError))
    gone = broken or error.connection_invalidated or code in _SQLITE_RUINED
    return _unavailable(error) if gone else error


def _unavailable(error: Exception) -> Unavailable:
    unavailable = Unavailable(_GONE)
    unavailable.__cause__ = error
    return unavailable
