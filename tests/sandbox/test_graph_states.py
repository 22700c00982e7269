"""What Microsoft shows of requests that are odd, late or over: extensions, stale rows, slow replicas, early ends."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox.world_rig import APPROVALS, ROLE_REQUESTS, Json, Rig, error_of

from app.sandbox.activations import Ask, How, Request
from app.sandbox.roles import find_role

MINE = f"{ROLE_REQUESTS}/filterByCurrentUser(on='approver')"
INSTANCES = "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"
EITHER = "status eq 'PendingApproval' or status eq 'PendingAdminDecision'"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def ask(rig: Rig, **odd: Any) -> Request:  # noqa: ANN401 - any field of an Ask
    role = find_role("Exchange Administrator")
    assert role
    return rig.world.ask(Ask("entra", "rob", role, **odd))


async def ids(rig: Rig, path: str, user: str = "cleo", text: str | None = None) -> list[str]:
    answer = await rig.graph(path, user, params={"$filter": text} if text else {})
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["value"]]


async def one(rig: Rig, request: Request) -> Json:
    row: Json = (await rig.graph(f"{ROLE_REQUESTS}/{request.id}", "cleo")).json()
    return row


async def test_extension_is_listed_by_its_own_status(rig: Rig) -> None:
    request = ask(rig, action="selfExtend")
    assert request.id in await ids(rig, ROLE_REQUESTS)
    assert await ids(rig, ROLE_REQUESTS, text="status eq 'PendingAdminDecision'") == [request.id]
    assert await ids(rig, ROLE_REQUESTS, text=EITHER) == rig.ids_of("entra")
    assert request.id not in await ids(rig, ROLE_REQUESTS, text="status eq 'PendingApproval'")


async def test_extension_waits_for_no_approver_unless_asked_for_by_status(rig: Rig) -> None:
    request = ask(rig, action="selfRenew")
    assert request.id not in await ids(rig, MINE, "ann")
    assert request.id not in await ids(rig, MINE, "ann", f"id eq '{request.id}'")
    assert await ids(rig, MINE, "ann", "status eq 'PendingAdminDecision'") == [request.id]


async def test_extension_has_no_approval(rig: Rig) -> None:
    request = ask(rig, action="adminExtend")
    assert (await one(rig, request))["approvalId"] is None
    assert error_of(await rig.graph(f"{APPROVALS}/{request.id}/steps", "ann")) == (404, "ResourceNotFound")


@pytest.mark.parametrize("text", [EITHER, "status eq 'PendingAdminDecision'"])
async def test_application_may_filter_neither_by_status_nor_with_or(rig: Rig, text: str) -> None:
    answer = await rig.graph(ROLE_REQUESTS, params={"$filter": text})
    assert error_of(answer) == (400, "InvalidFilter")


async def test_stale_row_is_pending_without_a_live_step(rig: Rig) -> None:
    stale = [ask(rig, is_stale=True) for _ in range(40)]
    steps = [await rig.step(request, "ann") for request in stale]
    assert {step["status"] for step in steps} == {"Expired", "Completed"}
    assert {(step["reviewResult"], step["reviewedDateTime"]) for step in steps} == {("NotReviewed", None)}
    rig.forward(hours=30)
    assert (await one(rig, stale[0]))["status"] == "PendingApproval"
    assert stale[0].id in await ids(rig, MINE, "ann", "status eq 'PendingApproval'")
    assert (await rig.decide(stale[0], "ann")).status_code == 404


async def lag(rig: Rig, seconds: float) -> None:
    assert (await rig.http.post("/control/lag", json={"seconds": seconds})).status_code == 200


async def test_replicas_show_the_old_state_for_a_while(rig: Rig) -> None:
    request = rig.ask()
    await lag(rig, 60)
    assert (await rig.decide(request, "ann")).status_code == 204
    rig.forward(seconds=59)
    assert (await one(rig, request))["status"] == "PendingApproval"
    assert request.id in await ids(rig, MINE, "ben", "status eq 'PendingApproval'")
    assert (await rig.step(request, "ben"))["reviewResult"] == "NotReviewed"
    assert await ids(rig, INSTANCES) == []
    rig.forward(seconds=1)
    assert (await one(rig, request))["status"] == "Provisioned"
    assert (await rig.step(request, "ben"))["status"] == "Completed"
    assert len(await ids(rig, INSTANCES)) == 1


async def test_first_decision_counts_though_replicas_hide_it(rig: Rig) -> None:
    request = rig.ask()
    await lag(rig, 60)
    await rig.decide(request, "ann")
    assert error_of(await rig.decide(request, "ben", "Deny")) == (409, "Conflict")


async def test_withdrawn_request_lingers_in_replicas(rig: Rig) -> None:
    request = rig.ask()
    await lag(rig, 60)
    await rig.graph(f"{ROLE_REQUESTS}/{request.id}/cancel", "rob", "POST")
    assert (await one(rig, request))["status"] == "PendingApproval"
    assert (await rig.step(request, "ann"))["status"] == "InProgress"
    assert (await rig.decide(request, "ann")).status_code == 404
    rig.forward(seconds=60)
    assert (await one(rig, request))["status"] == "Canceled"


async def test_control_knows_the_truth_and_a_reset_ends_the_lag(rig: Rig) -> None:
    request = rig.ask()
    await lag(rig, 60)
    await rig.decide(request, "ann")
    shown = (await rig.http.get("/control/world")).json()["requests"]
    assert {row["id"]: row["status"] for row in shown}[request.id] == "Provisioned"
    rig.world.reset()
    request = rig.ask()
    await rig.decide(request, "ann")
    assert (await one(rig, request))["status"] == "Provisioned"


@pytest.mark.parametrize(
    "body", [{"seconds": -1}, {"audit_seconds": -1}, {"seconds": "60"}, {"seconds": True}, {"minutes": 1}]
)
async def test_odd_lags_are_refused(rig: Rig, body: Json) -> None:
    answer = await rig.http.post("/control/lag", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize("how, status", [("deactivate", "Provisioned"), ("revoke", "Revoked"), ("fail", "Failed")])
async def test_assignment_ends_early(rig: Rig, how: How, status: str) -> None:
    request = rig.ask()
    await rig.decide(request, "ann")
    rig.forward(minutes=30)
    query = f"roleAssignmentScheduleId eq '{request.id}' and principalId eq '{rig.world.people['rob'].oid}'"
    assert len(await ids(rig, INSTANCES, "rob", query)) == 1
    rig.world.end(request.id, how)
    assert await ids(rig, INSTANCES, "rob", query) == []
    assert (await one(rig, request))["status"] == status


async def test_scheduled_role_has_no_assignment_yet(rig: Rig) -> None:
    request = rig.ask(start=rig.clock.now.replace(hour=15))
    await rig.decide(request, "ann")
    assert await ids(rig, INSTANCES) == []
    rig.forward(hours=5)
    assert len(await ids(rig, INSTANCES)) == 1


async def test_or_does_not_open_what_is_not_ones_own(rig: Rig) -> None:
    rob, rita = (rig.world.people[name].oid for name in ("rob", "rita"))
    query = {"$filter": f"principalId eq '{rob}' or principalId eq '{rita}'"}
    assert (await rig.graph(INSTANCES, "rob", params=query)).status_code == 403


async def test_who_administers_pim_withdraws_for_others(rig: Rig) -> None:
    request = rig.ask()
    assert (await rig.graph(f"{ROLE_REQUESTS}/{request.id}/cancel", "cleo", "POST")).status_code == 204
