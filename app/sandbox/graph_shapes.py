"""Microsoft's JSON for the world's people, roles and requests, quirks included. Pure: values in, dictionaries out."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.sandbox.activations import ACTIVATE, Request
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
INSTANCE = (
    "id", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "startDateTime", "endDateTime",
    "assignmentType", "memberType", "roleAssignmentOriginId", "roleAssignmentScheduleId",
)  # fmt: skip
REQUEST = (
    "id", "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action", "principalId",
    "roleDefinitionId", "directoryScopeId", "appScopeId", "isValidationOnly", "targetScheduleId", "justification",
    "createdBy", "scheduleInfo", "ticketInfo",
)  # fmt: skip


def request_row(world: World, request: Request) -> Json:
    """A `unifiedRoleAssignmentScheduleRequest`, with the oddities that real rows have.

    While it waits its approval id, own id and target schedule id are one; `completedDateTime` is set although
    nothing is complete; the start may be null, the action in PascalCase, the fraction of 0 to 7 digits.
    """
    asked, now = request.asked, world.now()
    digits = (3, 7, 2, 0)[request.quirk % 4]
    principal, creator = world.people[asked.requestor].oid, world.people[request.creator].oid
    return {
        "id": request.id,
        "status": request.status(now),
        "createdDateTime": stamp(request.created, digits),
        "completedDateTime": stamp(request.created - timedelta(milliseconds=234), digits),
        "approvalId": request.approval_id if asked.action == ACTIVATE else None,
        "customData": None,
        "action": asked.action[0].upper() + asked.action[1:] if request.quirk % 3 == 0 else asked.action,
        "principalId": principal,
        "roleDefinitionId": asked.role.id,
        "directoryScopeId": asked.scope.id,
        "appScopeId": None,
        "isValidationOnly": False,
        "targetScheduleId": request.id,
        "justification": asked.justification,
        "createdBy": {"application": None, "device": None, "user": {"displayName": None, "id": creator}},
        "scheduleInfo": {
            "startDateTime": _start(request, now, digits),
            "recurrence": None,
            "expiration": {"type": "afterDuration", "endDateTime": None, "duration": asked.duration},
        },
        "ticketInfo": _ticket(request),
    }


def instance_row(world: World, request: Request, start: datetime, end: datetime) -> Json:
    """The `unifiedRoleAssignmentScheduleInstance` that exists while an approved activation lasts."""
    asked = request.asked
    return {
        "id": f"{request.id}-1",
        "principalId": world.people[asked.requestor].oid,
        "roleDefinitionId": asked.role.id,
        "directoryScopeId": asked.scope.id,
        "appScopeId": None,
        "startDateTime": stamp(start),
        "endDateTime": stamp(end),
        "assignmentType": "Activated",
        "memberType": "Direct",
        "roleAssignmentOriginId": request.id,
        "roleAssignmentScheduleId": request.id,
    }


def step_row(world: World, request: Request, viewer: Person | None) -> Json:
    """The single approval step as one caller sees it: `assignedToMe` differs from caller to caller."""
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
        row["status"] = "Expired"
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


def _ticket(request: Request) -> Json | None:
    ticket = request.asked.ticket
    if ticket is None:
        return None if request.quirk % 7 == 0 else {"ticketNumber": None, "ticketSystem": None}
    return {"ticketNumber": ticket.number, "ticketSystem": ticket.system}
