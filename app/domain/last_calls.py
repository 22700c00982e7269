"""When a requestor is told that time runs out: before an undecided request dies, before an active role ends. Pure.

It judges no one else's reminders, and how it is said is not decided here.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from app.domain.fuse import LAST_CALL
from app.domain.lifecycle import Phase
from app.domain.request import Status
from app.domain.row import RequestRow


class LastCall(StrEnum):
    """What is about to be over. DYING: a request nobody decided; ENDING: an active role."""

    DYING = "dying"
    ENDING = "ending"


def last_call(row: RequestRow, now: datetime) -> LastCall | None:
    """What its requestor is to be told within the last 15 minutes; None: nothing yet, or nothing any more."""
    if row.status is Status.PENDING:
        last = row.request.mortal and row.request.expires - LAST_CALL <= now < row.request.expires
        return LastCall.DYING if last else None
    return LastCall.ENDING if row.status is Status.APPROVED and _ending(row, now) else None


def _ending(row: RequestRow, now: datetime) -> bool:
    """A role that is held for no longer than that is over soon from its first moment: that was just told."""
    since, until = row.holding.activated, row.holding.until
    if since is None or until is None or row.phase(now) is not Phase.ACTIVE or until - since <= LAST_CALL:
        return False
    return until - LAST_CALL <= now
