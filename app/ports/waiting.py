"""Port to decisions that wait until their approver has signed in again. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.request import Person, RequestKey, Verdict
from app.ports.links import Link


@dataclass(frozen=True, slots=True)
class WaitingDecision:
    """What an approver wanted to decide when a newer sign-in was asked of them. It holds no claim.

    `digest` is what the form showed; only `person` on this Slack account may finish it, before `expires`.
    """

    id: str
    key: RequestKey
    verdict: Verdict
    comment: str
    digest: str
    team: str
    slack_user: str
    tenant: str
    person: Person
    asked_at: datetime
    expires: datetime


class WaitingDecisions(Protocol):
    """The waiting decisions. Whenever one comes or goes, the card of its request is to be repainted."""

    async def put(self, waiting: WaitingDecision) -> bool:
        """Keep it in place of an earlier one of this person on this request; False when that is not pending."""

    async def find(self, waiting_id: str, now: datetime) -> WaitingDecision | None:
        """Look at it, while it lives."""

    async def take(self, waiting_id: str, now: datetime) -> WaitingDecision | None:
        """Take it once and for all; None when it is unknown, taken, or too old."""

    async def expire(self, now: datetime) -> int:
        """End those that are too old; how many."""


class Freezes(Protocol):
    """What happens when somebody says that a sign-in was not theirs."""

    async def freeze(self, link: Link, now: datetime) -> bool:
        """Tokens and waiting decisions are gone, only a new full sign-in helps. False when it was so already."""
