"""Looking for our own message in Slack by its metadata, when the answer to a post was lost. It never posts."""

from __future__ import annotations

from datetime import datetime

from app.notifier.gateway import Gateway

MOST_PAGES = 20  # of 100 messages: a lost post is always among the newest


async def find_message(
    gateway: Gateway, channel: str, event: str, name: str, value: str, *, since: datetime | None
) -> str:
    """The ts of the message whose metadata of this event type carries `name: value`; an empty string for none.

    Slack has no idempotency key for posts, so this read-back is what keeps one card from becoming two.
    """
    cursor = ""
    oldest = {"oldest": f"{since.timestamp():.6f}"} if since is not None else {}
    for _ in range(MOST_PAGES):
        page = await gateway.call(
            "conversations_history", channel=channel, limit=100, include_all_metadata=True, cursor=cursor, **oldest
        )
        for message in page.get("messages") or ():
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == event and (metadata.get("event_payload") or {}).get(name) == value:
                return str(message["ts"])
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return ""
