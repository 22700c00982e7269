"""Microsoft's words for where a request stands, on all three desks, and what each means to us. Data; it asks nobody.

Sources: the enumerations of Graph's schedule requests and of ARM's `roleAssignmentScheduleRequests`. A word that is not
here is unknown: the request stays open as far as we know, shows the word as it is, and cannot be decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.request import ActivationRequest, Status

GRAPH = ("Entra", "groups")
ARM = ("Azure",)
EVERY = (*GRAPH, *ARM)


@dataclass(frozen=True, slots=True)
class State:
    """One of Microsoft's words: who uses it, our status for it (None: open), and why."""

    word: str
    desks: tuple[str, ...]
    status: Status | None
    why: str


STATES = (
    State("PendingApproval", EVERY, None, "waits for an approver; the only word under which anybody decides here"),
    State("PendingAdminDecision", EVERY, None, "an extension or renewal: an administrator decides it in the portal"),
    State("Accepted", ARM, None, "taken in; what follows is not decided yet"),
    State("PendingEvaluation", ARM, None, "the role's settings are being looked at"),
    State("PendingApprovalProvisioning", ARM, None, "its approval is being made"),
    State("Granted", EVERY, Status.APPROVED, "approved, starts later"),
    State("PendingProvisioning", EVERY, Status.APPROVED, "approved, being carried out"),
    State("PendingExternalProvisioning", ARM, Status.APPROVED, "approved, being carried out by another system"),
    State("PendingScheduleCreation", EVERY, Status.APPROVED, "approved, being scheduled"),
    State("ProvisioningStarted", ARM, Status.APPROVED, "approved, being carried out"),
    State("Provisioned", EVERY, Status.APPROVED, "approved; held now, or it was"),
    State("ScheduleCreated", EVERY, Status.APPROVED, "approved, starts later"),
    State("AdminApproved", ARM, Status.APPROVED, "an administrator granted the extension or renewal"),
    State("PendingRevocation", ARM, Status.APPROVED, "approved, and being taken away"),
    State("Revoked", EVERY, Status.APPROVED, "approved, and taken away later"),
    State("Denied", EVERY, Status.DENIED, "an approver said no"),
    State("AdminDenied", ARM, Status.DENIED, "an administrator refused the extension or renewal"),
    State("Canceled", EVERY, Status.CANCELED, "withdrawn"),
    State("TimedOut", ARM, Status.EXPIRED, "nobody decided within 24 hours; Graph has no word for it"),
    State("Failed", EVERY, Status.FAILED, "Microsoft could not carry it out; at Graph also a request that timed out"),
    State("FailedAsResourceIsLocked", ARM, Status.FAILED, "a lock on the resource forbids it"),
    State("Invalid", ARM, Status.FAILED, "Microsoft found it wrong"),
)
WAITING = frozenset({"pendingapproval", "pendingadmindecision"})  # what a listing shows
_ENDED = {state.word.casefold(): state.status for state in STATES} | {"cancelled": Status.CANCELED}


def ended(request: ActivationRequest) -> Status | None:
    """The product's status for Microsoft's word; None while it is open, or for a word we do not know."""
    return _ENDED.get(request.native_status.casefold())


def waits(request: ActivationRequest) -> bool:
    """Whether somebody has to decide it, here or in the portal. Microsoft may not have filtered, so we do."""
    return request.native_status.casefold() in WAITING
