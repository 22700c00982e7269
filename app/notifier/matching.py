"""Which Slack account a Microsoft account belongs to: the link first, then the company's aliases, then mail addresses.

Only a link is proven. The answer is good enough for telling and for refusing, and for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from app.domain.match import How, Match
from app.domain.policy import Aliases
from app.domain.request import Person
from app.ports import Link, Links, LinkState, People

_BELIEVED = (LinkState.ACTIVE, LinkState.SUSPENDED)  # a frozen link is one that its Slack account disowned


@dataclass(kw_only=True, slots=True)
class SlackMatching:
    """The Matching port over our links and Slack's users.lookupByEmail. `tenant` is lower case."""

    links: Links
    people: People
    aliases: Aliases
    tenant: str

    async def match(self, person: Person) -> Match:
        """Their own link, else their everyday account by alias, else their own address. Unavailable or SlackFailed."""
        link = await self.links.by_entra(self.tenant, person.id)
        if _believed(link):
            return Match(How.SIGNED_IN, link.slack_user)
        return await self._by_alias(person) or await self._by_mail(person) or Match(How.NOT_IN_SLACK)

    async def _by_alias(self, person: Person) -> Match | None:
        everyday = self.aliases.everyday(person.upn) if person.upn else ""
        if everyday == person.upn.strip().casefold():
            return None
        link = await self.links.by_upn(self.tenant, everyday)
        user = link.slack_user if _believed(link) else await self.people.by_mail(everyday)
        return Match(How.BY_ALIAS, user, everyday) if user else None

    async def _by_mail(self, person: Person) -> Match | None:
        for address in dict.fromkeys((person.mail, person.upn)):
            user = await self.people.by_mail(address) if "@" in address else None
            if user:
                return Match(How.BY_MAIL, user)
        return None


def _believed(link: Link | None) -> TypeGuard[Link]:
    return link is not None and link.state in _BELIEVED
