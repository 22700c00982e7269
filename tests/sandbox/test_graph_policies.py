"""PIM's settings differ from role to role and from group to group, and who may decide follows from them."""

from __future__ import annotations

import pytest
from sandbox.world_rig import Json, Rig, error_of

from app.sandbox.people import PIM_GROUPS
from app.sandbox.roles import find_role

POLICIES = "/v1.0/policies/roleManagementPolicyAssignments"
EXPAND = {"$expand": "policy($expand=rules)"}
DATABASE, BREAKGLASS = PIM_GROUPS


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def rules(rig: Rig, scope: str, kind: str, role: str, user: str = "ann") -> dict[str, Json]:
    text = f"scopeId eq '{scope}' and scopeType eq '{kind}' and roleDefinitionId eq '{role}'"
    answer = await rig.graph(POLICIES, user, params={"$filter": text, **EXPAND})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["value"]) == 1
    return {rule["id"]: rule for rule in answer.json()["value"][0]["policy"]["rules"]}


async def of_role(rig: Rig, name: str) -> dict[str, Json]:
    role = find_role(name)
    assert role
    return await rules(rig, "/", "DirectoryRole", role.id)


def stage(found: dict[str, Json]) -> Json:
    only: Json = found["Approval_EndUser_Assignment"]["setting"]["approvalStages"][0]
    return only


async def deciders(rig: Rig, role: str, requestor: str = "rob") -> set[str]:
    """Who sees the request of a role as theirs to decide."""
    request = rig.ask(requestor, role)
    return {name for name in rig.world.people if (await rig.step(request, name))["assignedToMe"]}


async def test_one_role_has_a_single_approver(rig: Rig) -> None:
    approvers = stage(await of_role(rig, "Windows 365 Administrator"))["primaryApprovers"]
    assert [approver["userId"] for approver in approvers] == [rig.world.people["ben"].oid]
    assert await deciders(rig, "Windows 365 Administrator") == {"ben"}


async def test_empty_list_means_who_administers_pim(rig: Rig) -> None:
    assert stage(await of_role(rig, "Global Secure Access Administrator"))["primaryApprovers"] == []
    assert await deciders(rig, "Global Secure Access Administrator") == {"ben", "cleo"}


async def test_managers_approve_for_their_people(rig: Rig) -> None:
    approvers = stage(await of_role(rig, "AI Administrator"))["primaryApprovers"]
    assert approvers == [{"@odata.type": "#microsoft.graph.requestorManager", "managerLevel": 1}]
    assert await deciders(rig, "AI Administrator", "rob") == {"ann"}
    assert await deciders(rig, "AI Administrator", "rita") == {"ben"}
    assert await deciders(rig, "AI Administrator", "adm-rob") == set()


async def test_authentication_context_takes_the_place_of_mfa(rig: Rig) -> None:
    found = await of_role(rig, "Cloud App Security Administrator")
    rule = found["AuthenticationContext_EndUser_Assignment"]
    assert (rule["isEnabled"], rule["claimValue"]) == (True, "c1")
    assert "MultiFactorAuthentication" not in found["Enablement_EndUser_Assignment"]["enabledRules"]
    usual = (await of_role(rig, "Global Administrator"))["AuthenticationContext_EndUser_Assignment"]
    assert (usual["isEnabled"], usual["claimValue"]) == (False, None)


async def test_ticket_may_be_demanded_where_a_comment_is_not(rig: Rig) -> None:
    found = await of_role(rig, "Dynamics 365 Administrator")
    assert "Ticketing" in found["Enablement_EndUser_Assignment"]["enabledRules"]
    assert stage(found)["isApproverJustificationRequired"] is False


@pytest.mark.parametrize(
    "group, access, approvers, longest",
    [
        (DATABASE, "member", ["Ann Alder", "Ben Brook", "Cleo Clay"], "PT8H"),
        (DATABASE, "owner", ["pim-approvers"], "PT4H"),
        (BREAKGLASS, "member", ["Ben Brook"], "PT1H"),
        (BREAKGLASS, "owner", [], "PT1H"),
    ],
    ids=str,
)
async def test_groups_have_settings_of_their_own(
    rig: Rig, group: object, access: str, approvers: list[str], longest: str
) -> None:
    found = await rules(rig, group.id, "Group", access)  # type: ignore[attr-defined]
    assert [approver["description"] for approver in stage(found)["primaryApprovers"]] == approvers
    assert found["Expiration_EndUser_Assignment"]["maximumDuration"] == longest


