"""Switches that an operator turns. Who reads a request reads the pause with it; this room only turns and tells."""

from __future__ import annotations

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import Announcement, Switch
from app.store import directs, notes
from app.store.audit import AuditTrail, Entry
from app.store.rows import IS_OPEN
from app.store.tables import cards, requests, switches
from app.store.upserts import insert_into
from app.store.writer import Store


class StoredSwitches:
    """Implements `ports.Switches`."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def state(self, name: str) -> Switch | None:
        """How it stands; None: nobody ever touched it."""
        return await self._store.read(lambda connection: _state(connection, name))

    async def turn(self, switch: Switch, announcement: Announcement | None) -> bool:
        """Set it with everything that follows; False when it stood so already."""
        return await self._store.write(
            lambda connection: _turn(connection, self._trail, switch, announcement), flush=True
        )


async def _state(connection: AsyncConnection, name: str) -> Switch | None:
    wanted = select(switches).where(switches.c.name == name)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    return Switch(row["name"], row["is_on"], row["reason"], row["by_whom"], row["at"]) if row is not None else None


async def _turn(
    connection: AsyncConnection, trail: AuditTrail, switch: Switch, announcement: Announcement | None
) -> bool:
    before = await _state(connection, switch.name)
    was_on = before is not None and before.on
    if was_on == switch.on and (not switch.on or (before is not None and before.reason == switch.reason)):
        return False
    # The open rows are locked first, in the order of everybody else's locks.
    ordered = select(requests.c.id).where(IS_OPEN).order_by(requests.c.kind, requests.c.id)
    await connection.execute(ordered.with_for_update())
    values = {"is_on": switch.on, "reason": switch.reason, "by_whom": switch.by, "at": switch.at}
    statement = insert_into(connection, switches).values(name=switch.name, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    await _repaint_open(connection)
    if announcement is not None:
        await notes.put(connection, _saying(switch, announcement))
    what = f"{switch.name}_{'on' if switch.on else 'off'}"
    await trail.append(connection, Entry(switch.at, what, None, switch.by, {"reason": switch.reason}))
    return True


async def _repaint_open(connection: AsyncConnection) -> None:
    """Every card that may carry buttons is behind: it reads differently now, although its request does not."""
    await connection.execute(update(requests).where(IS_OPEN).values(version=requests.c.version + 1))
    same = and_(requests.c.kind == cards.c.kind, requests.c.id == cards.c.request_id)
    version = select(requests.c.version).where(same).scalar_subquery()
    behind = select(requests.c.id).where(same, IS_OPEN).exists()
    await connection.execute(update(cards).where(behind).values(wanted=version))
    await directs.want_open(connection)


def _saying(switch: Switch, announcement: Announcement) -> notes.Saying:
    text = announcement.text if switch.on else ""
    return notes.Saying(switch.name, text, announcement.over, button=False, channel=announcement.channel)
