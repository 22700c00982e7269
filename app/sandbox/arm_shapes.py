"""ARM's JSON for Azure requests, approvals, assignments and roles, quirks included. Pure."""

from __future__ import annotations

import uuid
from datetime import datetime

from app.sandbox.activations import ACTIVATE, Request
from app.sandbox.approvers import can_decide
from app.sandbox.arm_gate import AUTHORIZATION
from app.sandbox.people import Person
from app.sandbox.roles import Role
from app.sandbox.wire import Json, stamp
from app.sandbox.world import World

PREFIX = "Microsoft.Authorization"
NOBODY = "00000000-0000-0000-0000-000000000000"


def request_row(world: World, request: Request) -> Json:
    """A `roleAssignmentScheduleRequest`, with the oddities that real rows have.

    Times carry 0 to 7 fraction digits; words come in Pascal and in camel case; the expanded properties, and with
    them every readable name, are missing from some rows; the approval's id need not be the request's.
    """
    asked, now, scope = request.asked, world.now(), request.asked.scope.id
    digits = request.quirk % 8
    person = world.people[asked.requestor]
    properties = {
        "scope": scope,
        "roleDefinitionId": role_path(asked.role, scope),
        "principalId": person.oid,
        "principalType": "User",
        "requestType": _cased(request, asked.action),
        "status": request.status(now),
        "approvalId": _approval_path(request) if asked.action == ACTIVATE else None,
        "targetRoleAssignmentScheduleId": _path(scope, "roleAssignmentSchedules", request.id),
        "targetRoleAssignmentScheduleInstanceId": None,
        "linkedRoleEligibilityScheduleId": _derived(request, "eligibility"),
        "scheduleInfo": {
            "startDateTime": _start(request, now, digits),
            "expiration": {
                "type": _cased(request, "afterDuration"), "endDateTime": None, "duration": asked.duration,
            },
        },
        "justification": asked.justification,
        "ticketInfo": _ticket(request),
        "condition": None,
        "conditionVersion": None,
        "createdOn": stamp(request.created, digits),
        "requestorId": world.people[request.creator].oid,
    }  # fmt: skip
    named = {} if request.quirk % 5 == 1 else {"expandedProperties": _expanded(request, person)}
    return _resource(scope, "roleAssignmentScheduleRequests", request.id, properties | named)


def instance_row(world: World, request: Request, start: datetime, end: datetime) -> Json:
    """The `roleAssignmentScheduleInstance` that exists while an approved activation lasts."""
    asked, scope = request.asked, request.asked.scope.id
    person = world.people[asked.requestor]
    properties = {
        "scope": scope,
        "roleDefinitionId": role_path(asked.role, scope),
        "principalId": person.oid,
        "principalType": "User",
        "roleAssignmentScheduleId": _path(scope, "roleAssignmentSchedules", request.id),
        "originRoleAssignmentId": _path(scope, "roleAssignments", _derived(request, "assignment")),
        "status": "Provisioned",
        "startDateTime": stamp(start, request.quirk % 8),
        "endDateTime": stamp(end, request.quirk % 8),
        "linkedRoleEligibilityScheduleId": _derived(request, "eligibility"),
        "linkedRoleEligibilityScheduleInstanceId": _derived(request, "eligibility instance"),
        "assignmentType": "Activated",
        "memberType": "Direct",
        "condition": None,
        "conditionVersion": None,
        "createdOn": stamp(start, request.quirk % 8),
        "expandedProperties": _expanded(request, person),
    }
    return _resource(scope, "roleAssignmentScheduleInstances", _derived(request, "instance"), properties)


def approval_row(world: World, request: Request, viewer: Person) -> Json:
    """A `roleAssignmentApproval`; some rows still call its stages steps, as an older version did."""
    word = "steps" if request.quirk % 7 == 3 else "stages"  # noqa: PLR2004 - one row in seven
    properties = {word: [stage_row(world, request, viewer)]}
    return _resource("", "roleAssignmentApprovals", request.approval_id, properties)


