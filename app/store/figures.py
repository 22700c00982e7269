"""Counting rows for whoever watches the bot. Each count is an index walk over what is open, never over history."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, Status
from app.ports import AGES, Figures, LinkState, Outcome
from app.store.rows import IS_OPEN
from app.store.sights import last_seen
from app.store.tables import cards, direct_copies, directs, intents, links, notices, requests
from app.store.writer import Store

_UNSETTLED = (Outcome.SENDING, Outcome.UNKNOWN)
_UNPAINTED = select(func.count()).where(cards.c.painted < cards.c.wanted)
_NOTICES = select(func.count()).where(notices.c.closed.is_(None))
_BEHIND = direct_copies.join(directs, directs.c.id == direct_copies.c.direct_id)
_LETTERS = (
    select(func.count(direct_copies.c.direct_id.distinct()))
    .select_from(_BEHIND)
    .where(direct_copies.c.painted < direct_copies.c.wanted, directs.c.closed.is_(None))
)
_DOUBTFUL = select(func.count()).where(intents.c.outcome.in_(_UNSETTLED))
_LINKS = select(links.c.state, func.count()).group_by(links.c.state)


class StoredFigures:
    """Implements `ports.FigureBook`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def figures(self, now: datetime) -> Figures:
        """All of them, in one read."""
        return await self._store.read(lambda connection: _figures(connection, now))


async def _figures(connection: AsyncConnection, now: datetime) -> Figures:
    waiting = (await connection.execute(_waiting(now))).all()
    linked = (await connection.execute(_LINKS)).all()
    owed = [await connection.scalar(count) or 0 for count in (_NOTICES, _LETTERS)]
    return Figures(
        open={(Kind(kind), Status(status), age): count for kind, status, age, count in waiting},
        unpainted=await connection.scalar(_UNPAINTED) or 0,
        unsent=sum(owed),
        unsettled=await connection.scalar(_DOUBTFUL) or 0,
        links={LinkState(state): count for state, count in linked},
        seen=await last_seen(connection),
    )


def _waiting(now: datetime) -> Select[str, str, int | None, int]:
    # The age is a column of its own first: PostgreSQL does not see that an expression with values is twice the same.
    age = case(*((requests.c.requested >= now - timedelta(hours=hours), hours) for hours in AGES))
    aged = select(requests.c.kind, requests.c.status, age.label("age")).where(IS_OPEN).subquery()
    counted = select(aged.c.kind, aged.c.status, aged.c.age, func.count())
    return counted.group_by(aged.c.kind, aged.c.status, aged.c.age)
