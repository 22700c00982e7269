"""Who the requestors of open requests are in Slack: whom nobody has found yet, and what was found. It asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.match import How, Match
from app.domain.request import RequestKey
from app.domain.row import RequestRow
from app.ports import Direct, Topic
from app.store import directs
from app.store.remember import Posting, set_wanted
from app.store.rows import IS_OPEN, is_request, load_rows, match_values
from app.store.tables import requests


async def unmatched(connection: AsyncConnection, before: datetime, limit: int) -> Sequence[RequestRow]:
    """Open requests whose requestor nobody knows in Slack and nobody asked for since `before`, oldest first."""
    due = or_(requests.c.matched_at.is_(None), requests.c.matched_at < before)
    wanted = select(requests).where(IS_OPEN, requests.c.match_how == How.UNKNOWN, due)
    return await load_rows(connection, wanted.order_by(requests.c.requested, requests.c.id).limit(limit))


async def matched(connection: AsyncConnection, posting: Posting, key: RequestKey, match: Match, now: datetime) -> None:
    """Write down what was learned. Only news makes the cards behind; a requestor who is found gets their message."""
    await connection.execute(update(requests).where(is_request(key)).values(matched_at=now))
    values = match_values(match)
    differs = or_(*(requests.c[name] != value for name, value in values.items()))
    news = update(requests).where(and_(is_request(key), IS_OPEN, differs))
    newer = news.values(**values, version=requests.c.version + 1)
    row = (await connection.execute(newer.returning(requests.c.version, requests.c.first_seen))).one_or_none()
    if row is None:
        return
    await set_wanted(connection, key, row.version)
    if match.slack_user:
        await _owe_own(connection, posting, key, match.slack_user, (row.first_seen, now))


async def _owe_own(
    connection: AsyncConnection, posting: Posting, key: RequestKey, user: str, times: tuple[datetime, datetime]
) -> None:
    """The requestor's one message, owed with what made it possible. `times`: when the request was seen, and now."""
    seen, now = times
    own = Direct(posting.new_id(), Topic.OWN, user, facts={"seen": seen.isoformat()})
    await directs.owe(connection, posting.new_token, own, [key], f"{Topic.OWN}:{key}", now)
