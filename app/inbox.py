"""Clicks as rows: each delivery is taken once, closed when answered, and accounted for after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.ports import Clock, Earlier, Inbox, Notice, Outbox

UNANSWERED = timedelta(minutes=2)  # longer than the slowest click takes, with every read tried three times


@dataclass(kw_only=True, slots=True)
class Deliveries:
    """The door that every delivery of Slack passes once."""

    inbox: Inbox
    outbox: Outbox
    clock: Clock

    async def take(self, key: str, what: str, user: str) -> bool:
        """True for the first delivery with this key; the row is committed before this returns, so an ack may follow.

        Identical signed bytes are valid for Slack's whole five minutes: this row is the defence against replay.
        """
        return await self.inbox.take(key, what, user, self.clock())

    async def close(self, key: str, outcome: str) -> None:
        """The person was answered."""
        await self.inbox.close(key, outcome, self.clock())

    async def sweep(self, older_than: timedelta) -> None:
        """Tell whoever a crash left without an answer that nothing was changed. Sent decisions resume elsewhere.

        `older_than`: zero right after the start of the only process; else longer than any answer takes, since the row
        may belong to another process that is still at it.
        """
        now = self.clock()
        for user in await self.inbox.abandon(now - older_than, now):
            notice = Notice(f"restart-{user}-{int(now.timestamp())}", "restarted", to_slack=user)
            await self.outbox.owe(notice, notice.id, now)


@dataclass(kw_only=True, slots=True)
class Repeats:
    """Calls of the HTTP API that carry a key of their own: the same key again is the same call."""

    inbox: Inbox
    clock: Clock

    async def begin(self, key: str, what: str) -> Earlier | None:
        """None: it is the first one, and its row is committed. Else the one before; `what` says if it is the same."""
        while not await self.inbox.take(key, what, "", self.clock()):
            earlier = await self.inbox.earlier(key)
            if earlier is not None:  # else it was forgotten this moment: then this is the first one
                return earlier
        return None

    async def done(self, key: str, outcome: str) -> None:
        """It counts for good."""
        await self.inbox.close(key, outcome, self.clock())

    async def forget(self, key: str) -> None:
        """Nothing came of it and nothing was changed: the key may be used again."""
        await self.inbox.forget(key)
