"""The activation request and the words around it, as frozen values. Nothing here knows JSON, Slack or a database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Microsoft ends every undecided request 24 hours after it was made; the window cannot be configured.
APPROVAL_WINDOW = timedelta(hours=24)


class Kind(StrEnum):
    """The desk a request waits at."""

    ENTRA = "entra"
    AZURE = "azure"
    GROUP = "group"


class Status(StrEnum):
    """What became of a request, in the product's words, and three of ours.

    DECIDING: a decision is on its way to Microsoft. FAILED: Microsoft did not carry it out. UNKNOWN: it ended, and
    nobody who is signed in may read how; it becomes one of the others as soon as somebody may.
    """

    PENDING = "pending"
    DECIDING = "deciding"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELED = "canceled"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def open(self) -> bool:
        """Whether somebody may still decide it."""
        return self in (Status.PENDING, Status.DECIDING)


class Verdict(StrEnum):
    """The two things an approver can say. The values are what Microsoft expects as `reviewResult`."""

    APPROVE = "Approve"
    DENY = "Deny"

    @property
    def status(self) -> Status:
        """The request's status once Microsoft accepted this verdict."""
        return Status.APPROVED if self is Verdict.APPROVE else Status.DENIED


class Where(StrEnum):
    """Where a decision was made. OUTSIDE: in the portal or by another program, as far as we can tell."""

    SLACK = "slack"
    API = "api"
    OUTSIDE = "portal"


@dataclass(frozen=True, slots=True)
class RequestKey:
    """One request, world-wide: its desk and Microsoft's GUID."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        """`entra/<guid>`, for logs."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Entra. `id` is the object id; the rest is for display and may be empty."""

    id: str
    name: str = ""
    upn: str = ""
    mail: str = ""

    @property
    def label(self) -> str:
        """The best name we have."""
        return self.name or self.upn or self.mail or self.id


@dataclass(frozen=True, slots=True)
class Role:
    """A role asked for. `built_in` and `privileged` are None when Microsoft did not say.

    `id` is a GUID, lower case; for a PIM group it is `member` or `owner`, and `privileged` says whether the group can
    hold directory roles. `path` is what ARM calls an Azure role definition; elsewhere it is empty.
    """

    id: str
    name: str = ""
    built_in: bool | None = None
    privileged: bool | None = None
    path: str = ""

    @property
    def label(self) -> str:
        """The best name we have."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Scope:
    """What the role reaches: `/` is the whole directory, an ARM path an Azure scope, a GUID a PIM group."""

    id: str
    name: str = ""

    @property
    def label(self) -> str:
        """The best name we have."""
        return self.name or ("Whole directory" if self.id == "/" else self.id)


def title_of(kind: Kind, role: Role, scope: Scope) -> str:
    """`Owner on Subscription Prod`, `Member of prod-db-admins`; a directory role by its name alone."""
    if kind is Kind.ENTRA:
        return role.label
    return f"{role.label} {'of' if kind is Kind.GROUP else 'on'} {scope.label}"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A reference into somebody's ticket system. Microsoft stores it and never checks it."""

    number: str = ""
    system: str = ""

    @property
    def given(self) -> bool:
        """Whether there is a number at all."""
        return bool(self.number.strip())


@dataclass(frozen=True, slots=True)
class ActivationRequest:
    """One activation request as Microsoft describes it, parsed once at the door.

    Times are aware UTC. `duration` is None when Microsoft gave none or one we cannot read; `duration_text` then
    carries its raw words. `action` and `native_status` stay Microsoft's own strings, in any letter case.
    `approval_id` is empty where the approval has the request's own id, as it has on Graph.
    """

    key: RequestKey
    native_status: str
    action: str
    requestor: Person
    created_by: str
    role: Role
    scope: Scope
    justification: str
    ticket: Ticket
    created: datetime
    start: datetime | None = None
    duration: timedelta | None = None
    duration_text: str = ""
    approval_id: str = ""

    @property
    def what(self) -> str:
        """`Owner on Subscription Prod`, `Member of prod-db-admins`; a directory role by its name alone."""
        return title_of(self.key.kind, self.role, self.scope)

    @property
    def expires(self) -> datetime:
        """When Microsoft ends it if nobody acts."""
        return self.created + APPROVAL_WINDOW

    @property
    def decidable(self) -> bool:
        """Whether it can be decided here: not an extension or renewal (portal only), and for a time we can read."""
        return self.action.casefold() == "selfactivate" and self.duration is not None

    @property
    def mortal(self) -> bool:
        """Whether it ends after 24 hours: extensions and renewals wait for an administrator without a limit we know."""
        return not self.action.casefold().endswith(("extend", "renew"))

    @property
    def digest(self) -> str:
        """SHA-256 over what an approver judges by: when it differs, a card shows something else than Microsoft."""
        facts = (
            self.key.kind.value,
            self.key.id.casefold(),
            self.action.casefold(),
            self.requestor.id.casefold(),
            self.created_by.casefold(),
            self.role.id.casefold(),
            self.scope.id.casefold(),
            self.start.isoformat() if self.start else "",
            self.duration.total_seconds() if self.duration is not None else self.duration_text,
            self.justification,
            self.ticket.number,
            self.ticket.system,
        )
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decided:
    """Who ended a request, when, where and why. `by` is empty when Microsoft does not let us read it."""

    at: datetime
    where: Where
    by: Person | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """When a role really is held, from Microsoft's schedule instance. No `end`: it does not say."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What PIM's role settings say, as far as somebody's token may read them; None means unknown, never guessed.

    `context` is the Conditional Access authentication context that activating demands, empty for none. `approvers` are
    the people who may approve, groups and managers spelled out; `by_default` is True where the list is empty and
    Microsoft lets its own administrators approve (Entra roles only), so that who may approve is not known.
    """

    comment_required: bool | None = None
    ticket_required: bool | None = None
    longest: timedelta | None = None
    justification_required: bool | None = None
    context: str | None = None
    approvers: tuple[Person, ...] | None = None
    by_default: bool = False

    @property
    def nobody(self) -> bool:
        """Whether it is known that nobody can approve: Azure resources and groups have no default approvers."""
        return self.approvers == () and not self.by_default
