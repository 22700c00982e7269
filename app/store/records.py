"""What ended without us, written into history: new rows without a card, and what older rows left open.

What a row knows is never changed here: it only gains who and when. Each gain is an audit row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.match import Match
from app.domain.records import Record
from app.domain.request import Decided, Status
from app.domain.row import RequestRow
from app.ports import Seen
from app.store.audit import AuditTrail, Entry
from app.store.remember import add_sightings, set_wanted
from app.store.rows import holding_values, is_request, load_rows, match_values, person_values, values_of
from app.store.tables import requests
from app.store.upserts import insert_into, took_place

MOST_LACKING = 500  # rows completed in one go
_DECIDED = (Status.APPROVED, Status.DENIED)


@dataclass(frozen=True, slots=True)
class Learned:
    """How a request ended, the request as it would be remembered, and when this was learned."""

    record: Record
    seen: Seen
    now: datetime


async def learned(connection: AsyncConnection, trail: AuditTrail, news: Learned) -> bool:
    """A new row, or what an old one lacks. False when nothing was learned."""
    key = news.record.request.key
    once = insert_into(connection, requests).on_conflict_do_nothing().values(**_new_row(news))
    if await took_place(connection, once):
        await add_sightings(connection, [news.seen])
        await trail.append(connection, _entry("imported", news))
        return True
    locked = select(requests).where(is_request(key)).with_for_update()
    row = (await connection.execute(locked)).mappings().one()
    gained = _gained(row, news.record)
    if not gained:
        return False
    version = row["version"] + 1
    await connection.execute(update(requests).where(is_request(key)).values(**gained, version=version))
    await set_wanted(connection, key, version)
    await trail.append(connection, _entry("completed", news))
    return True


async def lacking(connection: AsyncConnection, since: datetime) -> Sequence[RequestRow]:
    """Ended rows without a decider's name, or approved ones without the time they began; the newest first."""
    nameless = and_(requests.c.status.in_(_DECIDED), requests.c.decided_oid.is_(None))
    timeless = and_(requests.c.status == Status.APPROVED, requests.c.activated.is_(None), requests.c.look_due.is_(None))
    unknown = requests.c.status == Status.UNKNOWN
    wanted = select(requests).where(requests.c.requested >= since, or_(nameless, timeless, unknown))
    return await load_rows(connection, wanted.order_by(requests.c.requested.desc()).limit(MOST_LACKING))


def _new_row(news: Learned) -> dict[str, Any]:
    record = news.record
    own = {
        "kind": record.request.key.kind,
        "id": record.request.key.id,
        "status": record.status,
        "version": 1,
        "first_seen": news.now,
        "stale": False,
        "look_due": _look_due(news),
    }
    decided = _decided_values(record.decided) if record.decided is not None else {}
    return {**values_of(news.seen), **match_values(Match()), **own, **decided, **holding_values(record.holding)}


def _look_due(news: Learned) -> datetime | None:
    """An approved role that may be held right now is followed from here on."""
    record, request = news.record, news.record.request
    if record.status is not Status.APPROVED or record.holding.how is not None or request.duration is None:
        return None
    latest = max(request.expires, request.start or request.expires) + request.duration
    return news.now if latest > news.now else None


def _gained(row: RowMapping, record: Record) -> dict[str, Any]:
    """What the row does not know yet and this tells."""
    gained: dict[str, Any] = {}
    explained = row["status"] == Status.UNKNOWN and record.status is not Status.UNKNOWN
    if explained:
        gained["status"] = record.status
    if record.decided is not None and (explained or _nameless(row, record)):
        gained.update(_decided_values(record.decided))
    same = record.status is Status.APPROVED and (explained or row["status"] == Status.APPROVED)
    if same and row["activated"] is None and record.holding.activated is not None:
        gained.update(holding_values(record.holding))
    return gained


def _nameless(row: RowMapping, record: Record) -> bool:
    unnamed = row["status"] in _DECIDED and row["decided_oid"] is None
    return unnamed and row["status"] == record.status and record.decided is not None and record.decided.by is not None


def _decided_values(decided: Decided) -> dict[str, Any]:
    return {
        "decided_at": decided.at,
        "decided_where": decided.where,
        **person_values("decided", decided.by),
        "decided_comment": decided.comment,
    }


def _entry(what: str, news: Learned) -> Entry:
    record = news.record
    decided = record.decided
    facts = {
        "status": record.status.value,
        "by": decided.by.label if decided is not None and decided.by is not None else "",
        "decided_at": decided.at.isoformat() if decided is not None else "",
        "requestor": record.request.requestor.id,
        "role": record.request.role.id,
        "scope": record.request.scope.id,
    }
    who = decided.by.id if decided is not None and decided.by is not None else ""
    return Entry(news.now, what, record.request.key, who, facts)
