"""What an export asks beside the rows: how many there are, and Microsoft's name for an answer.

It changes nothing, and appends one row to the audit trail for each export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey
from app.ports import Outcome, Query
from app.store.audit import AuditTrail, Entry
from app.store.rows import among, chunks
from app.store.tables import intents, requests
from app.store.writer import Store


class StoredLedger:
    """Implements `ports.Ledger`."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def count(self, query: Query) -> int:
        """How many requests were made in the time of the query."""
        return await self._store.read(lambda connection: _count(connection, query))

    async def answers(self, keys: Sequence[RequestKey]) -> Mapping[RequestKey, str]:
        """What Microsoft called its answer to the decision that counted, by request."""
        return await self._store.read(lambda connection: _answers(connection, keys))

    async def exported(self, who: str, facts: Mapping[str, str], now: datetime) -> None:
        """In a transaction of its own: whether the file arrives is not known yet."""
        entry = Entry(now, "exported", None, who, facts)
        await self._store.write(lambda connection: self._trail.append(connection, entry), flush=True)


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
