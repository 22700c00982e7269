"""Port to what is written down of deliveries that are not ours. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Strangers(Protocol):
    """Deliveries that were signed with our secret and come from elsewhere: somebody else holds it, or Slack errs."""

    async def turned_away(self, app: str, team: str, now: datetime) -> None:
        """One audit row. Unavailable when it cannot be written."""
