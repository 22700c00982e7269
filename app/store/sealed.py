"""Everything that is stored encrypted, whoever it belongs to: reading it page by page, writing it anew in place.

Links and sign-in flows hold sealed texts and nothing else does. It never meets a key or a plain text.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import and_, select, update

from app.ports import LinkState, SealedCache
from app.store.links import load_cache, to_link
from app.store.tables import links, sign_in_flows
from app.store.writer import Store

PAGE = 100  # token caches read at a time; one is about ten kilobytes


async def sealed_caches(store: Store) -> AsyncIterator[Sequence[SealedCache]]:
    """Every live token cache, in pages. Rows that come or go meanwhile may be missed: ask again."""
    page = await _page(store, "")
    while page:
        yield page
        page = await _page(store, page[-1].link.id)


async def reread(store: Store, cache: SealedCache) -> SealedCache | None:
    """The same token cache as it is stored by now; None when it is gone."""
    return await store.read(lambda connection: load_cache(connection, cache.link.id))


async def sealed_flows(store: Store, now: datetime) -> Sequence[str]:
    """What waits between two sign-in pages: ten minutes' worth."""
    wanted = select(sign_in_flows.c.sealed).where(sign_in_flows.c.expires > now)
    found = await store.read(lambda connection: connection.execute(wanted))
    return list(found.scalars())


async def reseal(store: Store, cache: SealedCache, sealed: str) -> bool:
    """Put the same content under another key: same version, so that a refresh under way is not made to lose.

    False when the row is not what was read any more: refreshed, renewed, suspended or gone.
    """
    same = and_(
        _LIVE,
        links.c.id == cache.link.id,
        links.c.generation == cache.link.generation,
        links.c.cache_version == cache.version,
        links.c.sealed == cache.sealed,
    )
    change = update(links).where(same).values(sealed=sealed)
    done = await store.write(lambda connection: connection.execute(change), flush=True)
    return done.rowcount == 1


async def _page(store: Store, after: str) -> Sequence[SealedCache]:
    wanted = select(links).where(_LIVE, links.c.id > after).order_by(links.c.id).limit(PAGE)
    found = await store.read(lambda connection: connection.execute(wanted))
    return [SealedCache(to_link(row), row["sealed"], row["cache_version"]) for row in found.mappings()]


_LIVE = and_(links.c.state == LinkState.ACTIVE, links.c.sealed.is_not(None))
