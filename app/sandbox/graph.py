"""The emulated Microsoft Graph: the table of supported calls and what each demands, except for groups (beside this)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.sandbox import graph_audit, graph_directory, graph_groups_table, graph_policies, graph_requests
from app.sandbox.graph_approvals import Approvals
from app.sandbox.graph_gate import PAGED, SHAPE, Operation, Permissions, enter
from app.sandbox.world import World

DIRECTORY = "/roleManagement/directory"
REQUESTS = f"{DIRECTORY}/roleAssignmentScheduleRequests"
APPROVALS = f"{DIRECTORY}/roleAssignmentApprovals"

WRITE = ("RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory")
# Listing with a read permission alone is refused at run time, whatever the permission's name promises.
LIST_APP = Permissions((*WRITE, "RoleAssignmentSchedule.Remove.Directory"))
READ = Permissions(("RoleAssignmentSchedule.Read.Directory", "RoleManagement.Read.Directory", *WRITE))
# A decision also needs PrivilegedAccess.ReadWrite.AzureAD: undocumented, but some tenants refuse without it.
DECIDE = Permissions(WRITE[:1], all_of=("PrivilegedAccess.ReadWrite.AzureAD",))
ROLES_READ = Permissions(("RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"))
ME = Permissions(("User.Read", "User.Read.All"), is_pim=False)
USERS = Permissions(("User.Read.All", "Directory.Read.All"), is_pim=False)
MEMBERS = Permissions(("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"), is_pim=False)
AUDIT = Permissions(("AuditLog.Read.All",), is_pim=False)

EXPAND, SELECT = frozenset({"$expand"}), frozenset({"$select"})
V1, BETA = ("v1.0",), ("beta",)
ANY = Permissions(WRITE)
FUNCTION = Permissions((*WRITE, "RoleManagement.Read.Directory"))

_approvals = Approvals("entra", "roleManagement/directory/roleAssignmentApprovals")

ROLE_OPERATIONS = (
    Operation("GET", REQUESTS, graph_requests.list_requests, ANY, LIST_APP, PAGED),
    Operation(
        "GET",
        f"{REQUESTS}/filterByCurrentUser(on='{{on}}')",
        graph_requests.requests_of_caller,
        FUNCTION,
        FUNCTION,
        SHAPE | {"$filter"},
    ),
    Operation("GET", f"{REQUESTS}/{{id}}", graph_requests.get_request, ANY, LIST_APP, SHAPE),
    Operation("POST", f"{REQUESTS}/{{id}}/cancel", graph_requests.cancel_request, ANY, ANY),
    Operation("POST", REQUESTS, graph_requests.remove_held, LIST_APP, LIST_APP, versions=V1, status=201),
    Operation("GET", f"{DIRECTORY}/roleAssignmentScheduleInstances", graph_requests.list_instances, READ, READ, PAGED),
    Operation("GET", f"{APPROVALS}/filterByCurrentUser(on='{{on}}')", _approvals.of_caller, READ, None, EXPAND, BETA),
    Operation("GET", f"{APPROVALS}/{{id}}", _approvals.get, READ, None, EXPAND, BETA),
    Operation("GET", f"{APPROVALS}/{{id}}/steps", _approvals.steps, READ, None, versions=BETA),
    Operation("GET", f"{APPROVALS}/{{id}}/steps/{{step}}", _approvals.step, READ, None, versions=BETA),
    Operation("PATCH", f"{APPROVALS}/{{id}}/steps/{{step}}", _approvals.decide, DECIDE, None, versions=BETA),
    Operation(
        "GET",
        f"{DIRECTORY}/roleDefinitions",
        graph_directory.list_roles,
        ROLES_READ,
        ROLES_READ,
        SELECT | {"$filter"},
    ),
    Operation("GET", f"{DIRECTORY}/roleDefinitions/{{id}}", graph_directory.get_role, ROLES_READ, ROLES_READ, SELECT),
)

DIRECTORY_OPERATIONS = (
    Operation(
        "GET",
        "/policies/roleManagementPolicyAssignments",
        graph_policies.list_policies,
        graph_policies.EITHER,
        graph_policies.EITHER,
        EXPAND | {"$filter"},
    ),
    Operation(
        "GET",
        "/policies/roleManagementPolicies/{id}/rules/{rule}",
        graph_policies.get_rule,
        graph_policies.EITHER,
        graph_policies.EITHER,
    ),
    Operation(
        "GET",
        "/auditLogs/directoryAudits",
        graph_audit.list_audits,
        AUDIT,
        AUDIT,
        frozenset({"$filter", "$top", "$skiptoken"}),
    ),
    Operation("GET", "/me", graph_directory.get_me, ME, ME, SELECT),
    Operation("GET", "/users/{id}", graph_directory.get_user, ME, USERS, SELECT),
    Operation("GET", "/users/{id}/manager", graph_directory.get_manager, USERS, USERS, SELECT),
    Operation("GET", "/groups/{id}", graph_directory.get_group, MEMBERS, MEMBERS, SELECT),
    *(
        Operation(
            "GET",
            f"/groups/{{id}}/transitiveMembers{cast}",
            graph_directory.list_members,
            MEMBERS,
            MEMBERS,
            SELECT | {"$top", "$skiptoken"},
        )
        for cast in ("", "/microsoft.graph.user")
    ),
)
OPERATIONS = (*ROLE_OPERATIONS, *graph_groups_table.OPERATIONS, *DIRECTORY_OPERATIONS)


def routes(world: World) -> list[BaseRoute]:
    """The routes below `/graph`; any other path is answered as Graph answers an unknown segment."""
    known: list[BaseRoute] = [
        Route(f"/graph/{version}{operation.path}", _endpoint(world, operation), methods=[operation.method])
        for operation in OPERATIONS
        for version in operation.versions
    ]
    verbs = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return [*known, Route("/graph/{rest:path}", _endpoint(world, None), methods=verbs)]


def _endpoint(world: World, operation: Operation | None) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await enter(world, request, operation)

    return answer
