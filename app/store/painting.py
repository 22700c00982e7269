"""Which cards are behind their row, and what became of painting them. Slack itself is somebody else's business."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Status
from app.domain.row import RequestRow
from app.ports import Card
from app.store.cards import to_card
from app.store.rows import load_by_key
from app.store.tables import cards, requests

_OPEN = requests.c.status.in_((Status.PENDING, Status.DECIDING))


async def unpainted(connection: AsyncConnection, limit: int) -> Sequence[tuple[Card, RequestRow]]:
    """Cards behind their row: final requests first, then edits, then new posts, the riskiest and oldest first.

    A request that ended before anybody tried to post its card gets none. One whose post was tried may stand in Slack:
    it is here, and must be looked for.
    """
    posted = cards.c.ts != ""
    wanted = (
        select(cards)
        .join(requests, and_(requests.c.kind == cards.c.kind, requests.c.id == cards.c.request_id))
        .where(cards.c.painted < cards.c.wanted, or_(posted, cards.c.tried, _OPEN))
        .order_by(
            case((~_OPEN, 0), (posted, 1), else_=2),
            requests.c.risk_level.desc(),
            requests.c.requested,
            cards.c.id,
        )
        .limit(limit)
    )
    found = (await connection.execute(wanted)).mappings().all()
    rows = await load_by_key(connection, list(dict.fromkeys(to_card(row).key for row in found)))
    pairs = [(to_card(row), rows[to_card(row).key], row["wanted"]) for row in found]
    # PostgreSQL gives each statement its own snapshot: a row newer than its card belongs to a newer token, and is
    # read again together with it at the next tick.
    return [(card, row) for card, row, version in pairs if row.version <= version]


async def trying(connection: AsyncConnection, card: Card) -> None:
    """A post or an edit is on its way. Until `painted` tells, the copy counts as behind, whatever the row does."""
    await connection.execute(update(cards).where(cards.c.id == card.id).values(tried=True, painted=0))


async def painted(connection: AsyncConnection, card: Card, ts: str, version: int) -> bool:
    """Slack shows this version at this ts, unless the card is another copy; False then.

    A process that was stopped in the middle may tell this late: after a newer version was painted, Slack shows nobody
    knows which, and the copy is behind again.
    """
    same = and_(cards.c.id == card.id, cards.c.ts.in_(("", ts)))
    shown = {"ts": ts, "painted": case((cards.c.painted > version, 0), else_=version), "tried": True}
    return await connection.scalar(update(cards).where(same).values(**shown).returning(cards.c.id)) is not None


async def lost(connection: AsyncConnection, card: Card, new_token: str) -> None:
    """The copy is gone: its buttons are void, and it is posted once more only while the request is open.

    The old ts is part of the condition, so that telling twice does no harm to the new copy.
    """
    same = and_(cards.c.id == card.id, cards.c.ts == card.ts)
    void = {"ts": "", "token": new_token, "tried": False, "painted": 0}
    await connection.execute(update(cards).where(same).values(**void))
    request = and_(requests.c.kind == card.key.kind, requests.c.id == card.key.id)
    ended = select(requests.c.id).where(request, ~_OPEN).exists()
    unposted = and_(cards.c.id == card.id, cards.c.ts == "", cards.c.tried.is_(False), ended)
    await connection.execute(update(cards).where(unposted).values(painted=cards.c.wanted))


async def rehome(connection: AsyncConnection, channel: str) -> None:
    """Only where no copy can stand: a posted or tried one is where it is."""
    nowhere = and_(cards.c.ts == "", cards.c.tried.is_(False), cards.c.channel != channel)
    await connection.execute(update(cards).where(nowhere).values(channel=channel))
