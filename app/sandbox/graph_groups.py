"""PIM for Groups in the emulated Graph: requests for membership or ownership, and what they lead to. Decides nothing.

Lists here are worse than for directory roles: they want a group or a principal, and leave out what single reads show.
"""

from __future__ import annotations

from app.sandbox.activations import ACTIVATE, Request
from app.sandbox.graph_filter import Filter
from app.sandbox.graph_gate import GraphCall, GraphError, denied
from app.sandbox.graph_lists import cancel, equality, find_own, matching, of_caller, read_query, remove, target_schedule
from app.sandbox.graph_query import Expansions, page, presented, select
from app.sandbox.graph_shapes import pascal, principal_of, schedule_row, ticket_row
from app.sandbox.people import Group
from app.sandbox.roles import READERS
from app.sandbox.wire import Json, stamp
from app.sandbox.world import World

ROOT = "identityGovernance/privilegedAccess/group"
FIELDS = equality("status", "groupId", "principalId", "accessId", "createdBy", "id", "targetScheduleId")
INSTANCE_FIELDS = equality("groupId", "principalId", "accessId", "assignmentScheduleId")
RESOURCE_FIELDS = equality("id", "displayName")
REQUEST_TYPE = "privilegedAccessGroupAssignmentScheduleRequest"
REQUEST = (
    "id", "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action", "accessId",
    "groupId", "principalId", "isValidationOnly", "targetScheduleId", "justification", "createdBy", "scheduleInfo",
    "ticketInfo",
)  # fmt: skip
INSTANCE = (
    "id", "accessId", "groupId", "principalId", "assignmentScheduleId", "assignmentType", "memberType",
    "startDateTime", "endDateTime",
)  # fmt: skip
RESOURCE = ("id", "displayName", "description", "isAssignableToRole", "securityEnabled", "groupTypes")


def list_requests(call: GraphCall) -> Json:
    """The requests about one group or of one principal, page by page; rows are sparse."""
    asked = _bounded(call, read_query(call, FIELDS))
    found = list(matching(call.world, call.world.of_kind("group"), asked))
    shown, link = page(found, lambda request: request.id, call)
    context = call.context(f"{ROOT}/assignmentScheduleRequests")
    return {"@odata.context": context, "value": _listed(call, shown), **link}


def requests_of_caller(call: GraphCall) -> Json:
    """What waits for the caller as approver, or what the caller asked for; at most 50 rows, never a next page."""
    found = of_caller(call, "group", read_query(call, FIELDS), ("approver", "principal", "createdBy"))
    return {"@odata.context": call.context(f"Collection({REQUEST_TYPE})"), "value": _listed(call, found)}


def get_request(call: GraphCall) -> Json:
    """One request, whole, for those it concerns."""
    row = presented(call, [request_row(call.world, find_own(call, "group"))], REQUEST_TYPE, REQUEST, _EXPANSIONS)[0]
    return {"@odata.context": call.context(f"{ROOT}/assignmentScheduleRequests/$entity"), **row}


def cancel_request(call: GraphCall) -> None:
    """Withdraw a request."""
    cancel(call, "group")


def remove_held(call: GraphCall) -> Json:
    """Take away what somebody holds; the answer is a request of its own, which is done already."""
    request = remove(call, "group", "accessId", "groupId")
    row = request_row(call.world, request) | {"id": call.world.fresh_id(), "action": "adminRemove", "approvalId": None}
    return {"@odata.context": call.context(f"{ROOT}/assignmentScheduleRequests/$entity"), **row}


def list_instances(call: GraphCall) -> Json:
    """The memberships and ownerships that exist right now through approved requests."""
    asked = _bounded(call, read_query(call, INSTANCE_FIELDS))
    rows = [row for request in call.world.of_kind("group") for row in _instances_of(call.world, request)]
    shown, link = page([row for row in rows if asked.holds(row.get)], lambda row: str(row["id"]), call)
    return {
        "@odata.context": call.context(f"{ROOT}/assignmentScheduleInstances"),
        "value": presented(call, shown, "privilegedAccessGroupAssignmentScheduleInstance", INSTANCE, _EXPANSIONS),
        **link,
    }


