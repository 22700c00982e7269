"""The emulated Microsoft Graph: the table of supported calls and what each demands. Another desk is more lines here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.sandbox import graph_approvals, graph_directory, graph_requests
from app.sandbox.graph_gate import Operation, Permissions, enter
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
POLICY = Permissions(
    ("RoleManagementPolicy.Read.Directory", "RoleManagement.Read.Directory", "RoleManagement.Read.All")
)
POLICY_APP = Permissions(("RoleManagement.Read.Directory", "RoleManagement.Read.All"))
ME = Permissions(("User.Read", "User.Read.All"), is_pim=False)
USERS_APP = Permissions(("User.Read.All", "Directory.Read.All"), is_pim=False)
MEMBERS = Permissions(("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"), is_pim=False)

SHAPE = frozenset({"$select", "$expand"})
PAGED = SHAPE | {"$filter", "$top", "$skiptoken"}
BETA = ("beta",)
ANY = Permissions(WRITE)
FUNCTION = Permissions((*WRITE, "RoleManagement.Read.Directory"))

OPERATIONS = (
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
    Operation(
        "GET",
        f"{DIRECTORY}/roleAssignmentScheduleInstances",
        graph_requests.list_instances,
        READ,
        READ,
        PAGED,
    ),
    Operation(
        "GET",
        f"{APPROVALS}/filterByCurrentUser(on='{{on}}')",
        graph_approvals.approvals_of_caller,
        READ,
        None,
        frozenset({"$expand"}),
        BETA,
    ),
    Operation("GET", f"{APPROVALS}/{{id}}", graph_approvals.get_approval, READ, None, frozenset({"$expand"}), BETA),
    Operation("GET", f"{APPROVALS}/{{id}}/steps", graph_approvals.list_steps, READ, None, versions=BETA),
    Operation("GET", f"{APPROVALS}/{{id}}/steps/{{step}}", graph_approvals.get_step, READ, None, versions=BETA),
    Operation("PATCH", f"{APPROVALS}/{{id}}/steps/{{step}}", graph_approvals.decide_step, DECIDE, None, versions=BETA),
    Operation(
        "GET",
        f"{DIRECTORY}/roleDefinitions",
        graph_directory.list_roles,
        ROLES_READ,
        ROLES_READ,
        frozenset({"$select", "$filter"}),
    ),
    Operation(
        "GET",
        f"{DIRECTORY}/roleDefinitions/{{id}}",
        graph_directory.get_role,
        ROLES_READ,
        ROLES_READ,
        frozenset({"$select"}),
    ),
    Operation(
        "GET",
        "/policies/roleManagementPolicyAssignments",
        graph_directory.list_policies,
        POLICY,
        POLICY_APP,
        frozenset({"$filter", "$expand"}),
    ),
    Operation(
        "GET",
        "/policies/roleManagementPolicies/{id}/rules/{rule}",
        graph_directory.get_rule,
        POLICY,
        POLICY_APP,
    ),
    Operation("GET", "/me", graph_directory.get_me, ME, ME, frozenset({"$select"})),
    Operation("GET", "/users/{id}", graph_directory.get_user, ME, USERS_APP, frozenset({"$select"})),
    Operation("GET", "/groups/{id}", graph_directory.get_group, MEMBERS, MEMBERS, frozenset({"$select"})),
    Operation(
        "GET",
        "/groups/{id}/transitiveMembers",
        graph_directory.list_members,
        MEMBERS,
        MEMBERS,
        frozenset({"$select", "$top", "$skiptoken"}),
    ),
    Operation(
        "GET",
        "/groups/{id}/transitiveMembers/microsoft.graph.user",
        graph_directory.list_members,
        MEMBERS,
        MEMBERS,
        frozenset({"$select", "$top", "$skiptoken"}),
    ),
)


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
