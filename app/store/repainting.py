"""Cards that read differently although their request does not: a new version, and every copy is behind."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey, Status
from app.store.remember import set_wanted
from app.store.rows import is_request
from app.store.tables import requests


async def repaint_pending(connection: AsyncConnection, key: RequestKey) -> bool:
    """A pending request has a new version; False when it is not pending, and then its card says other things."""
    pending = and_(is_request(key), requests.c.status == Status.PENDING)
    newer = update(requests).where(pending).values(version=requests.c.version + 1).returning(requests.c.version)
    version = await connection.scalar(newer)
    if version is not None:
        await set_wanted(connection, key, version)
    return version is not None


async def repaint_all(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> None:
    """The requests of these rows, before those are touched: everybody locks requests first, in order."""
    wanted = select(table.c.kind, table.c.request_id).where(which).distinct()
    for kind, id_ in sorted(tuple(row) for row in await connection.execute(wanted)):
        await repaint_pending(connection, RequestKey(Kind(kind), id_))
