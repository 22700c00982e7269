"""Who somebody is when they want to decide: their account, and every account that was ever theirs."""

from __future__ import annotations

from app.domain.match import Match
from app.domain.request import Person
from app.domain.ruling import Approver
from app.ports import Kin, Link, Links


async def standing(links: Links, link: Link) -> Approver:
    """Everything that may speak against this person, out of our own memory."""
    kin = await links.kin(link.team, link.slack_user)
    return Approver(link.person, link.slack_user, kin.oids, kin.slack_users)


async def caller_standing(links: Links, team: str, tenant: str, person: Person, match: Match = Match()) -> Approver:
    """The same of somebody who comes without Slack, and may be linked now, or have been once, or never.

    `match`: the Slack account that is theirs by all that can be seen, linked or not.
    """
    link = await links.by_entra(tenant, person.id)
    kin = await links.kin_of_account(team, person.id)
    if match.slack_user:
        near = await links.kin(team, match.slack_user)
        kin = Kin(kin.oids | near.oids, kin.slack_users | near.slack_users)
    return Approver(person, link.slack_user if link is not None else match.slack_user, kin.oids, kin.slack_users)
