"""One activation request as Microsoft keeps it, and what time makes of it.

Pure: no clock of its own, no HTTP, no storage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from app.sandbox.roles import Role

PENDING_FOR = timedelta(hours=24)
Verdict = Literal["approve", "deny"]

_DURATION = re.compile(
    r"P(?:(?P<days>\d{1,5})D)?(?:T(?=\d)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,5})S)?)?",
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A change ticket as the requestor typed it; either half may be missing."""

    number: str | None
    system: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """The one decision on a request: by whom (short id), which way, when (UTC)."""

    by: str
    verdict: Verdict
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """What a requestor asks for; `age` is how long ago they asked."""

    kind: str
    requestor: str
    role: Role
    scope: str = "/"
    duration: str = "PT2H"
    justification: str | None = None
    ticket: Ticket | None = None
    age: timedelta = timedelta(0)
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An expected no: a word for programs and a sentence for people."""

    why: Literal["unknown", "own", "not_approver", "decided", "closed"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Request:
    """An activation request; its status is not stored but follows from these facts and the time of day."""

    id: str
    step_id: str
    asked: Ask
    created: datetime
    review: Review | None = None
    canceled: datetime | None = None

    @property
    def quirk(self) -> int:
        """A number that picks which of Microsoft's spellings this row shows; the same for the row's whole life."""
        return int(self.id[:8], 16)

    @property
    def expires(self) -> datetime:
        """When it dies if nobody decides: 24 h after it was made; Microsoft offers no setting for this."""
        return self.created + PENDING_FOR

    def status(self, now: datetime) -> str:
        """Microsoft's own status word. For a timed-out row nobody documents it; `Failed` is a candidate."""
        if self.canceled:
            return "Canceled"
        if self.review is None:
            return "PendingApproval" if now < self.expires else "Failed"
        if self.review.verdict == "deny":
            return "Denied"
        return "Provisioned" if self._window()[0] <= now else "Granted"

    def active(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Start and end of the role assignment that exists right now, or None."""
        if self.status(now) != "Provisioned":
            return None
        start, end = self._window()
        return (start, end) if now < end else None

    def _window(self) -> tuple[datetime, datetime]:
        approved = self.review.at if self.review else self.created
        start = max(approved, self.asked.start or approved)
        return start, start + (parse_duration(self.asked.duration) or timedelta(0))


def parse_duration(text: str) -> timedelta | None:
    """Read an ISO 8601 duration of days, hours, minutes and seconds; None when it is not one or is empty."""
    found = _DURATION.fullmatch(text)
    if found is None or text == "P":
        return None
    return timedelta(**{unit: int(value) for unit, value in found.groupdict().items() if value})
