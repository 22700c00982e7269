"""Leases on the database's own clock, because replicas' clocks do not agree."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Float, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.fencing import fenced
from app.store.tables import leases
from app.store.upserts import insert_into, took_place
from app.store.writer import Store

# Seconds since 1970. On PostgreSQL this is the start of the transaction: early, after waiting for a lock, so that a
# doubtful lease counts as still held.
_NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch from now())",
}


class StoredLeases:
    """Implements `ports.Leases`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def hold(self, name: str, holder: str, seconds: float) -> int:
        """Take or renew; the epoch, or 0 while another holds it."""
        return await self._store.write(lambda connection: _hold(connection, name, holder, seconds))

    def fence(self, name: str, epoch: int) -> AbstractContextManager[None]:
        """Void what is written inside once somebody else holds the lease."""
        return fenced(name, epoch)


async def _hold(connection: AsyncConnection, name: str, holder: str, seconds: float) -> int:
    now: ColumnElement[float] = literal_column(_NOW[connection.dialect.name], Float)
    first = insert_into(connection, leases).values(name=name, holder=holder, expires=now + seconds, epoch=1)
    if await took_place(connection, first.on_conflict_do_nothing()):
        return 1
    mine = update(leases).where(leases.c.name == name, leases.c.holder == holder)
    renewed = await connection.scalar(mine.values(expires=now + seconds).returning(leases.c.epoch))
    if renewed is not None:
        return int(renewed)
    # A write behind the fence holds a lock on the row: then the lease counts as held, and nobody waits for a process
    # that may have been stopped in the middle of it.
    over = select(leases.c.epoch).where(leases.c.name == name, leases.c.expires <= now)
    epoch = await connection.scalar(over.with_for_update(skip_locked=True))
    if epoch is None:
        return 0
    taken = {"holder": holder, "expires": now + seconds, "epoch": epoch + 1}
    await connection.execute(update(leases).where(leases.c.name == name).values(**taken))
    return int(epoch) + 1
