"""Roles taken away after a mis-click. Each is sent once; what is written of it has its audit row in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, and_, exists, insert, select, update
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
Owed = tuple[Notice, str]  # with the key under which it is told once


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
        return _to_removal(row) if row is not None else None

    async def sending(self, removal: StoredRemoval, since: datetime, now: datetime) -> RemovalFate:
        """SENDING: it is about to leave, on the disk before it does."""
        return await self._store.write(
            lambda connection: _sending(connection, self._trail, removal, since, now), flush=True
        )

    async def settle(
        self, removal: StoredRemoval, fate: RemovalFate, note: str, tell: Sequence[str], now: datetime
    ) -> None:
        """What became of it; the role is looked at again at once."""
        settled = replace(removal, fate=fate)
        entry = _entry(settled, f"removal_{fate}", note, now)
        wanted = [_revoke(settled, user) for user in tell]
        await self._store.write(lambda connection: _settle(connection, self._trail, settled, entry, wanted), flush=True)

    async def left_open(self, before: datetime, limit: int) -> Sequence[StoredRemoval]:
        """Those that a crash, an outage or Microsoft's silence left without an end."""
        doubtful = (removals.c.fate.in_(_OPEN), removals.c.sent_at <= before)
        wanted = select(removals).where(*doubtful).order_by(removals.c.sent_at, removals.c.id).limit(limit)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return [_to_removal(row) for row in found.mappings()]

    async def finish(self, removal: StoredRemoval, fate: RemovalFate, said: str, now: datetime) -> None:
        """Settled, with the message to whoever pressed in the same transaction."""
        settled = replace(removal, fate=fate)
        entry = _entry(settled, f"removal_{fate}", said, now)
        name = f"removal_end:{removal.id}"
        told = Notice(name, "removal", removal.key, removal.slack_user, facts={"said": said})
        await self._store.write(
            lambda connection: _settle(connection, self._trail, settled, entry, [(told, name)]), flush=True
        )


async def _sending(
    connection: AsyncConnection, trail: AuditTrail, removal: StoredRemoval, since: datetime, now: datetime
) -> RemovalFate:
    held = and_(is_request(removal.key), requests.c.status == Status.APPROVED, requests.c.removed_at.is_(None))
    locked = await connection.execute(select(requests.c.id).where(held).with_for_update())
    if locked.one_or_none() is None:
        return RemovalFate.UNKNOWN
    recent = and_(
        removals.c.kind == removal.key.kind, removals.c.request_id == removal.key.id, removals.c.sent_at > since
    )
    if await connection.scalar(select(exists().where(recent, removals.c.fate.in_(_OPEN)))):
        return RemovalFate.UNKNOWN
    refused = and_(removals.c.fate == RemovalFate.REFUSED, removals.c.slack_user == removal.slack_user)
    if await connection.scalar(select(exists().where(recent, refused))):
        return RemovalFate.REFUSED
    draft = and_(removals.c.id == removal.id, removals.c.fate == RemovalFate.DRAFT)
    leaving = {"fate": RemovalFate.SENDING, "reason": removal.reason, "sent_at": now}
    if (await connection.execute(update(removals).where(draft).values(**leaving))).rowcount != 1:
        return RemovalFate.UNKNOWN
    await trail.append(connection, _entry(removal, "removal_sent", "", now))
    return RemovalFate.SENDING


async def _settle(
    connection: AsyncConnection, trail: AuditTrail, removal: StoredRemoval, entry: Entry, owed: Sequence[Owed]
) -> None:
    still_open = and_(removals.c.id == removal.id, removals.c.fate.in_(_OPEN))
    settling = update(removals).where(still_open).values(fate=removal.fate)
    if (await connection.execute(settling)).rowcount != 1:
        return  # a round and whoever sent it may both find out; the first one counts
    taken = removal.fate is RemovalFate.TAKEN
    values: dict[str, object] = {"look_due": entry.at}
    if taken:
        values |= {**person_values("removed", removal.person), "removed_at": entry.at}
        values |= {"version": requests.c.version + 1}
    changed = update(requests).where(is_request(removal.key)).values(**values)
    row = (await connection.execute(changed.returning(requests.c.version, requests.c.requestor_oid))).one()
    if taken:
        await set_wanted(connection, removal.key, row.version)
        name = f"taken_away:{removal.id}"
        owed = [*owed, (Notice(name, "taken_away", removal.key, to_entra=row.requestor_oid), name)]
    for notice, dedupe in owed:
        facts = {"by": removal.person.label, "reason": removal.reason, "refused": entry.facts["note"], **notice.facts}
        await notices.owe(connection, replace(notice, facts=facts), dedupe, entry.at)
    await trail.append(connection, entry)


def _revoke(removal: StoredRemoval, user: str) -> Owed:
    """However many forms somebody sends, whoever can take the role away hears of their wish once."""
    dedupe = f"revoke:{removal.key}:{removal.slack_user}:{user}"
    return Notice(f"revoke:{removal.id}:{user}", "revoke", removal.key, user), dedupe


def _to_removal(row: RowMapping) -> StoredRemoval:
    return StoredRemoval(
        id=row["id"],
        key=RequestKey(Kind(row["kind"]), row["request_id"]),
        team=row["team"],
        person=person_of(row, "person") or Person(""),
        slack_user=row["slack_user"],
        reason=row["reason"],
        fate=RemovalFate(row["fate"]),
    )


def _entry(removal: StoredRemoval, what: str, note: str, now: datetime) -> Entry:
    facts = {"removal": removal.id, "slack_user": removal.slack_user, "reason": removal.reason, "note": note}
    return Entry(now, what, removal.key, removal.person.id, facts)
