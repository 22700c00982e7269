"""Cards and standing notes: whatever the store says is not yet painted is posted or repainted, until Slack shows it.

A lost answer to a post is no reason to post again: the copy is looked for by its metadata first. Edits, which take
buttons away, never wait behind posts, and of those each channel gets one a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from app.domain.arrival import Reach, mentioned
from app.domain.errors import CardLost, SlackFailed
from app.domain.policy import Policy
from app.domain.routes import route_of
from app.domain.row import RequestRow
from app.domain.ruling import portal_only
from app.notifier.channel import Channels
from app.notifier.digests import Digests
from app.notifier.finding import find_message
from app.notifier.gateway import GONE, OUR_TROUBLE, Gateway, first_post, take_away
from app.notifier.lanes import TOO_MUCH, Lanes
from app.notifier.notes import NotePainter
from app.notifier.pace import Pace
from app.ports import Audience, Card, ChannelNote, Clock, Outbox
from blocks import ids
from blocks.card import NO_CALL, Call, fallback_card
from blocks.card import card as draw_card
from blocks.links import Portal
from blocks.message import Message

BATCH = 20  # edits, and posts, looked at in one go for each channel
LISTED = 15  # requests in the list of a burst
_NOTES = "notes"
# How Slack says that a channel is not ours to write in: whether that is so is looked at once more.
_CHANNEL_GONE = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Painter:
    """Makes Slack show what the rows say.

    `policy` names the roles that get no buttons, and the routes; `channels` says where new cards may be posted, None:
    everywhere; `audience` whom they may mention, None: nobody. `posted` hears how many seconds after
    a request was made its card was posted.
    """

    gateway: Gateway
    outbox: Outbox
    clock: Clock
    new_token: Callable[[], str]
    portal: Portal
    policy: Policy = Policy()
    channels: Channels | None = None
    audience: Audience | None = None
    posted: Callable[[float], None] = lambda _seconds: None
    _lanes: Lanes = field(init=False)
    _pace: Pace = field(init=False)
    _notes: NotePainter = field(init=False)
    _digests: Digests = field(init=False)

    def __post_init__(self) -> None:
        self._lanes, self._pace = Lanes(self.clock), Pace(self.clock)
        self._notes = NotePainter(
            gateway=self.gateway, outbox=self.outbox, pace=self._pace, portal=self.portal, clock=self.clock
        )
        self._digests = Digests(outbox=self.outbox, begin=self.policy.arrival.digest_from)

    @property
    def trouble(self) -> str:
        """What Slack refuses to show at present, as one sentence, or an empty string."""
        return self._lanes.trouble

    async def tick(self) -> None:
        """Paint what is behind, edits first. Slack's refusals pause what they hit, and nothing else."""
        await self._look()
        notes, cards = await self.outbox.unpainted_notes(), await self.outbox.unpainted(BATCH)
        lanes = {_lane(card) for card, _ in cards}
        self._lanes.forget({_NOTES, *lanes, *(note.topic for note in notes), *(card.id for card, _ in cards)})
        for note in notes:
            first = [row for card, row in cards if _waits_in(note.channel, card)][:LISTED]
            await self._paint_note(note, first)
        for card, row in cards:
            await self._attempt(card, row)

    async def _look(self) -> None:
        """Whether the channels take cards, and how crowded they are."""
        names: Sequence[str] = ()
        if self.channels is not None:
            await self.channels.look()
            names = self.channels.names()
        await self._digests.look(names)

    async def _attempt(self, card: Card, row: RequestRow) -> None:
        paint = self._paint_message if card.occasion else self._paint_card
        refused = await self._lanes.attempt(_lane(card), card.id, partial(paint, card, row))
        if refused is not None and refused.code in _CHANNEL_GONE and self.channels is not None:
            self.channels.doubt(card.channel)

    async def _paint_note(self, note: ChannelNote, first: Sequence[RequestRow]) -> None:
        if note.ts or self._takes(note.channel):
            await self._lanes.attempt(_NOTES, note.topic, partial(self._notes.paint, note, first))

    # --- cards ---

    async def _paint_message(self, card: Card, row: RequestRow) -> bool:
        """A card that is one person's own message. Whoever cannot be reached is let alone from then on."""
        try:
            return await self._paint_card(await self._conversation(card), row)
        except SlackFailed as failure:
            if failure.code in OUR_TROUBLE:
                raise
            log.info("A message about %s could not be delivered: %s", row.key, failure)
            await take_away(self.gateway, card.channel, card.ts)
            await self.outbox.abandon(card)
            return False

    async def _conversation(self, card: Card) -> Card:
        """The same card, where Slack keeps what we say to this person."""
        if not card.channel.startswith(("U", "W")):
            return card
        channel = await self.gateway.conversation(card.channel)
        await self.outbox.move(card, channel)
        return replace(card, channel=channel)

    async def _paint_card(self, card: Card, row: RequestRow) -> bool:
        """Whether Slack took something."""
        if card.ts:
            return await self._repaint(card, row)
        ts = await self._adopt(card, row)
        if ts:
            await self.outbox.painted(card, ts, 0)  # version 0: found, and to be repainted
            return True
        if row.status.open and self.clock() < row.request.expires:
            return await self._post_when_possible(card, row)
        if card.tried:
            await self.outbox.lost(card, self.new_token())  # it stands nowhere, and nothing is announced any more
        return False

    async def _post_when_possible(self, card: Card, row: RequestRow) -> bool:
        """A card that stands nowhere waits for its turn; one whose channel takes none goes to the one that does."""
        refuge = self.channels.refuge(card.channel) if self.channels is not None and not card.occasion else ""
        if refuge:
            await self.outbox.move(card, refuge)
        takes = bool(card.occasion) or self._takes(card.channel)
        if refuge or not takes or not self._pace.free(card.channel):
            return False
        call = await self._call(card, row)
        await self.outbox.trying(card)
        await self._posted(card, await self._post(card, row, call), row.version)
        if not card.occasion:
            self.posted((self.clock() - row.request.created).total_seconds())
        return True

    async def _call(self, card: Card, row: RequestRow) -> Call:
        """Whom a first post is for. Later edits say nothing of it, so that they notify nobody."""
        if card.occasion or self.audience is None or self._digests.crowded(card.channel):
            return Call(occasion=card.occasion)
        route = route_of(row.request, row.risk.level, self.policy.routes)
        reach = Reach() if route is not None and route.mention else await self.audience.reach(row)
        return Call(mentioned(reach, route))

    def _draw(self, card: Card, row: RequestRow, call: Call = NO_CALL) -> Message:
        return draw_card(
            row,
            card.token,
            card_id=card.id,
            now=self.clock(),
            portal=self.portal,
            closed=portal_only(row, self.policy),
            ticket_url=self.policy.ticket_facts(row.request.ticket).url,
            call=call,
        )

    def _takes(self, channel: str) -> bool:
        return self.channels is None or self.channels.takes(channel)

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
        return await find_message(self.gateway, card.channel, (ids.CARD_EVENT, "card", card.id), since=since)

    async def _post(self, card: Card, row: RequestRow, call: Call) -> str:
        self._pace.spend(card.channel)
        try:
            return await self._send(card.channel, self._draw(card, row, call))
        except SlackFailed as failure:
            if failure.code not in TOO_MUCH:
                raise
            log.exception("Slack refused the drawing of %s; posting the plain one.", row.key)
            plain = fallback_card(row, card_id=card.id, now=self.clock(), portal=self.portal)
            return await self._send(card.channel, plain)

    async def _send(self, channel: str, message: Message) -> str:
        sent = await self.gateway.call("chat_postMessage", channel=channel, **first_post(message.payload()))
        return str(sent["ts"])

    async def _repaint(self, card: Card, row: RequestRow) -> bool:
        await self.outbox.trying(card)
        try:
            await self._edit(card, row)
        except CardLost as failure:
            log.info("The card of %s is gone from Slack, or can be edited no more: %s", row.key, failure)
            if failure.code != GONE:  # it still stands there, with the buttons it had
                await take_away(self.gateway, card.channel, card.ts)
            await self.outbox.lost(card, self.new_token())
        else:
            await self.outbox.painted(card, card.ts, row.version)
        return True

    async def _edit(self, card: Card, row: RequestRow) -> None:
        place = {"channel": card.channel, "ts": card.ts}
        try:
            await self.gateway.call("chat_update", **place, **self._draw(card, row).payload())
        except SlackFailed as failure:
            if failure.code not in TOO_MUCH:
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
            raise CardLost(code=failure.code) from None


def _waits_in(channel: str, card: Card) -> bool:
    """Whether this card waits for its first post there."""
    return card.channel == channel and not (card.ts or card.tried or card.occasion)


def _lane(card: Card) -> str:
    """Edits never wait for posts, and a channel that is gone keeps no other channel waiting."""
    return f"{'edit' if card.ts else 'post'} in {card.channel}"
