"""Ports of reminding: who was told of what, and what people set for themselves. No behaviour."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.preferences import Preference
from app.domain.reminding import Until
from app.domain.request import RequestKey
from app.domain.row import RequestRow

ToldOf = Mapping[tuple[str, Until], timedelta]  # by Slack account and deadline: the shortest threshold told


@dataclass(frozen=True, slots=True)
class Reminder:
    """One threshold of one request, for one person."""

    key: RequestKey
    until: Until
    before: timedelta


@dataclass(frozen=True, slots=True)
class Watched:
    """A pending request that it is time to look at, whom it was told of, and who has done something about it.

    `acted`: object ids of people who tried to decide it here.
    """

    row: RequestRow
    told: ToldOf
    acted: frozenset[str]


class Reminding(Protocol):
    """Which reminders were given. What is written together is one transaction."""

    async def due(self, now: datetime, limit: int) -> Sequence[Watched]:
        """Pending requests that somebody can decide and that are to be looked at, the longest due first."""

    async def remind(self, user: str, reminders: Sequence[Reminder], now: datetime, since: datetime) -> bool:
        """Owe this Slack account one message about all of these, each threshold once; False when none was new.

        It joins a reminder of theirs that was owed at `since` or later and still has something to decide in it.
        """

    async def watched(self, key: RequestKey) -> Watched | None:
        """One pending request as a look would find it; None where it is not pending."""

    async def nudge(self, key: RequestKey, users: Sequence[str], now: datetime, since: datetime) -> bool:
        """Owe each of these Slack accounts a message; False when it is not pending, or was nudged after `since`."""

    async def running_out(self, now: datetime, limit: int) -> Sequence[RequestRow]:
        """Pending requests that die, and roles that end, within 15 minutes, and whose requestor was not told yet."""

    async def looked(self, key: RequestKey, again: datetime, away: datetime | None) -> None:
        """When to look again; `away`: when the first of its approvers is back, its card says so when that is news."""


class Preferences(Protocol):
    """What people set for themselves."""

    async def of(self, team: str, users: Collection[str]) -> Mapping[str, Preference]:
        """Those of these Slack accounts that ever set anything."""

    async def put(self, team: str, user: str, preference: Preference) -> None:
        """Keep it in place of what was there."""
