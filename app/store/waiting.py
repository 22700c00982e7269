"""Decisions that wait for a sign-in, and the freeze that wipes them. Nothing here is ever sent by itself.

Whoever waits shows on the card, so each change gives the request a new version in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, Person, RequestKey, Verdict
from app.ports import Link, LinkState, WaitingDecision
from app.store import link_news as news
from app.store.audit import AuditTrail
from app.store.links import to_link
from app.store.repainting import repaint_all, repaint_pending
from app.store.rows import person_of, person_values
from app.store.tables import links
from app.store.tables import waiting_decisions as waiting
from app.store.writer import Store

_LIVE = waiting.c.done_at.is_(None)


class StoredWaiting:
    """Implements `ports.WaitingDecisions`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, decision: WaitingDecision) -> bool:
        """Keep it in place of an earlier one of this person on this request; False when that is not pending."""
        return await self._store.write(lambda connection: _put(connection, decision))

    async def find(self, waiting_id: str, now: datetime) -> WaitingDecision | None:
        """Look at it, while it lives."""
        wanted = select(waiting).where(_is_takeable(waiting_id, now))
        found = await self._store.read(lambda connection: connection.execute(wanted))
        row = found.mappings().one_or_none()
        return _to_decision(row) if row is not None else None

    async def take(self, waiting_id: str, now: datetime) -> WaitingDecision | None:
        """Take it once and for all; None when it is unknown, taken, or too old."""
        return await self._store.write(lambda connection: _take(connection, waiting_id, now), flush=True)

    async def expire(self, now: datetime) -> int:
        """End those that are too old; how many."""
        return await self._store.write(lambda connection: _expire(connection, now))


class StoredFreezes:
    """Implements `ports.Freezes`."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def freeze(self, link: Link, now: datetime) -> bool:
        """The link as it is now, whatever its generation: tokens and waiting decisions gone, and written down."""
        return await self._store.write(lambda connection: _freeze(connection, self._trail, link, now), flush=True)


async def _put(connection: AsyncConnection, decision: WaitingDecision) -> bool:
    if not await repaint_pending(connection, decision.key):
        return False
    mine = and_(
        waiting.c.team == decision.team,
        waiting.c.slack_user == decision.slack_user,
        waiting.c.kind == decision.key.kind,
        waiting.c.request_id == decision.key.id,
    )
    await connection.execute(update(waiting).where(_LIVE, mine).values(done_at=decision.asked_at))
    await connection.execute(insert(waiting).values(**_values(decision)))
    return True


async def _take(connection: AsyncConnection, waiting_id: str, now: datetime) -> WaitingDecision | None:
    takeable = _is_takeable(waiting_id, now)
    await repaint_all(connection, waiting, takeable)
    taken = update(waiting).where(takeable).values(done_at=now).returning(waiting)
    row = (await connection.execute(taken)).mappings().one_or_none()
    return _to_decision(row) if row is not None else None


async def _expire(connection: AsyncConnection, now: datetime) -> int:
    over = and_(_LIVE, waiting.c.expires <= now)
    await repaint_all(connection, waiting, over)
    return (await connection.execute(update(waiting).where(over).values(done_at=now))).rowcount


async def _freeze(connection: AsyncConnection, trail: AuditTrail, link: Link, now: datetime) -> bool:
    this = and_(links.c.id == link.id, links.c.state != LinkState.FROZEN)
    frozen = {"state": LinkState.FROZEN, "sealed": None, "generation": links.c.generation + 1}
    found = await connection.execute(update(links).where(this).values(**frozen).returning(links))
    row = found.mappings().one_or_none()
    if row is None:
        return False
    theirs = and_(waiting.c.team == link.team, waiting.c.slack_user == link.slack_user)
    await repaint_all(connection, waiting, and_(theirs, _LIVE))
    wiped = await connection.execute(delete(waiting).where(theirs))
    more = {"waiting_decisions_wiped": str(wiped.rowcount)}
    await trail.append(connection, news.entry("link_frozen", to_link(row), link.person.id, now, more))
    return True


def _is_takeable(waiting_id: str, now: datetime) -> ColumnElement[bool]:
    return and_(waiting.c.id == waiting_id, _LIVE, waiting.c.expires > now)


def _values(decision: WaitingDecision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "kind": decision.key.kind,
        "request_id": decision.key.id,
        "verdict": decision.verdict,
        "comment": decision.comment,
        "digest": decision.digest,
        "team": decision.team,
        "slack_user": decision.slack_user,
        "tenant": decision.tenant,
        **person_values("person", decision.person),
        "asked_at": decision.asked_at,
        "expires": decision.expires,
        "done_at": None,
    }


def _to_decision(row: RowMapping) -> WaitingDecision:
    return WaitingDecision(
        id=row["id"],
        key=RequestKey(Kind(row["kind"]), row["request_id"]),
        verdict=Verdict(row["verdict"]),
        comment=row["comment"],
        digest=row["digest"],
        team=row["team"],
        slack_user=row["slack_user"],
        tenant=row["tenant"],
        person=person_of(row, "person") or Person(""),
        asked_at=row["asked_at"],
        expires=row["expires"],
    )
