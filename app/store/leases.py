"""Leases on the database's own clock, because replicas' clocks do not agree."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Float, case, literal_column, or_
from sqlalchemy.ext.asyncio import AsyncConnection

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

    async def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew; False while another holds it. Zero seconds give it back: anybody may take it at once.

        `epoch` grows with every change of holder, so that a holder who was paused can be told from the present one.
        """
        return await self._store.write(lambda connection: _hold(connection, name, holder, seconds))


async def _hold(connection: AsyncConnection, name: str, holder: str, seconds: float) -> bool:
    now: ColumnElement[float] = literal_column(_NOW[connection.dialect.name], Float)
    mine = leases.c.holder == holder
    new = insert_into(connection, leases).values(name=name, holder=holder, expires=now + seconds, epoch=1)
    taken = new.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "holder": new.excluded.holder,
            "expires": new.excluded.expires,
            "epoch": case((mine, leases.c.epoch), else_=leases.c.epoch + 1),
        },
        where=or_(mine, leases.c.expires <= now),
    )
    return await took_place(connection, taken)
