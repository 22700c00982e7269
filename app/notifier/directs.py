"""Direct messages about requests: posted once, edited while their requests change, found again when an answer was lost.

Edits, which take buttons away, never wait behind posts. An edit notifies nobody. A message that can be edited no more
is deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from app.domain.errors import SlackFailed
from app.domain.policy import Policy
from app.domain.request import RequestKey
from app.domain.ruling import portal_only
from app.notifier.finding import find_message
from app.notifier.gateway import OUR_TROUBLE, Gateway, Payload, first_post, take_away
from app.notifier.lanes import TOO_MUCH, Lanes
from app.notifier.wording import direct_message
from app.ports import Cards, Clock, Directs, Entry, Letter
from blocks import ids
from blocks.links import Portal, card_address
from blocks.message import Message
from blocks.reminders import Item, plain_message

BATCH = 50
_MARK = "direct"
_EDITS, _POSTS = "edit in direct messages", "post in direct messages"
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class DirectPainter:
    """Makes Slack show what the directs say. `slack_url`: the workspace's own address, with a slash at the end."""

    gateway: Gateway
    directs: Directs
    cards: Cards
    clock: Clock
    portal: Portal
    slack_url: str
    policy: Policy = Policy()
    _lanes: Lanes = field(init=False)

    def __post_init__(self) -> None:
        """Patience of our own."""
        self._lanes = Lanes(self.clock)

    async def tick(self) -> None:
        """Paint what is behind. A refusal of the bot itself, or an outage, makes edits or posts wait; rows keep."""
        letters = await self.directs.unpainted(BATCH)
        self._lanes.forget({_EDITS, _POSTS, *(letter.direct.id for letter in letters)})
        for letter in letters:
            lane = _EDITS if letter.direct.ts else _POSTS
            await self._lanes.attempt(lane, letter.direct.id, partial(self._paint, letter))

    async def _paint(self, letter: Letter) -> bool:
        """Whether Slack took something."""
        try:
            return await (self._edit(letter) if letter.direct.ts else self._deliver(letter))
        except SlackFailed as failure:
            if failure.code in OUR_TROUBLE:
                raise
            log.warning("A direct message (%s) could not be shown: %s", letter.direct.topic, failure)
            await take_away(self.gateway, letter.direct.channel, letter.direct.ts)
            await self.directs.give_up(letter.direct, f"not delivered: {failure.code}", self.clock())
            return False

    async def _edit(self, letter: Letter) -> bool:
        direct = letter.direct
        await self.directs.trying(direct, direct.channel)
        place = {"channel": direct.channel, "ts": direct.ts}
        await self._say(letter, lambda drawn: self.gateway.call("chat_update", **place, **drawn.payload()))
        await self.directs.painted(letter, direct.ts)
        return True

    async def _deliver(self, letter: Letter) -> bool:
        direct = letter.direct
        channel = direct.channel or await self.gateway.conversation(direct.slack_user)
        ts = await self._find(letter, channel) if direct.tried else ""
        if ts:
            await self.directs.painted(replace(letter, entries=()), ts)  # found, and to be repainted
        elif any(item.open(self.clock()) for item in self._items(letter, {})):
            await self.directs.trying(direct, channel)
            place = first_post({"channel": channel})
            sent = await self._say(
                letter, lambda drawn: self.gateway.call("chat_postMessage", **place, **drawn.payload())
            )
            await self._posted(letter, channel, str(sent["ts"]))
        else:
            await self.directs.give_up(direct, "over before it was sent", self.clock())
        return True

    async def _posted(self, letter: Letter, channel: str, ts: str) -> None:
        """Where another process was quicker, while this one was stopped in the middle, its message is the one."""
        if not await self.directs.painted(letter, ts):
            log.warning("A direct message was sent twice; the later one is deleted.")
            await self.gateway.call("chat_delete", channel=channel, ts=ts)

    async def _say(self, letter: Letter, call: Callable[[Message], Awaitable[Payload]]) -> Payload:
        """Slack may find a drawing too long that we did not; then words and a link say it."""
        try:
            return await call(await self._drawn(letter))
        except SlackFailed as failure:
            if failure.code not in TOO_MUCH:
                raise
            log.exception("Slack refused the drawing of a direct message (%s).", letter.direct.topic)
            plain = plain_message(self._items(letter, {}), now=self.clock(), portal=self.portal)
            return await call(_stamped(letter, plain))

    async def _drawn(self, letter: Letter) -> Message:
        places = await self.cards.places([entry.row.key for entry in letter.entries])
        items = self._items(letter, places)
        return _stamped(letter, direct_message(letter.direct, items, self.clock(), self.portal))

    def _items(self, letter: Letter, places: Mapping[RequestKey, tuple[str, str]]) -> list[Item]:
        return [self._item(entry, places.get(entry.row.key)) for entry in letter.entries]

    def _item(self, entry: Entry, place: tuple[str, str] | None) -> Item:
        url = card_address(self.slack_url, *place) if place is not None else ""
        ticket = self.policy.ticket_facts(entry.row.request.ticket).url
        return Item(entry.row, entry.token, url, portal_only(entry.row, self.policy), ticket)

    async def _find(self, letter: Letter, channel: str) -> str:
        mark = (ids.DIRECT_EVENT, _MARK, letter.direct.id)
        return await find_message(self.gateway, channel, mark, since=None)


def _stamped(letter: Letter, message: Message) -> Message:
    return message.stamped(ids.DIRECT_EVENT, **{_MARK: letter.direct.id})
