"""Not me: whoever gets a receipt for a sign-in that they did not make ends it with one press.

It works for the one Slack account that the receipt was sent to, and asks nothing of a session that may be stolen.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.ruling import Refused, Why
from app.ports import Clock, Freezes, Links, Outbox

NOT_YOURS = Refused(Why.UNKNOWN_CARD, "This button belongs to a message that was sent to somebody else.")
NOT_LINKED = Refused(
    Why.NOT_LINKED,
    "Your Slack account is not linked to Microsoft any more, so there was nothing to freeze. If you did not sign out "
    "yourself, tell your administrators.",
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Freezing:
    """Freezes links. Raises Unavailable when nothing could be written."""

    links: Links
    outbox: Outbox
    freezes: Freezes
    clock: Clock

    async def not_me(self, team: str, user: str, receipt: str) -> Refused | None:
        """Freeze this Slack account's link; None when it is frozen now. `receipt`: what the pressed button carries."""
        notice = await self.outbox.notice(receipt)
        if notice is None or notice.topic != "linked" or notice.to_slack != user:
            return NOT_YOURS
        link = await self.links.by_slack(team, user)
        if link is None:
            return NOT_LINKED
        await self.freezes.freeze(link, self.clock())
        return None
