"""Reading requests: one, all open ones, pages of history, counters. Who may see what is part of every query.

SQL narrows by the same rule as `may_see`, so that pages are full; the rule itself then looks at each row again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.changes import Known
from app.domain.request import Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer, may_see
from app.ports import Counters, Page, Query
from app.store.cursors import read_cursor, write_cursor
from app.store.rows import load_by_key, load_rows
from app.store.tables import cards, requests, sightings

COUNTED_FOR = timedelta(days=7)
_OPEN = (Status.PENDING, Status.DECIDING)


async def find(connection: AsyncConnection, key: RequestKey) -> RequestRow | None:
    """One request."""
    return (await load_by_key(connection, [key])).get(key)


async def known(connection: AsyncConnection, kind: Kind) -> Mapping[str, Known]:
    """What comparing needs of every open request of a desk, by id."""
    seen = and_(sightings.c.kind == requests.c.kind, sightings.c.request_id == requests.c.id)
    joined = select(requests.c.id, requests.c.digest, sightings.c.oid).select_from(requests.outerjoin(sightings, seen))
    wanted = joined.where(requests.c.kind == kind, requests.c.status.in_(_OPEN))
    digests: dict[str, str] = {}
    approvers: defaultdict[str, set[str]] = defaultdict(set)
    for id_, digest, oid in await connection.execute(wanted):
        digests[id_] = digest
        approvers[id_].update([oid] if oid is not None else [])
    return {id_: Known(digest, frozenset(approvers[id_])) for id_, digest in digests.items()}


async def open_rows(connection: AsyncConnection) -> Sequence[RequestRow]:
    """Every request not final, oldest first."""
    wanted = select(requests).where(requests.c.status.in_(_OPEN))
    return await load_rows(connection, wanted.order_by(requests.c.requested, requests.c.kind, requests.c.id))


async def waiting(connection: AsyncConnection, viewer: Viewer, limit: int) -> Sequence[RequestRow]:
    """Pending requests the viewer may see. All live equally long, so the oldest expire first."""
    wanted = select(requests).where(requests.c.status == Status.PENDING, _visible(viewer))
    ordered = wanted.order_by(requests.c.requested, requests.c.kind, requests.c.id).limit(limit)
    return [row for row in await load_rows(connection, ordered) if may_see(viewer, row)]


async def counters(connection: AsyncConnection, viewer: Viewer, now: datetime) -> Counters:
    """The overview over what the viewer may see."""
    lately = and_(
        requests.c.status.in_((Status.APPROVED, Status.DENIED, Status.EXPIRED)),
        requests.c.decided_at >= now - COUNTED_FOR,
    )
    counts: dict[str, int] = {}
    for which in (requests.c.status == Status.PENDING, lately):  # two questions: each has its index
        wanted = select(requests.c.status, func.count()).where(which, _visible(viewer))
        counts.update((row[0], row[1]) for row in await connection.execute(wanted.group_by(requests.c.status)))
    return Counters(
        pending=counts.get(Status.PENDING, 0),
        approved=counts.get(Status.APPROVED, 0),
        denied=counts.get(Status.DENIED, 0),
        expired=counts.get(Status.EXPIRED, 0),
    )


async def page(connection: AsyncConnection, viewer: Viewer, query: Query) -> Page:
    """One page, newest first, and the cursor of the next one."""
    limit = max(1, query.limit)
    branches = [_newest(branch, query, limit + 1).subquery() for branch in _branches(viewer, query)]
    if not branches:
        return Page(())
    keys = union(*(select(branch) for branch in branches)).subquery()
    wanted = (
        select(requests)
        .join(keys, and_(requests.c.kind == keys.c.kind, requests.c.id == keys.c.id))
        .order_by(requests.c.requested.desc(), requests.c.kind.desc(), requests.c.id.desc())
        .limit(limit + 1)
    )
    rows = await load_rows(connection, wanted)
    shown = rows[:limit]
    following = write_cursor(shown[-1]) if len(rows) > limit else ""
    return Page(tuple(row for row in shown if may_see(viewer, row)), following)


class _Branch(NamedTuple):
    """One reason to see rows, with the columns of the index that lists those rows newest first."""

    requested: ColumnElement[Any]
    kind: ColumnElement[Any]
    id: ColumnElement[Any]
    reason: ColumnElement[bool]


_NEWEST = (requests.c.requested, requests.c.kind, requests.c.id)
_NEWEST_CARDS = (cards.c.requested, cards.c.kind, cards.c.request_id)
_NEWEST_SIGHTINGS = (sightings.c.requested, sightings.c.kind, sightings.c.request_id)


def _branches(viewer: Viewer, query: Query) -> list[_Branch]:
    """Every reason of `may_see` by itself.

    Each then stops after one page on its own index; in one WHERE they would make the database read all of history for
    a person who was hardly ever involved.
    """
    if viewer.auditor:
        return [_Branch(*_NEWEST, true())]
    branches = _by_channel(viewer, query)
    if viewer.oid is not None:
        branches += [_Branch(*_NEWEST, reason) for reason in _is_party(viewer.oid)]
        branches.append(_by_sighting(viewer.oid, query))
    return branches


def _by_channel(viewer: Viewer, query: Query) -> list[_Branch]:
    if not viewer.channels:
        return []
    if _filters(query):
        # A channel's cards are most of all requests: walk the filter's index and ask for a card at each step.
        return [_Branch(*_NEWEST, _in_channel(viewer))]
    return [
        _Branch(*_NEWEST_CARDS, and_(cards.c.channel == channel, _is_card())) for channel in sorted(viewer.channels)
    ]


def _by_sighting(oid: str, query: Query) -> _Branch:
    if query.requestor or query.decided_by:
        # Few rows are theirs: walk those and ask whether this person saw them.
        return _Branch(*_NEWEST, _saw_it(oid))
    return _Branch(*_NEWEST_SIGHTINGS, and_(sightings.c.oid == oid, _is_sighting()))


def _newest(branch: _Branch, query: Query, limit: int) -> Select[Any]:
    place = (branch.requested, branch.kind, branch.id)
    wanted = select(branch.kind.label("kind"), branch.id.label("id")).where(branch.reason, *_filters(query))
    after = read_cursor(query.after)
    if after is not None:
        last = tuple_(after.requested, after.kind, after.id, types=[column.type for column in place])
        wanted = wanted.where(tuple_(*place) < last)
    return wanted.order_by(*(column.desc() for column in place)).limit(limit)


def _filters(query: Query) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.statuses:
        filters.append(requests.c.status.in_(sorted(query.statuses)))
    if query.requestor:
        filters.append(requests.c.requestor_oid == query.requestor)
    if query.decided_by:
        filters.append(requests.c.decided_oid == query.decided_by)
    return filters


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    """`may_see` as one condition, for the few rows that are pending or ended lately."""
    if viewer.auditor:
        return true()
    reasons = [_in_channel(viewer)] if viewer.channels else []
    if viewer.oid is not None:
        reasons += [*_is_party(viewer.oid), _saw_it(viewer.oid)]
    return or_(false(), *reasons)


def _in_channel(viewer: Viewer) -> ColumnElement[bool]:
    return _probe(select(cards.c.id).where(_is_card(), cards.c.channel.in_(sorted(viewer.channels))))


def _saw_it(oid: str) -> ColumnElement[bool]:
    return _probe(select(sightings.c.oid).where(_is_sighting(), sightings.c.oid == oid))


def _probe(wanted: Select[Any]) -> ColumnElement[bool]:
    """Whether there is such a row, by one look into an index for each request.

    EXISTS means the same, but PostgreSQL then prefers to hash all cards there ever were for the few requests of a week.
    """
    return wanted.correlate(requests).limit(1).scalar_subquery().is_not(None)


def _is_party(oid: str) -> list[ColumnElement[bool]]:
    return [requests.c.requestor_oid == oid, requests.c.created_by == oid, requests.c.decided_oid == oid]


def _is_sighting() -> ColumnElement[bool]:
    return and_(sightings.c.kind == requests.c.kind, sightings.c.request_id == requests.c.id)


def _is_card() -> ColumnElement[bool]:
    return and_(cards.c.kind == requests.c.kind, cards.c.request_id == requests.c.id)
