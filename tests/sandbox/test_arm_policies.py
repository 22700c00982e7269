"""Azure policies are per role and scope, for readers only; role definitions are for anybody."""

from __future__ import annotations

import pytest
from sandbox.arm_rig import CONTOSO, NOWHERE, PROD, STAGING, VAULT, WEB, A, Json, names
from sandbox.world_rig import Rig, error_of


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def rules(rig: Rig, role: str, scope: str, user: str = "app") -> dict[str, Json]:
    text = f"atScope() and roleDefinitionId eq '{scope}{A}/roleDefinitions/{role}'"
    answer = await rig.arm(f"{scope}{A}/roleManagementPolicyAssignments", user, params={"$filter": text})
    (row,) = answer.json()["value"]
    return {rule["id"]: rule for rule in row["properties"]["effectiveRules"]}


OWNER, CONTRIBUTOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c"
RBAC_ADMIN = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
ACCESS_ADMIN, VAULT_ADMIN = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "00482a5a-887f-4fb3-b363-3b7fe8e74483"


@pytest.mark.parametrize(
    "role, scope, approvers",
    [
        (OWNER, PROD, [("pim-approvers", "Group")]),
        (CONTRIBUTOR, PROD, [("Ann Alder", "User"), ("Ben Brook", "User"), ("Cleo Clay", "User")]),
        (ACCESS_ADMIN, PROD, []),
        (VAULT_ADMIN, VAULT, [("Ann Alder", "User")]),
    ],
)
async def test_policy_names_approvers(rig: Rig, role: str, scope: str, approvers: list[tuple[str, str]]) -> None:
    rule = (await rules(rig, role, scope))["Approval_EndUser_Assignment"]
    assert rule["ruleType"] == "RoleManagementPolicyApprovalRule"
    listed = rule["setting"]["approvalStages"][0]["primaryApprovers"]
    assert [(one["description"], one["userType"]) for one in listed] == approvers
    assert all(one["isBackup"] is False for one in listed)


async def test_settings_are_per_scope_and_not_inherited(rig: Rig) -> None:
    longest = [
        (await rules(rig, CONTRIBUTOR, scope))["Expiration_EndUser_Assignment"]["maximumDuration"]
        for scope in (PROD, WEB)
    ]
    assert longest == ["PT8H", "PT4H"]


async def test_one_role_demands_an_authentication_context(rig: Rig) -> None:
    found = [(await rules(rig, role, PROD))["AuthenticationContext_EndUser_Assignment"] for role in (RBAC_ADMIN, OWNER)]
    assert [(rule["isEnabled"], rule["claimValue"]) for rule in found] == [(True, "c1"), (False, None)]


@pytest.mark.parametrize("path", ["roleManagementPolicyAssignments", "roleManagementPolicies"])
async def test_policies_are_for_readers_of_the_scope(rig: Rig, path: str) -> None:
    assert len(await names(rig, f"{WEB}{A}/{path}", "cleo")) == len(await names(rig, f"{WEB}{A}/{path}")) == 10
    for scope, user in ((WEB, "ann"), (STAGING, "app"), (CONTOSO, "app"), ("", "app")):
        assert error_of(await rig.arm(f"{scope}{A}/{path}", user)) == (403, "AuthorizationFailed")


async def test_an_assignments_policy_can_be_read_by_its_id(rig: Rig) -> None:
    rows = (await rig.arm(f"{PROD}{A}/roleManagementPolicyAssignments")).json()["value"]
    properties = rows[0]["properties"]
    policy = (await rig.arm(properties["policyId"])).json()
    assert policy["id"] == properties["policyId"]
    assert policy["properties"]["effectiveRules"] == properties["effectiveRules"]
    assert (await rig.arm(f"{PROD}{A}/roleManagementPolicies/{NOWHERE}")).status_code == 404


async def test_a_role_definition_is_read_by_anybody(rig: Rig) -> None:
    for scope in ("", PROD):
        answer = await rig.arm(f"{scope}{A}/roleDefinitions/{OWNER}", "olga", version="2022-04-01")
        assert answer.json()["properties"]["roleName"] == "Owner"
    assert (await rig.arm(f"{A}/roleDefinitions/{NOWHERE}", version="2022-04-01")).status_code == 404
