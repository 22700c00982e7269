"""What Microsoft's audit log tells of a request: what happened, when, and through whom. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.request import Person


class What(StrEnum):
    """What can happen to a request, from being asked for to the end of the role."""

    ASKED = "asked"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed out"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"  # ended early, by its holder or an administrator
    ENDED = "ended"  # its time was over


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, at an aware UTC time. `by` is None where Microsoft itself acted, or does not say.

    `comment` is what the approver wrote, for an approval or a denial; it is empty otherwise.
    """

    request_id: str
    what: What
    at: datetime
    by: Person | None = None
    comment: str = ""
