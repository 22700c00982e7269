"""Activation requests of the emulated Graph for directory roles, and the assignments they lead to. Decides nothing."""

from __future__ import annotations

from datetime import timedelta

from app.sandbox.activations import ACTIVATE, Request
from app.sandbox.graph_filter import Filter
from app.sandbox.graph_gate import GraphCall, GraphError, denied
from app.sandbox.graph_lists import cancel, equality, find_own, matching, of_caller, read_query, remove, target_schedule
from app.sandbox.graph_query import Expansions, page, presented
from app.sandbox.graph_shapes import pascal, principal_of, role_row, schedule_row, ticket_row
from app.sandbox.roles import READERS, ROLES
from app.sandbox.wire import Json, stamp
from app.sandbox.world import World

COLLECTION = "roleManagement/directory/roleAssignmentScheduleRequests"
FIELDS = equality(
    "status", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "createdBy", "id",
    "targetScheduleId",
)  # fmt: skip
INSTANCE_FIELDS = equality(
    "principalId", "roleDefinitionId", "directoryScopeId", "roleAssignmentScheduleId", "assignmentType"
)
REQUEST_TYPE = "unifiedRoleAssignmentScheduleRequest"
REQUEST = (
    "id", "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action", "principalId",
    "roleDefinitionId", "directoryScopeId", "appScopeId", "isValidationOnly", "targetScheduleId", "justification",
    "createdBy", "scheduleInfo", "ticketInfo",
)  # fmt: skip
INSTANCE = (
    "id", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "startDateTime", "endDateTime",
    "assignmentType", "memberType", "roleAssignmentOriginId", "roleAssignmentScheduleId",
)  # fmt: skip


def list_requests(call: GraphCall) -> Json:
    """Every request of the tenant, page by page, for an application or the holder of a reading directory role."""
    if call.person and call.person.id not in READERS:
        raise denied()
    found = list(matching(call.world, call.world.of_kind("entra"), _query(call)))
    shown, link = page(found, lambda request: request.id, call)
    return {"@odata.context": call.context(COLLECTION), "value": _requests(call, shown), **link}


def requests_of_caller(call: GraphCall) -> Json:
    """What waits for the caller as approver, or what the caller asked for; at most 50 rows, never a next page."""
    found = of_caller(call, "entra", _query(call), ("approver", "principal"))
    return {"@odata.context": call.context(f"Collection({REQUEST_TYPE})"), "value": _requests(call, found)}


def get_request(call: GraphCall) -> Json:
    """One request, for those it concerns."""
    row = _requests(call, [find_own(call, "entra")])[0]
    return {"@odata.context": call.context(f"{COLLECTION}/$entity"), **row}


def cancel_request(call: GraphCall) -> None:
    """Withdraw a request."""
    cancel(call, "entra")


def remove_held(call: GraphCall) -> Json:
    """Take away what somebody holds; the answer is a request of its own, which is done already."""
    request = remove(call, "entra", "roleDefinitionId", "directoryScopeId")
    row = request_row(call.world, request) | {"id": call.world.fresh_id(), "action": "adminRemove", "approvalId": None}
    return {"@odata.context": call.context(f"{COLLECTION}/$entity"), **row}


def list_instances(call: GraphCall) -> Json:
    """The role assignments that exist right now through approved requests; people without a reading role: their own."""
    asked = read_query(call, INSTANCE_FIELDS)
    if call.person and asked.demanded().get("principalId") != call.person.oid and call.person.id not in READERS:
        raise denied()
    rows = [row for request in call.world.of_kind("entra") for row in _instances_of(call.world, request)]
    shown, link = page([row for row in rows if asked.holds(row.get)], lambda row: str(row["id"]), call)
    return {
        "@odata.context": call.context("roleManagement/directory/roleAssignmentScheduleInstances"),
        "value": presented(call, shown, "unifiedRoleAssignmentScheduleInstance", INSTANCE, _EXPANSIONS),
        **link,
    }


def request_row(world: World, request: Request) -> Json:
    """A `unifiedRoleAssignmentScheduleRequest`, with the oddities that real rows have.

    While it waits its approval id, own id and target schedule id are one; `completedDateTime` is set although
    nothing is complete; the start may be null, the action in PascalCase, the fraction of 0 to 7 digits.
    """
    asked, digits = request.asked, (3, 7, 2, 0)[request.quirk % 4]
    creator = {"displayName": None, "id": world.people[request.creator].oid}
    return {
        "id": request.id,
        "status": request.status(world.now()),
        "createdDateTime": stamp(request.created, digits),
        "completedDateTime": stamp(request.created - timedelta(milliseconds=234), digits),
        "approvalId": request.approval_id if asked.action == ACTIVATE else None,
        "customData": None,
        "action": pascal(asked.action) if request.quirk % 3 == 0 else asked.action,
        "principalId": world.people[asked.requestor].oid,
        "roleDefinitionId": asked.role.id,
        "directoryScopeId": asked.scope.id,
        "appScopeId": None,
        "isValidationOnly": False,
        "targetScheduleId": target_schedule(request),
        "justification": asked.justification,
        "createdBy": {"application": None, "device": None, "user": creator},
        "scheduleInfo": schedule_row(request, world.now(), digits),
        "ticketInfo": ticket_row(request),
    }


def _query(call: GraphCall) -> Filter:
    asked = read_query(call, FIELDS)
    if call.person is None and any(clause.field == "status" for clause in asked.clauses()):
        # Documented as filterable, yet refused to applications: seen in a live tenant.
        raise GraphError(400, "InvalidFilter", f"The {call.query['$filter']} filter is invalid.")
    return asked


def _requests(call: GraphCall, requests: list[Request]) -> list[Json]:
    rows = [request_row(call.world, request) for request in requests]
    return presented(call, rows, REQUEST_TYPE, REQUEST, _EXPANSIONS)


def _instances_of(world: World, request: Request) -> list[Json]:
    """The `unifiedRoleAssignmentScheduleInstance` that exists while an approved activation lasts."""
    active, asked = request.active(world.now()), request.asked
    if active is None:
        return []
    return [
        {
            "id": f"{request.id}-1",
            "principalId": world.people[asked.requestor].oid,
            "roleDefinitionId": asked.role.id,
            "directoryScopeId": asked.scope.id,
            "appScopeId": None,
            "startDateTime": stamp(active[0]),
            "endDateTime": stamp(active[1]),
            "assignmentType": "Activated",
            "memberType": "Direct",
            "roleAssignmentOriginId": request.id,
            "roleAssignmentScheduleId": target_schedule(request),
        }
    ]


_EXPANSIONS: Expansions = {
    "principal": lambda call, row: principal_of(call.world, row),
    "roleDefinition": lambda call, row: role_row(ROLES[row["roleDefinitionId"]], call.version),
}
