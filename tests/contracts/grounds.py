"""What is asked for at each desk in the contract: the role, the scope, and what PIM's settings say about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from app.domain.request import Kind, Person, PolicyFacts, Role, Scope
from app.ports import Resource

PROD = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
DB_ADMINS = "9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703"


@dataclass(frozen=True)
class Ground:
    """One desk's case. `limited`: a person's own list holds 50 rows; `over`: its word for a request that timed out."""

    kind: Kind
    role: Role
    scope: Scope
    longest: timedelta
    comment_required: bool = False
    resource: Resource = Resource.GRAPH
    limited: bool = True
    over: str = "Failed"

    def facts(self, approvers: Iterable[Person]) -> PolicyFacts:
        """What the settings say."""
        return PolicyFacts(
            comment_required=self.comment_required,
            ticket_required=False,
            longest=self.longest,
            justification_required=True,
            context="",
            approvers=tuple(approvers),
        )


ENTRA = Ground(
    Kind.ENTRA,
    Role("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader", built_in=True),
    Scope("/"),
    timedelta(hours=10),
)
AZURE = Ground(
    Kind.AZURE,
    Role(READER, "Reader", built_in=True, path=f"{PROD}/providers/Microsoft.Authorization/roleDefinitions/{READER}"),
    Scope(PROD, "Subscription Prod"),
    timedelta(hours=10),
    resource=Resource.ARM,
    limited=False,
    over="TimedOut",
)
GROUP = Ground(
    Kind.GROUP,
    Role("member", "Member", privileged=True),
    Scope(DB_ADMINS, "prod-db-admins"),
    timedelta(hours=8),
    comment_required=True,
)
EVERY = (ENTRA, AZURE, GROUP)
