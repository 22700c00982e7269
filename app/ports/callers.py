"""Ports to who calls our HTTP API: what their token proves, and acting for them at Microsoft. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.domain.request import Person
from app.ports.microsoft import Resource, TokenSource

READ, APPROVE = "Requests.Read", "Requests.Approve"  # the scopes of our API
AUDIT = "PIM.Audit"  # the app role of auditors


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who called our API with a token that passed every check.

    `person` is as the token names them, for display; only the object id counts. `assertion` is the token itself, to be
    exchanged for one at Microsoft; it is good until `expires`.
    """

    tenant: str
    person: Person
    scopes: frozenset[str]
    auditor: bool
    assertion: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Stranger:
    """A bearer token that proves nobody here. `flaw` is the first check it failed, in our own words."""

    flaw: str


class Bearers(Protocol):
    """Who is behind a bearer token of our own API."""

    async def caller(self, token: str) -> Caller | Stranger:
        """Judge it; Unavailable when Microsoft's signing keys cannot be fetched."""


class OnBehalf(Protocol):
    """Acting for a caller at Microsoft (on-behalf-of). Never with anybody else's token."""

    def of(self, caller: Caller, resource: Resource = Resource.GRAPH) -> TokenSource:
        """Their delegated token; raises SignInRequired, ClaimsChallenge, DeviceDemanded, Unavailable or Malformed."""

    async def person(self, caller: Caller) -> Person:
        """Who Microsoft says they are: whoever asks for a token may leave the names out of it. Raises the same."""
