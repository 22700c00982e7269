"""Port to requests on their way to be withdrawn by their requestor. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.request import Person, RequestKey


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who withdraws which request, from which Slack account, and since when."""

    key: RequestKey
    person: Person
    tenant: str
    slack_user: str
    at: datetime


class Withdrawals(Protocol):
    """One call to Microsoft at a time for each request. Each step is audited with what it writes."""

    async def begin(self, withdrawal: Withdrawal, until: datetime) -> bool:
        """Take the call; it is free again at `until`. False: it is taken already, or the request is not pending."""

    async def refused(self, withdrawal: Withdrawal, note: str, now: datetime) -> None:
        """Microsoft did not take it: it is free at once."""
