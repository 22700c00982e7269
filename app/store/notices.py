"""Direct messages owed: written down once, delivered or given up on once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey
from app.ports import Notice
from app.store.tables import notices
from app.store.upserts import insert_into, took_place


async def owe(connection: AsyncConnection, notice: Notice, dedupe: str, now: datetime) -> bool:
    """Write it down unless this dedupe key was ever used."""
    row = {
        "id": notice.id,
        "dedupe": dedupe,
        "topic": notice.topic,
        "kind": notice.key.kind if notice.key is not None else None,
        "request_id": notice.key.id if notice.key is not None else None,
        "to_slack": notice.to_slack,
        "to_entra": notice.to_entra,
        "facts": dict(notice.facts),
        "tried": False,
        "owed": now,
    }
    once = insert_into(connection, notices).on_conflict_do_nothing(index_elements=["dedupe"])
    return await took_place(connection, once.values(**row))


async def due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[Notice]:
    """What is neither delivered nor given up, oldest first."""
    wanted = select(notices).where(notices.c.closed.is_(None), notices.c.owed <= now)
    ordered = wanted.order_by(notices.c.owed, notices.c.id).limit(limit)
    return [_to_notice(row) for row in (await connection.execute(ordered)).mappings()]


async def find(connection: AsyncConnection, notice_id: str) -> Notice | None:
    """One notice, whatever became of it."""
    row = (await connection.execute(select(notices).where(notices.c.id == notice_id))).mappings().one_or_none()
    return _to_notice(row) if row is not None else None


async def trying(connection: AsyncConnection, notice: Notice) -> None:
    """It is about to be sent: from now on look for it before sending again."""
    await connection.execute(update(notices).where(notices.c.id == notice.id).values(tried=True))


async def close(connection: AsyncConnection, notice: Notice, note: str, now: datetime) -> bool:
    """Delivered, or given up on; False when that was so before."""
    still_open = and_(notices.c.id == notice.id, notices.c.closed.is_(None))
    closing = update(notices).where(still_open).values(closed=now, note=note)
    return await connection.scalar(closing.returning(notices.c.id)) is not None


def _to_notice(row: RowMapping) -> Notice:
    return Notice(
        id=row["id"],
        topic=row["topic"],
        key=RequestKey(Kind(row["kind"]), row["request_id"]) if row["kind"] is not None else None,
        to_slack=row["to_slack"],
        to_entra=row["to_entra"],
        facts=row["facts"],
        tried=row["tried"],
    )
