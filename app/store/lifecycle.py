"""Doubts about open requests, and the course of approved ones. It decides nothing: what it is told, it writes down.

Cards fall behind only when something that they show has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.levels import Level
from app.domain.lifecycle import Course, Doubt
from app.domain.request import APPROVAL_WINDOW, Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.store.remember import Posting, first_card, set_wanted
from app.store.rows import holding_values, is_request, load_rows, request_of
from app.store.tables import cards, requests

_SHOWN = ("uncheckable", "stale", "activated", "active_until", "deactivated", "ended_how")


async def doubted(connection: AsyncConnection, key: RequestKey, doubt: Doubt) -> None:
    """What could not be confirmed of a pending request."""
    values = {"absences": doubt.absences, "uncheckable": doubt.uncheckable}
    await _change(connection, key, values, lambda row: row["status"] == Status.PENDING)


async def staled(connection: AsyncConnection, key: RequestKey, stale: bool, posting: Posting) -> None:  # noqa: FBT001 - the column
    """Whether a pending request has no open step. One that has again gets the card it was not worth before."""
    row = await _change(connection, key, {"stale": stale}, lambda row: row["status"] == Status.PENDING)
    of_request = (cards.c.kind == key.kind, cards.c.request_id == key.id)
    if row is None or stale or await connection.scalar(select(cards.c.id).where(*of_request).limit(1)) is not None:
        return
    card = first_card(request_of(row), Level(row["risk_level"]), posting)
    await connection.execute(insert(cards).values(**{**card, "wanted": row["version"] + 1}))


async def overdue(connection: AsyncConnection, kind: Kind, now: datetime) -> Sequence[RequestRow]:
    """Pending requests that are older than their 24 hours; extensions and renewals, which have none, are among them."""
    old = requests.c.requested <= now - APPROVAL_WINDOW
    wanted = select(requests).where(requests.c.status == Status.PENDING, old, requests.c.kind == kind)
    return await load_rows(connection, wanted.order_by(requests.c.requested))


async def incomplete(connection: AsyncConnection, kind: Kind, limit: int) -> Sequence[RequestRow]:
    """Pending requests without an open step, or whose settings nobody could read."""
    unread = and_(requests.c.policy_comment.is_(None), requests.c.policy_longest.is_(None))
    lacking = or_(requests.c.stale, unread)
    wanted = select(requests).where(requests.c.status == Status.PENDING, lacking, requests.c.kind == kind)
    return await load_rows(connection, wanted.order_by(requests.c.requested).limit(limit))


async def look_due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[RequestRow]:
    """What is to be looked at again, the longest due first."""
    wanted = select(requests).where(requests.c.look_due <= now)
    return await load_rows(connection, wanted.order_by(requests.c.look_due).limit(limit))


async def followed(connection: AsyncConnection, key: RequestKey, course: Course) -> None:
    """What a look at an approved role taught. A role that is taken up again elsewhere is left alone."""
    values = {**holding_values(course.holding), "look_due": course.due}
    await _change(connection, key, values, lambda row: row["status"] == Status.APPROVED)


async def look_again(connection: AsyncConnection, key: RequestKey, due: datetime | None) -> None:
    """When to look at it again."""
    await connection.execute(update(requests).where(is_request(key)).values(look_due=due))


async def _change(
    connection: AsyncConnection, key: RequestKey, values: Mapping[str, Any], still: Callable[[RowMapping], bool]
) -> RowMapping | None:
    """Write the values if the row is `still` what they are about; None: it is not. The row comes back as it was."""
    locked = select(requests).where(is_request(key)).with_for_update()
    row = (await connection.execute(locked)).mappings().one_or_none()
    if row is None or not still(row):
        return None
    news = any(row[name] != value for name, value in values.items() if name in _SHOWN)
    version = row["version"] + 1 if news else row["version"]
    same = and_(is_request(key), requests.c.version == row["version"])
    await connection.execute(update(requests).where(same).values(**values, version=version))
    if news:
        await set_wanted(connection, key, version)
    return row
