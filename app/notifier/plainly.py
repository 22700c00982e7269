"""A drawing that Slack finds too long or wrong although we did not: the same in words alone, tried once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from app.domain.errors import SlackFailed
from app.notifier.gateway import Payload
from app.notifier.lanes import TOO_MUCH
from blocks.message import Message

MOST_TEXT = 3000  # characters; Slack edits no longer text than 4000
log = logging.getLogger(__name__)


async def shown(what: str, message: Message, call: Callable[[Message], Awaitable[Payload]]) -> Payload:
    """Slack's answer to the drawing, or to its words. `what`: the message's subject, for the log."""
    try:
        return await call(message)
    except SlackFailed as failure:
        if failure.code not in TOO_MUCH:
            raise
        log.exception("Slack refused the drawing of a message (%s); it is said in words.", what)
        return await call(Message(message.text[:MOST_TEXT], [], message.metadata))
