"""What a poll saw goes into the requests table.

It touches pending rows only: deciding and final ones are left alone, because a listing lags behind what we know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fuse import next_burn
from app.domain.levels import Level
from app.domain.match import Match
from app.domain.request import ActivationRequest, RequestKey, Status
from app.domain.routes import Route, route_of
from app.ports import Seen
from app.store import directs
from app.store.rows import among, chunks, is_request, key_of, match_values, values_of
from app.store.tables import cards, requests, sightings
from app.store.upserts import insert_into

# What else its requestor did meanwhile repaints no card, unless it changes how the request is judged.
_NO_NEWS = {"pattern", "earlier"}


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a new request's card goes, and where its ids and tokens come from.

    `channel` is for what no route fits. A card stays where it was posted, whatever becomes of its request's risk.
    """

    channel: str
    new_token: Callable[[], str]
    new_id: Callable[[], str]
    routes: tuple[Route, ...] = ()

    def place(self, request: ActivationRequest, level: Level) -> str:
        """The channel for this request's card."""
        route = route_of(request, level, self.routes)
        return route.channel if route is not None else self.channel


async def remember(connection: AsyncConnection, seen: Sequence[Seen], now: datetime, posting: Posting) -> None:
    """Insert what is new with its card, update what reads differently, note who can approve it."""
    # Sorted, so that two replicas lock rows in the same order.
    latest = {one.request.key: one for one in sorted(seen, key=lambda one: str(one.request.key))}
    for chunk in chunks(latest.values()):
        known = await _known(connection, chunk)
        await _insert_new(connection, [one for one in chunk if one.request.key not in known], now, posting)
        pending = [one for one in chunk if _is_pending(known.get(one.request.key))]
        for one in pending:
            await _update(connection, one, known[one.request.key], posting)
        await add_sightings(connection, pending)


async def set_wanted(connection: AsyncConnection, key: RequestKey, version: int) -> None:
    """The row has a new version: its cards are behind, and what shows it in direct messages."""
    of_request = (cards.c.kind == key.kind, cards.c.request_id == key.id)
    await connection.execute(update(cards).where(*of_request).values(wanted=version))
    await directs.set_wanted(connection, key, version)


def _is_pending(row: RowMapping | None) -> bool:
    return row is not None and row["status"] == Status.PENDING


async def _known(connection: AsyncConnection, chunk: Sequence[Seen]) -> Mapping[RequestKey, RowMapping]:
    keys = [one.request.key for one in chunk]
    wanted = select(requests).where(among(requests.c.kind, requests.c.id, keys))
    locked = wanted.order_by(requests.c.kind, requests.c.id).with_for_update()
    found = (await connection.execute(locked)).mappings()
    return {key_of(row): row for row in found}


async def _insert_new(connection: AsyncConnection, new: Sequence[Seen], now: datetime, posting: Posting) -> None:
    if not new:
        return
    statement = insert_into(connection, requests).on_conflict_do_nothing()
    returning = statement.returning(requests.c.kind, requests.c.id)
    rows = [_new_row(one, now) for one in new]
    # Another replica may have been faster: only who inserted the request makes its card.
    mine = {tuple(row) for row in await connection.execute(returning, rows)}
    inserted = [one for one in new if (one.request.key.kind, one.request.key.id) in mine]
    posted = [first_card(one.request, one.risk.level, posting) for one in inserted if not one.stale]
    if posted:
        await connection.execute(insert(cards), posted)
    await add_sightings(connection, inserted)


def _new_row(one: Seen, now: datetime) -> dict[str, Any]:
    key = {"kind": one.request.key.kind, "id": one.request.key.id}
    own = {"status": Status.PENDING, "version": 1, "first_seen": now, "missed": 0, "stale": bool(one.stale)}
    own["remind_due"] = now
    own["fuse_due"] = next_burn(one.request.expires, now) if one.request.mortal else None
    return {**key, **values_of(one), **match_values(Match()), **own}


def first_card(request: ActivationRequest, level: Level, posting: Posting) -> dict[str, Any]:
    """A card to be posted, as columns."""
    return {
        "id": posting.new_id(),
        "kind": request.key.kind,
        "request_id": request.key.id,
        "channel": posting.place(request, level),
        "ts": "",
        "token": posting.new_token(),
        "digest": request.digest,
        "painted": 0,
        "wanted": 1,
        "tried": False,
        "requested": request.created,
        "occasion": "",
    }


async def _update(connection: AsyncConnection, one: Seen, row: RowMapping, posting: Posting) -> None:
    # When it was made never changes; history is ordered by it, in more tables than one.
    changed = {name: value for name, value in values_of(one).items() if row[name] != value and name != "requested"}
    if not changed.keys() - _NO_NEWS:
        return
    version = row["version"] + 1
    await connection.execute(update(requests).where(is_request(one.request.key)).values(**changed, version=version))
    await set_wanted(connection, one.request.key, version)
    if "digest" in changed:
        await _void_tokens(connection, one, posting)


async def _void_tokens(connection: AsyncConnection, one: Seen, posting: Posting) -> None:
    """What the cards show is not what Microsoft has any more: nobody decides with their old buttons."""
    key = one.request.key
    of_request = (cards.c.kind == key.kind, cards.c.request_id == key.id)
    for id_ in (await connection.scalars(select(cards.c.id).where(*of_request))).all():
        fresh = {"token": posting.new_token(), "digest": one.request.digest}
        await connection.execute(update(cards).where(cards.c.id == id_).values(**fresh))
    await directs.void_tokens(connection, key, one.request.digest, posting.new_token)


async def add_sightings(connection: AsyncConnection, seen: Sequence[Seen]) -> None:
    """Who saw it may decide it. Nobody is taken off: absence from a listing of 50 rows proves nothing."""
    rows = [
        {"kind": one.request.key.kind, "request_id": one.request.key.id, "oid": oid, "requested": one.request.created}
        for one in seen
        for oid in sorted(one.approvers)
    ]
    if rows:
        await connection.execute(insert_into(connection, sightings).on_conflict_do_nothing(), rows)
