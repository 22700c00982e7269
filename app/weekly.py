"""The weekly digest: written down once for each week, and posted by whoever paints the channel's notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.weekly import Weekly, due_week, tallied, write_tally
from app.ports import Clock, Outbox, Weeks
from blocks import ids


@dataclass(kw_only=True, slots=True)
class WeeklyDigest:
    """Once a week, where the policy file names a day.

    `routed`: some cards go to channels of their own. What those are about is nothing to be named in this one.
    """

    weeks: Weeks
    outbox: Outbox
    clock: Clock
    channel: str
    policy: Weekly | None
    routed: bool
    _known: str = field(init=False, default="")

    async def tick(self) -> bool:
        """Whether there is a new digest to be posted. Its row is what makes it one, whoever comes second."""
        week = due_week(self.policy, self.clock())
        if week is None or week.name == self._known:
            return False
        facts = await self.weeks.facts(week, self.channel if self.routed else "")
        text = write_tally(tallied(week, facts))
        is_new = await self.outbox.announce(f"{ids.WEEK}{week.name}", text, self.channel)
        self._known = week.name
        return is_new
