"""Slack's measure for messages: one a second and channel. It counts, and waits for nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.ports import Clock

BETWEEN_POSTS = timedelta(seconds=1)
EARLY = timedelta(seconds=0.1)  # ticks are not exact; what comes early makes the next turn no earlier


@dataclass(slots=True)
class Pace:
    """When each channel may get its next message. On average never more than one a second."""

    clock: Clock
    _turns: dict[str, datetime] = field(init=False, default_factory=dict)

    def free(self, channel: str) -> bool:
        """Whether a message may be sent there now."""
        now = self.clock()
        return now >= self._turns.get(channel, now) - EARLY

    def spend(self, channel: str) -> None:
        """One is about to be sent there."""
        now = self.clock()
        turn = max(now, self._turns.get(channel, now))
        self._turns = {name: other for name, other in self._turns.items() if other > now}
        self._turns[channel] = turn + BETWEEN_POSTS
