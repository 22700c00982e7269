"""Activation requests of the emulated Graph and the assignments they lead to: list, get, withdraw. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from app.sandbox.activations import Refused, Request
from app.sandbox.approvers import can_decide
from app.sandbox.graph_gate import GraphCall, GraphError, denied, not_found
from app.sandbox.graph_query import keep, meets, page, read_expand, read_filter, select
from app.sandbox.graph_shapes import (
    INSTANCE,
    REQUEST,
    instance_row,
    principal_row,
    request_row,
    role_row,
)
from app.sandbox.people import Person
from app.sandbox.roles import READERS, ROLES
from app.sandbox.wire import Json

COLLECTION = "roleManagement/directory/roleAssignmentScheduleRequests"
# The function `filterByCurrentUser` returns no more rows than this, and no link to a next page.
FUNCTION_ROWS = 50
FILTERABLE = (
    "status", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "createdBy", "id",
    "targetScheduleId",
)  # fmt: skip
INSTANCE_FILTERABLE = (
    "principalId",
    "roleDefinitionId",
    "directoryScopeId",
    "roleAssignmentScheduleId",
    "assignmentType",
)
EXPANDABLE = {"principal": "", "roleDefinition": ""}
REQUEST_TYPE = "unifiedRoleAssignmentScheduleRequest"


def list_requests(call: GraphCall) -> Json:
    """Every request of the tenant, page by page, for an application or the holder of a reading directory role."""
    if call.person and call.person.id not in READERS:
        raise denied()
    matching = list(_matching(call, call.world.of_kind("entra")))
    shown, link = page(matching, lambda request: request.id, call.query, _here(call))
    rows = [request_row(call.world, request) for request in shown]
    return {
        "@odata.context": call.context(COLLECTION),
        "value": _presented(call, rows, REQUEST_TYPE, REQUEST),
        **link,
    }


def requests_of_caller(call: GraphCall) -> Json:
    """What waits for the caller as approver, or what the caller asked for; at most 50 rows, never a next page."""
    person, on = call.caller(), call.ids["on"]
    if on not in {"approver", "principal"}:
        raise GraphError(400, "BadRequest", f"The value '{on}' of the parameter 'on' is not supported.")
    mine = (
        request
        for request in call.world.of_kind("entra")
        if (can_decide(request, person.id) if on == "approver" else request.asked.requestor == person.id)
    )
    rows = [request_row(call.world, request) for request in islice(_matching(call, mine), FUNCTION_ROWS)]
    return {
        "@odata.context": call.context(f"Collection({REQUEST_TYPE})"),
        "value": _presented(call, rows, REQUEST_TYPE, REQUEST),
    }


def get_request(call: GraphCall) -> Json:
    """One request, for those it concerns: its requestor, its approvers, readers of PIM, applications."""
    request = find_request(call)
    if call.person and not _concerns(request, call.person):
        raise denied()
    row = _presented(call, [request_row(call.world, request)], REQUEST_TYPE, REQUEST)[0]
    return {"@odata.context": call.context(f"{COLLECTION}/$entity"), **row}


def cancel_request(call: GraphCall) -> None:
    """Withdraw a request; only its requestor may, and an application."""
    request = find_request(call)
    if call.person and call.person.id != request.asked.requestor:
        raise denied()
    outcome = call.world.cancel(request.id)
    if isinstance(outcome, Refused):
        raise GraphError(400, "InvalidRequest", outcome.sentence)


def list_instances(call: GraphCall) -> Json:
    """The role assignments that exist right now through approved requests."""
    world, now = call.world, call.world.now()
    rows = []
    for request in world.of_kind("entra"):
        active = request.active(now)
        if active:
            rows.append(instance_row(world, request, *active))
    clauses = read_filter(call.query["$filter"], INSTANCE_FILTERABLE) if "$filter" in call.query else []
    own = call.person and any(clause.field == "principalId" and clause.value == call.person.oid for clause in clauses)
    if call.person and not own and call.person.id not in READERS:
        raise denied()
    shown, link = page(keep(rows, clauses), lambda row: str(row["id"]), call.query, _here(call))
    return {
        "@odata.context": call.context("roleManagement/directory/roleAssignmentScheduleInstances"),
        "value": _presented(call, shown, "unifiedRoleAssignmentScheduleInstance", INSTANCE),
        **link,
    }


def find_request(call: GraphCall) -> Request:
    """The request named in the path; raises GraphError 404."""
    request = call.world.requests.get(call.ids["id"].lower())
    if request is None or request.asked.kind != "entra":
        raise not_found(call.ids["id"])
    return request


def _concerns(request: Request, person: Person) -> bool:
    return person.id == request.asked.requestor or can_decide(request, person.id) or person.id in READERS


def _matching(call: GraphCall, requests: Iterable[Request]) -> Iterator[Request]:
    """The requests that meet the filter, one by one: with thousands of them, rows are made only for those shown."""
    text = call.query.get("$filter")
    if text is None:
        return iter(requests)
    clauses = read_filter(text, FILTERABLE)
    if call.person is None and any(clause.field == "status" for clause in clauses):
        # Documented as filterable, yet refused to applications: seen in a live tenant.
        raise GraphError(400, "InvalidFilter", f"The {text} filter is invalid.")
    return (request for request in requests if meets(request_row(call.world, request), clauses))


def _here(call: GraphCall) -> str:
    return f"{call.world.settings.world_url}/graph/{call.version}/{call.path}"


def _presented(call: GraphCall, rows: list[Json], type_name: str, properties: tuple[str, ...]) -> list[Json]:
    expanded = read_expand(call.query.get("$expand"), EXPANDABLE)
    full = [row | {name: _navigation(call, name, row) for name in expanded} for row in rows]
    return select(full, call.query.get("$select"), type_name, properties, expanded)


def _navigation(call: GraphCall, name: str, row: Json) -> Json | None:
    if name == "principal":
        person = call.world.person(row["principalId"])
        return principal_row(person) if person else None
    return role_row(ROLES[row["roleDefinitionId"]], call.version)
