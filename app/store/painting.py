"""Which cards are behind their row, and what became of painting them. Slack itself is somebody else's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import and_, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.row import RequestRow
from app.ports import Card
from app.store.cards import to_card
from app.store.rows import IS_OPEN, load_by_key
from app.store.tables import cards, requests

_POSTED = cards.c.ts != ""
_NOWHERE = and_(cards.c.ts == "", cards.c.tried.is_(False))
_POST_TURN = 2  # edits have the turns before


async def unpainted(connection: AsyncConnection, limit: int) -> Sequence[tuple[Card, RequestRow]]:
    """Cards behind their row: final requests first, then edits, then new posts, the riskiest and oldest first.

    At most `limit` edits and as many posts for each channel: one that Slack refuses keeps no other waiting. A request
    that ended before anybody tried to post its card gets none. One whose post was tried may stand in Slack: it is here,
    and must be looked for.
    """
    turn = case((~IS_OPEN, 0), (_POSTED, 1), else_=2)
    urgency = (turn, requests.c.risk_level.desc(), requests.c.requested, cards.c.id)
    lane = (cards.c.channel, case((turn < _POST_TURN, 0), else_=1))
    place = func.row_number().over(partition_by=lane, order_by=urgency)
    behind = (
        select(cards.c.id, place.label("place"))
        .join(requests, and_(requests.c.kind == cards.c.kind, requests.c.id == cards.c.request_id))
        .where(cards.c.painted < cards.c.wanted, or_(_POSTED, cards.c.tried, IS_OPEN))
        .subquery()
    )
    wanted = (
        select(cards)
        .join(behind, behind.c.id == cards.c.id)
        .join(requests, and_(requests.c.kind == cards.c.kind, requests.c.id == cards.c.request_id))
        .where(behind.c.place <= limit)
        .order_by(*urgency)
    )
    found = (await connection.execute(wanted)).mappings().all()
    rows = await load_by_key(connection, list(dict.fromkeys(to_card(row).key for row in found)))
    pairs = [(to_card(row), rows[to_card(row).key], row["wanted"]) for row in found]
    # PostgreSQL gives each statement its own snapshot: a row newer than its card belongs to a newer token, and is
    # read again together with it at the next tick.
    return [(card, row) for card, row, version in pairs if row.version <= version]


async def crowds(connection: AsyncConnection) -> Mapping[str, int]:
    """How many cards of open requests wait for their first post, by channel."""
    count = func.count()
    waiting = (
        select(cards.c.channel, count)
        .join(requests, and_(requests.c.kind == cards.c.kind, requests.c.id == cards.c.request_id))
        .where(cards.c.painted < cards.c.wanted, _NOWHERE, cards.c.occasion == "", IS_OPEN)
        .group_by(cards.c.channel)
    )
    return {row[0]: row[1] for row in await connection.execute(waiting)}


async def trying(connection: AsyncConnection, card: Card) -> None:
    """A post or an edit is on its way. Until `painted` tells, the copy counts as behind, whatever the row does."""
    await connection.execute(update(cards).where(cards.c.id == card.id).values(tried=True, painted=0))


async def painted(connection: AsyncConnection, card: Card, ts: str, version: int) -> bool:
    """Slack shows this version at this ts, unless the card is another copy; False then.

    A process that was stopped in the middle may tell this late, after a newer version was painted: then the copy is
    behind again, and that version is painted over.
    """
    same = and_(cards.c.id == card.id, cards.c.ts.in_(("", ts)))
    shown = {"ts": ts, "painted": version, "tried": True}
    return await connection.scalar(update(cards).where(same).values(**shown).returning(cards.c.id)) is not None


async def lost(connection: AsyncConnection, card: Card, new_token: str) -> None:
    """The copy is gone: its buttons are void, and it is posted once more only while the request is open.

    The old ts is part of the condition, so that telling twice does no harm to the new copy.
    """
    same = and_(cards.c.id == card.id, cards.c.ts == card.ts)
    void = {"ts": "", "token": new_token, "tried": False, "painted": 0}
    await connection.execute(update(cards).where(same).values(**void))
    request = and_(requests.c.kind == card.key.kind, requests.c.id == card.key.id)
    ended = select(requests.c.id).where(request, ~IS_OPEN).exists()
    unposted = and_(cards.c.id == card.id, cards.c.ts == "", cards.c.tried.is_(False), ended)
    await connection.execute(update(cards).where(unposted).values(painted=cards.c.wanted))


async def move(connection: AsyncConnection, card: Card, channel: str) -> None:
    """It is to be posted there instead; only while no copy can stand where it was."""
    await connection.execute(update(cards).where(cards.c.id == card.id, _NOWHERE).values(channel=channel))


async def abandon(connection: AsyncConnection, card: Card) -> None:
    """Off the books: nobody will ever paint it."""
    await connection.execute(delete(cards).where(cards.c.id == card.id, cards.c.occasion != ""))


async def rehome(connection: AsyncConnection, place: Callable[[RequestRow], str]) -> None:
    """Cards that nobody ever tried to post go where `place` says now: a posted or tried one is where it is."""
    homeless = (_NOWHERE, cards.c.occasion == "", cards.c.painted < cards.c.wanted)
    waiting = await connection.execute(select(cards).where(*homeless))
    found = [to_card(row) for row in waiting.mappings()]
    rows = await load_by_key(connection, list(dict.fromkeys(card.key for card in found)))
    for card in found:
        home = place(rows[card.key])
        if home != card.channel:
            await move(connection, card, home)


async def evacuate(connection: AsyncConnection, channel: str, home: str, new_text: Callable[[], str]) -> None:
    """Nobody reads this channel any more: every open request with a copy there gets one at home too.

    The old copy stays on our books, so that its buttons still go should the channel come back.
    """
    home_too = cards.alias()
    same = and_(home_too.c.kind == cards.c.kind, home_too.c.request_id == cards.c.request_id)
    at_home = select(home_too.c.id).where(same, home_too.c.channel == home).exists()
    stranded = (
        select(cards)
        .join(requests, and_(requests.c.kind == cards.c.kind, requests.c.id == cards.c.request_id))
        .where(cards.c.channel == channel, or_(_POSTED, cards.c.tried), IS_OPEN, ~at_home)
    )
    for row in (await connection.execute(stranded)).mappings().all():
        fresh = {"id": new_text(), "token": new_text(), "channel": home, "ts": "", "painted": 0, "tried": False}
        await connection.execute(insert(cards).values(**{**row, **fresh}))
