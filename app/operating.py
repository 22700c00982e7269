"""What an operator does from outside: the off switch, and other people's sign-ins. Each act is audited with a name.

It reaches a running bot through rows only. It can stop decisions and end sessions, never make either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.ports import PAUSE, PORTAL_ONLY, Act, Announcement, Clock, LinkCare, LinkLine, Switch, Switches
from blocks import notices

THE_BOT = "bot"  # in the audit trail, where no human acted


@dataclass(kw_only=True, slots=True)
class OffSwitch:
    """Turns every decision button into a link to the portal, and back. `channel` is where it is said."""

    switches: Switches
    clock: Clock
    channel: str

    async def pause(self, by: str, reason: str) -> bool:
        """Nothing is decided here from now on. False when it was paused already, for the same reason."""
        switch = Switch(PAUSE, on=True, reason=reason, by=by, at=self.clock())
        return await self.switches.turn(switch, Announcement(self.channel, notices.paused_words(reason), ""))

    async def resume(self, by: str, reason: str) -> bool:
        """Decisions are made here again. False when they were not paused."""
        switch = Switch(PAUSE, on=False, reason=reason, by=by, at=self.clock())
        return await self.switches.turn(switch, Announcement(self.channel, "", notices.resumed_words(reason)))

    async def paused(self) -> Switch | None:
        """The pause that holds right now, if any."""
        switch = await self.switches.state(PAUSE)
        return switch if switch is not None and switch.on else None

    async def obey(self, portal_only: frozenset[str]) -> None:
        """The policy file names these roles. When it named others before, that is audited and the cards repainted."""
        roles = " ".join(sorted(portal_only))
        switch = Switch(PORTAL_ONLY, on=bool(roles), reason=roles, by=THE_BOT, at=self.clock())
        await self.switches.turn(switch, None)


@dataclass(kw_only=True, slots=True)
class SignIns:
    """Other people's sign-ins."""

    care: LinkCare
    clock: Clock

    async def everybody(self) -> Sequence[LinkLine]:
        """All of them."""
        return await self.care.everybody()

    async def revoke(self, whose: str, by: str, reason: str) -> Sequence[LinkLine] | None:
        """End the sessions of this person, or everybody's (''). Whose ended; None: there is no such person."""
        found = await self._of(whose)
        if whose and not found:
            return None
        act = Act(by, reason, self.clock())
        return [line for line in found if await self.care.revoke(line.link, act)]

    async def remove(self, whose: str, by: str, reason: str) -> LinkLine | None:
        """Unlink this person's accounts, which also ends a freeze. None: there is no such person."""
        for line in await self._of(whose):
            if await self.care.remove(line.link, Act(by, reason, self.clock())):
                return line
        return None

    async def _of(self, whose: str) -> Sequence[LinkLine]:
        """By Slack user id, sign-in name or object id, in any letter case; everybody for an empty text."""
        asked = whose.casefold()
        return [line for line in await self.care.everybody() if not asked or asked in _names(line)]


def _names(line: LinkLine) -> frozenset[str]:
    link = line.link
    return frozenset({link.slack_user.casefold(), link.person.upn.casefold(), link.person.id.casefold()})
