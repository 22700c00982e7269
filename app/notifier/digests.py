"""A burst in a channel: a standing note lists what comes first, while the cards come one a second. It posts nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from app.domain.arrival import about
from app.ports import Outbox
from blocks.notices import DIGEST_OVER, digest_words

PREFIX = "digest:"


@dataclass(kw_only=True, slots=True)
class Digests:
    """Knows which channels are crowded. `begin`: with more cards waiting than this, a channel gets its list."""

    outbox: Outbox
    begin: int
    _said: dict[str, str] = field(init=False, default_factory=dict)

    async def look(self, channels: Collection[str]) -> None:
        """Begin, change or end the note of each crowded channel; `channels` are all that might have one."""
        crowds = await self.outbox.crowds()
        for channel in sorted({*channels, *crowds, *self._said}):
            words = self._words(channel, crowds.get(channel, 0))
            if self._said.get(channel) != words:
                topic = f"{PREFIX}{channel}"
                await self.outbox.put_note(topic, words, over=DIGEST_OVER, button=False, channel=channel)
                self._said[channel] = words

    def crowded(self, channel: str) -> bool:
        """Whether its cards come in a burst: then none of them mentions anybody."""
        return bool(self._said.get(channel))

    def _words(self, channel: str, count: int) -> str:
        """What the note says; it ends when nothing waits any more."""
        many = count > self.begin or (count > 0 and self.crowded(channel))
        return digest_words(about(count)) if many else ""
