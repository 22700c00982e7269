"""Links between Slack and Entra accounts with their encrypted token caches. It never sees a token in the clear.

Every write names the generation it is about: what belongs to an earlier sign-in cannot touch a later one. What becomes
of a link is audited and told in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Person
from app.ports import Kin, Link, LinkState, SealedCache
from app.store import link_news as news
from app.store.audit import AuditTrail, Entry
from app.store.kinship import kin, note_pair, pairs_beside
from app.store.rows import person_of, person_values
from app.store.tables import links
from app.store.upserts import insert_into, took_place
from app.store.writer import Store


class StoredLinks:
    """Implements `ports.Links`."""

    def __init__(self, store: Store, trail: AuditTrail, new_id: Callable[[], str]) -> None:
        """`new_id`: unguessable; a receipt's button carries it."""
        self._store = store
        self._trail = trail
        self._new_id = new_id

    async def by_slack(self, team: str, user: str) -> Link | None:
        """The link of this Slack account, whatever its state."""
        return await self._find(_is_slack(team, user))

    async def by_entra(self, tenant: str, oid: str) -> Link | None:
        """The link of this Entra account, whatever its state."""
        return await self._find(_is_entra(tenant, oid))

    async def by_upn(self, tenant: str, upn: str) -> Link | None:
        """The link of the Entra account with this sign-in name; the newest one where a name was given out twice."""
        wanted = select(links).where(links.c.tenant == tenant, func.lower(links.c.person_upn) == upn.lower())
        newest = wanted.order_by(links.c.signed_in_at.desc()).limit(1)
        found = await self._store.read(lambda connection: connection.execute(newest))
        row = found.mappings().one_or_none()
        return to_link(row) if row is not None else None

    async def kin(self, team: str, user: str) -> Kin:
        """Every account that a chain of links, of today or of any day before, ties to this Slack account."""
        return await self._kin(team, Kin(slack_users=frozenset({user})))

    async def kin_of_account(self, team: str, oid: str) -> Kin:
        """The same, seen from a Microsoft account."""
        return await self._kin(team, Kin(oids=frozenset({oid})))

    async def active(self) -> Sequence[Link]:
        """Everybody who can be polled for."""
        wanted = select(links).where(links.c.state == LinkState.ACTIVE).order_by(links.c.id)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return [to_link(row) for row in found.mappings()]

    async def save(self, link: Link, sealed: str, version: int, now: datetime) -> bool:
        """Make or renew a link; False when either account is linked to somebody else: that needs a sign-out first."""
        new = SealedCache(link, sealed, version)
        return await self._store.write(lambda connection: self._save(connection, new, now), flush=True)

    async def suspend(self, link: Link, why: str, now: datetime) -> bool:
        """Their session is over, and they are told. False when it was so already, or they signed in again meanwhile."""
        return await self._store.write(lambda connection: self._suspend(connection, link, why, now), flush=True)

    async def remove(self, link: Link, now: datetime) -> bool:
        """Sign-out: this pair of accounts is unlinked, also when the link was renewed a moment ago."""
        return await self._store.write(lambda connection: self._remove(connection, link, now), flush=True)

    async def forwarded(self, team: str, starter: str, other: str, now: datetime) -> None:
        """One Slack account began a sign-in and another came back from it: both are told, and it is written down."""
        await self._store.write(lambda connection: self._forwarded(connection, (team, starter, other), now))

    async def load_cache(self, link_id: str) -> SealedCache | None:
        """The encrypted cache, or None when the link is gone or suspended."""
        return await self._store.read(lambda connection: load_cache(connection, link_id))

    async def save_cache(self, cache: SealedCache, sealed: str) -> bool:
        """Store the next version, sealed for `cache.version + 1`; False: somebody refreshed or unlinked meanwhile."""
        same = and_(
            _is_generation(cache.link), links.c.state == LinkState.ACTIVE, links.c.cache_version == cache.version
        )
        change = update(links).where(same).values(sealed=sealed, cache_version=cache.version + 1)
        done = await self._store.write(lambda connection: connection.execute(change), flush=True)
        return done.rowcount == 1

    async def _save(self, connection: AsyncConnection, new: SealedCache, now: datetime) -> bool:
        link = new.link
        either = or_(_is_slack(link.team, link.slack_user), _is_entra(link.tenant, link.person.id))
        before = (await connection.execute(select(links).where(either).with_for_update())).mappings().all()
        saved = await (_renewed(connection, new, before) if before else _made(connection, new))
        if saved is None:
            return False
        more = {} if before else await self._relinked(connection, saved, now)
        await note_pair(connection, saved)
        await news.owe_receipt(connection, saved, self._new_id(), now)
        thawed = bool(before) and before[0]["state"] == LinkState.FROZEN
        what = "link_thawed" if thawed else "link_renewed" if before else "link_made"
        await self._trail.append(connection, news.entry(what, saved, saved.person.id, now, more))
        return True

    async def _relinked(self, connection: AsyncConnection, link: Link, now: datetime) -> dict[str, str]:
        """What both accounts were linked to before, for the audit row; who had this Microsoft account is told."""
        slack_users, oids = await pairs_beside(connection, link)
        await news.owe_moved(connection, link, slack_users, now)
        return {"earlier_slack_users": " ".join(slack_users), "earlier_oids": " ".join(oids)}

    async def _suspend(self, connection: AsyncConnection, link: Link, why: str, now: datetime) -> bool:
        this = and_(_is_generation(link), links.c.state == LinkState.ACTIVE)
        change = update(links).where(this).values(state=LinkState.SUSPENDED, sealed=None)
        if (await connection.execute(change)).rowcount != 1:
            return False
        ended = replace(link, state=LinkState.SUSPENDED)
        await news.owe_suspended(connection, ended, now)
        await self._trail.append(connection, news.entry("link_suspended", ended, news.THE_BOT, now, {"why": why}))
        return True

    async def _remove(self, connection: AsyncConnection, link: Link, now: datetime) -> bool:
        pair = and_(_is_slack(link.team, link.slack_user), _is_entra(link.tenant, link.person.id))
        found = (await connection.execute(delete(links).where(pair).returning(links))).mappings().one_or_none()
        if found is None:
            return False
        gone = to_link(found)
        await news.owe_unlinked(connection, gone, news.SIGNED_OUT, now)
        await self._trail.append(connection, news.entry("link_signed_out", gone, gone.person.id, now, {}))
        return True

    async def _forwarded(self, connection: AsyncConnection, who: tuple[str, str, str], now: datetime) -> None:
        team, starter, other = who
        await news.owe_forwarded(connection, (starter, other), self._new_id(), now)
        facts = {"team": team, "started_by": starter, "came_back": other}
        await self._trail.append(connection, Entry(now, "link_refused", None, news.THE_BOT, facts))

    async def _kin(self, team: str, start: Kin) -> Kin:
        return await self._store.read(lambda connection: kin(connection, team, start))

    async def _find(self, which: ColumnElement[bool]) -> Link | None:
        found = await self._store.read(lambda connection: connection.execute(select(links).where(which)))
        row = found.mappings().one_or_none()
        return to_link(row) if row is not None else None


