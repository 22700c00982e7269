"""Roles taken away after a mis-click. Each is sent once; what is written of it has its audit row in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, Person, RequestKey, Status
from app.ports import Notice, RemovalFate, StoredRemoval
from app.store import notices
from app.store.audit import AuditTrail, Entry
from app.store.remember import set_wanted
from app.store.rows import is_request, person_of, person_values
from app.store.tables import removals, requests
from app.store.writer import Store

_OPEN = (RemovalFate.SENDING, RemovalFate.UNKNOWN)


class StoredRemovals:
    """Implements `ports.Removals`."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def draft(self, removal: StoredRemoval, now: datetime) -> None:
        """Remember whose form it is."""
        row = {
            "id": removal.id,
            "kind": removal.key.kind,
            "request_id": removal.key.id,
            "team": removal.team,
            **person_values("person", removal.person),
            "slack_user": removal.slack_user,
            "reason": "",
            "fate": RemovalFate.DRAFT,
            "opened": now,
        }
        await self._store.write(lambda connection: connection.execute(insert(removals).values(**row)))

    async def find(self, removal_id: str) -> StoredRemoval | None:
        """One of them, in whatever state."""
        wanted = select(removals).where(removals.c.id == removal_id)
        row = (await self._store.read(lambda connection: connection.execute(wanted))).mappings().one_or_none()
        if row is None:
            return None
        return StoredRemoval(
            id=row["id"],
            key=RequestKey(Kind(row["kind"]), row["request_id"]),
            team=row["team"],
            person=person_of(row, "person") or Person(""),
            slack_user=row["slack_user"],
            reason=row["reason"],
            fate=RemovalFate(row["fate"]),
        )

    async def sending(self, removal: StoredRemoval, doubtful_since: datetime, now: datetime) -> bool:
        """It is about to leave, on the disk before it does. False: it must not."""
        return await self._store.write(
            lambda connection: _sending(connection, self._trail, removal, doubtful_since, now), flush=True
        )

    async def settle(
        self, removal: StoredRemoval, fate: RemovalFate, note: str, tell: Sequence[str], now: datetime
    ) -> None:
        """What became of it; the role is looked at again at once."""
        entry = _entry(removal, f"removal_{fate}", note, now)
        await self._store.write(
            lambda connection: _settle(connection, self._trail, replace(removal, fate=fate), entry, tell), flush=True
        )


async def _sending(
    connection: AsyncConnection, trail: AuditTrail, removal: StoredRemoval, doubtful_since: datetime, now: datetime
) -> bool:
    held = and_(is_request(removal.key), requests.c.status == Status.APPROVED, requests.c.removed_at.is_(None))
    locked = await connection.execute(select(requests.c.id).where(held).with_for_update())
    if locked.one_or_none() is None:
        return False
    of_request = and_(removals.c.kind == removal.key.kind, removals.c.request_id == removal.key.id)
    doubtful = and_(of_request, removals.c.fate.in_(_OPEN), removals.c.sent_at > doubtful_since)
    if await connection.scalar(select(exists().where(doubtful))):
        return False
    draft = and_(removals.c.id == removal.id, removals.c.fate == RemovalFate.DRAFT)
    leaving = {"fate": RemovalFate.SENDING, "reason": removal.reason, "sent_at": now}
    if (await connection.execute(update(removals).where(draft).values(**leaving))).rowcount != 1:
        return False
    await trail.append(connection, _entry(removal, "removal_sent", "", now))
    return True


async def _settle(
    connection: AsyncConnection, trail: AuditTrail, removal: StoredRemoval, entry: Entry, tell: Sequence[str]
) -> None:
    taken = removal.fate is RemovalFate.TAKEN
    values: dict[str, object] = {"look_due": entry.at}
    if taken:
        values |= {**person_values("removed", removal.person), "removed_at": entry.at}
        values |= {"version": requests.c.version + 1}
    changed = update(requests).where(is_request(removal.key)).values(**values)
    row = (await connection.execute(changed.returning(requests.c.version, requests.c.requestor_oid))).one()
    still_open = and_(removals.c.id == removal.id, removals.c.fate.in_(_OPEN))
    await connection.execute(update(removals).where(still_open).values(fate=removal.fate))
    if taken:
        await set_wanted(connection, removal.key, row.version)
        told = Notice(f"taken_away:{removal.id}", "taken_away", removal.key, to_entra=row.requestor_oid)
        await _owe(connection, removal, told, entry)
    for user in tell:
        await _owe(connection, removal, Notice(f"revoke:{removal.id}:{user}", "revoke", removal.key, user), entry)
    await trail.append(connection, entry)


async def _owe(connection: AsyncConnection, removal: StoredRemoval, notice: Notice, entry: Entry) -> None:
    facts = {"by": removal.person.label, "reason": removal.reason, "refused": entry.facts["note"]}
    await notices.owe(connection, replace(notice, facts=facts), notice.id, entry.at)


def _entry(removal: StoredRemoval, what: str, note: str, now: datetime) -> Entry:
    facts = {"removal": removal.id, "slack_user": removal.slack_user, "reason": removal.reason, "note": note}
    return Entry(now, what, removal.key, removal.person.id, facts)
