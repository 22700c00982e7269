"""Looking for our own message in Slack by its metadata, when the answer to a post was lost. It never posts.

Metadata may be put on a message by any app, so only what our own bot wrote counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from app.notifier.gateway import Gateway, Payload

Mark = tuple[str, str, str]  # event type, name and value of one fact in the metadata
MOST_PAGES = 20  # of 100 messages: a lost post is always among the newest


async def find_message(
    gateway: Gateway, channel: str, mark: Mark, *, since: datetime | None, other_than: str = "", thread: str = ""
) -> str:
    """The ts of the message of ours whose metadata is marked so; empty for none.

    `other_than`: a ts that does not count; `thread`: the message below which it stands, if it stands in a thread.

    Slack has no idempotency key for posts, so this read-back is what keeps one card from becoming two.
    """
    bot = await gateway.bot()
    async for message in _messages(gateway, channel, since, thread):
        ts = str(message["ts"])
        if message.get("bot_id") == bot and ts != other_than and _marked(message, mark):
            return ts
    return ""


async def _messages(gateway: Gateway, channel: str, since: datetime | None, thread: str) -> AsyncIterator[Payload]:
    """The channel's messages, or a thread's, the newest page first."""
    oldest = {"oldest": f"{since.timestamp():.6f}"} if since is not None else {}
    cursor = ""
    for _ in range(MOST_PAGES):
        where = {"channel": channel, "limit": 100, "include_all_metadata": True, "cursor": cursor, **oldest}
        if thread:
            page = await gateway.call("conversations_replies", ts=thread, **where)
        else:
            page = await gateway.call("conversations_history", **where)
        for message in page.get("messages") or ():
            yield message
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return


def _marked(message: Payload, mark: Mark) -> bool:
    event, name, value = mark
    metadata = message.get("metadata") or {}
    return bool(metadata.get("event_type") == event and (metadata.get("event_payload") or {}).get(name) == value)
