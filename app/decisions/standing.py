"""Who somebody is when they want to decide: their account, and every account their Slack account ever stood for."""

from __future__ import annotations

from app.domain.ruling import Approver
from app.ports import Link, Links


async def standing(links: Links, link: Link) -> Approver:
    """Everything that may speak against this person, out of our own memory."""
    return Approver(link.person, link.slack_user, await links.kin(link.team, link.slack_user))
