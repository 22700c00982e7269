"""Links between Slack and Entra accounts with their encrypted token caches. It never sees a token in the clear.

Every write names the generation it is about: what belongs to an earlier sign-in cannot touch a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Person
from app.ports import Link, LinkState, Notice, SealedCache
from app.store.notices import owe
from app.store.rows import person_of, person_values
from app.store.tables import link_history, links
from app.store.upserts import insert_into, took_place
from app.store.writer import Store


class StoredLinks:
    """Implements `ports.Links`."""

    def __init__(self, store: Store) -> None:
        self._store = store

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

    async def kin(self, team: str, user: str) -> frozenset[str]:
        """The object ids that were ever linked to this Slack account."""
        wanted = select(link_history.c.oid).where(link_history.c.team == team, link_history.c.slack_user == user)
        found = await self._store.read(lambda connection: connection.scalars(wanted))
        return frozenset(found)

    async def active(self) -> Sequence[Link]:
        """Everybody who can be polled for."""
        wanted = select(links).where(links.c.state == LinkState.ACTIVE).order_by(links.c.id)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return [to_link(row) for row in found.mappings()]

    async def save(self, link: Link, sealed: str, version: int) -> bool:
        """Make or renew a link; False when either account is linked to somebody else: that needs a sign-out first."""
        return await self._store.write(lambda connection: _save(connection, link, sealed, version))

    async def suspend(self, link: Link, now: datetime) -> bool:
        """Their session is over, and they are told. False when it was so already, or they signed in again meanwhile."""
        return await self._store.write(lambda connection: _suspend(connection, link, now))

    async def remove(self, link: Link) -> None:
        """Sign-out: this pair of accounts is unlinked, also when the link was renewed a moment ago."""
        pair = and_(_is_slack(link.team, link.slack_user), _is_entra(link.tenant, link.person.id))
        await self._store.write(lambda connection: connection.execute(delete(links).where(pair)))

    async def load_cache(self, link_id: str) -> SealedCache | None:
        """The encrypted cache, or None when the link is gone or suspended."""
        wanted = select(links).where(links.c.id == link_id, links.c.state == LinkState.ACTIVE)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        row = found.mappings().one_or_none()
        if row is None or row["sealed"] is None:
            return None
        return SealedCache(to_link(row), row["sealed"], row["cache_version"])

    async def save_cache(self, cache: SealedCache, sealed: str) -> bool:
        """Store the next version, sealed for `cache.version + 1`; False: somebody refreshed or unlinked meanwhile."""
        same = and_(
            _is_generation(cache.link), links.c.state == LinkState.ACTIVE, links.c.cache_version == cache.version
        )
        change = update(links).where(same).values(sealed=sealed, cache_version=cache.version + 1)
        done = await self._store.write(lambda connection: connection.execute(change))
        return done.rowcount == 1

    async def _find(self, which: ColumnElement[bool]) -> Link | None:
        found = await self._store.read(lambda connection: connection.execute(select(links).where(which)))
        row = found.mappings().one_or_none()
        return to_link(row) if row is not None else None


async def _save(connection: AsyncConnection, link: Link, sealed: str, version: int) -> bool:
    either = or_(_is_slack(link.team, link.slack_user), _is_entra(link.tenant, link.person.id))
    existing = (await connection.execute(select(links).where(either).with_for_update())).mappings().all()
    if not existing:
        # Two tabs may end their sign-in together: the unique indexes let one of them in.
        row = {"generation": link.generation, **_link_values(link, sealed, version)}
        once = insert_into(connection, links).on_conflict_do_nothing().values(**row)
        return await took_place(connection, once) and await _note_pair(connection, link)
    if any(_pair(to_link(row)) != _pair(link) or _frozen_since(row, link) for row in existing):
        return False
    generation = max(link.generation, existing[0]["generation"] + 1)
    renewed = {"generation": generation, **_link_values(link, sealed, version)}
    await connection.execute(update(links).where(either).values(**renewed))
    return await _note_pair(connection, link)


async def _suspend(connection: AsyncConnection, link: Link, now: datetime) -> bool:
    this = and_(_is_generation(link), links.c.state == LinkState.ACTIVE)
    change = update(links).where(this).values(state=LinkState.SUSPENDED, sealed=None)
    if (await connection.execute(change)).rowcount != 1:
        return False
    once = f"suspended:{link.id}:{link.generation}"
    await owe(connection, Notice(once, "suspended", to_slack=link.slack_user), once, now)
    return True


async def _note_pair(connection: AsyncConnection, link: Link) -> bool:
    """Both accounts were the same human's once, which stays true after a sign-out."""
    names = {"team": link.team, "slack_user": link.slack_user, "tenant": link.tenant, "oid": link.person.id}
    first = insert_into(connection, link_history).values(**names, first_at=link.signed_in_at, last_at=link.signed_in_at)
    again = first.on_conflict_do_update(index_elements=list(names), set_={"last_at": link.signed_in_at})
    await connection.execute(again)
    return True


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


def _link_values(link: Link, sealed: str, version: int) -> dict[str, Any]:
    return {
        "id": link.id,
        "team": link.team,
        "slack_user": link.slack_user,
        "tenant": link.tenant,
        **person_values("person", link.person),
        "state": LinkState.ACTIVE,
        "signed_in_at": link.signed_in_at,
        "sealed": sealed,
        "cache_version": version,
    }


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
