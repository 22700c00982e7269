"""Wiring of what tells single people: who they are in Slack, and their direct messages."""

from __future__ import annotations

from app.main.rooms import Rooms, utc_now
from app.notifier.directs import DirectPainter
from app.notifier.matching import SlackMatching
from app.notifier.messenger import Messenger


def make_matching(rooms: Rooms) -> SlackMatching:
    """Who somebody of Microsoft's is in Slack."""
    return SlackMatching(
        links=rooms.memory.links,
        people=rooms.slack.people,
        aliases=rooms.policy.aliases,
        tenant=rooms.settings.tenant_id.lower(),
    )


def make_messenger(rooms: Rooms, matching: SlackMatching) -> Messenger:
    """Messages that are sent once and stay as they are."""
    return Messenger(
        gateway=rooms.slack.gateway,
        outbox=rooms.memory.outbox,
        book=rooms.memory.book,
        matching=matching,
        clock=utc_now,
        portal=rooms.microsoft.portal,
    )


def make_direct_painter(rooms: Rooms) -> DirectPainter:
    """Messages that follow their requests."""
    return DirectPainter(
        gateway=rooms.slack.gateway,
        directs=rooms.memory.directs,
        cards=rooms.memory.cards,
        clock=utc_now,
        portal=rooms.microsoft.portal,
        slack_url=rooms.slack.me.url,
        policy=rooms.policy,
    )
