"""Builders with defaults: a test names only what it is about."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from people import CHANNEL, TEAM, TENANT, ann, ben, rob, slack_of

from app.domain.lifecycle import Holding
from app.domain.pattern import PastRequest
from app.domain.request import (
    ActivationRequest,
    Decided,
    Kind,
    Person,
    PolicyFacts,
    RequestKey,
    Role,
    Scope,
    Status,
    Ticket,
    Verdict,
    Where,
)
from app.domain.risk import Level, Risk
from app.domain.row import RequestRow
from app.ports import APPROVE, READ, Caller, Intent, Link, LinkState, Modal, Notice, Seen

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
REPORTS_READER = Role("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader", built_in=True)
EXCHANGE = Role("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator", built_in=True)
JUDGED = Risk(Level.HIGH, ("Exchange Administrator: all mailboxes and mail; exfiltration risk",), fired=("role_high",))

_numbers = itertools.count(1)


def guid() -> str:
    """A GUID nobody had before."""
    return str(uuid.UUID(int=next(_numbers), version=4))


def a_key(kind: Kind = Kind.ENTRA) -> RequestKey:
    """A request nobody had before."""
    return RequestKey(kind, guid())


def a_request(**over: object) -> ActivationRequest:
    """Rob asks for Exchange Administrator for two hours, with a reason and a ticket, ten minutes ago."""
    facts: dict[str, Any] = {
        "key": a_key(),
        "native_status": "PendingApproval",
        "action": "selfActivate",
        "requestor": rob,
        "created_by": getattr(over.get("requestor", rob), "id", ""),
        "role": EXCHANGE,
        "scope": Scope("/"),
        "justification": "Restore the mailbox of a leaver, as asked in the ticket",
        "ticket": Ticket("CHG-4711", "ServiceNow"),
        "created": NOW - timedelta(minutes=10),
        "start": None,
        "duration": timedelta(hours=2),
        "duration_text": "PT2H",
        **over,
    }
    return ActivationRequest(**facts)


def known_as(id_: str, kind: Kind = Kind.ENTRA) -> ActivationRequest:
    """A request of ours with this id at Microsoft, whatever it is about."""
    return a_request(key=RequestKey(kind, id_))


def seen(request: ActivationRequest | None = None, *, approvers: Iterable[Person] = (), **over: object) -> Seen:
    """A request as a poll hands it to the store."""
    facts: dict[str, Any] = {
        "request": request if request is not None else a_request(),
        "risk": JUDGED,
        "policy": PolicyFacts(),
        "approvers": frozenset(person.id for person in approvers),
        **over,
    }
    return Seen(**facts)


def a_row(request: ActivationRequest | None = None, **over: object) -> RequestRow:
    """A pending request as the store gives it back, its card in the approvers channel."""
    facts: dict[str, Any] = {
        "request": request if request is not None else a_request(),
        "status": Status.PENDING,
        "risk": JUDGED,
        "version": 1,
        "channels": frozenset({CHANNEL}),
        **over,
    }
    return RequestRow(**facts)


def a_past(status: Status = Status.APPROVED, *, ago: timedelta = timedelta(days=3), **over: object) -> PastRequest:
    """An earlier request like `a_request()`, made so long ago and decided ten minutes later; approved: held since."""
    created = NOW - ago
    at = created + timedelta(minutes=10)
    facts: dict[str, Any] = {
        "key": a_key(),
        "role": EXCHANGE,
        "scope": Scope("/"),
        "created": created,
        "status": status,
        "duration": timedelta(hours=2),
        "holding": Holding(at if status is Status.APPROVED else None),
        "decided_at": None if status.open else at,
        "by": ben.name,
        "ticket": Ticket("CHG-4711", "ServiceNow"),
        "justification": "Restore the mailbox of a leaver, as asked in the ticket",
        **over,
    }
    return PastRequest(**facts)


def an_intent(request: ActivationRequest, approver: Person = ann, **over: object) -> Intent:
    """Ann wants to approve it."""
    facts: dict[str, Any] = {
        "id": guid(),
        "key": request.key,
        "step": guid(),
        "verdict": Verdict.APPROVE,
        "justification": "Approved in Slack",
        "digest": request.digest,
        "approver": approver,
        "tenant": TENANT,
        "slack_user": slack_of(approver),
        "where": Where.SLACK,
        "at": NOW,
        **over,
    }
    return Intent(**facts)


def decided(by: Person | None = ann, **over: object) -> Decided:
    """Ann, in Slack, just now."""
    facts: dict[str, Any] = {"at": NOW, "where": Where.SLACK, "by": by, "comment": "Looks right", **over}
    return Decided(**facts)


def a_link(person: Person = ann, **over: object) -> Link:
    """A live link of somebody's Slack and Entra accounts."""
    facts: dict[str, Any] = {
        "id": guid(),
        "team": TEAM,
        "slack_user": over.get("slack_user") or slack_of(person),
        "tenant": TENANT,
        "person": person,
        "state": LinkState.ACTIVE,
        "signed_in_at": NOW,
        "generation": 1,
        **over,
    }
    return Link(**facts)


def a_caller(person: Person = ann, **over: object) -> Caller:
    """Somebody calls the API with a token that says no more of them than it must."""
    facts: dict[str, Any] = {
        "tenant": TENANT,
        "person": Person(person.id),
        "scopes": frozenset({READ, APPROVE}),
        "auditor": False,
        "assertion": f"token of {person.id}",
        "expires": NOW + timedelta(hours=1),
        **over,
    }
    return Caller(**facts)


def a_modal(request: ActivationRequest, person: Person = ann, **over: object) -> Modal:
    """What Ann's open modal shows."""
    facts: dict[str, Any] = {
        "token": guid(),
        "key": request.key,
        "digest": request.digest,
        "verdict": Verdict.APPROVE,
        "team": TEAM,
        "user": slack_of(person),
        "channel": CHANNEL,
        "ts": "1700000000.000100",
        **over,
    }
    return Modal(**facts)


def a_notice(topic: str = "linked", **over: object) -> Notice:
    """A direct message owed to Ann."""
    facts: dict[str, Any] = {"id": guid(), "topic": topic, "to_slack": slack_of(ann), **over}
    return Notice(**facts)
