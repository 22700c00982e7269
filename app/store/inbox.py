"""Deliveries as rows: the unique key makes a repetition harmless, the open ones tell what a crash interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, delete, func, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import Earlier, Outcome, RemovalFate
from app.store.gathering import Gathering
from app.store.tables import inbox, intents, removals, withdrawals
from app.store.upserts import insert_for
from app.store.writer import Store

Row = Mapping[str, object]
_MAY_HAVE_REMOVED = (RemovalFate.SENDING, RemovalFate.UNKNOWN, RemovalFate.TAKEN, RemovalFate.GONE_SINCE)


class StoredInbox:
    """Implements `ports.Inbox`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taking = Gathering(store, _take)
        self._closing = Gathering(store, _close)

    async def take(self, key: str, what: str, user: str, now: datetime) -> bool:
        """True for the first delivery, and then the row is committed."""
        return await self._taking.add({"key": key, "what": what, "slack_user": user, "taken": now})

    async def close(self, key: str, outcome: str, now: datetime) -> None:
        """It was answered; the first answer counts."""
        await self._closing.add({"of_key": key, "as_outcome": outcome, "at": now})

    async def earlier(self, key: str) -> Earlier | None:
        """What was taken under this key, and how it was answered, if it was."""
        wanted = select(inbox.c.what, inbox.c.outcome).where(inbox.c.key == key)
        found = (await self._store.read(lambda connection: connection.execute(wanted))).one_or_none()
        return Earlier(found.what, found.outcome or "") if found is not None else None

    async def forget(self, key: str) -> None:
        """As if it had never come; what was answered stays."""
        gone = delete(inbox).where(inbox.c.key == key, inbox.c.closed.is_(None))
        await self._store.write(lambda connection: connection.execute(gone))

    async def abandon(self, before: datetime, now: datetime) -> Sequence[str]:
        """Close what was taken before then and is still open; the people for whom truly nothing was changed, once."""
        return await self._store.write(lambda connection: _abandon(connection, before, now))


async def _take(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[bool]:
    """Whether each is the first with its key: also among these."""
    once = _once(connection.dialect.name)
    # Sorted, so that two replicas that take the same deliveries wait for each other in the same order.
    fresh = set(await connection.scalars(once, sorted(rows, key=lambda row: str(row["key"]))))
    first = {row["key"]: number for number, row in reversed(list(enumerate(rows)))}
    return [row["key"] in fresh and first[row["key"]] == number for number, row in enumerate(rows)]


@cache
def _once(dialect: str) -> Executable:
    """Built once: this is the one statement between a click and its ack."""
    return insert_for(dialect, inbox).on_conflict_do_nothing().returning(inbox.c.key)


async def _close(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[None]:
    still_open = (inbox.c.key == bindparam("of_key"), inbox.c.closed.is_(None))
    change = update(inbox).where(*still_open).values(outcome=bindparam("as_outcome"), closed=bindparam("at"))
    await connection.execute(change, sorted(rows, key=lambda row: str(row["of_key"])))
    return [None] * len(rows)


async def _abandon(connection: AsyncConnection, before: datetime, now: datetime) -> Sequence[str]:
    forgotten = (inbox.c.closed.is_(None), inbox.c.taken <= before)
    # What another replica is closing right now is being answered.
    free = select(inbox.c.key).where(*forgotten).with_for_update(skip_locked=True)
    left = update(inbox).where(inbox.c.key.in_(free)).values(outcome="abandoned", closed=now)
    found = (await connection.execute(left.returning(inbox.c.slack_user, inbox.c.taken))).all()
    decided_at = await _last_decisions(connection, {user for user, _ in found})
    idle = {user for user, taken in found if user and not (user in decided_at and decided_at[user] >= taken)}
    return sorted(idle)


async def _last_decisions(connection: AsyncConnection, users: set[str]) -> Mapping[str, datetime]:
    """When each of them last sent what counts or still may: they hear of that instead, or see it on the card."""
    among = sorted(users)
    counts = intents.c.outcome.in_((Outcome.SENDING, Outcome.UNKNOWN, Outcome.MINE))
    decided = select(intents.c.slack_user, intents.c.at).where(counts, intents.c.slack_user.in_(among))
    left = removals.c.fate.in_(_MAY_HAVE_REMOVED)
    removed = select(removals.c.slack_user, removals.c.sent_at).where(left, removals.c.slack_user.in_(among))
    called = withdrawals.c.until > withdrawals.c.at  # else Microsoft refused it
    withdrew = select(withdrawals.c.slack_user, withdrawals.c.at).where(called, withdrawals.c.slack_user.in_(among))
    sent = union_all(decided, removed, withdrew).subquery()
    last = select(sent.c.slack_user, func.max(sent.c.at)).group_by(sent.c.slack_user)
    return {row[0]: row[1] for row in await connection.execute(last)}
