"""What we remember of one person, for the judgement of their next request. It only reads."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.pattern import Past, PastRequest
from app.domain.request import Kind, Role, Scope, Status, Ticket
from app.store.rows import holding_of, key_of, person_of
from app.store.tables import requests, sights


async def past(connection: AsyncConnection, requestor: str, before: datetime, limit: int) -> Past:
    """The newest requests of a person (object id) made before then. Their index is walked, never the table."""
    theirs = select(requests).where(requests.c.requestor_oid == requestor, requests.c.requested < before)
    newest = theirs.order_by(requests.c.requested.desc(), requests.c.kind.desc(), requests.c.id.desc()).limit(limit)
    found = tuple(_past_request(row) for row in (await connection.execute(newest)).mappings())
    cut_off = found[-1].created if len(found) == limit else datetime.min.replace(tzinfo=UTC)
    whole = await connection.execute(select(sights.c.kind, sights.c.since))
    return Past(found, {Kind(kind): max(since, cut_off) for kind, since in whole})


def _past_request(row: RowMapping) -> PastRequest:
    by = person_of(row, "decided")
    return PastRequest(
        key=key_of(row),
        role=Role(row["role_id"], row["role_name"]),
        scope=Scope(row["scope_id"], row["scope_name"]),
        created=row["requested"],
        status=Status(row["status"]),
        start=row["start"],
        duration=row["duration"],
        duration_text=row["duration_text"],
        holding=holding_of(row),
        decided_at=row["decided_at"],
        by=by.label if by is not None else "",
        comment=row["decided_comment"] or "",
        ticket=Ticket(row["ticket_number"], row["ticket_system"]),
        justification=row["justification"],
    )
