"""Port to counting what is in our memory, for whoever watches the bot. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.domain.request import Kind, Status
from app.ports.links import LinkState

# How long ago a request was made, in hours: up to each of these, and longer.
AGES = (1, 6, 12, 18, 24)


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand. Open requests by desk, status and the first of AGES they are not older than (None: older).

    `seen`: when each desk was last seen whole, to the minute.
    """

    open: Mapping[tuple[Kind, Status, int | None], int] = field(default_factory=dict)
    unpainted: int = 0
    unsent: int = 0
    unsettled: int = 0
    links: Mapping[LinkState, int] = field(default_factory=dict)
    seen: Mapping[Kind, datetime] = field(default_factory=dict)


class FigureBook(Protocol):
    """Counts rows."""

    async def figures(self, now: datetime) -> Figures:
        """All of them, at one moment."""
