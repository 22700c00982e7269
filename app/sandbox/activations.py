"""One activation request as Microsoft keeps it, on any of the three desks, and what time makes of it.

Pure: no clock of its own, no HTTP, no storage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from app.sandbox.scopes import DIRECTORY, Scope

if TYPE_CHECKING:
    from app.sandbox.roles import Role

PENDING_FOR = timedelta(hours=24)
ACTIVATE = "selfActivate"
# An administrator decides on these, in the portal only.
FOR_ADMIN = ("selfExtend", "selfRenew", "adminExtend", "adminRenew")
Kind = Literal["entra", "azure", "group"]
Verdict = Literal["approve", "deny"]
How = Literal["deactivate", "revoke", "fail"]
Standing = Literal[
    "waiting", "for_admin", "expired", "withdrawn", "denied", "scheduled", "provisioned", "revoked", "failed",
    "admin_approved", "admin_denied",
]  # fmt: skip

_GRAPH: dict[Standing, str] = {
    "waiting": "PendingApproval",
    "for_admin": "PendingAdminDecision",
    # Nobody documents the word for a row that timed out; this is a candidate.
    "expired": "Failed",
    "withdrawn": "Canceled",
    "denied": "Denied",
    "scheduled": "Granted",
    "provisioned": "Provisioned",
    "revoked": "Revoked",
    "failed": "Failed",
    "admin_approved": "Provisioned",
    "admin_denied": "Denied",
}
_ARM = _GRAPH | {
    "expired": "TimedOut",
    "scheduled": "ScheduleCreated",
    "admin_approved": "AdminApproved",
    "admin_denied": "AdminDenied",
}
NATIVE: dict[Kind, dict[Standing, str]] = {"entra": _GRAPH, "azure": _ARM, "group": _GRAPH}

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
class Ending:
    """How an approved activation ended before its time, and when (UTC)."""

    how: How
    at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """What a requestor asks for, and oddities a test wants; people by short id.

    `age` is how long ago they asked; `created_by` who asked for them, None: themselves; `approvers` who may decide,
    None: as the policy says; a stale row is listed as pending although no approval step is live.
    """

    kind: Kind
    requestor: str
    role: Role
    scope: Scope = DIRECTORY
    duration: str = "PT2H"
    justification: str | None = None
    ticket: Ticket | None = None
    age: timedelta = timedelta(0)
    start: datetime | None = None
    action: str = ACTIVATE
    is_stale: bool = False
    created_by: str | None = None
    approvers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An expected no: a word for programs and a sentence for people."""

    why: Literal["unknown", "own", "not_approver", "decided", "closed"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Request:
    """An activation request; its status is not stored but follows from these facts and the time of day."""

    id: str
    approval_id: str
    step_id: str
    asked: Ask
    created: datetime
    review: Review | None = None
    canceled: datetime | None = None
    ending: Ending | None = None

    @property
    def quirk(self) -> int:
        """A number that picks which of Microsoft's spellings this row shows; the same for the row's whole life."""
        return int(self.id[:8], 16)

    @property
    def creator(self) -> str:
        """Short id of who made the request."""
        return self.asked.created_by or self.asked.requestor

    @property
    def expires(self) -> datetime:
        """When it dies if nobody decides: 24 h after it was made; Microsoft offers no setting for this."""
        return self.created + PENDING_FOR

    @property
    def has_approval(self) -> bool:
        """Whether an approval object exists for it: none for what an administrator decides, none once withdrawn."""
        return self.asked.action == ACTIVATE and self.canceled is None

    def status(self, now: datetime) -> str:
        """Microsoft's own status word on this desk."""
        return NATIVE[self.asked.kind][self.standing(now)]

    def standing(self, now: datetime) -> Standing:
        """Where it stands, in one word for all desks."""
        if self.canceled:
            return "withdrawn"
        if self.ending and self.ending.how != "deactivate":
            return "revoked" if self.ending.how == "revoke" else "failed"
        if self.review is None:
            return self._undecided(now)
        if self.asked.action != ACTIVATE:
            return "admin_approved" if self.review.verdict == "approve" else "admin_denied"
        if self.review.verdict == "deny":
            return "denied"
        return "provisioned" if self.window()[0] <= now else "scheduled"

    def is_live(self, now: datetime) -> bool:
        """Whether its approval step can still be decided."""
        return self.standing(now) == "waiting" and not self.asked.is_stale

    def active(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Start and end of the role assignment that exists right now, or None."""
        if self.standing(now) != "provisioned":
            return None
        start, end = self.window()
        return (start, end) if now < end else None

    def window(self) -> tuple[datetime, datetime]:
        """Start and end of the activation that an approval leads to, counted from the approval or a later start."""
        approved = self.review.at if self.review else self.created
        start = max(approved, self.asked.start or approved)
        end = start + (parse_duration(self.asked.duration) or timedelta(0))
        return start, min(end, self.ending.at) if self.ending else end

    def as_of(self, moment: datetime) -> Request:
        """The request as it was known then: without the decision, withdrawal or ending that came later."""
        happened = {
            "review": self.review and self.review.at,
            "canceled": self.canceled,
            "ending": self.ending and self.ending.at,
        }
        later: dict[str, Any] = {name: None for name, at in happened.items() if at and at > moment}
        return replace(self, **later) if later else self

    def _undecided(self, now: datetime) -> Standing:
        # Nothing ends a stale row: some linger for days after the step behind them went.
        if now >= self.expires and not self.asked.is_stale:
            return "expired"
        return "waiting" if self.asked.action == ACTIVATE else "for_admin"


def parse_duration(text: str) -> timedelta | None:
    """Read an ISO 8601 duration of days, hours, minutes and seconds; None when it is not one or is empty."""
    found = _DURATION.fullmatch(text)
    if found is None or text == "P":
        return None
    return timedelta(**{unit: int(value) for unit, value in found.groupdict().items() if value})
