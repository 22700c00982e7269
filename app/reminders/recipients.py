"""Who may be reminded of a request: its approvers as people in Slack, with their clock and their own settings.

It serves telling only. What Slack says of somebody is believed for an hour.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import BotError
from app.domain.preferences import Preference
from app.domain.quiet import Quiet, zone_of
from app.domain.reminding import Recipient
from app.domain.row import RequestRow
from app.ports import Audience, Clock, People, Preferences

LASTS = timedelta(hours=1)
PAUSE = timedelta(minutes=1)  # after Slack did not answer
_MOST = 5_000  # people remembered; then it starts anew
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """The approvers of a request whom we know in Slack, by object id.

    `crowd`: there are too many to tell each; `sure`: Slack told of everybody asked for.
    """

    people: Mapping[str, Recipient] = field(default_factory=dict)
    crowd: bool = False
    sure: bool = True


@dataclass(kw_only=True, slots=True)
class Recipients:
    """Finds them. `quiet`: the company's quiet hours."""

    audience: Audience
    people: People
    preferences: Preferences
    clock: Clock
    team: str
    quiet: Quiet | None
    _zones: dict[str, tuple[datetime, str | None]] = field(init=False, default_factory=dict)
    _wait_until: datetime | None = field(init=False, default=None)

    async def of(self, row: RequestRow) -> Found:
        """Everybody known to be able to approve it, but whoever asked. Guests and bots are nobody."""
        accounts = await self.audience.accounts(row)
        if accounts.crowd or not accounts.sure:
            return Found(crowd=accounts.crowd, sure=accounts.sure)
        users = set(accounts.users.values())
        if not await self._ask_for(users):
            return Found(sure=False)
        settings = await self.preferences.of(self.team, users)
        people = {oid: self._recipient(user, settings) for oid, user in accounts.users.items()}
        return Found({oid: person for oid, person in people.items() if person is not None})

    def _recipient(self, user: str, settings: Mapping[str, Preference]) -> Recipient | None:
        zone = self._zones[user][1]
        if zone is None:
            return None
        own = settings.get(user, Preference())
        return Recipient(user, zone_of(zone), own.hours(self.quiet), own.away_until, own.reminders)

    async def _ask_for(self, users: Collection[str]) -> bool:
        """Learn the clocks of those nobody asked about lately; False when Slack cannot tell."""
        now = self.clock()
        unknown = [user for user in sorted(users) if self._is_unknown(user, now)]
        if unknown and self._wait_until is not None and now < self._wait_until:
            return False
        self._forget_all_but(users)
        try:
            for user in unknown:
                self._zones[user] = (now, await self._zone(user))
        except BotError as failure:
            log.info("Slack does not say whom to remind: %s", failure)
            self._wait_until = now + PAUSE
            return False
        return True

    def _is_unknown(self, user: str, now: datetime) -> bool:
        return user not in self._zones or now - self._zones[user][0] >= LASTS

    def _forget_all_but(self, users: Collection[str]) -> None:
        if len(self._zones) > _MOST:
            self._zones = {user: self._zones[user] for user in users if user in self._zones}

    async def _zone(self, user: str) -> str | None:
        person = await self.people.person(user)
        return person.zone if person is not None and person.member else None
