"""Taking a role away again after a mis-click: what speaks against it, and who can where one may not. Pure.

Microsoft stays the judge of who may; these rules only ever narrow that.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.domain.errors import GraphRefused, RequestGone
from app.domain.lifecycle import Phase
from app.domain.policy import Policy
from app.domain.request import ActivationRequest, Kind, Status
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why

DOUBTFUL_FOR = timedelta(minutes=5)  # longer than replicas lag: what is still held then, no earlier call took away
NOT_HELD = Refused(
    Why.EXPIRED, "Microsoft does not show this role as held any more. Nothing was sent; the card will say how it ended."
)
ON_ITS_WAY = Refused(
    Why.CLAIMED,
    "Somebody has sent this to Microsoft a moment ago. Nothing more was sent; the card will show what became of it. If "
    "the role is still held in five minutes, press again.",
)
REFUSED_BEFORE = Refused(
    Why.REFUSED,
    "Microsoft refused this to you less than five minutes ago. Nothing was sent and nobody was told again; if you have "
    "the right now, press again later, or take the role away in the portal.",
)
NOT_THE_SAME = Refused(
    Why.CHANGED,
    "What is stored of this request is not what Microsoft shows: another person, role or scope. Nothing was sent; tell "
    "your administrators.",
)
NOT_ARRIVED = (
    "Microsoft still shows the role as held, so your removal did not arrive. Nothing was changed; press Remove access "
    "again, or use the portal."
)
GONE_SINCE = (
    "The role is not held any more. Microsoft never answered, so it is not known whether you took it away, somebody "
    "else did, or its time was over; whoever held it was not told your name."
)
_WHO_CAN = {
    Kind.ENTRA: "A Privileged Role Administrator can take it away",
    Kind.AZURE: "An Owner or User Access Administrator of the scope can take it away",
    Kind.GROUP: "An owner of the group or a Privileged Role Administrator can take it away",
}
_NOTHING_HELD = "RoleAssignmentDoesNotExist"  # Microsoft's own code, on every desk


def not_removable(row: RequestRow, now: datetime, policy: Policy) -> Refused | None:
    """What our own memory says against taking it away here. None: nothing does."""
    if row.status is not Status.APPROVED or row.phase(now) is not Phase.ACTIVE:
        return NOT_HELD
    if row.removed is not None:
        return ON_ITS_WAY
    if row.paused:
        words = f"Decisions in Slack are paused ({row.paused}). Nothing was changed; take the role away in the portal."
        return Refused(Why.PAUSED, words)
    if row.request.role.id.casefold() in policy.portal_only:
        words = "Your company handles this role in the portal only. Nothing was changed; take it away there."
        return Refused(Why.PORTAL_ONLY, words)
    return None


def same_access(ours: ActivationRequest, theirs: ActivationRequest) -> bool:
    """Whether both are about one request, person, role and scope: by the last three Microsoft takes away."""
    return _access(ours) == _access(theirs)


def _access(request: ActivationRequest) -> tuple[str, ...]:
    facts = (request.key.id, request.requestor.id, request.role.id, request.scope.id)
    return (request.key.kind, *(fact.casefold() for fact in facts))


def nothing_held(refused: GraphRefused) -> bool:
    """Whether Microsoft refused because there is nothing to take away (any more)."""
    return isinstance(refused, RequestGone) or refused.code == _NOTHING_HELD


def may_not(kind: Kind, refused: GraphRefused, *, others_told: bool) -> Refused:
    """Microsoft did not let this person: who can, and whether they know."""
    told = ", and those whom your company names for this were told" if others_told else ""
    return Refused(Why.REFUSED, f"{refused} The role is still held. {_WHO_CAN[kind]}{told}.")
