"""Sign-ins as an operator sees them: listed, revoked, removed; each audited and told. Tokens are only ever dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import Act, Link, LinkLine, LinkState
from app.store import link_news as news
from app.store.audit import AuditTrail, Entry
from app.store.links import to_link
from app.store.tables import intents, links
from app.store.writer import Store


class StoredLinkCare:
    """Implements `ports.LinkCare`."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def everybody(self) -> Sequence[LinkLine]:
        """All links, with the time of each person's last decision here."""
        return await self._store.read(_everybody)

    async def revoke(self, link: Link, act: Act) -> bool:
        """Drop the tokens of this link. False when it has none: they must sign in again anyway."""
        return await self._store.write(lambda connection: _revoke(connection, self._trail, link, act), flush=True)

    async def remove(self, link: Link, act: Act) -> bool:
        """Delete the link. The pair stays in the history: a human stays the same."""
        return await self._store.write(lambda connection: _remove(connection, self._trail, link, act), flush=True)


async def _everybody(connection: AsyncConnection) -> Sequence[LinkLine]:
    last = select(func.max(intents.c.at)).where(intents.c.approver_oid == links.c.person_oid).scalar_subquery()
    wanted = select(links, last.label("last_decision")).order_by(links.c.team, links.c.slack_user)
    found = (await connection.execute(wanted)).mappings()
    return [LinkLine(to_link(row), row["last_decision"]) for row in found]


async def _revoke(connection: AsyncConnection, trail: AuditTrail, link: Link, act: Act) -> bool:
    """A refresh under way cannot bring the tokens back: it saves to active links only."""
    live = and_(_is(link), links.c.state == LinkState.ACTIVE)
    ended = {"state": LinkState.SUSPENDED, "sealed": None}
    if (await connection.execute(update(links).where(live).values(**ended))).rowcount != 1:
        return False
    await news.owe_suspended(connection, link, act.at)
    await trail.append(connection, _entry("link_revoked", replace(link, state=LinkState.SUSPENDED), act))
    return True


async def _remove(connection: AsyncConnection, trail: AuditTrail, link: Link, act: Act) -> bool:
    found = (await connection.execute(delete(links).where(_is(link)).returning(links))).mappings().one_or_none()
    if found is None:
        return False
    gone = to_link(found)
    await news.owe_unlinked(connection, gone, news.REMOVED, act.at)
    await trail.append(connection, _entry("link_removed", gone, act))
    return True


def _is(link: Link) -> ColumnElement[bool]:
    pair = and_(links.c.team == link.team, links.c.slack_user == link.slack_user)
    return and_(pair, links.c.tenant == link.tenant, links.c.person_oid == link.person.id)


def _entry(what: str, link: Link, act: Act) -> Entry:
    return news.entry(what, link, act.by, act.at, {"reason": act.reason})
