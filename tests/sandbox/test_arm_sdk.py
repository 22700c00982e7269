"""Microsoft's own client of ARM gets along with the emulated one: it lists, pages, reads, decides and withdraws."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2021_01_01_preview.models import RoleAssignmentApprovalStepProperties
from sandbox.arm_rig import NOWHERE, PROD, SHAPES, VAULT
from sandbox.world_rig import Rig

from app.sandbox.people import Settings

# The client refuses to send a token over plain http unless it is told each time.
PLAIN = {"enforce_https": False}
Client = Callable[[str], Awaitable[AuthorizationManagementClient]]


Row = Any  # the client's models carry no types that a reader would miss


@dataclass
class Token:
    """A credential as Azure's libraries want it: somebody's token for ARM."""

    rig: Rig
    user: str

    async def get_token(self, *scopes: str, **_more: object) -> AccessToken:
        assert scopes == ("https://management.azure.com/.default",)
        made = self.rig.app_token("arm") if self.user == "app" else self.rig.user_token(self.user, resource="arm")
        return AccessToken(made, int(self.rig.clock.now.timestamp()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Rig(settings=Settings(port=listener.getsockname()[1]))
    server = uvicorn.Server(uvicorn.Config(made.app, log_level="error", log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([listener]))
    yield made
    server.should_exit = True
    await serving


@pytest.fixture
async def azure(rig: Rig) -> AsyncIterator[Client]:
    async with contextlib.AsyncExitStack() as stack:

        async def signed_in(user: str) -> AuthorizationManagementClient:
            made = AuthorizationManagementClient(
                Token(rig, user), PROD.rsplit("/", 1)[1], base_url=f"{rig.settings.world_url}/arm", retry_total=0
            )
            return await stack.enter_async_context(made)

        yield signed_in


async def test_lists_as_approver_through_all_pages(rig: Rig, azure: Client) -> None:
    for _ in range(150):
        rig.ask_azure()
    requests = (await azure("ann")).role_assignment_schedule_requests
    rows: list[Row] = [row async for row in requests.list_for_scope("", filter="asApprover()", **PLAIN)]
    assert [row.name for row in rows] == rig.ids_of("azure")
    assert {(row.status, row.request_type.lower(), row.schedule_info.expiration.type.lower()) for row in rows} == {
        ("PendingApproval", "selfactivate", "afterduration")
    }
    assert {row.created_on.tzinfo is not None for row in rows} == {True}


async def test_reads_names_and_withdraws(rig: Rig, azure: Client) -> None:
    made = [rig.ask_azure(scope="kv-prod", role="Key Vault Secrets Officer") for _ in range(12)]
    requests = (await azure("rob")).role_assignment_schedule_requests
    for request in made:
        row: Row = await requests.get(VAULT, request.id, **PLAIN)
        named = row.expanded_properties
        if named:
            assert (named.scope.display_name, named.principal.email) == ("kv-prod", "rob@contoso.example")
            assert named.role_definition.display_name == "Key Vault Secrets Officer"
    # The client knows 200 only, although the service was seen to answer 204 as well.
    request = next(one for one in made if one.quirk % 2 == 0)
    await requests.cancel(VAULT, request.id, **PLAIN)
    assert rig.world.requests[request.id].status(rig.world.now()) == "Canceled"


async def test_decides_with_the_bare_patch(rig: Rig, azure: Client) -> None:
    rig.world.arm_accepts = ("patch_bare",)
    client = await azure("ann")
    asked = RoleAssignmentApprovalStepProperties(review_result="Approve", justification="I trust this person.")
    for request in [rig.ask_azure() for _ in range(10)]:
        approval: Row = await client.role_assignment_approval.get_by_id(request.approval_id, **PLAIN)
        stages: Row = await client.role_assignment_approval_steps.list(request.approval_id, **PLAIN)
        (stage,) = stages.value
        assert (stage.status, stage.assigned_to_me, approval.name) == ("InProgress", True, request.approval_id)
        end = stage.id.rsplit("/", 1)[1]
        await client.role_assignment_approval_step.patch(request.approval_id, end, asked, **PLAIN)
        step: Row = await client.role_assignment_approval_step.get_by_id(request.approval_id, end, **PLAIN)
        assert (step.status, step.principal_id) == (
            "Completed",
            rig.world.people["ann"].oid,
        )


async def test_its_put_is_taken_in_no_world(rig: Rig, azure: Client) -> None:
    rig.world.arm_accepts = SHAPES
    request, client = rig.ask_azure(), await azure("ann")
    asked = RoleAssignmentApprovalStepProperties(review_result="Deny", justification="no")
    with pytest.raises(HttpResponseError) as told:
        await client.role_assignment_approval_step.put(request.approval_id, request.step_id, asked, **PLAIN)
    assert (told.value.status_code, rig.world.requests[request.id].review) == (400, None)


async def test_reads_policies_and_assignments(rig: Rig, azure: Client) -> None:
    request, client = rig.ask_azure(role="Contributor"), await azure("app")
    rig.world.decide(request.id, "ann", "approve", "ok")
    policies = client.role_management_policy_assignments
    rows: list[Row] = [row async for row in policies.list_for_scope(PROD, **PLAIN)]
    rules = {
        rule.id: rule
        for row in rows
        if row.role_definition_id.endswith(request.asked.role.id)
        for rule in row.effective_rules
    }
    stage = rules["Approval_EndUser_Assignment"].setting.approval_stages[0]
    assert [one.description for one in stage.primary_approvers] == ["Ann Alder", "Ben Brook", "Cleo Clay"]
    assert rules["Expiration_EndUser_Assignment"].maximum_duration == "PT8H"
    found: list[Row] = [row async for row in client.role_assignment_schedule_instances.list_for_scope(PROD, **PLAIN)]
    assert [(row.assignment_type, (row.end_date_time - row.start_date_time).total_seconds()) for row in found] == [
        ("Activated", 7200)
    ]


async def test_errors_are_understood(azure: Client) -> None:
    client = await azure("ann")
    with pytest.raises(ResourceNotFoundError):
        await client.role_assignment_approval.get_by_id(NOWHERE, **PLAIN)
    with pytest.raises(HttpResponseError) as told:
        [row async for row in client.role_assignment_schedule_requests.list_for_scope(PROD, **PLAIN)]
    assert told.value.error
    assert told.value.error.code == "InsufficientPermissions"
