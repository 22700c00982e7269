"""Microsoft's JSON for the world's people, roles and requests, quirks included. Pure: values in, dictionaries out."""

from __future__ import annotations

from datetime import datetime

from app.sandbox.activations import Request
from app.sandbox.approvers import can_decide
from app.sandbox.people import Person
from app.sandbox.roles import Role
from app.sandbox.wire import Json, stamp
from app.sandbox.world import World

NOBODY = "00000000-0000-0000-0000-000000000000"
USER_DEFAULT = (
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail",
    "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName",
)  # fmt: skip
USER_MORE = ("accountEnabled", "userType", "department")
ROLE_V1 = ("id", "description", "displayName", "isBuiltIn", "isEnabled", "templateId", "version", "resourceScopes")


def schedule_row(request: Request, now: datetime, digits: int) -> Json:
    """A `requestSchedule`; the start of what waits may be null."""
    return {
        "startDateTime": _start(request, now, digits),
        "recurrence": None,
        "expiration": {"type": "afterDuration", "endDateTime": None, "duration": request.asked.duration},
    }


def ticket_row(request: Request) -> Json | None:
    """A `ticketInfo`; without a ticket either its halves or the whole is null."""
    ticket = request.asked.ticket
    if ticket is None:
        return None if request.quirk % 7 == 0 else {"ticketNumber": None, "ticketSystem": None}
    return {"ticketNumber": ticket.number, "ticketSystem": ticket.system}


def pascal(word: str) -> str:
    """An enum's word as some answers spell it."""
    return word[0].upper() + word[1:]


def step_row(world: World, request: Request, viewer: Person | None) -> Json:
    """The single approval step (v1.0: stage) as one caller sees it: `assignedToMe` differs from caller to caller."""
    review = request.review
    row: Json = {
        "id": request.step_id,
        "displayName": None,
        "status": "InProgress",
        "assignedToMe": viewer is not None and can_decide(request, viewer.id),
        "reviewResult": "NotReviewed",
        "reviewedBy": reviewer_row(None) if request.quirk % 5 == 0 else None,
        "reviewedDateTime": None,
        "justification": "",
    }
    if review is not None:
        word = "Approve" if review.verdict == "approve" else "Deny"
        # Documents show the short word; some live answers carry the long one.
        long_word = {"Approve": "Approved", "Deny": "Denied"}[word]
        row |= {
            "status": "Completed",
            "reviewResult": long_word if request.quirk % 2 else word,
            "reviewedBy": reviewer_row(world.people[review.by]),
            "reviewedDateTime": stamp(review.at, 7),
            "justification": review.comment,
        }
    elif not request.is_live(world.now()):
        # The step of a stale row may even be closed, although nobody reviewed it.
        row["status"] = "Completed" if request.asked.is_stale and request.quirk % 2 else "Expired"
    return row


def reviewer_row(person: Person | None) -> Json:
    """Who reviewed; nobody is an all-zero GUID in some answers."""
    if person is None:
        return {"id": NOBODY, "displayName": None, "userPrincipalName": None, "mail": None}
    return {
        "id": person.oid,
        "displayName": person.name,
        "userPrincipalName": person.upn,
        "mail": person.mail,
    }


def user_row(person: Person) -> Json:
    """A `user` with every property that may be selected."""
    given, _, surname = person.name.partition(" ")
    return {
        "businessPhones": [],
        "displayName": person.name,
        "givenName": given,
        "id": person.oid,
        "jobTitle": person.role.capitalize(),
        "mail": person.mail,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": surname,
        "userPrincipalName": person.upn,
        "accountEnabled": True,
        "userType": person.kind.capitalize(),
        "department": None,
    }


def principal_row(person: Person) -> Json:
    """A person as `$expand=principal` shows them."""
    row = user_row(person)
    return {"@odata.type": "#microsoft.graph.user", **{name: row[name] for name in USER_DEFAULT}}


def principal_of(world: World, row: Json) -> Json | None:
    """Who the row is about, expanded; null for somebody who is gone."""
    person = world.person(row["principalId"])
    return principal_row(person) if person else None


def role_row(role: Role, version: str) -> Json:
    """A `unifiedRoleDefinition`; only beta knows `isPrivileged`."""
    row: Json = {
        "id": role.id,
        "description": f"Built-in role {role.name}.",
        "displayName": role.name,
        "isBuiltIn": True,
        "isEnabled": True,
        "templateId": role.id,
        "version": "1",
        "resourceScopes": ["/"],
    }
    return row | ({"isPrivileged": role.privileged} if version == "beta" else {})


def _start(request: Request, now: datetime, digits: int) -> str | None:
    active = request.active(now)
    if active:
        return stamp(active[0], digits)
    if request.asked.start:
        return stamp(request.asked.start, digits)
    return None if request.quirk % 2 else stamp(request.created, digits)
