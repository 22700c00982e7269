"""Who somebody is when they want to decide: their account, and every account that was ever theirs."""

from __future__ import annotations

from app.domain.ruling import Approver
from app.ports import Link, Links


async def standing(links: Links, link: Link) -> Approver:
    """Everything that may speak against this person, out of our own memory."""
    kin = await links.kin(link.team, link.slack_user)
    return Approver(link.person, link.slack_user, kin.oids, kin.slack_users)