def stage_row(world: World, request: Request, viewer: Person) -> Json:
    """The single stage as one caller sees it. Its name is not always what its id ends in; the id is what counts."""
    name = _derived(request, "stage") if request.quirk % 4 == 1 else request.step_id
    kind = "roleAssignmentApprovals"
    return {
        "id": f"{_path('', kind, request.approval_id)}/stages/{request.step_id}",
        "name": name,
        "type": f"{PREFIX}/{kind}/stages",
        "properties": _stage(world, request, viewer),
    }


def role_row(role: Role) -> Json:
    """A `roleDefinition`."""
    properties = {
        "roleName": role.name,
        "type": "BuiltInRole",
        "description": f"Built-in role {role.name}.",
        "assignableScopes": ["/"],
        "permissions": [{"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}],
    }
    return _resource("", "roleDefinitions", role.id, properties)


def role_path(role: Role, scope: str) -> str:
    """The full id of a role at a scope; roles are kept by subscription, or by the tenant above one."""
    parts = scope.split("/")
    kept_at = "/".join(parts[:3]) if parts[1].lower() == "subscriptions" else ""
    return _path(kept_at, "roleDefinitions", role.id)


def _stage(world: World, request: Request, viewer: Person) -> Json:
    row: Json = {
        "displayName": None,
        "status": "InProgress" if request.is_live(world.now()) else "Expired",
        "assignedToMe": can_decide(request, viewer.id),
        "reviewResult": "NotReviewed",
        "reviewedBy": _reviewer(None) if request.quirk % 5 == 0 else None,
        "reviewedDateTime": None,
        "justification": "",
    }
    review = request.review
    if review is None:
        return row
    short, long_word = {"approve": ("Approve", "Approved"), "deny": ("Deny", "Denied")}[review.verdict]
    return row | {
        "status": "Completed",
        "reviewResult": long_word if request.quirk % 2 else short,
        "reviewedBy": _reviewer(world.people[review.by]),
        "reviewedDateTime": stamp(review.at, 7),
        "justification": review.comment,
    }


def _reviewer(person: Person | None) -> Json:
    return {
        "principalId": person.oid if person else NOBODY,
        "principalType": "user",
        "principalName": person.name if person else None,
        "userPrincipalName": person.upn if person else None,
    }


def _expanded(request: Request, person: Person) -> Json:
    scope, role = request.asked.scope, request.asked.role
    return {
        "scope": {"id": scope.id, "displayName": scope.name, "type": scope.type},
        "roleDefinition": {"id": role_path(role, scope.id), "displayName": role.name, "type": "BuiltInRole"},
        "principal": {"id": person.oid, "displayName": person.name, "email": person.mail, "type": "User"},
    }


def _start(request: Request, now: datetime, digits: int) -> str | None:
    active = request.active(now)
    start = active[0] if active else request.asked.start
    if start:
        return stamp(start, digits)
    return None if request.quirk % 2 else stamp(request.created, digits)


def _ticket(request: Request) -> Json | None:
    ticket = request.asked.ticket
    if ticket is None:
        return None if request.quirk % 7 == 0 else {"ticketNumber": None, "ticketSystem": None}
    return {"ticketNumber": ticket.number, "ticketSystem": ticket.system}


def _cased(request: Request, word: str) -> str:
    return word if request.quirk % 3 == 0 else word[0].upper() + word[1:]


def _approval_path(request: Request) -> str:
    kind = "RoleAssignmentApprovals" if request.quirk % 2 else "roleAssignmentApprovals"
    return _path("", kind, request.approval_id)


def _derived(request: Request, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{request.id} {what}"))


def _path(scope: str, kind: str, name: str) -> str:
    return f"{scope}{AUTHORIZATION}/{kind}/{name}"


def _resource(scope: str, kind: str, name: str, properties: Json) -> Json:
    return {"id": _path(scope, kind, name), "name": name, "type": f"{PREFIX}/{kind}", "properties": properties}
