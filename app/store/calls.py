"""Who was called to which request, and how the alarm went. Each step is taken once, and together with what it owes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.arrival import Step
from app.domain.levels import Level
from app.domain.request import Kind, RequestKey, Status
from app.ports import Due
from app.store.remember import Posting, first_card
from app.store.rows import is_request, load_by_key, request_of
from app.store.tables import calls, cards, requests
from app.store.upserts import insert_into
from app.store.writer import Store


class StoredCalls:
    """Implements `ports.Calls`."""

    def __init__(self, store: Store, posting: Posting) -> None:
        self._store = store.fenced()
        self._posting = posting

    async def due(self, step: Step, seen_before: datetime, now: datetime, *, least: Level, limit: int) -> Sequence[Due]:
        """Pending requests for which the step is not taken, the riskiest and oldest first."""
        seen = and_(requests.c.first_seen <= seen_before, requests.c.risk_level >= int(least))
        return await self._store.read(lambda connection: _due(connection, step, now, seen, limit))

    async def call(self, key: RequestKey, step: Step, users: Sequence[str], now: datetime) -> None:
        """A copy of the card for each of these, and the step is taken."""
        await self._store.write(lambda connection: _call(connection, self._posting, (key, step), users, now))

    async def close(self, key: RequestKey, step: Step, note: str, now: datetime) -> None:
        """The step is taken."""
        done = {"due": now, "done": now, "note": note}
        await self._store.write(lambda connection: _keep(connection, key, step, {**done, "tries": 0}, done))

    async def postpone(self, key: RequestKey, step: Step, until: datetime) -> None:
        """It failed once more, and is due again then."""
        later = {"due": until, "done": None, "note": ""}
        again = {**later, "tries": calls.c.tries + 1}
        await self._store.write(lambda connection: _keep(connection, key, step, {**later, "tries": 1}, again))


async def _due(connection: AsyncConnection, step: Step, now: datetime, seen: Any, limit: int) -> Sequence[Due]:  # noqa: ANN401 - a condition
    this = and_(calls.c.kind == requests.c.kind, calls.c.request_id == requests.c.id, calls.c.step == step)
    wanted = (
        select(requests.c.kind, requests.c.id, requests.c.first_seen, calls.c.tries)
        .join(calls, this, isouter=True)
        .where(requests.c.status == Status.PENDING, requests.c.stale.is_(False), seen)
        .where(or_(calls.c.kind.is_(None), and_(calls.c.done.is_(None), calls.c.due <= now)))
        .order_by(requests.c.risk_level.desc(), requests.c.requested, requests.c.id)
        .limit(limit)
    )
    found = (await connection.execute(wanted)).all()
    rows = await load_by_key(connection, [RequestKey(Kind(kind), id_) for kind, id_, *_ in found])
    return [Due(rows[RequestKey(Kind(kind), id_)], first_seen, tries or 0) for kind, id_, first_seen, tries in found]


async def _call(
    connection: AsyncConnection, posting: Posting, which: tuple[RequestKey, Step], users: Sequence[str], now: datetime
) -> None:
    key, step = which
    locked = select(requests).where(is_request(key), requests.c.status == Status.PENDING).with_for_update()
    row = (await connection.execute(locked)).mappings().one_or_none()
    taken = select(calls.c.step).where(
        calls.c.kind == key.kind, calls.c.request_id == key.id, calls.c.step == step, calls.c.done.is_not(None)
    )
    if row is None or await connection.scalar(taken) is not None:
        return
    card = first_card(request_of(row), Level(row["risk_level"]), posting)
    for user in users:
        fresh = {"id": posting.new_id(), "token": posting.new_token(), "channel": user}
        copy = {**card, **fresh, "wanted": row["version"], "occasion": step}
        await connection.execute(insert(cards).values(**copy))
    done = {"due": now, "done": now, "note": f"{len(users)} called"}
    await _keep(connection, key, step, {**done, "tries": 0}, done)


async def _keep(
    connection: AsyncConnection, key: RequestKey, step: Step, first: dict[str, Any], again: dict[str, Any]
) -> None:
    """Write down how the step stands: anew, or in place of what stood there."""
    row = {"kind": key.kind, "request_id": key.id, "step": step, **first}
    same = [calls.c.kind, calls.c.request_id, calls.c.step]
    await connection.execute(
        insert_into(connection, calls).values(**row).on_conflict_do_update(index_elements=same, set_=again)
    )
