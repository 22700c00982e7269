"""Ports to Microsoft: desks and bearer tokens. No behaviour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.calls import Receipt
from app.domain.changes import Listing
from app.domain.chronicle import Event
from app.domain.request import ActivationRequest, Kind, PolicyFacts, Status, Term, Verdict
from app.domain.ruling import Step
from app.ports.links import Link


class TokenSource(Protocol):
    """Somebody's bearer token, whenever one is needed."""

    def __call__(self, claims: str = "") -> Awaitable[str]:
        """A token; with `claims`, for lack of which Microsoft refused the last one, a new one that has them.

        Nobody is asked for it: ClaimsChallenge when only the person can help. Else it raises what its maker says.
        """


class Resource(StrEnum):
    """Whose tokens a desk takes: a token for one is refused by the other."""

    GRAPH = "graph"
    ARM = "arm"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whose token may be tried to read a thing: their object id, empty for the bot itself."""

    who: str
    token: TokenSource


@dataclass(frozen=True, slots=True)
class Vote:
    """A decision as it goes out: on which step, what, in which words.

    `call`: our own name for the call, a GUID that Microsoft keeps beside its own; empty: none.
    """

    step: str
    verdict: Verdict
    justification: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """A role to be taken away from whoever holds it: in which words, and `call`, our own name for the call, a GUID."""

    reason: str
    call: str


class Desk(Protocol):
    """One kind of request at Microsoft. Every call takes the bearer token of whoever is asking, for its `resource`.

    What is asked about one request takes the request as we know it: some desks find it only by its scope. All raise
    Unavailable, Malformed, GraphRefused (RequestGone, AlreadyDecided), SignInRequired or ClaimsChallenge.
    """

    kind: Kind
    resource: Resource

    async def list_all(self, token: TokenSource) -> Listing:
        """Everything pending, with an application's token."""

    async def list_for(self, token: TokenSource) -> Listing:
        """What this person may approve: at most 50 rows, and no way to page."""

    async def list_ended(self, since: datetime, token: TokenSource) -> Listing:
        """What was asked since then and is not pending any more, as far as Microsoft still keeps it (about 30 days)."""

    async def fetch(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        """The request as it is now, whatever its status.

        Where the single read is refused (403), the caller's own listing is asked for this id instead.
        """

    async def steps(self, request: ActivationRequest, token: TokenSource) -> tuple[Step, ...]:
        """Its approval steps as this caller sees them."""

    async def decide(self, request: ActivationRequest, vote: Vote, token: TokenSource) -> Receipt:
        """Send one decision, once. OutcomeUnknown when no trustworthy answer came back.

        What Microsoft calls its answer is in the receipt, and in `request_id` of whatever is raised.
        """

    async def cancel(self, request: ActivationRequest, token: TokenSource) -> None:
        """Withdraw it, as the requestor. OutcomeUnknown when no trustworthy answer came back."""

    async def remove(self, request: ActivationRequest, removal: Removal, token: TokenSource) -> Receipt:
        """Take away what was asked for, as an administrator, once. OutcomeUnknown when no trustworthy answer came back.

        Microsoft finds it by person, role and scope, whichever request it came of: so look first that this one is held.
        """

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """What PIM's role settings demand; unknown facts stay None."""

    async def term(self, request: ActivationRequest, token: TokenSource) -> Term | None:
        """When the approved role really starts and ends, from the schedule instance; None: there is no instance now."""

    def ended(self, request: ActivationRequest) -> Status | None:
        """The product's status for Microsoft's native one; None while it is still pending or the word is unknown."""


class Accounts(Protocol):
    """Accounts in Entra."""

    async def enabled(self, oid: str) -> bool | None:
        """Whether this user's account is enabled; None: nobody's token may read it, or nobody can just now."""


class Chronicle(Protocol):
    """Microsoft's audit log: who did what, when. Rows come minutes late and are kept for about 30 days."""

    def since(self, since: datetime, token: TokenSource) -> AsyncIterator[Sequence[Event]]:
        """What happened to requests since then, page by page, the newest first. It takes its time: seconds a page.

        Raises Unavailable, Malformed, GraphRefused or SignInRequired; pages that came before stand.
        """


class Tokens(Protocol):
    """Bearer tokens for Microsoft's resources, all out of the same sign-in."""

    def application(self, resource: Resource = Resource.GRAPH) -> TokenSource:
        """The bot's own token, without any person."""

    def of(self, link: Link, resource: Resource = Resource.GRAPH) -> TokenSource:
        """A linked person's delegated token; raises SignInRequired when their session is over."""

    async def readers(self, resource: Resource = Resource.GRAPH) -> Sequence[Reader]:
        """Whose tokens may read a request or its approval: everybody signed in, then the bot itself."""
