"""Whether a channel is a place for cards: private, our company's alone, not archived, and one we are in.

Each channel is looked at when the bot starts, hourly, soon again while something is wrong with it, and at once when
Slack refused a post there. New cards wait, or go to the default channel; edits that take buttons away go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import SlackFailed, Unavailable
from app.notifier.gateway import Gateway, Payload
from app.ports import Clock, Outbox

LOOK_AGAIN = timedelta(hours=1)
LOOK_SOON = timedelta(minutes=1)  # while it is unfit, or nobody could tell
_UNCHECKED = "New cards wait: the approvers channel has not been checked yet."
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a channel, as a sentence, or an empty one. `dead`: we cannot write there at all."""

    words: str = ""
    dead: bool = False


async def inspect(gateway: Gateway, channel: str) -> Finding:
    """Whether cards may be posted there. Unavailable when Slack cannot tell."""
    try:
        found = (await gateway.call("conversations_info", channel=channel)).get("channel") or {}
    except SlackFailed as failure:
        if failure.code == "channel_not_found":
            return Finding(f"{channel} is not a channel the bot can see: check the id, and invite the bot to it.", True)
        return Finding(f"{channel} could not be looked at: {failure}")
    return next((Finding(f"{channel} {words}", dead) for amiss, words, dead in _judged(found) if amiss), Finding())


async def unfit(gateway: Gateway, channel: str) -> str:
    """Why cards must not be posted there, as a sentence; empty when they may. Unavailable when Slack cannot tell."""
    return (await inspect(gateway, channel)).words


def _judged(found: Payload) -> tuple[tuple[bool, str, bool], ...]:
    shared = any(found.get(name) for name in ("is_ext_shared", "is_pending_ext_shared", "pending_connected_team_ids"))
    private, member = found.get("is_private") is True, found.get("is_member") is True
    return (
        (bool(found.get("is_archived")), "is archived: unarchive it, or name another channel.", True),
        (not private, "is not private: everybody could read the requests. Make it private.", False),
        (shared, "is shared with another company, or about to be: end that, or name another channel.", False),
        (not member, "does not have the bot as a member: invite it.", True),
    )


@dataclass(kw_only=True, slots=True)
class ChannelGuard:
    """Knows at any time whether new cards may be posted in one channel.

    `trouble`: what is wrong with it, or nothing. `routed`: it is one of the policy file's, and not the default one.
    """

    gateway: Gateway
    channel: str
    clock: Clock
    routed: bool = False
    trouble: str = field(init=False, default="")
    dead: bool = field(init=False, default=False)
    looked_at: datetime | None = field(init=False, default=None)
    _next: datetime | None = field(init=False, default=None)

    async def look(self) -> str:
        """Look again when it is time; why new cards wait, or an empty string. An outage changes nothing."""
        now = self.clock()
        if self._next is None or now >= self._next:
            await self._look(now)
        return self.trouble if self.looked_at is not None else _UNCHECKED

    def doubt(self) -> None:
        """Slack refused something there: look at once."""
        self._next = None

    async def _look(self, now: datetime) -> None:
        try:
            found = await inspect(self.gateway, self.channel)
        except Unavailable as failure:
            log.info("The channel %s could not be checked: %s", self.channel, failure)
            self._next = now + LOOK_SOON
            return
        self._tell(f"{self._title()} {found.words}" if found.words else "")
        self.dead = found.dead
        self.looked_at = now
        self._next = now + (LOOK_SOON if found.words else LOOK_AGAIN)

    def _title(self) -> str:
        if self.routed:
            return "Cards of a route come to the approvers channel:"
        return "New cards wait: the approvers channel"

    def _tell(self, trouble: str) -> None:
        """Log once when cards begin to wait, and once when they go on."""
        if trouble and trouble != self.trouble:
            log.warning(trouble)
        elif self.trouble and not trouble:
            log.warning("%s is as it should be again; new cards are posted.", self._subject())
        self.trouble = trouble

    def _subject(self) -> str:
        return f"The channel {self.channel}" if self.routed else "The approvers channel"


@dataclass(kw_only=True, slots=True)
class Channels:
    """The default channel, and those of the policy file's routes. What is wrong with a route's is said in the default.

    `new_text`: unguessable texts for the cards that a dead channel's requests get in the default one.
    """

    home: ChannelGuard
    routed: tuple[ChannelGuard, ...]
    outbox: Outbox
    new_text: Callable[[], str]
    _told: dict[str, str] = field(init=False, default_factory=dict)
    _left: dict[str, datetime | None] = field(init=False, default_factory=dict)

    async def look(self) -> None:
        """Look at each that is due; what stands in a dead one comes to the default channel too."""
        await self.home.look()
        for guard in self.routed:
            await guard.look()
            await self._tell(guard)

    def names(self) -> tuple[str, ...]:
        """Every channel that gets cards."""
        return (self.home.channel, *(guard.channel for guard in self.routed))

    def troubles(self) -> list[str]:
        """What is wrong with which channel, for readiness."""
        return [guard.trouble for guard in (self.home, *self.routed) if guard.trouble]

    def takes(self, channel: str) -> bool:
        """Whether a new card may be posted there now."""
        guard = self._guard(channel)
        return guard.looked_at is not None and not guard.trouble

    def refuge(self, channel: str) -> str:
        """Where its new cards go instead, while it takes none; empty when they wait."""
        guard = self._guard(channel)
        return self.home.channel if guard.routed and guard.trouble else ""

    def doubt(self, channel: str) -> None:
        """Slack refused a post there as if the channel were gone."""
        self._guard(channel).doubt()

    async def _tell(self, guard: ChannelGuard) -> None:
        """Keep the default channel's note about it, and its requests in sight."""
        if guard.dead and self._left.get(guard.channel) != guard.looked_at:
            await self.outbox.evacuate(guard.channel, self.home.channel, self.new_text)
            self._left[guard.channel] = guard.looked_at
        if self._told.get(guard.channel) == guard.trouble or guard.looked_at is None:
            return
        over = f"{guard.channel} is as it should be again: its cards go there."
        topic = f"channel:{guard.channel}"
        await self.outbox.put_note(topic, guard.trouble, over=over, button=False, channel=self.home.channel)
        self._told[guard.channel] = guard.trouble

    def _guard(self, channel: str) -> ChannelGuard:
        """A card may stand in a channel that no route names any more: then the default one's state counts."""
        return next((guard for guard in self.routed if guard.channel == channel), self.home)
