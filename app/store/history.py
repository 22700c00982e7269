"""Reading requests: one, all open ones, pages of history, counters. Who may see what is part of every query.

SQL narrows by the same rule as `may_see`, so that pages are full; the rule itself then looks at each row again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.changes import Known
from app.domain.request import ActivationRequest, Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer, may_see
from app.ports import Counters, Page, Query
from app.store.cursors import read_cursor, write_cursor
from app.store.rows import IS_OPEN, load_by_key, load_rows
from app.store.tables import cards, requests, sightings

COUNTED_FOR = timedelta(days=7)
MANY = 5000  # rows; about where the two ways through a million requests cost the same
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PENDING = requests.c.status == Status.PENDING


async def find(connection: AsyncConnection, key: RequestKey) -> RequestRow | None:
    """One request."""
    return (await load_by_key(connection, [key])).get(key)


async def find_id(connection: AsyncConnection, request_id: str) -> RequestRow | None:
    """One request by Microsoft's GUID, whatever its desk; None where two desks have one.

    Whoever asks for an Azure role chooses the GUID, and may choose one that another desk gave out: nobody may decide
    the one request who was shown the other.
    """
    rows = list((await load_by_key(connection, [RequestKey(kind, request_id) for kind in Kind])).values())
    return rows[0] if len(rows) == 1 else None


async def known(connection: AsyncConnection, kind: Kind) -> Mapping[str, Known]:
    """What comparing needs of every open request of a desk, by id."""
    seen = and_(sightings.c.kind == requests.c.kind, sightings.c.request_id == requests.c.id)
    doubted = or_(requests.c.absences > 0, requests.c.uncheckable).label("doubted")
    columns = (requests.c.id, requests.c.digest, doubted, sightings.c.oid)
    joined = select(*columns).select_from(requests.outerjoin(sightings, seen))
    wanted = joined.where(requests.c.kind == kind, IS_OPEN)
    facts: dict[str, tuple[str, bool]] = {}
    approvers: defaultdict[str, set[str]] = defaultdict(set)
    for id_, digest, doubt, oid in await connection.execute(wanted):
        facts[id_] = (digest, bool(doubt))
        approvers[id_].update([oid] if oid is not None else [])
    return {id_: Known(digest, frozenset(approvers[id_]), doubt) for id_, (digest, doubt) in facts.items()}


async def open_rows(connection: AsyncConnection) -> Sequence[RequestRow]:
    """Every request not final, oldest first."""
    wanted = select(requests).where(IS_OPEN)
    return await load_rows(connection, wanted.order_by(requests.c.requested, requests.c.kind, requests.c.id))


async def waiting(connection: AsyncConnection, viewer: Viewer, limit: int) -> Sequence[RequestRow]:
    """Pending requests the viewer may see. All live equally long, so the oldest expire first."""
    wanted = select(requests).where(_PENDING, ~requests.c.stale, _visible(viewer))
    ordered = wanted.order_by(requests.c.requested, requests.c.kind, requests.c.id).limit(limit)
    return [row for row in await load_rows(connection, ordered) if may_see(viewer, row)]


async def asked_roles(connection: AsyncConnection, limit: int) -> Sequence[ActivationRequest]:
    """One request, the latest, for every role and scope. It reads all of history: for the command line only."""
    latest = (
        select(requests.c.kind, requests.c.role_id, requests.c.scope_id, func.max(requests.c.requested).label("at"))
        .group_by(requests.c.kind, requests.c.role_id, requests.c.scope_id)
        .order_by(func.max(requests.c.requested).desc())
        .limit(limit)
        .subquery()
    )
    same = (requests.c.kind == latest.c.kind, requests.c.role_id == latest.c.role_id)
    there = (requests.c.scope_id == latest.c.scope_id, requests.c.requested == latest.c.at)
    wanted = select(requests).join(latest, and_(*same, *there)).order_by(latest.c.at.desc(), requests.c.id)
    found: dict[tuple[str, str, str], ActivationRequest] = {}
    for row in await load_rows(connection, wanted):
        one = row.request
        found.setdefault((one.key.kind, one.role.id, one.scope.id), one)
    return list(found.values())


async def counters(connection: AsyncConnection, viewer: Viewer, now: datetime) -> Counters:
    """The overview over what the viewer may see."""
    lately = and_(
        requests.c.status.in_((Status.APPROVED, Status.DENIED, Status.EXPIRED)),
        requests.c.decided_at >= now - COUNTED_FOR,
    )
    counts: dict[str, int] = {}
    for which in (and_(_PENDING, ~requests.c.stale), lately):  # two questions: each has its index
        wanted = select(requests.c.status, func.count()).where(which, _visible(viewer))
        counts.update((row[0], row[1]) for row in await connection.execute(wanted.group_by(requests.c.status)))
    stale = select(func.count()).where(_PENDING, requests.c.stale, _visible(viewer))
    return Counters(
        stale=await connection.scalar(stale) or 0,
        pending=counts.get(Status.PENDING, 0),
        approved=counts.get(Status.APPROVED, 0),
        denied=counts.get(Status.DENIED, 0),
        expired=counts.get(Status.EXPIRED, 0),
    )


async def page(connection: AsyncConnection, viewer: Viewer, query: Query, many: int = MANY) -> Page:
    """One page, and the cursor of the next one. `many`: from how many rows on a reason is not walked row by row."""
    limit = max(1, query.limit)
    walks = [_first(walk, query, limit + 1).subquery() for walk in await _walks(connection, viewer, query, many)]
    if not walks:
        return Page(())
    keys = union(*(select(walk) for walk in walks)).subquery()
    wanted = (
        select(requests)
        .join(keys, and_(requests.c.kind == keys.c.kind, requests.c.id == keys.c.id))
        .order_by(*_ordered(_PLACE, query))
        .limit(limit + 1)
    )
    rows = await load_rows(connection, wanted)
    shown = rows[:limit]
    following = write_cursor(shown[-1]) if len(rows) > limit else ""
    first = write_cursor(shown[0]) if shown else ""
    return Page(tuple(row for row in shown if may_see(viewer, row)), following, first)


class _Walk(NamedTuple):
    """Rows that one index lists in order of time: the columns of that order, where it begins, what else must hold."""

    place: tuple[ColumnElement[Any], ...]
    begin: ColumnElement[bool]
    conditions: Sequence[ColumnElement[bool]] = ()


class _Reason(NamedTuple):
    """One reason of `may_see`: its own index to walk, or a question at each step of another walk.

    `sorts`: a column with a second index of its own, in which the rows of one value stand in order of time.
    """

    own: _Walk
    question: ColumnElement[bool]
    sorts: ColumnElement[Any] | None = None


class _Wish(NamedTuple):
    """What one column is to be."""

    column: ColumnElement[Any]
    values: Sequence[str]


_PLACE = (requests.c.requested, requests.c.kind, requests.c.id)
_CARD_PLACE = (cards.c.requested, cards.c.kind, cards.c.request_id)
_SIGHTING_PLACE = (sightings.c.requested, sightings.c.kind, sightings.c.request_id)


async def _walks(connection: AsyncConnection, viewer: Viewer, query: Query, many: int) -> list[_Walk]:
    """Every reason by itself, so that each stops after one page.

    In one WHERE they would make the database read all of history for a person who was hardly ever involved. With a
    filter there are two ways: through the few rows of the reason, or through those of the filter when the reason has
    many. Neither is left to the planner: it knows columns by themselves, and SQLite's knows nothing at all.
    """
    wishes = _wishes(query)
    if viewer.auditor:
        return _through(wishes, true()) if wishes else [_Walk(_PLACE, true())]
    walks = [await _ways(connection, reason, wishes, many) for reason in _reasons(viewer)]
    return [walk for ways in walks for walk in ways]


async def _ways(connection: AsyncConnection, reason: _Reason, wishes: Sequence[_Wish], many: int) -> list[_Walk]:
    """Through the rows of one reason, or through those of the filter.

    Every index that a reason walks knows the desk as well: looking for one there reads no row, however long it is.
    """
    owns, others = _narrowed(reason, wishes)
    costly = any(wish.column is not requests.c.kind for wish in others)
    if costly and any([await _has(connection, many, own) for own in owns]):
        return _through(wishes, reason.question)
    return [own._replace(conditions=(*own.conditions, *map(_asked, others))) for own in owns]


def _narrowed(reason: _Reason, wishes: Sequence[_Wish]) -> tuple[list[_Walk], Sequence[_Wish]]:
    """The walks of a reason, one for each wanted value where its index knows the column, and what is still wanted."""
    wish = next((wish for wish in wishes if reason.sorts is not None and wish.column.name == reason.sorts.name), None)
    if wish is None or reason.sorts is None:
        return [reason.own], wishes
    owns = [reason.own._replace(begin=and_(reason.own.begin, reason.sorts == value)) for value in wish.values]
    return owns, [other for other in wishes if other is not wish]


def _reasons(viewer: Viewer) -> list[_Reason]:
    reasons = [
        _Reason(_Walk(_CARD_PLACE, cards.c.channel == channel, (_is_card(),)), _in_channels([channel]), cards.c.kind)
        for channel in sorted(viewer.channels)
    ]
    if viewer.oid is not None:
        reasons += [_party(requests.c.requestor_oid, viewer.oid), _party(requests.c.created_by, viewer.oid)]
        reasons.append(_party(requests.c.decided_oid, viewer.oid)._replace(sorts=requests.c.status))
        seen = _Walk(_SIGHTING_PLACE, sightings.c.oid == viewer.oid, (_is_sighting(),))
        reasons.append(_Reason(seen, _saw_it(viewer.oid), sightings.c.kind))
    return reasons


def _party(column: ColumnElement[Any], oid: str) -> _Reason:
    return _Reason(_Walk(_PLACE, column == oid), _asked(_Wish(column, (oid,))))


def _through(wishes: Sequence[_Wish], question: ColumnElement[bool]) -> list[_Walk]:
    """Walk what the first wish names. An index gives one of its values in order: several are walked side by side."""
    first, others = wishes[0], [_asked(wish) for wish in wishes[1:]]
    return [_Walk(_PLACE, first.column == value, (*others, question)) for value in first.values]


async def _has(connection: AsyncConnection, many: int, walk: _Walk) -> bool:
    """Whether it is so long that a page of anything common is found sooner among all requests."""
    some = select(walk.place[0]).where(walk.begin).limit(many).subquery()
    return bool(await connection.scalar(select(func.count()).select_from(some)) == many)


def _first(walk: _Walk, query: Query, limit: int) -> Select[Any]:
    """The first keys of a walk, in the order of the query."""
    requested, kind, id_ = walk.place
    wanted = select(kind.label("kind"), id_.label("id")).where(walk.begin, *walk.conditions)
    if query.decidable:
        wanted = wanted.where(~requests.c.stale)
    if query.since is not None:
        wanted = wanted.where(requested >= query.since)
    if query.until is not None:
        wanted = wanted.where(requested < query.until)
    after = read_cursor(query.after)
    if after is not None:
        last = tuple_(after.requested, after.kind, after.id, types=[column.type for column in walk.place])
        place = tuple_(*walk.place)
        wanted = wanted.where(place > last if query.oldest_first else place < last)
    return wanted.order_by(*_ordered(walk.place, query)).limit(limit)


def _ordered(place: Sequence[ColumnElement[Any]], query: Query) -> list[ColumnElement[Any]]:
    return [column.asc() if query.oldest_first else column.desc() for column in place]


def _wishes(query: Query) -> list[_Wish]:
    """The filters; what names the fewest rows as a rule comes first."""
    by_id = _GUID.fullmatch(query.role) is not None
    role = _Wish(requests.c.role_id, (query.role.lower(),)) if by_id else _Wish(requests.c.role_name, (query.role,))
    wishes = (
        _Wish(requests.c.requestor_oid, (query.requestor,)),
        _Wish(requests.c.match_slack, (query.requestor_slack,)),
        _Wish(requests.c.decided_oid, (query.decided_by,)),
        role,
        _Wish(requests.c.status, sorted(query.statuses)),
        _Wish(requests.c.kind, sorted(query.kinds)),
    )
    return [wish for wish in wishes if any(wish.values)]


def _asked(wish: _Wish) -> ColumnElement[bool]:
    """The wish as a question about a row at hand. Joined with nothing, the column's own index is out of the game."""
    return wish.column.concat("").in_(wish.values)


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    """`may_see` as one condition, for the few rows that are pending or ended lately."""
    if viewer.auditor:
        return true()
    reasons = [_in_channels(viewer.channels)] if viewer.channels else []
    if viewer.oid is not None:
        parties = (requests.c.requestor_oid, requests.c.created_by, requests.c.decided_oid)
        reasons += [*(party == viewer.oid for party in parties), _saw_it(viewer.oid)]
    return or_(false(), *reasons)


def _in_channels(channels: Collection[str]) -> ColumnElement[bool]:
    return _probe(select(cards.c.channel).where(_is_card(), cards.c.channel.in_(sorted(channels))))


def _saw_it(oid: str) -> ColumnElement[bool]:
    return _probe(select(sightings.c.oid).where(_is_sighting(), sightings.c.oid == oid))


def _probe(wanted: Select[Any]) -> ColumnElement[bool]:
    """Whether there is such a row, by one look into an index for each request.

    EXISTS means the same, but PostgreSQL then prefers to hash all cards there ever were for the few requests of a week.
    """
    return wanted.correlate(requests).limit(1).scalar_subquery().is_not(None)


def _is_sighting() -> ColumnElement[bool]:
    return and_(sightings.c.kind == requests.c.kind, sightings.c.request_id == requests.c.id)


def _is_card() -> ColumnElement[bool]:
    return and_(cards.c.kind == requests.c.kind, cards.c.request_id == requests.c.id)
