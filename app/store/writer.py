"""The one way to the database: `read` and `write`. It never retries: who called knows whether that makes sense.

On SQLite everything runs in threads, and whatever waits to be written is committed together.
"""

from __future__ import annotations

from copy import copy
from typing import TypeVar

from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.store.engine import READERS
from app.store.fencing import guarded
from app.store.group_writer import GroupWriter
from app.store.outages import Work, told_plainly
from app.store.threads import Threads, perform

T = TypeVar("T")


class Store:
    """The database. `read` and `write` take a function of a connection and give its answer.

    The function may wait for its connection and for nothing else, and may be run a second time when another one of the
    same transaction failed. Both raise Unavailable when the database is gone; its own errors come through unchanged.
    """

    def __init__(self, engine: Engine | AsyncEngine) -> None:
        """`engine` as `open_engine` gives it."""
        self._database: _Sqlite | _Postgresql = _Sqlite(engine) if isinstance(engine, Engine) else _Postgresql(engine)
        self._guard = _as_it_is

    def fenced(self) -> Store:
        """The same database; what a round writes through it is void once another process does the rounds."""
        other = copy(self)
        other._guard = guarded  # noqa: SLF001 - our own
        return other

    async def read(self, work: Work[T]) -> T:
        """Look something up. Whatever the function writes is rolled back."""
        with told_plainly():
            return await self._database.read(work)

    async def write(self, work: Work[T], *, flush: bool = False) -> T:
        """Change something; it is committed when this returns, and nothing of it is there when this raises.

        A commit outlives the process; with `flush` it outlives a power cut too. On SQLite a caller that is cancelled
        meanwhile stops waiting, and what it asked for is still written. A connection that breaks during the commit
        itself leaves the outcome unknown.
        """
        with told_plainly():
            return await self._database.write(self._guard(work), flush=flush)

    async def ping(self) -> None:
        """Ask the database for a sign of life; Unavailable when there is none."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")))

    async def aclose(self) -> None:
        """Finish what was accepted, take nothing more, and close every connection."""
        await self._database.aclose()


def _as_it_is(work: Work[T]) -> Work[T]:
    return work


class _Sqlite:
    """Threads that read, and one that writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = GroupWriter(engine)
        self._readers = Threads("pim-reader", READERS)

    async def read(self, work: Work[T]) -> T:
        return await self._readers.run(lambda: self._look(work))

    async def write(self, work: Work[T], *, flush: bool) -> T:
        return await self._writer.submit(work, flush=flush)

    async def aclose(self) -> None:
        await self._writer.aclose()
        await self._readers.aclose()
        self._engine.dispose()

    def _look(self, work: Work[T]) -> T:
        with self._engine.connect() as connection:
            return perform(work, connection)


class _Postgresql:
    """Each function is a transaction of its own, flushed by the server."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, work: Work[T]) -> T:
        async with self._engine.connect() as connection:
            return await work(connection)

    async def write(self, work: Work[T], *, flush: bool) -> T:  # noqa: ARG002 - the server's setting decides
        async with self._engine.begin() as connection:
            return await work(connection)

    async def aclose(self) -> None:
        await self._engine.dispose()
