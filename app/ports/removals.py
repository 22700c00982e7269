"""Port to the memory of roles taken away after a mis-click. No behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.request import Person, RequestKey


class RemovalFate(StrEnum):
    """What became of one. UNKNOWN: it was sent, and the role still shows; GONE: there was nothing to take away.

    GONE_SINCE: it was sent without an answer, and the role is gone since; who ended it is not known.
    """

    DRAFT = "draft"
    SENDING = "sending"
    UNKNOWN = "unknown"
    TAKEN = "taken"
    REFUSED = "refused"
    NOT_TAKEN = "not_taken"
    GONE = "gone"
    GONE_SINCE = "gone_since"


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

    async def sending(self, removal: StoredRemoval, since: datetime, now: datetime) -> RemovalFate:
        """SENDING: it is about to leave. Else it must not.

        UNKNOWN: it left before, or another one, sent since then, has an unknown fate. REFUSED: Microsoft refused this
        very person since then.
        """

    async def settle(
        self, removal: StoredRemoval, fate: RemovalFate, note: str, tell: Sequence[str], now: datetime
    ) -> None:
        """What became of it, unless that is known already; the role is looked at again at once.

        `tell`: Slack users who are told that it was refused, once for this person and request. The requestor is told
        of what was taken away.
        """

    async def left_open(self, before: datetime, limit: int) -> Sequence[StoredRemoval]:
        """What was sent before then and whose fate nobody wrote down, oldest first."""

    async def finish(self, removal: StoredRemoval, fate: RemovalFate, said: str, now: datetime) -> None:
        """What became of one that was left open; whoever pressed is told that, in these words."""
