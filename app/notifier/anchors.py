"""Posting anchors of the audit trail. They are never edited: whoever reads the channel has them as they were."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.anchors import Anchor
from app.notifier.gateway import Gateway, first_post
from blocks.notices import anchor_note


@dataclass(kw_only=True, slots=True)
class AnchorPoster:
    """Posts into one channel."""

    gateway: Gateway
    channel: str

    async def post(self, anchor: Anchor) -> None:
        """One message. Unavailable or SlackFailed when Slack did not take it, or nobody knows."""
        payload = first_post(anchor_note(str(anchor)).payload())
        await self.gateway.call("chat_postMessage", channel=self.channel, **payload)
