"""Ports to Microsoft: desks and bearer tokens. No behaviour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from app.domain.changes import Listing
from app.domain.request import ActivationRequest, Kind, PolicyFacts, Status, Verdict
from app.domain.ruling import Step
from app.ports.links import Link

TokenSource = Callable[[], Awaitable[str]]


class Desk(Protocol):
    """One kind of request at Microsoft. Every call takes the bearer token of whoever is asking.

    All raise Unavailable, Malformed, GraphRefused (RequestGone, AlreadyDecided), SignInRequired or ClaimsChallenge.
    """

    kind: Kind

    async def list_all(self, token: TokenSource) -> Listing:
        """Everything pending, with an application's token."""

    async def list_for(self, token: TokenSource) -> Listing:
        """What this person may approve: at most 50 rows, and no way to page."""

    async def fetch(self, request_id: str, token: TokenSource) -> ActivationRequest:
        """One request by id, whatever its status."""

    async def steps(self, request_id: str, token: TokenSource) -> tuple[Step, ...]:
        """Its approval steps as this caller sees them."""

    async def decide(
        self, request_id: str, step_id: str, verdict: Verdict, justification: str, token: TokenSource
    ) -> None:
        """Send one decision, once. OutcomeUnknown when no trustworthy answer came back."""

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """What PIM's role settings demand; unknown facts stay None."""

    def ended(self, request: ActivationRequest) -> Status | None:
        """The product's status for Microsoft's native one; None while it is still pending or the word is unknown."""


class Tokens(Protocol):
    """Bearer tokens for Microsoft Graph."""

    def application(self) -> TokenSource:
        """The bot's own token, without any person."""

    def of(self, link: Link) -> TokenSource:
        """A linked person's delegated token; raises SignInRequired when their session is over."""

    async def readers(self) -> Sequence[TokenSource]:
        """Tokens that may read a request or its approval, the likeliest first: active links, then the bot's own."""
