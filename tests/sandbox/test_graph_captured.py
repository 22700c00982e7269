"""Requests exactly as Microsoft's own Python client sends them are understood, encoding included."""

from __future__ import annotations

import pytest
from sandbox.world_rig import Rig

ROLES = "roleManagement/directory"
GROUPS = "identityGovernance/privilegedAccess/group"
PENDING = "$filter=status%20eq%20%27PendingApproval%27"
POLICY = "policies/roleManagementPolicyAssignments?$expand=policy%28%24expand%3Drules%29&$filter="
ROLE = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
DIRECTORY = "scopeId%20eq%20%27%2F%27%20and%20scopeType%20eq%20%27DirectoryRole%27"
MINE = "filterByCurrentUser(on='approver')"
APPROVERS = "c2f1a7d4-3b68-4e0e-8f7a-1d5b9e60a4c3"


@pytest.mark.parametrize(
    "target",
    [
        f"v1.0/{ROLES}/roleAssignmentScheduleRequests?$expand=principal,roleDefinition&{PENDING}",
        f"v1.0/{ROLES}/roleAssignmentScheduleRequests/{MINE}?$expand=principal,roleDefinition&{PENDING}",
        f"v1.0/{ROLES}/roleAssignmentScheduleRequests?{PENDING}&$top=1",
        f"beta/{ROLES}/roleAssignmentScheduleRequests/{MINE}",
        f"beta/{ROLES}/roleAssignmentApprovals/{MINE}",
        f"v1.0/{GROUPS}/assignmentScheduleRequests/{MINE}?$expand=group,principal&{PENDING}",
        f"v1.0/{POLICY}{DIRECTORY}%20and%20roleDefinitionId%20eq%20%27{ROLE}%27",
        f"v1.0/groups/{APPROVERS}/transitiveMembers",
    ],
)
async def test_captured_list_is_answered(target: str) -> None:
    rig = Rig()
    headers = {"accept": "application/json", "authorization": f"Bearer {rig.user_token('cleo')}"}
    answer = await rig.http.get(f"/graph/{target}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["value"]


@pytest.mark.parametrize(
    "kind, target",
    [
        ("entra", f"beta/{ROLES}/roleAssignmentApprovals/{{}}/steps/{{}}"),
        ("group", f"v1.0/{GROUPS}/assignmentApprovals/{{}}/stages/{{}}"),
        ("group", f"beta/{GROUPS}/assignmentApprovals/{{}}/steps/{{}}"),
    ],
)
async def test_captured_decision_is_taken(kind: str, target: str) -> None:
    rig = Rig()
    request = rig.ask() if kind == "entra" else rig.ask_group()
    headers = {"content-type": "application/json", "authorization": f"Bearer {rig.user_token('ann')}"}
    body = b'{"justification": "Trusted User", "reviewResult": "Approve"}'
    path = f"/graph/{target.format(request.id, request.step_id)}"
    assert (await rig.http.patch(path, headers=headers, content=body)).status_code == 204
    review = rig.world.requests[request.id].review
    assert review
    assert (review.by, review.comment) == ("ann", "Trusted User")
