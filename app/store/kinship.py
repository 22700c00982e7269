"""Which accounts were ever the same human's: every pair that was linked once, kept for ever, and the chains they make.

A human stays the same after a sign-out. What is found here only ever speaks against a decision, never for one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import Kin, Link
from app.store.tables import link_history as history
from app.store.upserts import insert_into

HOPS = 16  # links from one end of a chain to the other; nobody changes accounts more often
MOST = 400  # accounts that are followed further; that many are no human's


async def kin(connection: AsyncConnection, team: str, start: Kin) -> Kin:
    """The accounts to start with, those ever linked to them, those ever linked to these, and so on.

    Within HOPS it does not matter from which end of a chain one looks: each end finds the other.
    """
    slack_users, oids = set(start.slack_users), set(start.oids)
    for _ in range(HOPS):
        known = len(slack_users) + len(oids)
        near = or_(history.c.slack_user.in_(slack_users), history.c.oid.in_(oids))
        wanted = select(history.c.slack_user, history.c.oid).where(history.c.team == team, near)
        for slack_user, oid in await connection.execute(wanted):
            slack_users.add(slack_user)
            oids.add(oid)
        if not known < len(slack_users) + len(oids) <= MOST:
            break
    return Kin(frozenset(oids), frozenset(slack_users))


async def note_pair(connection: AsyncConnection, link: Link) -> None:
    """Both accounts are the same human's, from now on and for ever."""
    names = {"team": link.team, "slack_user": link.slack_user, "tenant": link.tenant, "oid": link.person.id}
    first = insert_into(connection, history).values(**names, first_at=link.signed_in_at, last_at=link.signed_in_at)
    again = first.on_conflict_do_update(index_elements=list(names), set_={"last_at": link.signed_in_at})
    await connection.execute(again)


async def pairs_beside(connection: AsyncConnection, link: Link) -> tuple[Sequence[str], Sequence[str]]:
    """What the two accounts of a link were linked to before: other Slack users, other object ids."""
    mine = and_(history.c.team == link.team, history.c.slack_user == link.slack_user)
    theirs = and_(history.c.team == link.team, history.c.tenant == link.tenant, history.c.oid == link.person.id)
    users = select(history.c.slack_user).where(theirs, history.c.slack_user != link.slack_user)
    oids = select(history.c.oid).where(mine, history.c.oid != link.person.id)
    earlier_users = await connection.scalars(users.order_by(history.c.first_at, history.c.slack_user))
    earlier_oids = await connection.scalars(oids.order_by(history.c.first_at, history.c.oid))
    return earlier_users.all(), earlier_oids.all()
