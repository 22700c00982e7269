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
from app.domain.policy import Policy
from app.domain.row import RequestRow
from app.domain.ruling import portal_only
from app.notifier.finding import find_message
from app.notifier.gateway import Gateway
from app.notifier.wording import note_message
from app.ports import Card, ChannelNote, Clock, Outbox
from blocks import ids
from blocks.card import card as draw_card
from blocks.card import fallback_card
from blocks.links import Portal
from blocks.message import Message

BATCH = 50  # cards looked at in one go
PAUSE_AFTER_REFUSAL = timedelta(seconds=60)  # channel archived, token revoked: asking every second is noise
_NOTES = "notes"
_TOO_MUCH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "block_mismatch"}
)
# Refusals of one message, not of the channel: the others go on.
_ONE_MESSAGE = _TOO_MUCH | {
    "cant_delete_message",
    "invalid_arguments",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_too_large",
    "no_text",
}
log = logging.getLogger(__name__)


async def _always_fit() -> str:
    return ""


@dataclass(kw_only=True, slots=True)
class Painter:
    """Makes Slack show what the rows say.

    `policy` names the roles that get no buttons; `unfit` says why the channel must not get new cards, or nothing.
    """

    gateway: Gateway
    outbox: Outbox
    clock: Clock
    new_token: Callable[[], str]
    portal: Portal
    policy: Policy = Policy()
    unfit: Callable[[], Awaitable[str]] = _always_fit
    _waits: dict[str, datetime] = field(init=False, default_factory=dict)
    _troubles: dict[str, str] = field(init=False, default_factory=dict)

    @property
    def trouble(self) -> str:
        """What Slack refuses to show at present, as one sentence, or an empty string."""
        return next(iter(self._troubles.values()), "")

    async def tick(self) -> None:
        """Paint what is behind, edits first. Slack's refusals pause what they hit, and nothing else."""
        notes, cards = await self.outbox.unpainted_notes(), await self.outbox.unpainted(BATCH)
        lanes = {_lane(card) for card, _ in cards}
        self._forget({_NOTES, *lanes, *(note.topic for note in notes), *(card.id for card, _ in cards)})
        posting = not await self.unfit()
        for note in notes:
            if note.ts or posting:
                await self._patiently(_NOTES, note.topic, partial(self._paint_note, note))
        for card, row in cards:
            paint = partial(self._paint_card, card, row, posting=posting)
            await self._patiently(_lane(card), card.id, paint)

    # --- cards ---

    async def _paint_card(self, card: Card, row: RequestRow, *, posting: bool) -> None:
        """Without `posting` a card that stands nowhere yet waits."""
        now = self.clock()
        closed = portal_only(row, self.policy)
        message = draw_card(
            row,
            card.token,
            card_id=card.id,
            now=now,
            portal=self.portal,
            closed=closed,
            ticket_url=self.policy.ticket_url(row.request.ticket),
        )
        if card.ts:
            await self._repaint(card, row, message)
            return
        ts = await self._adopt(card, row)
        live = row.status.open and now < row.request.expires
        if ts:
            await self.outbox.painted(card, ts, 0)  # version 0: found, and to be repainted
        elif live and posting:
            await self.outbox.trying(card)
            await self._posted(card, await self._post(card, row, message), row.version)
        elif card.tried and not live:
            await self.outbox.lost(card, self.new_token())  # it stands nowhere, and nothing is announced any more

    async def _posted(self, card: Card, ts: str, version: int) -> None:
        """Where another process was quicker, while this one was stopped in the middle, its copy is the card."""
        if not await self.outbox.painted(card, ts, version):
            log.warning("A card was posted twice; the later copy is deleted.")
            await self.gateway.call("chat_delete", channel=card.channel, ts=ts)

    async def _adopt(self, card: Card, row: RequestRow) -> str:
        """The ts of a copy whose post was answered by silence or a crash, if Slack has it."""
        if not card.tried:
            return ""
        since = row.request.created - timedelta(minutes=5)
        return await find_message(self.gateway, card.channel, ids.CARD_EVENT, ("card", card.id), since=since)

    async def _post(self, card: Card, row: RequestRow, message: Message) -> str:
        try:
            sent = await self.gateway.call("chat_postMessage", channel=card.channel, **_body(message))
        except SlackFailed as failure:
            if failure.code not in _TOO_MUCH:
                raise
            log.exception("Slack refused the drawing of %s; posting the plain one.", row.key)
            plain = fallback_card(row, card_id=card.id, now=self.clock(), portal=self.portal)
            sent = await self.gateway.call("chat_postMessage", channel=card.channel, **_body(plain))
        return str(sent["ts"])

    async def _repaint(self, card: Card, row: RequestRow, message: Message) -> None:
        await self.outbox.trying(card)
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
            await self._edit_plainly(place, fallback_card(row, card_id=card.id, now=self.clock(), portal=self.portal))

    async def _edit_plainly(self, place: dict[str, str], plain: Message) -> None:
        """Rich text cannot always be edited into plain text; then the card goes, and an open request gets a new one."""
        try:
            await self.gateway.call("chat_update", **place, **plain.payload())
        except SlackFailed as failure:
            if failure.code != "block_mismatch":
                raise
            await self.gateway.call("chat_delete", **place)
            raise CardLost(code=failure.code) from None

    # --- standing notes ---

    async def _paint_note(self, note: ChannelNote) -> None:
        message = note_message(note, self.portal)
        ts = note.ts
        if not ts or not await self._edit_note(note, ts, message):
            ts = await self._adopt_note(note)
            if not ts or not await self._edit_note(note, ts, message):
                await self.outbox.trying_note(note)
                ts = str((await self.gateway.call("chat_postMessage", channel=note.channel, **_body(message)))["ts"])
        await self.outbox.painted_note(note, ts)

    async def _adopt_note(self, note: ChannelNote) -> str:
        if not note.tried:
            return ""
        return await find_message(self.gateway, note.channel, ids.NOTE_EVENT, ("topic", note.topic), since=None)

    async def _edit_note(self, note: ChannelNote, ts: str, message: Message) -> bool:
        """False when there is no such message."""
        try:
            await self.gateway.call("chat_update", channel=note.channel, ts=ts, **message.payload())
        except CardLost:
            return False
        return True

    # --- patience ---

    async def _patiently(self, lane: str, which: str, paint: Callable[[], Awaitable[None]]) -> None:
        """Paint one thing, unless it or its lane was told to wait. A failure makes it wait; the row stays behind."""
        now = self.clock()
        if any(now < self._waits[name] for name in (lane, which) if name in self._waits):
            return
        try:
            await paint()
        except Unavailable as failure:
            self._waits[lane] = self.clock() + timedelta(seconds=failure.retry_after or 1.0)
        except SlackFailed as failure:
            refused = which if failure.code in _ONE_MESSAGE else lane
            self._waits[refused] = self.clock() + PAUSE_AFTER_REFUSAL
            self._complain(refused, f"Slack does not show our cards: {failure}")
        else:
            self._complain(lane, "")
            self._complain(which, "")

    def _complain(self, name: str, trouble: str) -> None:
        """Log once when Slack stops taking something, and once when it takes it again."""
        before = self._troubles.pop(name, "")
        if trouble:
            self._troubles[name] = trouble
        if bool(trouble) != bool(before):
            log.warning(trouble or "Slack takes our cards again.")

    def _forget(self, kept: set[str]) -> None:
        """What is not behind any more troubles nobody."""
        self._waits = {name: until for name, until in self._waits.items() if name in kept}
        self._troubles = {name: trouble for name, trouble in self._troubles.items() if name in kept}


def _lane(card: Card) -> str:
    """Edits never wait for posts, and a channel that is gone keeps no other channel waiting."""
    return f"{'edit' if card.ts else 'post'} in {card.channel}"


def _body(message: Message) -> dict[str, object]:
    """A first post: nothing in it is worth a preview, least of all a link in somebody's justification."""
    return {**message.payload(), "unfurl_links": False, "unfurl_media": False}
