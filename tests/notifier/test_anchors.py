"""An anchor in a channel reads, word for word, as `audit verify --anchor` takes it."""

from __future__ import annotations

from notifier.rig import Rig

from app.domain.anchors import Anchor, read_anchors
from app.notifier.anchors import AnchorPoster

ANCHOR = Anchor(12, "3b5d5c37" * 8)


async def test_an_anchor_is_one_message_that_reads_back(rig: Rig) -> None:
    await AnchorPoster(gateway=rig.gateway, channel=rig.slack.settings.channel).post(ANCHOR)
    (message,) = rig.slack.messages()
    assert list(read_anchors([message.text])) == [ANCHOR]
    assert list(read_anchors([str(message.blocks)])) == [ANCHOR]
