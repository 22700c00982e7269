"""Fences around the rounds: what a process writes after another took over from it is refused, however late it comes.

A process that was stopped for longer than its lease does not know it when it goes on. Its clock cannot be trusted to
tell; the lease's epoch, read in the very transaction that writes, can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Superseded
from app.store.outages import Work
from app.store.tables import leases

T = TypeVar("T")
_fence: ContextVar[tuple[str, int] | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(name: str, epoch: int) -> Iterator[None]:
    """Inside, and in every task that is begun inside, `guarded` work is done only while this epoch is the lease's."""
    before = _fence.set((name, epoch))
    try:
        yield
    finally:
        _fence.reset(before)


def guarded(work: Work[T]) -> Work[T]:
    """The work as it is outside of every fence; inside, it raises Superseded once somebody else took over."""
    fence = _fence.get()
    if fence is None:
        return work

    async def only_while_leading(connection: AsyncConnection) -> T:
        await _check(connection, *fence)
        return await work(connection)

    return only_while_leading


async def _check(connection: AsyncConnection, name: str, epoch: int) -> None:
    # On PostgreSQL the lock keeps a successor out until this transaction ends, and lets the lease be renewed.
    current = select(leases.c.epoch).where(leases.c.name == name, leases.c.epoch == epoch)
    if (await connection.execute(current.with_for_update(read=True, key_share=True))).first() is None:
        raise Superseded
