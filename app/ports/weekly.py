"""Port to what memory holds of a week. No behaviour."""

from __future__ import annotations

from typing import Protocol

from app.domain.weekly import Week, WeekFacts


class Weeks(Protocol):
    """Counts over the requests of a week."""

    async def facts(self, week: Week, shown_in: str = "") -> WeekFacts:
        """What was asked, what ended how, and who could approve it.

        `shown_in`: name only roles of requests whose card is in this channel; empty: of all.
        """
