"""Whether the approvers channel is still the place for cards: private, our company's alone, and one we are in.

Looked at when the bot starts, hourly, and while it is not: new cards wait, edits that take buttons away go on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import SlackFailed, Unavailable
from app.notifier.gateway import Gateway, Payload
from app.ports import Clock

LOOK_AGAIN = timedelta(hours=1)
LOOK_SOON = timedelta(minutes=1)  # while it is unfit, or nobody could tell
_UNCHECKED = "New cards wait: the approvers channel has not been checked yet."
log = logging.getLogger(__name__)


async def unfit(gateway: Gateway, channel: str) -> str:
    """Why cards must not be posted there, as a sentence; empty when they may. Unavailable when Slack cannot tell."""
    try:
        found = (await gateway.call("conversations_info", channel=channel)).get("channel") or {}
    except SlackFailed as failure:
        if failure.code == "channel_not_found":
            return f"{channel} is not a channel the bot can see: check the id, and invite the bot to it."
        return f"{channel} could not be looked at: {failure}"
    return next((f"{channel} {words}" for amiss, words in _judged(found) if amiss), "")


def _judged(found: Payload) -> tuple[tuple[bool, str], ...]:
    shared = any(found.get(name) for name in ("is_ext_shared", "is_pending_ext_shared", "pending_connected_team_ids"))
    return (
        (bool(found.get("is_archived")), "is archived: unarchive it, or name another channel."),
        (found.get("is_private") is not True, "is not private: everybody could read the requests. Make it private."),
        (shared, "is shared with another company, or about to be: end that, or name another channel."),
        (found.get("is_member") is not True, "does not have the bot as a member: invite it."),
    )


@dataclass(kw_only=True, slots=True)
class ChannelGuard:
    """Knows at any time whether new cards may be posted. `trouble`: what is wrong with the channel, or nothing."""

    gateway: Gateway
    channel: str
    clock: Clock
    trouble: str = field(init=False, default="")
    _looked: bool = field(init=False, default=False)
    _next: datetime | None = field(init=False, default=None)

    async def look(self) -> str:
        """Look again when it is time; why new cards wait, or an empty string. An outage changes nothing."""
        now = self.clock()
        if self._next is None or now >= self._next:
            await self._look(now)
        return self.trouble if self._looked else _UNCHECKED

    async def _look(self, now: datetime) -> None:
        try:
            words = await unfit(self.gateway, self.channel)
        except Unavailable as failure:
            log.info("The approvers channel could not be checked: %s", failure)
            self._next = now + LOOK_SOON
            return
        self._tell(f"New cards wait: the approvers channel {words}" if words else "")
        self._looked = True
        self._next = now + (LOOK_SOON if words else LOOK_AGAIN)

    def _tell(self, trouble: str) -> None:
        """Log once when cards begin to wait, and once when they go on."""
        if trouble and trouble != self.trouble:
            log.warning(trouble)
        elif self.trouble and not trouble:
            log.warning("The approvers channel is as it should be again; new cards are posted.")
        self.trouble = trouble
