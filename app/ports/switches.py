"""Port to what an operator turns on and off. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

PAUSE = "pause"  # on: nothing is decided here
PORTAL_ONLY = "portal_only"  # its reason lists the roles of the policy file that are never decided here


@dataclass(frozen=True, slots=True)
class Switch:
    """What somebody turned on or off, why, and when. `by` is who, as the audit trail names them."""

    name: str
    on: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the channel's standing note says of a switch: `text` while it is on, `over` when it is off again."""

    channel: str
    text: str
    over: str


class Switches(Protocol):
    """The switches. Turning one is a single transaction: the switch, every open card behind, note, audit row."""

    async def state(self, name: str) -> Switch | None:
        """How it stands; None when nobody ever touched it, which means off."""

    async def turn(self, switch: Switch, announcement: Announcement | None) -> bool:
        """Set it; False when it stood so already, with the same reason, and nothing was changed."""
