"""What people set for themselves: shown out of our memory, kept by their own clock. It allows nobody anything."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.preferences import Preference, Wishes, settled
from app.domain.quiet import Quiet, zone_of
from app.ports import Clock, People, Preferences


@dataclass(kw_only=True, slots=True)
class OwnSettings:
    """One person's settings at a time. `company`: the quiet hours of whoever set none."""

    preferences: Preferences
    people: People
    clock: Clock
    company: Quiet | None

    async def of(self, team: str, user: str) -> Preference:
        """As they are now; an absence that is over is none."""
        kept = (await self.preferences.of(team, [user])).get(user, Preference())
        return kept if kept.away(self.clock()) else Preference(reminders=kept.reminders, quiet=kept.quiet)

    async def keep(self, team: str, user: str, wishes: Wishes) -> Preference:
        """What is kept now. Unavailable or SlackFailed when nobody knows their clock; nothing is kept then."""
        person = await self.people.person(user)
        zone = zone_of(person.zone if person is not None else "")
        preference = settled(wishes, zone, self.company, self.clock())
        await self.preferences.put(team, user, preference)
        return preference
