"""Direct messages that are owed: sent once, to the person's Slack account, or given up on with a note saying why."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from app.domain.errors import SlackFailed, Unavailable
from app.domain.match import How
from app.domain.request import Person
from app.domain.row import RequestRow
from app.notifier.finding import find_message
from app.notifier.gateway import OUR_TROUBLE, Gateway, Payload
from app.notifier.lanes import PAUSE_AFTER_REFUSAL
from app.notifier.plainly import shown
from app.notifier.wording import notice_message
from app.ports import Cards, Clock, Matching, Notice, Outbox, RequestBook
from blocks import ids
from blocks.links import Portal
from blocks.message import Message

BATCH = 20
# Found without a proof, and not asked for again. A link may come, change and go: that is looked up when it counts.
_GUESSED = (How.BY_ALIAS, How.BY_MAIL)
BELOW_THE_CARD = frozenset({"unreachable"})  # topics that are told to the channel, in the card's thread
Place = Mapping[str, str]  # arguments of a post: a conversation, and the thread in it
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it went, as the row's note, and where the message stands if this process posted one."""

    note: str
    place: Place = field(default_factory=dict)
    ts: str = ""


@dataclass(kw_only=True, slots=True)
class Messenger:
    """Sends what the notices table owes. A matched mail address is good enough for telling, never for deciding."""

    gateway: Gateway
    outbox: Outbox
    book: RequestBook
    cards: Cards
    matching: Matching
    clock: Clock
    portal: Portal
    _wait_until: datetime | None = field(init=False, default=None)

    async def tick(self) -> None:
        """Send what is due. Slack being away stops the round; the rows wait."""
        now = self.clock()
        if self._wait_until is not None and now < self._wait_until:
            return
        for notice in await self.outbox.due_notices(now, BATCH):
            try:
                await self._close(notice, await self._deliver(notice))
            except Unavailable as failure:
                self._wait_until = now + timedelta(seconds=failure.retry_after or 2.0)
                return
            except SlackFailed as failure:
                log.warning("Direct messages wait: %s", failure)
                self._wait_until = now + PAUSE_AFTER_REFUSAL
                return

    async def _close(self, notice: Notice, delivery: Delivery) -> None:
        """Where another process told it too, while this one was stopped in the middle, one of the two is deleted."""
        if await self.outbox.sent(notice, delivery.note, self.clock()) or not delivery.ts:
            return
        if await self._find(delivery.place, notice, but=delivery.ts):
            log.warning("A direct message was sent twice; the later one is deleted.")
            await self.gateway.call("chat_delete", channel=delivery.place["channel"], ts=delivery.ts)

    async def _deliver(self, notice: Notice) -> Delivery:
        """Deliver one; how it went. Unavailable or SlackFailed when it is to be tried again."""
        row = await self.book.find(notice.key) if notice.key is not None else None
        message = notice_message(notice, row, self.clock(), self.portal)
        if message is None:
            return Delivery("nothing to say")
        try:
            place = await self._place(notice, row)
            if isinstance(place, Delivery):
                return place
            if notice.tried and await self._find(place, notice):
                return Delivery("delivered")
            await self.outbox.trying_notice(notice)
            stamped = message.stamped(ids.NOTICE_EVENT, notice=notice.id)
            posted = await self._post(notice.topic, place, stamped)
        except SlackFailed as failure:
            if failure.code in OUR_TROUBLE:
                raise
            log.warning("A direct message (%s) could not be delivered: %s", notice.topic, failure)
            return Delivery(f"not delivered: {failure.code}")
        return Delivery("delivered", place, str(posted["ts"]))

    async def _post(self, topic: str, place: Place, message: Message) -> Payload:
        post = partial(self.gateway.call, "chat_postMessage", **place)
        return await shown(topic, message, lambda drawn: post(**drawn.payload()))

    async def _place(self, notice: Notice, row: RequestRow | None) -> Place | Delivery:
        """The person's conversation, or the thread below the card; why it is not told where there is neither."""
        if notice.key is not None and notice.topic in BELOW_THE_CARD:
            card = (await self.cards.places([notice.key])).get(notice.key)
            return {"channel": card[0], "thread_ts": card[1]} if card is not None else Delivery("there is no card")
        user = await self._recipient(notice, row)
        return {"channel": await self.gateway.conversation(user)} if user else Delivery("not in Slack: was not told")

    async def _recipient(self, notice: Notice, row: RequestRow | None) -> str:
        """The Slack account: named in the notice, else the requestor's as stored or, while unsure, as of now."""
        if notice.to_slack:
            return notice.to_slack
        person = row.request.requestor if row is not None else Person(notice.to_entra)
        if row is not None and row.match.how in _GUESSED and person.id == notice.to_entra:
            return row.match.slack_user
        match = await self.matching.match(person if person.id == notice.to_entra else Person(notice.to_entra))
        return match.slack_user

    async def _find(self, place: Place, notice: Notice, *, but: str = "") -> str:
        mark, thread = (ids.NOTICE_EVENT, "notice", notice.id), place.get("thread_ts", "")
        return await find_message(self.gateway, place["channel"], mark, since=None, other_than=but, thread=thread)
