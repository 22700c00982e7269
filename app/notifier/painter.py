"""Cards and standing notes: whatever the store says is not yet painted is posted or repainted, until Slack shows it.

A lost answer to a post is no reason to post again: the copy is looked for by its metadata first. Edits, which take
buttons away, never wait behind posts.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from app.domain.errors import CardLost, SlackFailed, Unavailable
from app.domain.row import RequestRow
from app.notifier.finding import find_message
from app.notifier.gateway import Gateway
from app.notifier.wording import note_message
from app.ports import Card, ChannelNote, Clock, Outbox
from blocks import ids
from blocks.card import card as draw_card
from blocks.card import fallback_card
from blocks.message import Message

BATCH = 50  # cards looked at in one go
PAUSE_AFTER_REFUSAL = timedelta(seconds=60)  # channel archived, token revoked: asking every second is noise
_TOO_MUCH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "block_mismatch"}
)
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Painter:
    """Makes Slack show what the rows say."""

    gateway: Gateway
    outbox: Outbox
    clock: Clock
    new_token: Callable[[], str]
    trouble: str = ""
    _waits: dict[str, datetime] = field(init=False, default_factory=dict)

    async def tick(self) -> None:
        """Paint what is behind, edits first. Slack's refusals pause the kind of call they hit, and nothing else."""
        for note in await self.outbox.unpainted_notes():
            await self._patiently("note", partial(self._paint_note, note))
        for card, row in await self.outbox.unpainted(BATCH):
            await self._patiently("edit" if card.ts else "post", partial(self._paint_card, card, row))

    # --- cards ---

    async def _paint_card(self, card: Card, row: RequestRow) -> None:
        message = draw_card(row, card.token, card_id=card.id, now=self.clock())
        if card.ts:
            await self._repaint(card, row, message)
            return
        ts = await self._adopt(card, row)
        if ts:
            await self.outbox.painted(card, ts, 0)  # version 0: found, and to be repainted
            return
        await self.outbox.trying(card)
        ts = await self._post(card, row, message)
        await self.outbox.painted(card, ts, row.version)

    async def _adopt(self, card: Card, row: RequestRow) -> str:
        """The ts of a copy whose post was answered by silence or a crash, if Slack has it."""
        if not card.tried:
            return ""
        since = row.request.created - timedelta(minutes=5)
        return await find_message(self.gateway, card.channel, ids.CARD_EVENT, "card", card.id, since=since)

    async def _post(self, card: Card, row: RequestRow, message: Message) -> str:
        try:
            sent = await self.gateway.call("chat_postMessage", channel=card.channel, **_body(message))
        except SlackFailed as failure:
            if failure.code not in _TOO_MUCH:
                raise
            log.exception("Slack refused the drawing of %s; posting the plain one.", row.key)
            plain = fallback_card(row, card_id=card.id, now=self.clock())
            sent = await self.gateway.call("chat_postMessage", channel=card.channel, **_body(plain))
        return str(sent["ts"])

    async def _repaint(self, card: Card, row: RequestRow, message: Message) -> None:
        try:
            await self._edit(card, row, message)
        except CardLost:
            log.info("The card of %s is gone from Slack.", row.key)
            await self.outbox.lost(card, self.new_token())
        else:
            await self.outbox.painted(card, card.ts, row.version)

    async def _edit(self, card: Card, row: RequestRow, message: Message) -> None:
        place = {"channel": card.channel, "ts": card.ts}
        try:
            await self.gateway.call("chat_update", **place, **message.payload())
        except SlackFailed as failure:
            if failure.code not in _TOO_MUCH:
                raise
            log.exception("Slack refused the drawing of %s; showing the plain one.", row.key)
            plain = fallback_card(row, card_id=card.id, now=self.clock())
            await self.gateway.call("chat_update", **place, **plain.payload())

    # --- standing notes ---

    async def _paint_note(self, note: ChannelNote) -> None:
        message = note_message(note)
        ts = note.ts
        if not ts and note.tried:
            ts = await find_message(self.gateway, note.channel, ids.NOTE_EVENT, "topic", note.topic, since=None)
        try:
            if ts:
                await self.gateway.call("chat_update", channel=note.channel, ts=ts, **message.payload())
        except CardLost:
            ts = ""
        if not ts:
            await self.outbox.trying_note(note)
            ts = str((await self.gateway.call("chat_postMessage", channel=note.channel, **_body(message)))["ts"])
        await self.outbox.painted_note(note, ts)

    # --- patience ---

    async def _patiently(self, lane: str, paint: Callable[[], Awaitable[None]]) -> None:
        """Paint one thing unless its lane was told to wait; a failure makes the lane wait, and the row stays behind."""
        wait_until = self._waits.get(lane)
        if wait_until is not None and self.clock() < wait_until:
            return
        try:
            await paint()
        except Unavailable as failure:
            self._waits[lane] = self.clock() + timedelta(seconds=failure.retry_after or 1.0)
        except SlackFailed as failure:
            self._waits[lane] = self.clock() + PAUSE_AFTER_REFUSAL
            self._complain(f"Slack does not show our cards: {failure}")
        else:
            self._complain("")

    def _complain(self, trouble: str) -> None:
        """Log once when Slack stops taking cards, and once when it takes them again."""
        if bool(trouble) != bool(self.trouble):
            log.warning(trouble or "Slack takes our cards again.")
        self.trouble = trouble


def _body(message: Message) -> dict[str, object]:
    """A first post: nothing in it is worth a preview, least of all a link in somebody's justification."""
    return {**message.payload(), "unfurl_links": False, "unfurl_media": False}
