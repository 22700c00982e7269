"""What waits because Slack refused or could not be heard, and what was said of it. It sends nothing itself.

A lane is one kind of call to one channel: an edit never waits for a post, nor one channel for another.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import SlackFailed, Unavailable
from app.ports import Clock

PAUSE_AFTER_REFUSAL = timedelta(seconds=60)  # channel archived, token revoked: asking every second is noise
TOO_MUCH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "block_mismatch"}
)
# Refusals of one message, not of the channel: the others go on.
_ONE_MESSAGE = TOO_MUCH | {
    "cant_delete_message",
    "invalid_arguments",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_too_large",
    "no_text",
}
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Lanes:
    """Patience, by lane and by single message."""

    clock: Clock
    _waits: dict[str, datetime] = field(init=False, default_factory=dict)
    _troubles: dict[str, str] = field(init=False, default_factory=dict)

    @property
    def trouble(self) -> str:
        """What Slack refuses to show at present, as one sentence, or an empty string."""
        return next(iter(self._troubles.values()), "")

    async def attempt(self, lane: str, which: str, act: Callable[[], Awaitable[bool]]) -> SlackFailed | None:
        """Do one thing, unless it or its lane was told to wait. A failure makes it wait; a refusal comes back too.

        `act` says whether Slack took something: only that ends a complaint.
        """
        now = self.clock()
        if any(now < self._waits[name] for name in (lane, which) if name in self._waits):
            return None
        try:
            if await act():
                self._complain(lane, "")
                self._complain(which, "")
        except Unavailable as failure:
            self._waits[lane] = self.clock() + timedelta(seconds=failure.retry_after or 1.0)
        except SlackFailed as failure:
            refused = which if failure.code in _ONE_MESSAGE else lane
            self._waits[refused] = self.clock() + PAUSE_AFTER_REFUSAL
            self._complain(refused, f"Slack does not show our cards: {failure}")
            return failure
        return None

    def forget(self, kept: Collection[str]) -> None:
        """What is not behind any more troubles nobody."""
        self._waits = {name: until for name, until in self._waits.items() if name in kept}
        self._troubles = {name: trouble for name, trouble in self._troubles.items() if name in kept}

    def _complain(self, name: str, trouble: str) -> None:
        """Log once when Slack stops taking something, and once when it takes it again."""
        before = self._troubles.pop(name, "")
        if trouble:
            self._troubles[name] = trouble
        if bool(trouble) != bool(before):
            log.warning(trouble or "Slack takes our cards again.")
