"""Which copy of a card stands where with which token, and which modal shows what. It paints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, RequestKey, Verdict
from app.ports import Card, Modal
from app.store import directs
from app.store.tables import cards, modals
from app.store.writer import Store


class StoredCards:
    """Implements `ports.Cards`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def by_place(self, channel: str, ts: str) -> Card | None:
        """The card at this place in Slack."""
        if not ts:
            return None  # not posted yet: that is no place
        wanted = select(cards).where(cards.c.channel == channel, cards.c.ts == ts)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        row = found.mappings().one_or_none()
        return to_card(row) if row is not None else None

    async def copy(self, channel: str, ts: str, token: str) -> Card | None:
        """The card at this place, or in a direct message the request with this token."""
        card = await self.by_place(channel, ts)
        return card or await self._store.read(lambda connection: directs.pressed(connection, channel, ts, token))

    async def places(self, keys: Sequence[RequestKey]) -> Mapping[RequestKey, tuple[str, str]]:
        """Channel and ts of these requests' cards in channels; requests whose card is not posted are left out."""
        if not keys:
            return {}
        asked = tuple_(cards.c.kind, cards.c.request_id).in_([(key.kind, key.id) for key in keys])
        wanted = select(cards).where(asked, cards.c.ts != "", cards.c.occasion == "")
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return {
            RequestKey(Kind(row["kind"]), row["request_id"]): (row["channel"], row["ts"]) for row in found.mappings()
        }

    async def adopt(self, place: tuple[str, str], token: str, new_text: Callable[[], str]) -> bool:
        """Take a copy on the books that nobody knew of; False when its token is nobody's, or it was known."""
        return await self._store.write(lambda connection: _adopt(connection, place, token, new_text))

    async def open_modal(self, modal: Modal, now: datetime) -> None:
        """Remember what a modal shows."""
        row = {
            "token": modal.token,
            "kind": modal.key.kind,
            "request_id": modal.key.id,
            "digest": modal.digest,
            "verdict": modal.verdict,
            "team": modal.team,
            "slack_user": modal.user,
            "channel": modal.channel,
            "ts": modal.ts,
            "opened": now,
        }
        await self._store.write(lambda connection: connection.execute(insert(modals).values(**row)))

    async def modal(self, token: str) -> Modal | None:
        """What a modal showed."""
        wanted = select(modals).where(modals.c.token == token)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        row = found.mappings().one_or_none()
        return _to_modal(row) if row is not None else None


async def _adopt(connection: AsyncConnection, place: tuple[str, str], token: str, new_text: Callable[[], str]) -> bool:
    """The card itself, if it stands nowhere yet; else one more copy, with a token of its own."""
    channel, ts = place
    owner = select(cards).where(cards.c.token == token, cards.c.channel == channel).with_for_update()
    row = (await connection.execute(owner)).mappings().one_or_none()
    known = select(cards.c.id).where(cards.c.channel == channel, cards.c.ts == ts)
    if row is None or await connection.scalar(known) is not None:
        return False
    here = {"ts": ts, "tried": True, "painted": 0}
    if not row["ts"]:
        await connection.execute(update(cards).where(cards.c.id == row["id"]).values(**here))
    else:
        copy = {**row, **here, "id": new_text(), "token": new_text()}
        await connection.execute(insert(cards).values(**copy))
    return True


def to_card(row: RowMapping) -> Card:
    """A row of the cards table."""
    return Card(
        id=row["id"],
        key=RequestKey(Kind(row["kind"]), row["request_id"]),
        channel=row["channel"],
        ts=row["ts"],
        token=row["token"],
        digest=row["digest"],
        painted=row["painted"],
        tried=row["tried"],
        occasion=row["occasion"],
    )


def _to_modal(row: RowMapping) -> Modal:
    return Modal(
        token=row["token"],
        key=RequestKey(Kind(row["kind"]), row["request_id"]),
        digest=row["digest"],
        verdict=Verdict(row["verdict"]),
        team=row["team"],
        user=row["slack_user"],
        channel=row["channel"],
        ts=row["ts"],
    )
