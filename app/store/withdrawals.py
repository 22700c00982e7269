"""Requests on their way to be withdrawn: one call at a time, each with its audit row. It ends no request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Status
from app.ports import Withdrawal
from app.store.audit import AuditTrail, Entry
from app.store.rows import is_request, person_values
from app.store.tables import requests, withdrawals
from app.store.upserts import insert_into, took_place
from app.store.writer import Store


class StoredWithdrawals:
    """Implements `ports.Withdrawals`. `until` is `at` once Microsoft refused: that call changed nothing."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def begin(self, withdrawal: Withdrawal, until: datetime) -> bool:
        """Take the one call for this request."""
        return await self._store.write(
            lambda connection: _begin(connection, self._trail, withdrawal, until), flush=True
        )

    async def refused(self, withdrawal: Withdrawal, note: str, now: datetime) -> None:
        """It is free at once."""
        await self._store.write(lambda connection: _refused(connection, self._trail, withdrawal, (note, now)))


async def _begin(connection: AsyncConnection, trail: AuditTrail, withdrawal: Withdrawal, until: datetime) -> bool:
    key, now = withdrawal.key, withdrawal.at
    pending = select(requests.c.digest).where(is_request(key), requests.c.status == Status.PENDING)
    digest = await connection.scalar(pending.with_for_update())
    if digest is None:
        return False
    row = {**person_values("person", withdrawal.person), "slack_user": withdrawal.slack_user, "at": now, "until": until}
    once = insert_into(connection, withdrawals).values(kind=key.kind, request_id=key.id, **row)
    over = withdrawals.c.until <= now
    mine = once.on_conflict_do_update(index_elements=["kind", "request_id"], set_=row, where=over)
    if not await took_place(connection, mine):
        return False
    facts = {"slack_user": withdrawal.slack_user, "tenant": withdrawal.tenant, "digest": digest}
    await trail.append(connection, Entry(now, "withdrawing", key, withdrawal.person.id, facts))
    return True


async def _refused(
    connection: AsyncConnection, trail: AuditTrail, withdrawal: Withdrawal, told: tuple[str, datetime]
) -> None:
    note, now = told
    key = withdrawal.key
    this = and_(withdrawals.c.kind == key.kind, withdrawals.c.request_id == key.id, withdrawals.c.at == withdrawal.at)
    await connection.execute(update(withdrawals).where(this).values(until=withdrawal.at))
    await trail.append(connection, Entry(now, "not_withdrawn", key, withdrawal.person.id, {"note": note}))
