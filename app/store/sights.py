"""When each desk was seen whole, and the gaps between. It looks at no desk itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind
from app.ports import Coverage, Gap
from app.store.tables import gaps, outages, sights
from app.store.upserts import insert_into, took_place
from app.store.writer import Store

GAP = timedelta(minutes=10)  # a request made and decided in less was decided by people who did not need us
NOTED_EVERY = timedelta(minutes=1)  # a poll comes every few seconds and is not worth a write each time


class StoredSights:
    """Implements `ports.Sights`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fenced = store.fenced()
        self._noted: dict[Kind, datetime] = {}

    async def seen(self, kind: Kind, now: datetime) -> None:
        """Everything this desk lists was seen just now."""
        noted = self._noted.get(kind)
        if noted is not None and now - noted < NOTED_EVERY:
            return
        await self._store.write(lambda connection: _seen(connection, kind, now))
        self._noted[kind] = now

    async def filled(self, kind: Kind, since: datetime, now: datetime) -> None:
        """What was asked since then has been read from Microsoft."""
        await self._store.write(lambda connection: _filled(connection, kind, since, now))

    async def out(self, kind: Kind, now: datetime) -> None:
        """From now on this desk does not answer; what began earlier stays."""
        await self._fenced.write(lambda connection: _out(connection, kind, now))

    async def out_since(self, kind: Kind) -> datetime | None:
        """Since when it does not answer."""
        wanted = select(outages.c.since).where(outages.c.kind == kind)
        return await self._store.read(lambda connection: connection.scalar(wanted))

    async def back(self, kind: Kind) -> None:
        """It answers again."""
        await self._fenced.write(lambda connection: connection.execute(delete(outages).where(outages.c.kind == kind)))

    async def last_seen(self) -> Mapping[Kind, datetime]:
        """When each desk was last seen whole, to the minute."""
        return await self._store.read(last_seen)

    async def coverage(self) -> Sequence[Coverage]:
        """Of every desk that was ever seen, by name."""
        return await self._store.read(_coverage)


async def _seen(connection: AsyncConnection, kind: Kind, now: datetime) -> None:
    if await _began(connection, kind, now):
        return
    last = await connection.scalar(select(sights.c.last_good).where(sights.c.kind == kind).with_for_update())
    if last is not None and now - last >= GAP:
        once = insert_into(connection, gaps).on_conflict_do_nothing()
        await connection.execute(once.values(kind=kind, began=last, ended=now))
    if last is not None and now > last:
        await connection.execute(update(sights).where(sights.c.kind == kind).values(last_good=now))


async def _filled(connection: AsyncConnection, kind: Kind, since: datetime, now: datetime) -> None:
    if not await _began(connection, kind, now):
        earlier = update(sights).where(sights.c.kind == kind)
        await connection.execute(earlier.values(last_good=now))
    await connection.execute(update(sights).where(sights.c.kind == kind, sights.c.since > since).values(since=since))
    left = select(gaps).where(gaps.c.kind == kind, gaps.c.began < since, gaps.c.ended > since)
    cut = (await connection.execute(left)).mappings().all()
    await connection.execute(delete(gaps).where(gaps.c.kind == kind, gaps.c.ended > since))
    if cut:  # only the part before it stays open
        await connection.execute(insert(gaps), [{"kind": kind, "began": gap["began"], "ended": since} for gap in cut])


async def _out(connection: AsyncConnection, kind: Kind, now: datetime) -> None:
    await connection.execute(insert_into(connection, outages).on_conflict_do_nothing().values(kind=kind, since=now))


async def last_seen(connection: AsyncConnection) -> Mapping[Kind, datetime]:
    """When each desk was last seen whole, to the minute."""
    found = await connection.execute(select(sights.c.kind, sights.c.last_good))
    return {Kind(kind): at for kind, at in found}


async def _began(connection: AsyncConnection, kind: Kind, now: datetime) -> bool:
    """Whether this was the first time."""
    first = insert_into(connection, sights).on_conflict_do_nothing()
    return await took_place(connection, first.values(kind=kind, since=now, last_good=now))


async def _coverage(connection: AsyncConnection) -> Sequence[Coverage]:
    between: defaultdict[str, list[Gap]] = defaultdict(list)
    for row in (await connection.execute(select(gaps).order_by(gaps.c.began))).mappings():
        between[row["kind"]].append(Gap(row["began"], row["ended"]))
    found = (await connection.execute(select(sights).order_by(sights.c.kind))).mappings()
    return [Coverage(Kind(row["kind"]), row["since"], tuple(between[row["kind"]])) for row in found]
