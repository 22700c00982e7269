"""What is not yet painted or sent, as the notifier knows it: each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app.domain.row import RequestRow
from app.ports import Card, ChannelNote, Notice
from app.store import notes, notices, painting
from app.store.writer import Store


class StoredOutbox:
    """Implements `ports.Outbox`."""

    def __init__(self, store: Store) -> None:
        # What Slack shows is told even by a process whose lease is over: it is true, and its row decides.
        self._store = store
        self._fenced = store.fenced()

    async def unpainted(self, limit: int) -> Sequence[tuple[Card, RequestRow]]:
        """Cards behind their row, the most urgent first."""
        return await self._store.read(lambda connection: painting.unpainted(connection, limit))

    async def crowds(self) -> Mapping[str, int]:
        """How many cards wait for their first post, by channel."""
        return await self._store.read(painting.crowds)

    async def trying(self, card: Card) -> None:
        """A post or an edit is about to be sent."""
        await self._fenced.write(lambda connection: painting.trying(connection, card))

    async def painted(self, card: Card, ts: str, version: int) -> bool:
        """Slack shows this version of the row, at this ts; False when the card is another copy."""
        return await self._store.write(lambda connection: painting.painted(connection, card, ts, version))

    async def lost(self, card: Card, new_token: str) -> None:
        """The message is gone."""
        await self._store.write(lambda connection: painting.lost(connection, card, new_token))

    async def move(self, card: Card, channel: str) -> None:
        """A card that nobody tried to post yet is to be posted there instead."""
        await self._fenced.write(lambda connection: painting.move(connection, card, channel))

    async def abandon(self, card: Card) -> None:
        """The person whose message it was to be cannot be reached."""
        await self._store.write(lambda connection: painting.abandon(connection, card))

    async def evacuate(self, channel: str, home: str, new_text: Callable[[], str]) -> None:
        """Open requests whose card stands in a channel that nobody reads get one at home too."""
        await self._fenced.write(lambda connection: painting.evacuate(connection, channel, home, new_text))

    async def rehome(self, place: Callable[[RequestRow], str]) -> None:
        """Cards that nobody ever tried to post go where `place` says now: the operator may have moved house."""
        await self._fenced.write(lambda connection: painting.rehome(connection, place))

    async def due_notices(self, now: datetime, limit: int) -> Sequence[Notice]:
        """Direct messages owed, oldest first."""
        return await self._store.read(lambda connection: notices.due(connection, now, limit))

    async def owe(self, notice: Notice, dedupe: str, now: datetime) -> bool:
        """Write down a direct message, once per dedupe key."""
        return await self._fenced.write(lambda connection: notices.owe(connection, notice, dedupe, now))

    async def notice(self, notice_id: str) -> Notice | None:
        """One direct message, delivered or not."""
        return await self._store.read(lambda connection: notices.find(connection, notice_id))

    async def trying_notice(self, notice: Notice) -> None:
        """It is about to be sent."""
        await self._fenced.write(lambda connection: notices.trying(connection, notice))

    async def sent(self, notice: Notice, note: str, now: datetime) -> bool:
        """Delivered, or given up on with a note saying why; False when somebody else told so before."""
        return await self._store.write(lambda connection: notices.close(connection, notice, note, now))

    async def put_note(self, topic: str, text: str, *, over: str, button: bool, channel: str) -> None:
        """Say this in the channel's standing note; the same text again changes nothing, an empty one ends it."""
        saying = notes.Saying(topic, text, over, button, channel)
        await self._fenced.write(lambda connection: notes.put(connection, saying))

    async def announce(self, topic: str, text: str, channel: str) -> bool:
        """Something to be said in a channel once; False when it was before."""
        return await self._fenced.write(lambda connection: notes.announce(connection, topic, text, channel))

    async def standing_notes(self) -> Sequence[str]:
        """The texts that stand right now."""
        return await self._store.read(notes.standing)

    async def unpainted_notes(self) -> Sequence[ChannelNote]:
        """Notes whose text changed since it was painted."""
        return await self._store.read(notes.unpainted)

    async def trying_note(self, note: ChannelNote) -> None:
        """Its first post is about to be sent."""
        await self._fenced.write(lambda connection: notes.trying(connection, note))

    async def painted_note(self, note: ChannelNote, ts: str) -> bool:
        """Slack shows this version. False: another message is the note, and this one is too many."""
        return await self._store.write(lambda connection: notes.painted(connection, note, ts))