def list_resources(call: GraphCall) -> Json:
    """The groups under PIM's care."""
    if call.person and call.person.id not in READERS:
        raise denied()
    asked = read_query(call, RESOURCE_FIELDS)
    rows = [row for row in map(_group_row, call.world.settings.groups) if asked.holds(row.get)]
    shown, link = page(rows, lambda row: str(row["id"]), call)
    picked = select(shown, call.query.get("$select"), "group", RESOURCE)
    return {"@odata.context": call.context(f"{ROOT}/resources"), "value": picked, **link}


def request_row(world: World, request: Request) -> Json:
    """A `privilegedAccessGroupAssignmentScheduleRequest`; some rows spell their enums in PascalCase."""
    asked, digits, odd = request.asked, (7, 3, 0, 2)[request.quirk % 4], request.quirk % 3 == 0
    creator = {"displayName": None, "id": world.people[request.creator].oid}
    return {
        "id": request.id,
        "status": request.status(world.now()),
        "createdDateTime": stamp(request.created, digits),
        "completedDateTime": None,
        "approvalId": request.approval_id if asked.action == ACTIVATE else None,
        "customData": None,
        "action": pascal(asked.action) if odd else asked.action,
        "accessId": pascal(asked.role.id) if odd else asked.role.id,
        "groupId": asked.scope.id,
        "principalId": world.people[asked.requestor].oid,
        "isValidationOnly": False,
        "targetScheduleId": target_schedule(request),
        "justification": asked.justification,
        "createdBy": {"application": None, "device": None, "user": creator},
        "scheduleInfo": schedule_row(request, world.now(), digits),
        "ticketInfo": ticket_row(request),
    }


def _bounded(call: GraphCall, asked: Filter) -> Filter:
    """The filter, if it names what every list here needs and the caller may see."""
    where = asked.demanded()
    if not {"groupId", "principalId"} & set(where):
        message = "The request must be filtered by groupId or principalId."
        raise GraphError(400, "InvalidFilter", message)
    if call.person and where.get("principalId") != call.person.oid and call.person.id not in READERS:
        raise denied()
    return asked


def _listed(call: GraphCall, requests: list[Request]) -> list[Json]:
    rows = [request_row(call.world, request) | _missing(request) for request in requests]
    full = presented(call, rows, REQUEST_TYPE, REQUEST, _EXPANSIONS)
    for row, request in zip(full, requests, strict=True):
        for name in _unexpanded(request):
            row.pop(name, None)
    return full


def _missing(request: Request) -> Json:
    """What some rows of a list do not tell; the request itself, read alone, does."""
    return {"justification": None, "ticketInfo": None} if request.quirk % 2 else {}


def _unexpanded(request: Request) -> tuple[str, ...]:
    """What stays out of some rows of a list although it was to be expanded."""
    return (("group",), ("group", "principal"), (), ())[request.quirk % 4]


def _instances_of(world: World, request: Request) -> list[Json]:
    active, asked = request.active(world.now()), request.asked
    if active is None:
        return []
    return [
        {
            "id": f"{target_schedule(request)}-1",
            "accessId": asked.role.id,
            "groupId": asked.scope.id,
            "principalId": world.people[asked.requestor].oid,
            "assignmentScheduleId": target_schedule(request),
            "assignmentType": "activated",
            "memberType": "direct",
            "startDateTime": stamp(active[0]),
            "endDateTime": stamp(active[1]),
        }
    ]


def _group_of(call: GraphCall, row: Json) -> Json | None:
    return next((_group_row(group) for group in call.world.settings.groups if group.id == row["groupId"]), None)


def _group_row(group: Group) -> Json:
    return {
        "id": group.id,
        "displayName": group.name,
        "description": None,
        "isAssignableToRole": group.is_role_assignable,
        "securityEnabled": True,
        "groupTypes": [],
    }


_EXPANSIONS: Expansions = {
    "group": _group_of,
    "principal": lambda call, row: principal_of(call.world, row),
}
