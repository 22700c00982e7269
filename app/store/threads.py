"""SQLite in threads of its own: a whole transaction is one hop there and one hop back. It knows no table.

SQLite answers within microseconds. A driver that hops for every statement spends many times that on waking threads, and
each of them then waits for the interpreter's lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Unavailable
from app.store.outages import STOPPING, Work

T = TypeVar("T")


class Threads:
    """A few threads that run transactions."""

    def __init__(self, name: str, count: int) -> None:
        """`name` is what a debugger shows."""
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Run it there. A caller who is cancelled stops waiting; what was begun is still finished."""
        if self._closed:
            raise Unavailable(STOPPING)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def aclose(self) -> None:
        """Wait for what is running; take nothing more."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)


def perform(work: Work[T], connection: Connection) -> T:
    """Run it to its end in this thread. RuntimeError when it waits for anything but its connection."""
    running = work(_InThread(connection)).__await__()
    try:
        next(running)
    except StopIteration as done:
        answer: T = done.value
        return answer
    raise RuntimeError("A transaction on SQLite may wait for its connection and for nothing else.")


class _InThread(AsyncConnection):
    """What the store's functions know as a connection; here every call is done when it returns."""

    def __init__(self, connection: Connection) -> None:
        self.sync_connection = self._assign_proxied(connection)

    async def execute(
        self,
        statement: Any,  # noqa: ANN401 - as wide as SQLAlchemy's overloads
        parameters: Any = None,  # noqa: ANN401 - the same
        *,
        execution_options: Any = None,  # noqa: ANN401 - the same
    ) -> CursorResult[Any]:
        return self._proxied.execute(statement, parameters, execution_options=execution_options)

    async def exec_driver_sql(
        self,
        statement: str,
        parameters: Any = None,  # noqa: ANN401 - the same
        execution_options: Any = None,  # noqa: ANN401 - the same
    ) -> CursorResult[Any]:
        return self._proxied.exec_driver_sql(statement, parameters, execution_options)
