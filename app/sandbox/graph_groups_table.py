"""The supported calls of PIM for Groups and what each demands. In v1.0 an approval has stages, in beta steps."""

from __future__ import annotations

from app.sandbox import graph_groups
from app.sandbox.graph_approvals import Approvals
from app.sandbox.graph_gate import PAGED, SHAPE, Operation, Permissions

ROOT = f"/{graph_groups.ROOT}"
REQUESTS = f"{ROOT}/assignmentScheduleRequests"
APPROVALS = f"{ROOT}/assignmentApprovals"

WRITE = Permissions(("PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",))
READ = Permissions(("PrivilegedAssignmentSchedule.Read.AzureADGroup", *WRITE.any_of))
RESOURCES = Permissions(("PrivilegedAccess.Read.AzureADGroup", "PrivilegedAccess.ReadWrite.AzureADGroup"))
EXPAND = frozenset({"$expand"})

_approvals = Approvals("group", f"{graph_groups.ROOT}/assignmentApprovals")


def _parts(word: str, version: str) -> tuple[Operation, ...]:
    parts, versions = f"{APPROVALS}/{{id}}/{word}", (version,)
    return (
        Operation("GET", parts, _approvals.steps, READ, None, versions=versions),
        Operation("GET", f"{parts}/{{step}}", _approvals.step, READ, None, versions=versions),
        Operation("PATCH", f"{parts}/{{step}}", _approvals.decide, WRITE, None, versions=versions),
    )


OPERATIONS = (
    Operation("GET", REQUESTS, graph_groups.list_requests, READ, READ, PAGED),
    Operation(
        "GET",
        f"{REQUESTS}/filterByCurrentUser(on='{{on}}')",
        graph_groups.requests_of_caller,
        READ,
        READ,
        SHAPE | {"$filter"},
    ),
    Operation("GET", f"{REQUESTS}/{{id}}", graph_groups.get_request, READ, READ, SHAPE),
    Operation("POST", f"{REQUESTS}/{{id}}/cancel", graph_groups.cancel_request, WRITE, WRITE),
    Operation("POST", REQUESTS, graph_groups.remove_held, WRITE, WRITE, versions=("v1.0",), status=201),
    Operation("GET", f"{ROOT}/assignmentScheduleInstances", graph_groups.list_instances, READ, READ, PAGED),
    Operation("GET", f"{ROOT}/resources", graph_groups.list_resources, RESOURCES, RESOURCES, PAGED - {"$expand"}),
    Operation("GET", f"{APPROVALS}/filterByCurrentUser(on='{{on}}')", _approvals.of_caller, READ, None, EXPAND),
    Operation("GET", f"{APPROVALS}/{{id}}", _approvals.get, READ, None, EXPAND),
    *_parts("stages", "v1.0"),
    *_parts("steps", "beta"),
)
