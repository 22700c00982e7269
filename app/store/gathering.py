"""Small writes of the same kind that wait together become one statement. It knows no table.

A burst of clicks is a burst of rows of one table: written one by one, each would cost what the whole burst does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Unavailable
from app.store.outages import GONE
from app.store.writer import Store

Row = TypeVar("Row")
Answer = TypeVar("Answer")
Many = Callable[[AsyncConnection, Sequence[Row]], Awaitable[Sequence[Answer]]]
MOST = 256  # rows in one statement, so that the first of a flood is not kept waiting by the last


class Gathering(Generic[Row, Answer]):
    """One kind of row. `many` writes them all and answers each, in their order. Its task lives only while some wait."""

    def __init__(self, store: Store, many: Many[Row, Answer]) -> None:
        self._store = store
        self._many = many
        self._waiting: list[tuple[Row, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, row: Row) -> Answer:
        """Write it, and return once it is committed. Raises what `Store.write` does."""
        caller: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, caller))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await caller

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._write(batch)
        finally:
            # Empty, unless this task was cancelled: whoever still waits must not wait for ever.
            self._fail(self._waiting, Unavailable(GONE))
            self._waiting = []

    async def _write(self, batch: list[tuple[Row, asyncio.Future[Answer]]]) -> None:
        rows = [row for row, _ in batch]
        try:
            answers = await self._store.write(lambda connection: self._many(connection, rows))
        except BaseException as error:
            self._fail(batch, error if isinstance(error, Exception) else Unavailable(GONE))
            if not isinstance(error, Exception):
                raise
            return
        for (_, caller), answer in zip(batch, answers, strict=True):
            if not caller.done():
                caller.set_result(answer)

    def _fail(self, batch: Sequence[tuple[Row, asyncio.Future[Answer]]], error: Exception) -> None:
        for _, caller in batch:
            if not caller.done():
                caller.set_exception(error)
