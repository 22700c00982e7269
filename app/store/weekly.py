"""Counts over the requests of a week, added up by the database where it can. It reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, PolicyFacts, Role, Scope, Status, title_of
from app.domain.weekly import MOST_ROLES, Week, WeekFacts
from app.store.rows import policy_of, request_of
from app.store.tables import cards, requests
from app.store.writer import Store

LATELY = timedelta(days=30)  # so far back a role counts as one that people ask for
MOST_SETTINGS = 500
_DECIDED = (Status.APPROVED, Status.DENIED)
_ENDED = (*_DECIDED, Status.EXPIRED)
_ROLE = (requests.c.kind, requests.c.role_id, requests.c.scope_id)


class StoredWeeks:
    """Implements `ports.Weeks`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def facts(self, week: Week, shown_in: str = "") -> WeekFacts:
        """Everything of one week, in one read."""
        named = _has_card_in(shown_in) if shown_in else true()
        return await self._store.read(lambda connection: _facts(connection, week, named))


def _has_card_in(channel: str) -> ColumnElement[bool]:
    same = (cards.c.kind == requests.c.kind, cards.c.request_id == requests.c.id)
    return exists().where(*same, cards.c.channel == channel, cards.c.occasion == "")


async def _facts(connection: AsyncConnection, week: Week, named: ColumnElement[bool]) -> WeekFacts:
    asked = and_(requests.c.requested >= week.begin, requests.c.requested < week.end)
    ended = and_(requests.c.decided_at >= week.begin, requests.c.decided_at < week.end)
    counts = select(requests.c.status, func.count()).where(requests.c.status.in_(_ENDED), ended)
    times = select(requests.c.requested, requests.c.decided_at).where(requests.c.status.in_(_DECIDED), ended)
    return WeekFacts(
        asked=await connection.scalar(select(func.count()).select_from(requests).where(asked)) or 0,
        ended={Status(row[0]): row[1] for row in await connection.execute(counts.group_by(requests.c.status))},
        # Neither database has a percentile that the other has, too: the lengths of one week are few.
        waits=[decided - begun for begun, decided in await connection.execute(times)],
        busiest=await _busiest(connection, week, named),
        settings=await _settings(connection, week, named),
    )


async def _busiest(connection: AsyncConnection, week: Week, named: ColumnElement[bool]) -> Sequence[tuple[str, int]]:
    count = func.count().label("times")
    names = (func.max(requests.c.role_name), func.max(requests.c.scope_name))
    wanted = (
        select(*_ROLE, *names, count)
        .where(requests.c.requested >= week.begin, requests.c.requested < week.end, named)
        .group_by(*_ROLE)
        .order_by(count.desc(), *_ROLE)
        .limit(MOST_ROLES)
    )
    return [
        (title_of(Kind(kind), Role(role_id, role), Scope(scope_id, scope)), times)
        for kind, role_id, scope_id, role, scope, times in await connection.execute(wanted)
    ]


async def _settings(
    connection: AsyncConnection, week: Week, named: ColumnElement[bool]
) -> Sequence[tuple[str, PolicyFacts]]:
    """By the latest request for each role: its row holds what PIM's settings said then."""
    at = func.max(requests.c.requested).label("at")
    latest = (
        select(*_ROLE, at)
        .where(requests.c.requested >= week.end - LATELY, requests.c.requested < week.end, named)
        .group_by(*_ROLE)
        .order_by(at.desc(), *_ROLE)
        .limit(MOST_SETTINGS)
        .subquery()
    )
    same = (column == latest.c[column.name] for column in _ROLE)
    wanted = select(requests).join(latest, and_(*same, requests.c.requested == latest.c.at)).where(named)
    return [(request_of(row).what, policy_of(row)) for row in (await connection.execute(wanted)).mappings()]
