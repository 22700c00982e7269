"""Direct messages about requests: written down once, found when behind, and which copy a pressed button belongs to.

Tokens and painted versions are kept for each request in a message, as for a card: a message may show several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.ports import Card, Direct, Entry, Letter, Topic
from app.store.direct_tables import direct_copies as copies
from app.store.direct_tables import directs
from app.store.rows import IS_OPEN, among, is_request, key_of, load_by_key
from app.store.tables import requests
from app.store.upserts import insert_into, took_place
from app.store.writer import Store

_BEHIND = and_(copies.c.painted < copies.c.wanted, directs.c.closed.is_(None))
_REQUEST_OF_COPY = and_(requests.c.kind == copies.c.kind, requests.c.id == copies.c.request_id)


class StoredDirects:
    """Implements `ports.Directs`. `new_token`: what buttons carry."""

    def __init__(self, store: Store, new_token: Callable[[], str]) -> None:
        # What Slack shows is told even by a process whose lease is over: it is true, and its row decides.
        self._store = store
        self._fenced = store.fenced()
        self._new_token = new_token

    async def owe(self, direct: Direct, keys: Sequence[RequestKey], dedupe: str, now: datetime) -> bool:
        """Write it down, once per dedupe key."""
        return await self._fenced.write(lambda connection: owe(connection, self._new_token, direct, keys, dedupe, now))

    async def unpainted(self, limit: int) -> Sequence[Letter]:
        """Those that Slack does not show as they are, the most urgent first."""
        return await self._store.read(lambda connection: _unpainted(connection, limit))

    async def trying(self, direct: Direct, channel: str) -> None:
        """A post or an edit is about to be sent."""
        await self._fenced.write(lambda connection: _trying(connection, direct, channel))

    async def painted(self, letter: Letter, ts: str) -> bool:
        """Slack shows it like this; False when the message is another one."""
        return await self._store.write(lambda connection: _painted(connection, letter, ts))

    async def give_up(self, direct: Direct, note: str, now: datetime) -> None:
        """It is gone, or cannot be delivered."""
        await self._store.write(lambda connection: connection.execute(_of(direct).values(closed=now, note=note)))


async def owe(
    connection: AsyncConnection,
    new_token: Callable[[], str],
    direct: Direct,
    keys: Sequence[RequestKey],
    dedupe: str,
    now: datetime,
) -> bool:
    """False when this dedupe key was ever used, or none of these requests is open any more."""
    if not await _any_open(connection, keys):
        return False
    row = {
        "id": direct.id,
        "dedupe": dedupe,
        "topic": direct.topic,
        "slack_user": direct.slack_user,
        "facts": dict(direct.facts),
        "channel": "",
        "ts": "",
        "tried": False,
        "owed": now,
    }
    once = insert_into(connection, directs).on_conflict_do_nothing(index_elements=["dedupe"])
    if not await took_place(connection, once.values(**row)):
        return False
    await add_copies(connection, new_token, direct.id, keys)
    return True


async def add_copies(
    connection: AsyncConnection, new_token: Callable[[], str], direct_id: str, keys: Sequence[RequestKey]
) -> None:
    """Show these requests in the message, which is behind then; what has ended meanwhile is left out."""
    wanted = select(requests.c.kind, requests.c.id, requests.c.digest, requests.c.version)
    open_ones = wanted.where(among(requests.c.kind, requests.c.id, keys), IS_OPEN)
    locked = open_ones.order_by(requests.c.kind, requests.c.id).with_for_update()
    asked = frozenset(keys)
    rows = [row for row in (await connection.execute(locked)).mappings() if key_of(row) in asked]
    values = [
        {
            "direct_id": direct_id,
            "kind": row["kind"],
            "request_id": row["id"],
            "token": new_token(),
            "digest": row["digest"],
            "painted": 0,
            "wanted": row["version"],
            "over": False,
        }
        for row in rows
    ]
    if values:
        await connection.execute(insert_into(connection, copies).on_conflict_do_nothing(), values)


async def set_wanted(connection: AsyncConnection, key: RequestKey, version: int) -> None:
    """The row has a new version: whatever shows it in a direct message is behind."""
    of_request = (copies.c.kind == key.kind, copies.c.request_id == key.id, copies.c.over.is_(False))
    await connection.execute(update(copies).where(*of_request).values(wanted=version))


async def want_open(connection: AsyncConnection) -> None:
    """Every open request reads differently now."""
    version = select(requests.c.version).where(_REQUEST_OF_COPY).scalar_subquery()
    behind = select(requests.c.id).where(_REQUEST_OF_COPY, IS_OPEN).exists()
    await connection.execute(update(copies).where(behind, copies.c.over.is_(False)).values(wanted=version))


async def void_tokens(connection: AsyncConnection, key: RequestKey, digest: str, new_token: Callable[[], str]) -> None:
    """What they show is not what Microsoft has any more: nobody decides with their old buttons."""
    mine = and_(copies.c.kind == key.kind, copies.c.request_id == key.id)
    for id_ in (await connection.scalars(select(copies.c.direct_id).where(mine))).all():
        fresh = {"token": new_token(), "digest": digest}
        await connection.execute(update(copies).where(mine, copies.c.direct_id == id_).values(**fresh))


async def _any_open(connection: AsyncConnection, keys: Sequence[RequestKey]) -> bool:
    if not keys:
        return False
    wanted = select(requests.c.id).where(or_(*(is_request(key) for key in keys)), IS_OPEN).limit(1)
    return await connection.scalar(wanted) is not None


async def _unpainted(connection: AsyncConnection, limit: int) -> Sequence[Letter]:
    # What somebody asks another person to do goes before what only tells how things stand.
    urgent = func.min(case((~IS_OPEN, 0), (directs.c.ts != "", 1), (directs.c.topic != Topic.OWN, 2), else_=3))
    joined = copies.join(directs, directs.c.id == copies.c.direct_id).join(requests, _REQUEST_OF_COPY)
    wanted = (
        select(copies.c.direct_id)
        .select_from(joined)
        .where(_BEHIND)
        .group_by(copies.c.direct_id)
        .order_by(urgent, func.min(directs.c.owed))
    )
    ids = (await connection.scalars(wanted.limit(limit))).all()
    found = await connection.execute(select(directs).where(directs.c.id.in_(ids)))
    messages = {row["id"]: _to_direct(row) for row in found.mappings()}
    shown = (await connection.execute(select(copies).where(copies.c.direct_id.in_(ids)))).mappings().all()
    rows = await load_by_key(connection, list(dict.fromkeys(_key_of_copy(row) for row in shown)))
    letters = [_letter(messages[id_], [row for row in shown if row["direct_id"] == id_], rows) for id_ in ids]
    return [letter for letter in letters if letter is not None]


def _letter(direct: Direct, shown: Sequence[RowMapping], rows: Mapping[RequestKey, RequestRow]) -> Letter | None:
    """None: a row is newer than its copy, and so may be its token. PostgreSQL gives each statement its own snapshot."""
    if any(not row["over"] and rows[_key_of_copy(row)].version > row["wanted"] for row in shown):
        return None
    entries = [Entry(rows[_key_of_copy(row)], row["token"]) for row in shown]
    return Letter(direct, tuple(sorted(entries, key=lambda entry: (entry.row.request.created, str(entry.row.key)))))


async def _trying(connection: AsyncConnection, direct: Direct, channel: str) -> None:
    """Until `painted` tells, it counts as behind, whatever its rows do."""
    await connection.execute(_of(direct).values(tried=True, channel=channel))
    mine = (copies.c.direct_id == direct.id, copies.c.over.is_(False))
    await connection.execute(update(copies).where(*mine).values(painted=0))


async def _painted(connection: AsyncConnection, letter: Letter, ts: str) -> bool:
    """A process that was stopped in the middle may tell this late; then nobody knows what Slack shows: behind again."""
    same = _of(letter.direct).where(directs.c.ts.in_(("", ts)))
    if await connection.scalar(same.values(ts=ts, tried=True).returning(directs.c.id)) is None:
        return False
    for entry in letter.entries:
        row, key = entry.row, entry.row.key
        copy = (copies.c.direct_id == letter.direct.id, copies.c.kind == key.kind, copies.c.request_id == key.id)
        newer = case((copies.c.painted > row.version, 0), else_=row.version)
        # What has ended is level with whatever else becomes of its row.
        over = not row.status.open and row.status is not Status.UNKNOWN
        level = {"painted": copies.c.wanted, "over": True} if over else {"painted": newer}
        await connection.execute(update(copies).where(*copy, copies.c.over.is_(False)).values(**level))
    return True


async def pressed(connection: AsyncConnection, channel: str, ts: str, token: str) -> Card | None:
    """The copy of a request in the message at this place whose buttons carry this token."""
    if not ts:
        return None
    joined = select(copies, directs.c.channel, directs.c.ts, directs.c.tried).join(
        directs, directs.c.id == copies.c.direct_id
    )
    here = (copies.c.token == token, directs.c.channel == channel, directs.c.ts == ts, directs.c.closed.is_(None))
    row = (await connection.execute(joined.where(*here))).mappings().one_or_none()
    if row is None:
        return None
    return Card(
        id=row["direct_id"],
        key=_key_of_copy(row),
        channel=row["channel"],
        ts=row["ts"],
        token=row["token"],
        digest=row["digest"],
        painted=row["painted"],
        tried=row["tried"],
    )


def _of(direct: Direct) -> Any:  # noqa: ANN401 - an UPDATE to be completed
    return update(directs).where(directs.c.id == direct.id)


def _key_of_copy(row: RowMapping) -> RequestKey:
    return RequestKey(Kind(row["kind"]), row["request_id"])


def _to_direct(row: RowMapping) -> Direct:
    return Direct(
        id=row["id"],
        topic=Topic(row["topic"]),
        slack_user=row["slack_user"],
        channel=row["channel"],
        ts=row["ts"],
        tried=row["tried"],
        facts=row["facts"],
    )
