"""Who may decide, whether it is still what the card showed, and who may see what. Pure: facts in, a value out.

Microsoft stays the judge; these rules only ever narrow what it would allow, and say why in words for one person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.policy import Policy
from app.domain.request import ActivationRequest, Decided, Person, Status, Verdict, Where
from app.domain.row import RequestRow

NO_STEP_OPEN = "Microsoft lists this request as pending, but no approval step is open: nobody can decide it."
# Microsoft demands a justification by default, so one is always sent.
DEFAULT_COMMENTS = {Where.SLACK: "Approved in Slack", Where.API: "Approved through the API"}
EXTENSION = "Extensions and renewals can only be decided in the portal."
COMMENT_LIMIT = 500  # characters; PIM's own form stops there


class Why(StrEnum):
    """Why not. The values are the REST API's problem codes where it has one."""

    NOT_LINKED = "sign_in_required"
    SIGN_IN_AGAIN = "sign_in_again"
    FROZEN = "frozen"
    MANAGED_DEVICE = "managed_device"
    OWN_REQUEST = "own_request"
    NOT_REQUESTOR = "not_requestor"
    NOT_APPROVER = "not_approver"
    NOT_MEMBER = "not_member"
    ALREADY_DECIDED = "already_decided"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    CHANGED = "changed"
    COMMENT_MISSING = "comment_missing"
    PORTAL_ONLY = "portal_only"
    PAUSED = "paused"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    UNKNOWN_CARD = "unknown_card"
    NO_STEP = "no_step"


