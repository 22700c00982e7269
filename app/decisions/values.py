"""What goes into the decision pipeline and what comes out of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import BotError, ClaimsChallenge, SignInRequired
from app.domain.request import Verdict
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why
from app.ports import Link, LinkState


@dataclass(frozen=True, slots=True)
class Click:
    """A press on Approve or Deny, as far as it is believed: who, where, and the button's opaque token."""

    team: str
    user: str
    channel: str
    ts: str
    token: str
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
SIGN_IN_AGAIN = Refused(Why.SIGN_IN_AGAIN, "Your Microsoft sign-in is over. Nothing was changed; sign in again.")
UNKNOWN_REQUEST = Refused(Why.UNKNOWN_CARD, "This does not belong to a request we know. Nothing was changed.")
OUT_OF_DATE = Refused(Why.CHANGED, "This card is out of date and will be redrawn. Nothing was changed; look again.")


def usable(link: Link | None) -> Link | Refused:
    """The link, if decisions can be made with it."""
    if link is None:
        return NOT_LINKED
    return link if link.state is LinkState.ACTIVE else SIGN_IN_AGAIN


def not_sent(failure: BotError) -> Refused:
    """The failure of a step before or at sending, when it is certain that Microsoft took nothing."""
    if isinstance(failure, ClaimsChallenge):
        return Refused(Why.SIGN_IN_AGAIN, f"{failure} Nothing was changed; sign in again, then decide.")
    if isinstance(failure, SignInRequired):
        return SIGN_IN_AGAIN
    if failure.retryable:
        return Refused(Why.UNAVAILABLE, f"{failure} Nothing was changed; try again in a moment, or use the portal.")
    return Refused(Why.REFUSED, f"{failure} Nothing was changed.")
