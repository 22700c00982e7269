"""Port to what history covers: since when each desk was looked at, and when nobody looked. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.request import Kind


@dataclass(frozen=True, slots=True)
class Gap:
    """From and until when nobody saw what a desk listed: what came and went between is missing."""

    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Coverage:
    """Since when everything a desk listed was seen, but for the gaps."""

    kind: Kind
    since: datetime
    gaps: tuple[Gap, ...] = ()


class Sights(Protocol):
    """When each desk was seen whole."""

    async def seen(self, kind: Kind, now: datetime) -> None:
        """Everything this desk lists was seen just now. Ten minutes or more since the last time are a gap."""

    async def filled(self, kind: Kind, since: datetime, now: datetime) -> None:
        """What was asked since then has been read from Microsoft: the gaps that began later are closed."""

    async def out(self, kind: Kind, now: datetime) -> None:
        """From now on this desk does not answer; what began earlier stays."""

    async def out_since(self, kind: Kind) -> datetime | None:
        """Since when it does not answer; None: it does, as far as we know."""

    async def back(self, kind: Kind) -> None:
        """It answers again."""

    async def last_seen(self) -> Mapping[Kind, datetime]:
        """When each desk was last seen whole, to the minute."""

    async def coverage(self) -> Sequence[Coverage]:
        """Of every desk that was ever seen."""
