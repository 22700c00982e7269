"""`/pim history … export`: a file in the asker's direct messages, and the sentence that answers the command.

It holds no ack: where the file takes longer than Slack waits, the answer comes behind it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from app.domain.errors import BotError
from app.domain.ruling import Viewer
from app.exports import Busy, Delivered, Exports
from app.ports import Files, Query
from blocks import notices
from blocks.message import Message

UNDER_WAY = "Your last export is still on its way; when it is there, ask for the next one."
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exporting:
    """Files out of lists."""

    exports: Exports
    files: Files

    async def deliver(self, user: str, viewer: Viewer, query: Query) -> Message:
        """What is said to whoever asked. Slack's refusals are a sentence, since asking again does no harm."""
        try:
            told = await self.exports.deliver(self.files, user, viewer, query)
        except BotError as failure:
            log.warning("An export could not be delivered: %s", failure)
            return notices.refusal(f"{failure} Unless a file came, none will: ask again in a moment.")
        return notices.refusal(_words(told))


def _words(told: Delivered | Busy) -> str:
    if isinstance(told, Busy):
        return UNDER_WAY
    rows = "1 request" if told.rows == 1 else f"{told.rows} requests"
    cut = " It holds the newest only, since more fitted: narrow the time for the others." if told.cut else ""
    return f"Your export ({rows}) is in your direct messages with this app.{cut}"
