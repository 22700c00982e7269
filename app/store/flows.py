"""What waits between two sign-in pages. Only hashes of tokens and sealed contents are here: neither opens a door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import sign_in_flows as flows
from app.store.writer import Store


class StoredFlows:
    """Implements `ports.Flows`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, token_hash: str, sealed: str, expires: datetime) -> None:
        """Keep it until then."""
        row = {"token_hash": token_hash, "sealed": sealed, "expires": expires}
        await self._store.write(lambda connection: connection.execute(insert(flows).values(**row)))

    async def take(self, token_hash: str, now: datetime) -> str | None:
        """Take it by one atomic delete. Everything too old goes in the same breath, so that nothing piles up."""
        return await self._store.write(lambda connection: _take(connection, token_hash, now), flush=True)


async def _take(connection: AsyncConnection, token_hash: str, now: datetime) -> str | None:
    await connection.execute(delete(flows).where(flows.c.expires <= now))
    taken = delete(flows).where(flows.c.token_hash == token_hash).returning(flows.c.sealed)
    sealed: str | None = await connection.scalar(taken)
    return sealed