@dataclass(frozen=True, slots=True)
class Refused:
    """An expected no: why, and one or two sentences for the person who asked."""

    why: Why
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One approval step as Microsoft shows it to one caller. `assigned_to_me` is about that caller."""

    id: str
    status: str
    result: str
    assigned_to_me: bool
    reviewed_by: Person | None = None
    reviewed_at: datetime | None = None
    justification: str = ""

    @property
    def open(self) -> bool:
        """Whether somebody can decide it now: in progress and not reviewed."""
        return self.status.casefold() == "inprogress" and self.result.casefold() == "notreviewed"

    @property
    def live(self) -> bool:
        """Whether this very caller can."""
        return self.open and self.assigned_to_me

    @property
    def verdict(self) -> Verdict | None:
        """What was decided, if anything. Microsoft writes both `Approve` and `Approved`, `Deny` and `Denied`."""
        word = self.result.casefold()
        if word.startswith("approve"):
            return Verdict.APPROVE
        return Verdict.DENY if word in ("deny", "denied") else None


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody who wants to decide, with all we know of who they are.

    `kin` are the object ids, and `kin_slack` the Slack accounts, that links of today and before tie to this person.
    """

    person: Person
    slack_user: str = ""
    kin: frozenset[str] = frozenset()
    kin_slack: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who wants to read: object id (None: not signed in), channels they are in, auditor by Entra role."""

    oid: str | None = None
    channels: frozenset[str] = frozenset()
    auditor: bool = False


def may_see(viewer: Viewer, row: RequestRow) -> bool:
    """Whether this person may read this request."""
    if viewer.auditor or viewer.channels & row.channels:
        return True
    return bool(viewer.oid) and viewer.oid in _involved(row)


def rule_row(row: RequestRow, approver: Approver, now: datetime, policy: Policy = Policy()) -> Refused | None:
    """What our own memory already forbids, before anybody asks Microsoft. None: nothing speaks against it."""
    own = own_request(row, approver, policy)
    if own is not None:
        return own
    faster = taken(row)
    if faster is not None:
        return faster
    if row.request.mortal and now >= row.request.expires:
        return Refused(Why.EXPIRED, f"This request expired unanswered; the requestor must ask again. {_UNCHANGED}")
    closed = portal_only(row, policy)
    if closed:
        return Refused(Why.PAUSED if row.paused else Why.PORTAL_ONLY, f"{closed} {_UNCHANGED}")
    return None


def own_request(row: RequestRow, approver: Approver, policy: Policy = Policy()) -> Refused | None:
    """Nobody approves what they, or an account of theirs, asked for. None: nothing says that this is such a request.

    To judge a fresh read as well, put it into the row.
    """
    own = _own_request(row, approver, policy)
    return Refused(Why.OWN_REQUEST, f"{own} {_UNCHANGED}") if own else None


def portal_only(row: RequestRow, policy: Policy) -> str:
    """Why this request is decided in the portal and not here right now, as a sentence; empty when it can be here."""
    if row.paused:
        return f"Decisions in Slack are paused ({row.paused}); decide it in the portal."
    if not row.request.mortal:
        return EXTENSION
    if not row.request.decidable:
        return "A request of this kind can only be decided in the portal."
    if row.stale:
        return NO_STEP_OPEN
    if row.nobody_approves:
        return "Nobody can approve this: PIM's settings name no approver. Change them, then the requestor asks again."
    if row.request.role.id.casefold() in policy.portal_only:
        return "Your company decides this role in the portal only."
    return ""


def rule(fresh: ActivationRequest, steps: tuple[Step, ...], shown: str, now: datetime) -> Step | Refused:
    """The one live step to decide, or why not, from a fresh read under the approver's own token.

    `shown` is the digest of what the modal displayed; anything else than that is not what the person agreed to.
    """
    if fresh.native_status.casefold() != "pendingapproval":
        return Refused(Why.ALREADY_DECIDED, f"This request is no longer pending in Microsoft. {_UNCHANGED}")
    if now >= fresh.expires:
        return Refused(Why.EXPIRED, f"This request expired unanswered; the requestor must ask again. {_UNCHANGED}")
    if shown != fresh.digest:
        return Refused(
            Why.CHANGED,
            "The request changed since you opened it. Nothing was sent; read the new card and decide again.",
        )
    if steps and not any(step.open for step in steps):
        return Refused(Why.NO_STEP, f"{NO_STEP_OPEN} {_UNCHANGED}")
    live = [step for step in steps if step.live]
    if len(live) != 1:
        return Refused(Why.NOT_APPROVER, f"Microsoft does not list you as an approver of this request. {_UNCHANGED}")
    return live[0]


def justify(row: RequestRow, verdict: Verdict, comment: str, where: Where = Where.SLACK) -> str | Refused:
    """What is sent as justification: the comment, or our own words where a comment is optional."""
    said = comment.strip()[:COMMENT_LIMIT]
    if verdict is Verdict.DENY:
        return said or Refused(Why.COMMENT_MISSING, "Say why you deny: the requestor is told your reason.")
    if len(said) >= row.shortest_comment:
        return said or DEFAULT_COMMENTS[where]
    if row.shortest_comment > 1:
        words = f"Say why you approve, in {row.shortest_comment} characters or more: this role can do everything."
        return Refused(Why.COMMENT_MISSING, words)
    return Refused(Why.COMMENT_MISSING, "Say why you approve: this role asks for a comment.")


def taken(row: RequestRow) -> Refused | None:
    """Somebody was faster: is deciding it right now, or it has ended. None: nobody was."""
    if row.status is Status.DECIDING and row.deciding is not None:
        return Refused(Why.CLAIMED, f"{row.deciding.label} is deciding this request right now. {_UNCHANGED}")
    return None if row.status.open else already_decided(row)


def already_decided(row: RequestRow) -> Refused:
    """Who was first, in a sentence."""
    why = Why.EXPIRED if row.status is Status.EXPIRED else Why.ALREADY_DECIDED
    return Refused(why, f"{_ended(row.status, row.decided)} {_UNCHANGED}")


def _own_request(row: RequestRow, approver: Approver, policy: Policy) -> str:
    """How this is the approver's own request, as a sentence; empty when nothing says so. Any doubt counts as yes."""
    requestor, me = row.request.requestor, approver.person
    made_with = requestor.upn or requestor.label
    asked_by = {requestor.id.casefold(), row.request.created_by.casefold()}
    if me.id.casefold() == requestor.id.casefold():
        return "This is your own request; nobody approves their own."
    if me.id.casefold() in asked_by:
        return f"This is your own request, made for {requestor.label}; nobody approves what they asked for."
    if policy.aliases.same_human(me, requestor):
        return f"This is your own request, made with {made_with}; nobody approves their own."
    if approver.slack_user and approver.slack_user == row.match.slack_user:
        return f"This is your own request: {made_with} belongs to your Slack account; nobody approves their own."
    if row.match.slack_user and row.match.slack_user in approver.kin_slack:
        return f"This may be your own request: {made_with} belongs to a Slack account once linked to yours."
    if asked_by & {oid.casefold() for oid in approver.kin}:
        return "This may be your own request: it was made with an account once linked to your Slack account."
    return ""


def _ended(status: Status, decided: Decided | None) -> str:
    who = decided.by.label if decided is not None and decided.by is not None else "Somebody"
    return {
        Status.APPROVED: f"{who} already approved this request.",
        Status.DENIED: f"{who} already denied this request.",
        Status.CANCELED: "The requestor withdrew this request.",
        Status.EXPIRED: "This request expired unanswered; the requestor must ask again.",
        Status.UNKNOWN: "This request has ended; nobody who is signed in here may read how.",
    }.get(status, "This request has already ended.")


def _involved(row: RequestRow) -> frozenset[str]:
    decider = {row.decided.by.id} if row.decided is not None and row.decided.by is not None else set()
    return row.approvers | {row.request.requestor.id, row.request.created_by} | decider


_UNCHANGED = "Nothing was changed."
