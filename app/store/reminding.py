"""Which reminders were given, and which requests are to be looked at. It decides neither what is due nor to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fuse import LAST_CALL
from app.domain.last_calls import LastCall
from app.domain.reminding import Until
from app.domain.request import APPROVAL_WINDOW, Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.ports import Direct, Reminder, Topic, Watched
from app.store.direct_tables import direct_copies as copies
from app.store.direct_tables import directs
from app.store.directs import add_copies, owe
from app.store.remember import set_wanted
from app.store.reminder_tables import reminded
from app.store.rows import IS_OPEN, among, chunks, is_request, load_rows
from app.store.tables import intents, notices, questions, requests, waiting_decisions
from app.store.upserts import insert_into, took_place
from app.store.writer import Store

_PENDING = requests.c.status == Status.PENDING


class StoredReminding:
    """Implements `ports.Reminding`. `new_text`: ids of messages, and what their buttons carry."""

    def __init__(self, store: Store, new_text: Callable[[], str]) -> None:
        self._store = store.fenced()
        self._new_text = new_text

    async def due(self, now: datetime, limit: int) -> Sequence[Watched]:
        """Pending requests that are to be looked at, the longest due first."""
        return await self._store.read(lambda connection: _due(connection, now, limit))

    async def remind(self, user: str, reminders: Sequence[Reminder], now: datetime, since: datetime) -> bool:
        """One message about all of these."""
        return await self._store.write(
            lambda connection: _remind(connection, self._new_text, user, reminders, (now, since))
        )

    async def watched(self, key: RequestKey) -> Watched | None:
        """One pending request."""
        wanted = select(requests).where(is_request(key), _PENDING)
        found = await self._store.read(lambda connection: _watch(connection, wanted))
        return found[0] if found else None

    async def nudge(self, key: RequestKey, users: Sequence[str], now: datetime, since: datetime) -> bool:
        """One message to each, at most once since then."""
        return await self._store.write(lambda connection: _nudge(connection, self._new_text, key, users, (now, since)))

    async def running_out(self, now: datetime, limit: int) -> Sequence[RequestRow]:
        """What dies or ends within 15 minutes, and was not told of yet."""
        return await self._store.read(lambda connection: _running_out(connection, now, limit))

    async def looked(self, key: RequestKey, again: datetime, away: datetime | None) -> None:
        """When to look again, and when the first of the approvers is back if all are away."""
        await self._store.write(lambda connection: _looked(connection, key, again, away))


async def _due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[Watched]:
    wanted = select(requests).where(_PENDING, requests.c.remind_due <= now, ~requests.c.stale)
    return await _watch(connection, wanted.order_by(requests.c.remind_due, requests.c.id).limit(limit))


async def _watch(connection: AsyncConnection, wanted: Select[Any]) -> Sequence[Watched]:
    rows = await load_rows(connection, wanted)
    keys = [row.key for row in rows]
    told, acted = await _told(connection, keys), await _acted(connection, keys)
    return [Watched(row, told[row.key], frozenset(acted[row.key])) for row in rows]


async def _running_out(connection: AsyncConnection, now: datetime, limit: int) -> list[RequestRow]:
    asked, until, last = requests.c.requested, requests.c.active_until, now + LAST_CALL
    held = and_(requests.c.deactivated.is_(None), requests.c.ended_how.is_(None))
    dying = and_(_PENDING, asked > now - APPROVAL_WINDOW, asked <= last - APPROVAL_WINDOW)
    ending = and_(requests.c.status == Status.APPROVED, held, until > now, until <= last)
    found: list[RequestRow] = []
    for call, which in ((LastCall.DYING, dying), (LastCall.ENDING, ending)):
        wanted = select(requests).where(which, ~_called(call)).order_by(requests.c.requested, requests.c.id)
        found += await load_rows(connection, wanted.limit(limit))
    return found


def _called(call: LastCall) -> ColumnElement[bool]:
    """Whether the requestor was told; the key is unique, so this is one look into its index."""
    dedupe = literal(f"{call}:") + requests.c.kind + "/" + requests.c.id
    return select(notices.c.id).where(notices.c.dedupe == dedupe).exists()


async def _told(
    connection: AsyncConnection, keys: Sequence[RequestKey]
) -> Mapping[RequestKey, Mapping[tuple[str, Until], timedelta]]:
    shortest: defaultdict[RequestKey, dict[tuple[str, Until], timedelta]] = defaultdict(dict)
    for chunk in chunks(keys):
        wanted = select(reminded).where(among(reminded.c.kind, reminded.c.request_id, chunk))
        for row in (await connection.execute(wanted.order_by(reminded.c.seconds.desc()))).mappings():
            of = shortest[RequestKey(Kind(row["kind"]), row["request_id"])]
            of[row["slack_user"], Until(row["until"])] = timedelta(seconds=row["seconds"])
    return shortest


async def _acted(connection: AsyncConnection, keys: Sequence[RequestKey]) -> Mapping[RequestKey, set[str]]:
    """Whoever sent a decision, or whose decision waits for a sign-in, or who asked the requestor something."""
    acted: defaultdict[RequestKey, set[str]] = defaultdict(set)
    for chunk in chunks(keys):
        waiting = select(waiting_decisions.c.kind, waiting_decisions.c.request_id, waiting_decisions.c.person_oid)
        tried = select(intents.c.kind, intents.c.request_id, intents.c.approver_oid)
        asked = select(questions.c.kind, questions.c.request_id, questions.c.asker_oid)
        here = among(waiting_decisions.c.kind, waiting_decisions.c.request_id, chunk)
        wanted: tuple[Select[Any], ...] = (
            waiting.where(waiting_decisions.c.done_at.is_(None), here),
            tried.where(among(intents.c.kind, intents.c.request_id, chunk)),
            asked.where(questions.c.asked_at.is_not(None), among(questions.c.kind, questions.c.request_id, chunk)),
        )
        for question in wanted:
            for kind, id_, oid in await connection.execute(question):
                acted[RequestKey(Kind(kind), id_)].add(oid)
    return acted


async def _remind(
    connection: AsyncConnection,
    new_text: Callable[[], str],
    user: str,
    reminders: Sequence[Reminder],
    times: tuple[datetime, datetime],
) -> bool:
    now, since = times
    fresh = [one.key for one in reminders if await _first(connection, user, one, now)]
    if not fresh:
        return False
    current = await _current(connection, user, since)
    if current is None:
        direct = Direct(new_text(), Topic.REMINDER, user)
        await owe(connection, new_text, direct, fresh, f"{Topic.REMINDER}:{direct.id}", now)
    else:
        await add_copies(connection, new_text, current, fresh)
    return True


async def _nudge(
    connection: AsyncConnection,
    new_text: Callable[[], str],
    key: RequestKey,
    users: Sequence[str],
    times: tuple[datetime, datetime],
) -> bool:
    now, since = times
    free = or_(requests.c.nudged.is_(None), requests.c.nudged <= since)
    taken = update(requests).where(is_request(key), _PENDING, free)
    newer = taken.values(nudged=now, version=requests.c.version + 1)
    version = await connection.scalar(newer.returning(requests.c.version))
    if version is None:
        return False
    await set_wanted(connection, key, version)
    for user in users:
        direct = Direct(new_text(), Topic.NUDGE, user)
        await owe(connection, new_text, direct, [key], f"{Topic.NUDGE}:{direct.id}", now)
    return True


async def _current(connection: AsyncConnection, user: str, since: datetime) -> str | None:
    """Their latest reminder, if it may be joined. What is joined notifies nobody, so something must be left in it."""
    waits = (
        select(copies.c.direct_id)
        .join(requests, and_(requests.c.kind == copies.c.kind, requests.c.id == copies.c.request_id))
        .where(copies.c.direct_id == directs.c.id, IS_OPEN)
    )
    lately = and_(directs.c.slack_user == user, directs.c.topic == Topic.REMINDER, directs.c.owed >= since)
    newest = select(directs.c.id).where(lately, directs.c.closed.is_(None), waits.exists())
    found: str | None = await connection.scalar(newest.order_by(directs.c.owed.desc()).limit(1))
    return found


async def _first(connection: AsyncConnection, user: str, reminder: Reminder, now: datetime) -> bool:
    row = {
        "kind": reminder.key.kind,
        "request_id": reminder.key.id,
        "slack_user": user,
        "until": reminder.until,
        "seconds": int(reminder.before.total_seconds()),
        "at": now,
    }
    return await took_place(connection, insert_into(connection, reminded).on_conflict_do_nothing().values(**row))


async def _looked(connection: AsyncConnection, key: RequestKey, again: datetime, away: datetime | None) -> None:
    await connection.execute(update(requests).where(is_request(key), _PENDING).values(remind_due=again))
    news = and_(is_request(key), _PENDING, requests.c.away_until.is_distinct_from(away))
    newer = update(requests).where(news).values(away_until=away, version=requests.c.version + 1)
    version = await connection.scalar(newer.returning(requests.c.version))
    if version is not None:
        await set_wanted(connection, key, version)
