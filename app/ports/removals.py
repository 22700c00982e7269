"""Port to the memory of roles taken away after a mis-click. No behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.request import Person, RequestKey


class RemovalFate(StrEnum):
    """What became of one. UNKNOWN: it was sent, and the role still shows; GONE: there was nothing to take away."""

    DRAFT = "draft"
    SENDING = "sending"
    UNKNOWN = "unknown"
    TAKEN = "taken"
    REFUSED = "refused"
    NOT_TAKEN = "not_taken"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class StoredRemoval:
    """Who wants to take away the role of which request, and why; the reason is empty while it is a draft."""

    id: str
    key: RequestKey
    team: str
    person: Person
    slack_user: str
    reason: str = ""
    fate: RemovalFate = RemovalFate.DRAFT


class Removals(Protocol):
    """Roles taken away: each is sent once, with an audit row in the same transaction as whatever is written of it."""

    async def draft(self, removal: StoredRemoval, now: datetime) -> None:
        """Remember whose form it is."""

    async def find(self, removal_id: str) -> StoredRemoval | None:
        """One of them, in whatever state."""

    async def sending(self, removal: StoredRemoval, doubtful_since: datetime, now: datetime) -> bool:
        """It is about to leave. False: it left before, or another one, sent since then, has an unknown fate."""

    async def settle(
        self, removal: StoredRemoval, fate: RemovalFate, note: str, tell: Sequence[str], now: datetime
    ) -> None:
        """What became of it; the role is looked at again at once.

        `tell`: Slack users who are told that it was refused. The requestor is told of what was taken away.
        """
