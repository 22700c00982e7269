"""Port to direct messages that stay true: posted once, edited whenever a request they show changes. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.request import RequestKey
from app.domain.row import RequestRow


class Topic(StrEnum):
    """Why it was sent, which says how it reads.

    REMINDER: a deadline is near. NUDGE: the requestor asks again. OWN: a requestor follows their request.
    """

    REMINDER = "reminder"
    NUDGE = "nudge"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Direct:
    """One such message. `ts` is empty until Slack has told us; `tried` means it may stand in Slack all the same.

    `facts` are words that its topic needs beside the requests.
    """

    id: str
    topic: Topic
    slack_user: str
    channel: str = ""
    ts: str = ""
    tried: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a message shows of one request. `token` is what its buttons carry, in this message only."""

    row: RequestRow
    token: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its requests, as they are now."""

    direct: Direct
    entries: tuple[Entry, ...]


class Directs(Protocol):
    """The direct messages about requests. A token is void once its request reads differently, as on a card."""

    async def owe(self, direct: Direct, keys: Sequence[RequestKey], dedupe: str, now: datetime) -> bool:
        """Write one down, once per dedupe key; False when it was owed already, or no such request is open."""

    async def unpainted(self, limit: int) -> Sequence[Letter]:
        """Those that Slack does not show as they are: whose request ended first, then edits, then new ones."""

    async def trying(self, direct: Direct, channel: str) -> None:
        """A post to this conversation, or an edit, is about to be sent: from now on look for it before posting."""

    async def painted(self, letter: Letter, ts: str) -> bool:
        """Slack shows it like this, at this ts; what has ended is not drawn again. False: it stands at another ts."""

    async def give_up(self, direct: Direct, note: str, now: datetime) -> None:
        """It is gone, or cannot be delivered: its buttons are void, and it is never posted again."""
