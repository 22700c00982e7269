"""What Entra's audit log keeps of one request: which events there were, when, and through whom. Pure.

Nothing is stored: the events follow from the request's own facts, as its status does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.sandbox.activations import ACTIVATE, Request
from app.sandbox.roles import ADMINISTRATORS

ADD, REMOVE, UPDATE = "Add member to role", "Remove member from role", "Update member in PIM"
ON, OFF = "(PIM activation)", "(PIM deactivate)"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a request; `actor` is a short id, None where PIM itself acted."""

    request: Request
    activity: str
    at: datetime
    actor: str | None
    reason: str | None = None
    result: str = "success"

    @property
    def operation(self) -> str:
        """The log's `operationType`."""
        return "DeactivateRole" if self.activity.startswith(REMOVE) else "ActivateRole"


def events_of(request: Request, now: datetime) -> Iterator[Event]:
    """What happened to a request until now, oldest first. A stale row leaves no trace beyond having been asked for."""
    known = request.as_of(now)
    told = _activation(known, now) if known.asked.action == ACTIVATE else _extension(known)
    return (event for event in told if event.at <= now)


def _activation(request: Request, now: datetime) -> Iterator[Event]:
    asked, review = request.asked, request.review
    yield Event(request, f"{ADD} requested {ON}", request.created, asked.requestor, asked.justification)
    yield Event(request, f"{ADD} approval requested {ON}", request.created, asked.requestor, asked.justification)
    if request.canceled:
        yield Event(request, f"{ADD} canceled {ON}", request.canceled, asked.requestor)
    elif review:
        word = "approved" if review.verdict == "approve" else "denied"
        yield Event(request, f"{ADD} request {word} {ON}", review.at, review.by, review.comment)
        yield from _use(request) if review.verdict == "approve" else ()
    elif request.standing(now) == "expired":
        yield Event(request, "PIM activation request expired", request.expires, None)


def _use(request: Request) -> Iterator[Event]:
    """From provisioning to the end; a scheduled role that is taken away was never active."""
    requestor, ending, (start, end) = request.asked.requestor, request.ending, request.window()
    if ending and ending.how == "fail":
        yield Event(request, f"{ADD} completed {ON}", ending.at, requestor, result="failure")
        return
    if ending is None or start <= ending.at:
        yield Event(request, f"{ADD} completed {ON}", start, requestor, request.asked.justification)
    if ending is None:
        yield Event(request, f"{REMOVE} (PIM activation expired)", end, None)
    elif ending.how == "deactivate":
        yield Event(request, f"{REMOVE} requested {OFF}", ending.at, requestor)
        yield Event(request, f"{REMOVE} completed {OFF}", ending.at, requestor)
    else:
        yield Event(request, f"{REMOVE} in PIM completed (timebound)", ending.at, ADMINISTRATORS[0])


def _extension(request: Request) -> Iterator[Event]:
    """Extend and renew: an administrator decides, and nobody documents the first row's exact words."""
    asked, review = request.asked, request.review
    word = "extend" if asked.action.endswith("Extend") else "renew"
    yield Event(request, f"{ADD} in PIM requested ({word})", request.created, request.creator, asked.justification)
    if request.canceled:
        yield Event(request, "Cancel request", request.canceled, request.creator)
    elif review:
        verdict = "approved" if review.verdict == "approve" else "denied"
        yield Event(request, f"{UPDATE} {verdict} by admin (extend/renew)", review.at, review.by, review.comment)
