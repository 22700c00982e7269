"""Ports of calling people to a waiting request, and of the alarm for when nobody answers. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.arrival import Accounts, Reach, Step
from app.domain.levels import Level
from app.domain.request import RequestKey
from app.domain.row import RequestRow


@dataclass(frozen=True, slots=True)
class Due:
    """A pending request about which a step is to be taken. `seen`: when we first saw it; `tries`: failed ones."""

    row: RequestRow
    seen: datetime
    tries: int = 0


class Calls(Protocol):
    """Which step was taken about which request. What is written together is one transaction."""

    async def due(self, step: Step, seen_before: datetime, now: datetime, *, least: Level, limit: int) -> Sequence[Due]:
        """Pending requests of this level or above, first seen by then, for which the step is not taken.

        The riskiest and oldest first; one that was postponed only when its time has come.
        """

    async def call(self, key: RequestKey, step: Step, users: Sequence[str], now: datetime) -> None:
        """Owe each of these Slack accounts a copy of the card, and the step is taken; nothing if it was, or is over."""

    async def close(self, key: RequestKey, step: Step, note: str, now: datetime) -> None:
        """The step is taken; `note` says how it went."""

    async def postpone(self, key: RequestKey, step: Step, until: datetime) -> None:
        """It failed, and is due again then."""


class Audience(Protocol):
    """Who can approve a request, as Slack accounts, as far as is known. For telling only, never for allowing."""

    async def reach(self, row: RequestRow) -> Reach:
        """The known approvers without whoever asked. Slack being away makes the answer unsure, and never raises."""

    async def accounts(self, row: RequestRow) -> Accounts:
        """The same by person."""


class Alarm(Protocol):
    """The company's on-call tool."""

    async def sound(self, delivery: str, facts: Mapping[str, object]) -> None:
        """Tell it, once. `delivery` stays the same when it is told again. Raises BotError when it did not take it."""