async def _made(connection: AsyncConnection, new: SealedCache) -> Link | None:
    # Two tabs may end their sign-in together: the unique indexes let one of them in.
    row = {"generation": new.link.generation, **_link_values(new)}
    once = insert_into(connection, links).on_conflict_do_nothing().values(**row)
    return new.link if await took_place(connection, once) else None


async def _renewed(connection: AsyncConnection, new: SealedCache, before: Sequence[RowMapping]) -> Link | None:
    link = new.link
    if any(_pair(to_link(row)) != _pair(link) or _frozen_since(row, link) for row in before):
        return None
    generation = max(link.generation, before[0]["generation"] + 1)
    which = links.c.id == before[0]["id"]
    await connection.execute(update(links).where(which).values(generation=generation, **_link_values(new)))
    return replace(link, generation=generation)


def _frozen_since(row: RowMapping, link: Link) -> bool:
    """The freeze raised the generation: a sign-in that began before it does not end it."""
    return bool(row["state"] == LinkState.FROZEN and link.generation <= row["generation"])


def _pair(link: Link) -> tuple[str, str, str, str]:
    return link.team, link.slack_user, link.tenant, link.person.id


def _is_slack(team: str, user: str) -> ColumnElement[bool]:
    return and_(links.c.team == team, links.c.slack_user == user)


def _is_entra(tenant: str, oid: str) -> ColumnElement[bool]:
    return and_(links.c.tenant == tenant, links.c.person_oid == oid)


def _is_generation(link: Link) -> ColumnElement[bool]:
    return and_(links.c.id == link.id, links.c.generation == link.generation)


def _link_values(new: SealedCache) -> dict[str, Any]:
    link = new.link
    return {
        "id": link.id,
        "team": link.team,
        "slack_user": link.slack_user,
        "tenant": link.tenant,
        **person_values("person", link.person),
        "state": LinkState.ACTIVE,
        "signed_in_at": link.signed_in_at,
        "sealed": new.sealed,
        "cache_version": new.version,
    }


async def load_cache(connection: AsyncConnection, link_id: str) -> SealedCache | None:
    """The encrypted cache of an active link."""
    wanted = select(links).where(links.c.id == link_id, links.c.state == LinkState.ACTIVE)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    if row is None or row["sealed"] is None:
        return None
    return SealedCache(to_link(row), row["sealed"], row["cache_version"])


def to_link(row: RowMapping) -> Link:
    """A row of the table as a value."""
    return Link(
        id=row["id"],
        team=row["team"],
        slack_user=row["slack_user"],
        tenant=row["tenant"],
        person=person_of(row, "person") or Person(""),
        state=LinkState(row["state"]),
        signed_in_at=row["signed_in_at"],
        generation=row["generation"],
    )
