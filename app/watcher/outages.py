"""Saying in the channel that a desk has not been readable for a while, once, and once when it is again.

An outage is no blindness: a sign-in would not help, Microsoft or an administrator would. Its beginning is a row, so
that a restart neither forgets it nor begins it anew; each outage has a note of its own, because an edit of an old one
would notify nobody. It asks no desk itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import ConsentMissing
from app.domain.request import Kind
from app.ports import Clock, Outbox, Sights
from app.watcher.looking import Look
from blocks import notices

SAID_AFTER = timedelta(minutes=5)  # a shorter one is over before anybody could do something about it


@dataclass(kw_only=True, slots=True)
class Outages:
    """Keeps the notes. `channel`: where they stand."""

    outbox: Outbox
    sights: Sights
    clock: Clock
    channel: str

    async def note(self, kind: Kind, look: Look, arrived: int) -> None:
        """What this look means for those who read; `arrived` requests were new in it."""
        began = await self.sights.out_since(kind)
        if look.listing is None and not look.blind:
            await self._out(kind, began, _words(kind, look))
        elif began is not None:
            # Ended before it is forgotten: cut off in between, it is ended once more, which changes nothing.
            over = notices.answering_words(kind) if look.blind else notices.sighted_words([kind], arrived)
            await self._say(kind, began, "", over)
            await self.sights.back(kind)

    async def _out(self, kind: Kind, began: datetime | None, words: str) -> None:
        if began is None:
            await self.sights.out(kind, self.clock())
        elif self.clock() - began >= SAID_AFTER:
            await self._say(kind, began, words, "")

    async def _say(self, kind: Kind, began: datetime, words: str, over: str) -> None:
        topic = f"outage:{kind}:{began:%Y%m%dT%H%M%S}"
        await self.outbox.put_note(topic, words, over=over, button=False, channel=self.channel)


def unseen_words(seen: Mapping[Kind, datetime], now: datetime) -> list[str]:
    """A sentence for whoever runs the bot, for each desk that was not seen whole for a while, whatever the reason."""
    return [
        f"The last good poll of {notices.desk_name(kind)} requests was at {at:%H:%M} UTC, {_minutes(now - at)} ago."
        for kind, at in seen.items()
        if now - at >= SAID_AFTER
    ]


def _minutes(age: timedelta) -> str:
    minutes = age // timedelta(minutes=1)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} minutes"


def _words(kind: Kind, look: Look) -> str:
    unconsented = all(isinstance(failure, ConsentMissing) for failure in look.failures)
    return notices.unconsented_words(kind) if unconsented else notices.outage_words(kind)
