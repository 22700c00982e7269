"""Who opened their App Home lately, and the tokens of the buttons that one person alone sees. It draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey
from app.domain.row import RequestRow
from app.ports import Offer, OpenHome
from app.store.tables import homes, offers
from app.store.upserts import insert_into
from app.store.writer import Store

_HOME, _LIST = "home", "list"  # surfaces; each has its own tokens


class StoredHomes:
    """Implements `ports.Homes`. `new_token`: 128 random bits or more, URL-safe."""

    def __init__(self, store: Store, new_token: Callable[[], str]) -> None:
        self._store = store
        self._new_token = new_token

    async def opened(self, team: str, user: str, now: datetime) -> None:
        """They opened it; what it shows is drawn anew."""
        await self._store.write(lambda connection: _opened(connection, team, user, now))

    async def recent(self, since: datetime, limit: int) -> Sequence[OpenHome]:
        """Who opened it since then, the latest first."""
        wanted = select(homes).where(homes.c.opened >= since).order_by(homes.c.opened.desc()).limit(limit)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return [OpenHome(row["team"], row["slack_user"], row["shown"]) for row in found.mappings()]

    async def offer(self, home: OpenHome, rows: Sequence[RequestRow]) -> Mapping[RequestKey, str]:
        """Fresh tokens in place of all that this person's home had."""
        tokens = self._tokens(rows)
        await self._store.write(lambda connection: _offer(connection, home, rows, tokens))
        return tokens

    async def hand_out(self, team: str, user: str, rows: Sequence[RequestRow]) -> Mapping[RequestKey, str]:
        """Fresh tokens in place of all that this person's last list had."""
        tokens = self._tokens(rows)
        await self._store.write(lambda connection: _hand_out(connection, (team, user, _LIST), rows, tokens))
        return tokens

    async def offered(self, team: str, user: str, token: str) -> Offer | None:
        """What a token stands for, to this person alone."""
        theirs = and_(offers.c.token == token, offers.c.team == team, offers.c.slack_user == user)
        found = await self._store.read(lambda connection: connection.execute(select(offers).where(theirs)))
        row = found.mappings().one_or_none()
        return Offer(RequestKey(Kind(row["kind"]), row["request_id"]), row["digest"]) if row is not None else None

    def _tokens(self, rows: Sequence[RequestRow]) -> dict[RequestKey, str]:
        return {row.key: self._new_token() for row in rows}


async def _opened(connection: AsyncConnection, team: str, user: str, now: datetime) -> None:
    row = {"team": team, "slack_user": user, "opened": now, "shown": ""}
    once = insert_into(connection, homes).values(**row)
    await connection.execute(once.on_conflict_do_update(index_elements=["team", "slack_user"], set_={"opened": now}))


async def _offer(
    connection: AsyncConnection, home: OpenHome, rows: Sequence[RequestRow], tokens: Mapping[RequestKey, str]
) -> None:
    same = and_(homes.c.team == home.team, homes.c.slack_user == home.user)
    await connection.execute(update(homes).where(same).values(shown=home.shown))
    await _hand_out(connection, (home.team, home.user, _HOME), rows, tokens)


async def _hand_out(
    connection: AsyncConnection,
    where: tuple[str, str, str],
    rows: Sequence[RequestRow],
    tokens: Mapping[RequestKey, str],
) -> None:
    place = dict(zip(("team", "slack_user", "surface"), where, strict=True))
    await connection.execute(delete(offers).where(*(offers.c[name] == value for name, value in place.items())))
    fresh = [
        {
            **place,
            "token": tokens[row.key],
            "kind": row.key.kind,
            "request_id": row.key.id,
            "digest": row.request.digest,
        }
        for row in rows
    ]
    if fresh:
        await connection.execute(insert(offers), fresh)
