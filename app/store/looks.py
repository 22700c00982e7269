"""Who is looking at a request right now, and what time alone changes on cards. Nothing here decides or blocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fuse import next_burn
from app.domain.request import APPROVAL_WINDOW, Kind, Person, RequestKey
from app.store.remember import set_wanted
from app.store.repainting import repaint_all, repaint_pending
from app.store.rows import IS_OPEN, OPEN, is_request, person_values
from app.store.tables import looks, requests
from app.store.upserts import insert_into
from app.store.writer import Store

_BATCH = 500  # fuses in one transaction


class StoredLooks:
    """Implements `ports.Looks`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def look(self, key: RequestKey, person: Person, since: datetime, until: datetime) -> bool:
        """Somebody is looking at a request, anew if they said so before; False when it is not pending."""
        row = {"kind": key.kind, "request_id": key.id, **person_values("person", person), "since": since}
        return await self._store.write(lambda connection: _look(connection, key, {**row, "until": until}))

    async def lapse(self, now: datetime) -> int:
        """Forget those whose time is over; how many."""
        return await self._store.write(lambda connection: _lapse(connection, now))

    async def burn(self, now: datetime) -> int:
        """Cards whose fuse reads differently by now are behind; how many requests that were."""
        return await self._store.write(lambda connection: _burn(connection, now))


async def _look(connection: AsyncConnection, key: RequestKey, row: dict[str, Any]) -> bool:
    if not await repaint_pending(connection, key):
        return False
    shown = {name: value for name, value in row.items() if name not in ("kind", "request_id", "person_oid")}
    same = [looks.c.kind, looks.c.request_id, looks.c.person_oid]
    again = insert_into(connection, looks).values(**row).on_conflict_do_update(index_elements=same, set_=shown)
    await connection.execute(again)
    return True


async def _lapse(connection: AsyncConnection, now: datetime) -> int:
    over = looks.c.until <= now
    await repaint_all(connection, looks, over)
    return (await connection.execute(delete(looks).where(over))).rowcount


async def _burn(connection: AsyncConnection, now: datetime) -> int:
    due = select(requests.c.kind, requests.c.id, requests.c.status, requests.c.requested)
    wanted = due.where(requests.c.fuse_due <= now).order_by(requests.c.kind, requests.c.id).limit(_BATCH)
    burnt = 0
    for kind, id_, status, requested in (await connection.execute(wanted.with_for_update())).all():
        key = RequestKey(Kind(kind), id_)
        if status not in OPEN:  # it ended before its fuse did
            await connection.execute(update(requests).where(is_request(key)).values(fuse_due=None))
            continue
        new = {"fuse_due": next_burn(requested + APPROVAL_WINDOW, now), "version": requests.c.version + 1}
        still = and_(is_request(key), IS_OPEN)
        version = await connection.scalar(update(requests).where(still).values(**new).returning(requests.c.version))
        if version is not None:
            await set_wanted(connection, key, version)
            burnt += 1
    return burnt
