"""Who can approve a request, as Slack accounts: found by link, alias or mail, and remembered for a while.

It serves mentions and messages. Whether somebody may decide is Microsoft's to say, when they do.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.arrival import MOST_CALLED, Accounts, Reach
from app.domain.errors import BotError
from app.domain.policy import Aliases
from app.domain.request import Person
from app.domain.row import RequestRow
from app.ports import Clock, Matching

LASTS = timedelta(hours=1)  # how long an account that was found, or that does not exist, is believed
PATIENCE = 3.0  # seconds for everybody together: a card does not wait longer for its mentions
PAUSE = timedelta(minutes=1)  # after Slack did not answer
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class SlackAudience:
    """Implements `ports.Audience` over the matching of accounts."""

    matching: Matching
    aliases: Aliases
    clock: Clock
    _found: dict[str, tuple[datetime, str]] = field(init=False, default_factory=dict)
    _wait_until: datetime | None = field(init=False, default=None)

    async def reach(self, row: RequestRow) -> Reach:
        """The known approvers in Slack, in a stable order."""
        found = await self.accounts(row)
        return Reach(tuple(sorted(set(found.users.values()))), found.crowd, found.sure)

    async def accounts(self, row: RequestRow) -> Accounts:
        """The same, each with who it is."""
        known = self._people(row)
        if len(known) > MOST_CALLED:
            return Accounts(crowd=True)
        sure = await self._look_up(known)
        users = {person.id: self._remembered(person) or "" for person in known}
        return Accounts({oid: user for oid, user in users.items() if user not in ("", row.match.slack_user)}, sure=sure)

    def _people(self, row: RequestRow) -> list[Person]:
        """By PIM's settings, and whose own list held it; never the requestor, under any of their accounts."""
        named = {person.id: person for person in row.policy.approvers or ()}
        known = [named.get(oid) or Person(oid) for oid in sorted(row.known_approvers)]
        asked_by = {row.request.requestor.id, row.request.created_by}
        return [
            person
            for person in known
            if person.id not in asked_by and not self.aliases.same_human(person, row.request.requestor)
        ]

    async def _look_up(self, people: list[Person]) -> bool:
        """Ask for those nobody knows yet; False when that was not possible."""
        unknown = [person for person in people if self._remembered(person) is None]
        if not unknown:
            return True
        if self._wait_until is not None and self.clock() < self._wait_until:
            return False
        try:
            async with asyncio.timeout(PATIENCE):
                for person in unknown:
                    user = (await self.matching.match(person)).slack_user
                    self._found[person.id] = (self.clock() + LASTS, user)
        except (BotError, TimeoutError) as failure:
            log.info("Approvers could not be looked up in Slack: %s", failure or "no answer")
            self._wait_until = self.clock() + PAUSE
            return False
        return True

    def _remembered(self, person: Person) -> str | None:
        """Their Slack account, empty for none; None when it must be asked."""
        until, user = self._found.get(person.id, (None, ""))
        return user if until is not None and self.clock() < until else None