async def test_single_rule_of_a_group_is_readable(rig: Rig) -> None:
    query = {"$filter": f"scopeId eq '{DATABASE.id}' and scopeType eq 'Group'"}
    listed = (await rig.graph(POLICIES, params=query)).json()["value"]
    assert [row["roleDefinitionId"] for row in listed] == ["member", "owner"]
    path = f"/v1.0/policies/roleManagementPolicies/{listed[1]['policyId']}/rules/Expiration_EndUser_Assignment"
    assert (await rig.graph(path)).json()["maximumDuration"] == "PT4H"


@pytest.mark.parametrize(
    "permission, kind, scope, status",
    [
        ("RoleManagementPolicy.Read.Directory", "DirectoryRole", "/", 200),
        ("RoleManagementPolicy.Read.Directory", "Group", DATABASE.id, 403),
        ("RoleManagementPolicy.Read.AzureADGroup", "Group", DATABASE.id, 200),
        ("RoleManagementPolicy.Read.AzureADGroup", "DirectoryRole", "/", 403),
        ("User.Read", "Group", DATABASE.id, 403),
    ],
)
async def test_each_sort_of_settings_has_its_permission(
    rig: Rig, permission: str, kind: str, scope: str, status: int
) -> None:
    query = {"$filter": f"scopeId eq '{scope}' and scopeType eq '{kind}'"}
    answer = await rig.raw(POLICIES, rig.user_token("ann", only=(permission,)), params=query)
    assert answer.status_code == status


async def test_delegated_policy_permission_is_none_for_applications(rig: Rig) -> None:
    query = {"$filter": "scopeId eq '/' and scopeType eq 'DirectoryRole'"}
    token = rig.app_token(only=("RoleManagementPolicy.Read.Directory",))
    assert (await rig.raw(POLICIES, token, params=query)).status_code == 403


async def test_scope_and_type_must_be_certain(rig: Rig) -> None:
    query = {"$filter": "scopeType eq 'Group' and scopeId eq 'x' or scopeId eq '/'"}
    assert error_of(await rig.graph(POLICIES, "ann", params=query)) == (400, "InvalidFilter")


async def test_manager_is_found_or_missing(rig: Rig) -> None:
    people = rig.world.people
    found = await rig.graph(f"/v1.0/users/{people['rob'].oid}/manager", params={"$select": "id,displayName"})
    assert found.json()["id"] == people["ann"].oid
    assert found.json()["@odata.type"] == "#microsoft.graph.user"
    none = await rig.graph(f"/v1.0/users/{people['cleo'].oid}/manager")
    assert error_of(none) == (404, "Request_ResourceNotFound")


async def test_manager_needs_more_than_reading_oneself(rig: Rig) -> None:
    oid = rig.world.people["rob"].oid
    assert (await rig.graph(f"/v1.0/users/{oid}/manager", "rob")).status_code == 403
    token = rig.user_token("ann", only=("User.Read.All",))
    assert (await rig.raw(f"/v1.0/users/{oid}/manager", token)).status_code == 200


async def test_guests_are_marked_when_asked(rig: Rig) -> None:
    oid = rig.world.people["gus"].oid
    asked = await rig.graph(f"/v1.0/users/{oid}", params={"$select": "accountEnabled,userType"})
    assert (asked.json()["accountEnabled"], asked.json()["userType"]) == (True, "Guest")
    assert "userType" not in (await rig.graph(f"/v1.0/users/{oid}")).json()


async def test_members_are_paged(rig: Rig) -> None:
    path = "/v1.0/groups/c2f1a7d4-3b68-4e0e-8f7a-1d5b9e60a4c3/transitiveMembers/microsoft.graph.user"
    first = (await rig.graph(path, params={"$top": "2"})).json()
    token = first["@odata.nextLink"].rpartition("$skiptoken=")[2]
    rest = (await rig.graph(path, params={"$top": "2", "$skiptoken": token})).json()
    assert [len(page["value"]) for page in (first, rest)] == [2, 1]
    assert "@odata.nextLink" not in rest
