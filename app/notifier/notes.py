"""Standing notes of a channel: one message a topic, edited as long as there is something to say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import CardLost
from app.domain.row import RequestRow
from app.notifier.digests import PREFIX
from app.notifier.finding import find_message
from app.notifier.gateway import GONE, Gateway, first_post, take_away
from app.notifier.pace import Pace
from app.notifier.plainly import shown
from app.notifier.wording import note_message
from app.ports import ChannelNote, Clock, Outbox
from blocks import ids
from blocks.links import Portal
from blocks.message import Message
from blocks.notices import digest_note

log = logging.getLogger(__name__)


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
                await self._posted(note, await self._post(note, message))
                return True
        await self.outbox.painted_note(note, ts)
        return True

    async def _posted(self, note: ChannelNote, ts: str) -> None:
        """Where another process was quicker, while this one was stopped in the middle, its message is the note."""
        if not await self.outbox.painted_note(note, ts):
            log.warning("A note was posted twice; the later one is deleted.")
            await self.gateway.call("chat_delete", channel=note.channel, ts=ts)

    def _drawn(self, note: ChannelNote, first: Sequence[RequestRow]) -> Message:
        if not note.topic.startswith(PREFIX):
            return note_message(note, self.portal)
        drawn = digest_note(note.text, first, now=self.clock(), version=note.version, portal=self.portal)
        return drawn.stamped(ids.NOTE_EVENT, topic=note.topic)

    async def _post(self, note: ChannelNote, message: Message) -> str:
        await self.outbox.trying_note(note)
        self.pace.spend(note.channel)
        place = first_post({"channel": note.channel})
        sent = await shown(
            note.topic, message, lambda drawn: self.gateway.call("chat_postMessage", **place, **drawn.payload())
        )
        return str(sent["ts"])

    async def _adopt(self, note: ChannelNote) -> str:
        if not note.tried:
            return ""
        return await find_message(self.gateway, note.channel, (ids.NOTE_EVENT, "topic", note.topic), since=None)

    async def _edit(self, note: ChannelNote, ts: str, message: Message) -> bool:
        """False when there is no such message."""
        place = {"channel": note.channel, "ts": ts}
        try:
            await shown(note.topic, message, lambda drawn: self.gateway.call("chat_update", **place, **drawn.payload()))
        except CardLost as failure:
            if failure.code != GONE:  # else the old words would stand beside the new ones
                await take_away(self.gateway, note.channel, ts)
            return False
        return True
