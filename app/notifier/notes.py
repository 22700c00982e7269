"""Standing notes of a channel: one message a topic, edited as long as there is something to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import CardLost
from app.domain.row import RequestRow
from app.notifier.digests import PREFIX
from app.notifier.finding import find_message
from app.notifier.gateway import Gateway, first_post
from app.notifier.pace import Pace
from app.notifier.wording import note_message
from app.ports import ChannelNote, Clock, Outbox
from blocks import ids
from blocks.links import Portal
from blocks.message import Message
from blocks.notices import digest_note


@dataclass(kw_only=True, slots=True)
class NotePainter:
    """Makes Slack show what a note says."""

    gateway: Gateway
    outbox: Outbox
    pace: Pace
    portal: Portal
    clock: Clock

    async def paint(self, note: ChannelNote, first: Sequence[RequestRow] = ()) -> bool:
        """Edit it, or post it where it does not stand. False: its channel had a message just now, so it waits.

        `first`: what the list of a burst begins with.
        """
        message = self._drawn(note, first)
        ts = note.ts
        if not ts or not await self._edit(note, ts, message):
            ts = await self._adopt(note)
            if not ts or not await self._edit(note, ts, message):
                if not self.pace.free(note.channel):
                    return False
                ts = await self._post(note, message)
        await self.outbox.painted_note(note, ts)
        return True

    def _drawn(self, note: ChannelNote, first: Sequence[RequestRow]) -> Message:
        if not note.topic.startswith(PREFIX):
            return note_message(note, self.portal)
        drawn = digest_note(note.text, first, now=self.clock(), version=note.version, portal=self.portal)
        return drawn.stamped(ids.NOTE_EVENT, topic=note.topic)

    async def _post(self, note: ChannelNote, message: Message) -> str:
        await self.outbox.trying_note(note)
        self.pace.spend(note.channel)
        sent = await self.gateway.call("chat_postMessage", channel=note.channel, **first_post(message.payload()))
        return str(sent["ts"])

    async def _adopt(self, note: ChannelNote) -> str:
        if not note.tried:
            return ""
        return await find_message(self.gateway, note.channel, (ids.NOTE_EVENT, "topic", note.topic), since=None)

    async def _edit(self, note: ChannelNote, ts: str, message: Message) -> bool:
        """False when there is no such message."""
        try:
            await self.gateway.call("chat_update", channel=note.channel, ts=ts, **message.payload())
        except CardLost:
            return False
        return True
