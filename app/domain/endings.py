"""How a request ended, concluded from what Microsoft shows. Pure; what is not shown is said to be unknown."""

from __future__ import annotations

from datetime import datetime

from app.domain.request import ActivationRequest, Decided, Person, Status, Verdict, Where
from app.domain.ruling import Step


def reviewed(steps: tuple[Step, ...], at: datetime) -> tuple[Status, Decided] | None:
    """The decision the approval steps show, made outside as far as we know; None while nobody has reviewed."""
    for step in steps:
        if step.verdict is not None:
            comment = step.justification.strip()
            return step.verdict.status, Decided(step.reviewed_at or at, Where.OUTSIDE, step.reviewed_by, comment)
    return None


def conclude(
    request: ActivationRequest, native: Status | None, steps: tuple[Step, ...] | None, now: datetime
) -> tuple[Status, Decided] | None:
    """The end of a request from a single read: Microsoft's status, and the steps where somebody may read them.

    None: it has not ended. The steps know a decision before the request's own status does (replicas lag), and who
    made it; where the two contradict each other, nobody is named. No source names the status of a request that timed
    out, so one that failed, or was "denied" by nobody, at or after 24 hours counts as expired.
    """
    decision = reviewed(steps or (), now)
    if decision is not None and native in (None, decision[0]):
        return decision
    overdue = request.mortal and now >= request.expires
    if native is Status.EXPIRED or (overdue and decision is None and _by_nobody(native, steps)):
        return expired(request)
    if native is None:
        return None
    by = request.requestor if native is Status.CANCELED else None
    return native, Decided(now, Where.OUTSIDE, by)


def _by_nobody(native: Status | None, steps: tuple[Step, ...] | None) -> bool:
    """Whether a status that nobody's decision explains may stand for a time-out. Unread steps explain no denial."""
    return native in (None, Status.FAILED) or (native is Status.DENIED and steps is not None)


def nameless(ending: tuple[Status, Decided]) -> bool:
    """Somebody decided, and it does not show who: it may soon, since replicas lag."""
    status, decided = ending
    return status in (Status.APPROVED, Status.DENIED) and decided.by is None


def expired(request: ActivationRequest) -> tuple[Status, Decided]:
    """Nobody acted in time: Microsoft ended it 24 hours after it was made."""
    return Status.EXPIRED, Decided(request.expires, Where.OUTSIDE)


def whose(steps: tuple[Step, ...], step_id: str, approver: Person, verdict: Verdict) -> bool | None:
    """Whose decision the steps show after one was sent: mine (True), another's (False), nobody's yet (None)."""
    for step in steps:
        if step.id == step_id and step.verdict is not None:
            by_me = step.reviewed_by is not None and step.reviewed_by.id == approver.id
            return by_me and step.verdict is verdict
    return None
