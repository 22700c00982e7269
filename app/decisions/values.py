"""What goes into the decision pipeline and what comes out of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.errors import BotError, ClaimsChallenge, DeviceDemanded, SignInRequired
from app.domain.request import RequestKey, Verdict, Where
from app.domain.row import RequestRow
from app.domain.ruling import Approver, Refused, Why
from app.ports import Intent, Link, LinkState, TokenSource, WaitingDecision


@dataclass(frozen=True, slots=True)
class Press:
    """A press on a card, as far as it is believed: who, where, and the opaque token of what was pressed."""

    team: str
    user: str
    channel: str
    ts: str
    token: str


@dataclass(frozen=True, slots=True)
class Click(Press):
    """A press on Approve or Deny."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted modal: who, the modal's own token, and what was written."""

    team: str
    user: str
    modal: str
    comment: str
    view_id: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What a decision modal shows."""

    row: RequestRow
    verdict: Verdict
    modal: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to decide, and the digest of what they were shown.

    `oid` and `asked_at` are set when it waited for a sign-in: who must have made it, and since when.
    """

    team: str
    user: str
    key: RequestKey
    verdict: Verdict
    comment: str
    digest: str
    view_id: str = ""
    oid: str = ""
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A wish with who has it, the request it is about, and what will be said to Microsoft."""

    wish: Wish
    row: RequestRow
    link: Link
    approver: Approver
    justification: str


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who decides: the human with all their accounts, the tenant, their token at Microsoft, and where they do it."""

    approver: Approver
    tenant: str
    token: TokenSource
    where: Where


@dataclass(frozen=True, slots=True)
class Claimed:
    """A case whose request is claimed: the intent may be sent."""

    case: Case
    intent: Intent


@dataclass(frozen=True, slots=True)
class Verify:
    """A newer sign-in is needed first; the decision waits. `claims`: what Microsoft wants proven, empty if nothing."""

    row: RequestRow
    waiting: WaitingDecision
    why: str
    claims: str = ""


@dataclass(frozen=True, slots=True)
class Unproven:
    """Microsoft did not take the decision: it wants the person to sign in again. The claim is released."""

    refused: Refused
    claims: str


@dataclass(frozen=True, slots=True)
class Done:
    """Microsoft accepted this person's decision."""

    row: RequestRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """It was sent and Microsoft has not shown what became of it; the read-back goes on."""

    row: RequestRow


NOT_LINKED = Refused(
    Why.NOT_LINKED, "Sign in with Microsoft first, so that the decision is made by you. Nothing was changed."
)
SIGN_IN_AGAIN = Refused(Why.SIGN_IN_AGAIN, "Your Microsoft session is over. Nothing was changed; sign in again.")
FROZEN = Refused(
    Why.FROZEN,
    "You said that a sign-in here was not you, so your link to Microsoft is frozen. Nothing was changed. Once your "
    "administrators have looked at it, /pim sign-in brings you back.",
)
NOT_COMPARED = Refused(
    Why.UNAVAILABLE,
    "Slack does not say which account there is yours, so it cannot be ruled out that this is your own request. Nothing "
    "was changed; try again in a moment, sign in with /pim sign-in, or use the portal.",
)
NOT_MEMBER = Refused(Why.NOT_MEMBER, "Guests, bots and outside accounts cannot decide here. Nothing was changed.")
UNKNOWN_REQUEST = Refused(Why.UNKNOWN_CARD, "This does not belong to a request we know. Nothing was changed.")
CHANGED = Refused(Why.CHANGED, "The request changed just now. Nothing was sent; look at it again.")
OUT_OF_DATE = Refused(Why.CHANGED, "This card is out of date and will be redrawn. Nothing was changed; look again.")


def usable(link: Link | None) -> Link | Refused:
    """The link, if decisions can be made with it."""
    found = known(link)
    if isinstance(found, Refused):
        return found
    return found if found.state is LinkState.ACTIVE else SIGN_IN_AGAIN


def known(link: Link | None) -> Link | Refused:
    """The link, if it says who this is: also of somebody who must sign in again, but of nobody who is frozen."""
    if link is None:
        return NOT_LINKED
    return FROZEN if link.state is LinkState.FROZEN else link


def unproven(demand: SignInRequired) -> Unproven:
    """What Microsoft wants before it takes a decision of this person; nothing of it was taken."""
    return Unproven(not_sent(demand), demand.claims if isinstance(demand, ClaimsChallenge) else "")


def not_sent(failure: BotError) -> Refused:
    """The failure of a step before or at sending, when it is certain that Microsoft took nothing."""
    if isinstance(failure, ClaimsChallenge):
        return Refused(Why.SIGN_IN_AGAIN, f"{failure} Nothing was changed; sign in again, then decide.")
    if isinstance(failure, SignInRequired):
        return SIGN_IN_AGAIN
    if isinstance(failure, DeviceDemanded):
        return Refused(Why.MANAGED_DEVICE, f"{failure} Nothing was changed.")
    if failure.retryable:
        return Refused(Why.UNAVAILABLE, f"{failure} Nothing was changed; try again in a moment, or use the portal.")
    return Refused(Why.REFUSED, f"{failure} Nothing was changed.")
