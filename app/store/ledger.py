"""What an export asks beside the rows: how many there are, and Microsoft's name for an answer. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey
from app.ports import Outcome, Query
from app.store.rows import among, chunks
from app.store.tables import intents, requests
from app.store.writer import Store


class StoredLedger:
    """Implements `ports.Ledger`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self, query: Query) -> int:
        """How many requests were made in the time of the query."""
        return await self._store.read(lambda connection: _count(connection, query))

    async def answers(self, keys: Sequence[RequestKey]) -> Mapping[RequestKey, str]:
        """What Microsoft called its answer to the decision that counted, by request."""
        return await self._store.read(lambda connection: _answers(connection, keys))


async def _count(connection: AsyncConnection, query: Query) -> int:
    wanted = select(func.count()).select_from(requests)
    if query.since is not None:
        wanted = wanted.where(requests.c.requested >= query.since)
    if query.until is not None:
        wanted = wanted.where(requests.c.requested < query.until)
    return await connection.scalar(wanted) or 0


async def _answers(connection: AsyncConnection, keys: Sequence[RequestKey]) -> Mapping[RequestKey, str]:
    found: dict[RequestKey, str] = {}
    for chunk in chunks(keys):
        these = among(intents.c.kind, intents.c.request_id, chunk)
        mine = (intents.c.outcome == Outcome.MINE, intents.c.answer != "")
        wanted = select(intents.c.kind, intents.c.request_id, intents.c.answer).where(these, *mine)
        for kind, id_, answer in await connection.execute(wanted):
            found[RequestKey(Kind(kind), id_)] = answer
    return found
