"""Direct messages that are owed: sent once, to the person's Slack account, or given up on with a note saying why."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import SlackFailed, Unavailable
from app.domain.match import How
from app.domain.request import Person
from app.domain.row import RequestRow
from app.notifier.finding import find_message
from app.notifier.gateway import OUR_TROUBLE, Gateway
from app.notifier.wording import notice_message
from app.ports import Clock, Matching, Notice, Outbox, RequestBook
from blocks import ids
from blocks.links import Portal

BATCH = 20
PAUSE_AFTER_REFUSAL = timedelta(seconds=60)
# Found without a proof, and not asked for again. A link may come, change and go: that is looked up when it counts.
_GUESSED = (How.BY_ALIAS, How.BY_MAIL)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it went, as the row's note, and where the message stands if this process posted one."""

    note: str
    channel: str = ""
    ts: str = ""


@dataclass(kw_only=True, slots=True)
class Messenger:
    """Sends what the notices table owes. A matched mail address is good enough for telling, never for deciding."""

    gateway: Gateway
    outbox: Outbox
    book: RequestBook
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
        place = {"channel": delivery.channel, "ts": delivery.ts}
        if await self._find(delivery.channel, notice, but=delivery.ts):
            log.warning("A direct message was sent twice; the later one is deleted.")
            await self.gateway.call("chat_delete", **place)

    async def _deliver(self, notice: Notice) -> Delivery:
        """Deliver one; how it went. Unavailable or SlackFailed when it is to be tried again."""
        row = await self.book.find(notice.key) if notice.key is not None else None
        message = notice_message(notice, row, self.clock(), self.portal)
        if message is None:
            return Delivery("nothing to say")
        try:
            user = await self._recipient(notice, row)
            if not user:
                return Delivery("not in Slack: was not told")
            channel = await self.gateway.conversation(user)
            if notice.tried and await self._find(channel, notice):
                return Delivery("delivered")
            await self.outbox.trying_notice(notice)
            stamped = message.stamped(ids.NOTICE_EVENT, notice=notice.id)
            posted = await self.gateway.call("chat_postMessage", channel=channel, **stamped.payload())
        except SlackFailed as failure:
            if failure.code in OUR_TROUBLE:
                raise
            log.warning("A direct message (%s) could not be delivered: %s", notice.topic, failure)
            return Delivery(f"not delivered: {failure.code}")
        return Delivery("delivered", channel, str(posted["ts"]))

    async def _recipient(self, notice: Notice, row: RequestRow | None) -> str:
        """The Slack account: named in the notice, else the requestor's as stored or, while unsure, as of now."""
        if notice.to_slack:
            return notice.to_slack
        person = row.request.requestor if row is not None else Person(notice.to_entra)
        if row is not None and row.match.how in _GUESSED and person.id == notice.to_entra:
            return row.match.slack_user
        match = await self.matching.match(person if person.id == notice.to_entra else Person(notice.to_entra))
        return match.slack_user

    async def _find(self, channel: str, notice: Notice, *, but: str = "") -> str:
        fact = ("notice", notice.id)
        return await find_message(self.gateway, channel, ids.NOTICE_EVENT, fact, since=None, other_than=but)
