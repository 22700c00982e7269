"""Port to what an operator sees and does to sign-ins. No behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.ports.links import Link


@dataclass(frozen=True, slots=True)
class Act:
    """Something an operator does: who they are (as the audit trail names them), why, and when."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A link, and when its person last decided something here, if ever."""

    link: Link
    last_decision: datetime | None


class LinkCare(Protocol):
    """Every link, and ending them from outside. What is written together with its audit row is one transaction."""

    async def everybody(self) -> Sequence[LinkLine]:
        """All links, whatever their state, by Slack user."""

    async def revoke(self, link: Link, act: Act) -> bool:
        """Drop the tokens; they must sign in again, and are told. False when there were none any more."""

    async def remove(self, link: Link, act: Act) -> bool:
        """The link is gone, a frozen one too. False when it was gone already."""
