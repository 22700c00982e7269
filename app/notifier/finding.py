"""Looking for our own message in Slack by its metadata, when the answer to a post was lost. It never posts."""

from __future__ import annotations

from datetime import datetime

from app.notifier.gateway import Gateway

MOST_PAGES = 20  # of 100 messages: a lost post is always among the newest


async def find_message(
    gateway: Gateway, channel: str, event: str, fact: tuple[str, str], *, since: datetime | None, other_than: str = ""
) -> str:
    """The ts of the message whose metadata of this event type carries `fact`, name and value; empty for none.

    `other_than`: a ts that does not count.

    Slack has no idempotency key for posts, so this read-back is what keeps one card from becoming two.
    """
    cursor = ""
    oldest = {"oldest": f"{since.timestamp():.6f}"} if since is not None else {}
    for _ in range(MOST_PAGES):
        page = await gateway.call(
            "conversations_history", channel=channel, limit=100, include_all_metadata=True, cursor=cursor, **oldest
        )
        for message in page.get("messages") or ():
            metadata, ts = message.get("metadata") or {}, str(message["ts"])
            same = metadata.get("event_type") == event and (metadata.get("event_payload") or {}).get(fact[0]) == fact[1]
            if same and ts != other_than:
                return ts
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return ""
