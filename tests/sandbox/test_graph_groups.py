"""PIM for Groups as the emulated Graph shows it: mandatory filters, sparse rows, stages here and steps there."""

from __future__ import annotations

import json

import httpx
import pytest
from sandbox.world_rig import Json, Rig, error_of

from app.sandbox.activations import How, Request
from app.sandbox.people import PIM_GROUPS

ROOT = "/v1.0/identityGovernance/privilegedAccess/group"
REQUESTS = f"{ROOT}/assignmentScheduleRequests"
APPROVALS = f"{ROOT}/assignmentApprovals"
MINE = f"{REQUESTS}/filterByCurrentUser(on='approver')"
DATABASE, BREAKGLASS = PIM_GROUPS
OF_GROUP = {"$filter": f"groupId eq '{DATABASE.id}'"}
PENDING = {"$filter": "status eq 'PendingApproval'", "$expand": "group,principal"}
EXPAND = {"$expand": "group,principal"}


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def rows(rig: Rig, path: str, user: str = "app", **query: str) -> list[Json]:
    answer = await rig.graph(path, user, params=query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["value"]
    return found


async def ids(rig: Rig, path: str, user: str = "app", **query: str) -> list[str]:
    return [row["id"] for row in await rows(rig, path, user, **query)]


async def decide(rig: Rig, request: Request, user: str, result: str = "Approve", **sent: str) -> httpx.Response:
    body = {"reviewResult": result, "justification": "ok", **sent}
    return await rig.graph(f"{APPROVALS}/{request.id}/stages/{request.step_id}", user, "PATCH", json=body)


@pytest.mark.parametrize("version", ["v1.0", "beta"])
async def test_application_lists_a_groups_requests(rig: Rig, version: str) -> None:
    first, _, own = rig.ids_of("group")[0], rig.ask_group(group=BREAKGLASS.name), rig.ask_group("owner")
    assert await ids(rig, REQUESTS.replace("v1.0", version), **OF_GROUP) == [first, own.id]


@pytest.mark.parametrize(
    "text",
    [None, "status eq 'PendingApproval'", "groupId ne 'x'", f"groupId eq '{DATABASE.id}' or groupId eq 'x'"],
)
@pytest.mark.parametrize("path", [REQUESTS, f"{ROOT}/assignmentScheduleInstances"])
async def test_list_wants_a_group_or_a_principal(rig: Rig, path: str, text: str | None) -> None:
    answer = await rig.graph(path, "cleo", params={"$filter": text} if text else {})
    assert answer.status_code == 400


async def test_principal_lists_own_requests_and_no_others(rig: Rig) -> None:
    own, oid = rig.ask_group(who="rob"), rig.world.people["rob"].oid
    assert await ids(rig, REQUESTS, "rob", **{"$filter": f"principalId eq '{oid}'"}) == [own.id]
    assert (await rig.graph(REQUESTS, "rob", params=OF_GROUP)).status_code == 403


async def test_group_status_and_access_filter_together(rig: Rig) -> None:
    owner, done = rig.ask_group("owner"), rig.ask_group("owner", who="rita")
    await decide(rig, done, "ann")
    text = f"groupId eq '{DATABASE.id}' and accessId eq 'owner' and status eq 'PendingApproval'"
    assert await ids(rig, REQUESTS, **{"$filter": text}) == [owner.id]


async def test_list_is_paged(rig: Rig) -> None:
    for _ in range(4):
        rig.ask_group()
    answer = (await rig.graph(REQUESTS, params=OF_GROUP | {"$top": "3"})).json()
    assert len(answer["value"]) == 3
    onwards = answer["@odata.nextLink"].rpartition("$skiptoken=")[2]
    assert await ids(rig, REQUESTS, **OF_GROUP, **{"$skiptoken": onwards}) == rig.ids_of("group")[3:]


async def test_approver_sees_what_waits_for_them(rig: Rig) -> None:
    only_ben = rig.ask_group(group=BREAKGLASS.name)
    nobody = rig.ask_group("owner", BREAKGLASS.name)
    first = rig.ids_of("group")[0]
    assert await ids(rig, MINE, "ann", **PENDING) == [first]
    assert await ids(rig, MINE, "ben", **PENDING) == [first, only_ben.id]
    assert nobody.id not in await ids(rig, MINE, "cleo", **PENDING)


@pytest.mark.parametrize("on", ["principal", "createdBy"])
async def test_requestor_sees_what_they_asked_for(rig: Rig, on: str) -> None:
    own = rig.ask_group(who="rob")
    assert await ids(rig, f"{REQUESTS}/filterByCurrentUser(on='{on}')", "rob") == [own.id]


async def test_function_gives_fifty_rows_and_no_link(rig: Rig) -> None:
    for _ in range(60):
        rig.ask_group()
    answer = (await rig.graph(MINE, "ann", params=PENDING)).json()
    assert (len(answer["value"]), "@odata.nextLink" in answer) == (50, False)
    assert (await rig.graph(MINE, "ann", params={"$top": "10"})).status_code == 400


async def test_rows_of_a_list_are_sparse_and_single_reads_whole(rig: Rig) -> None:
    for _ in range(40):
        rig.ask_group(justification="Release night")
    listed = (await rows(rig, REQUESTS, **OF_GROUP, **EXPAND))[1:]
    assert {row["justification"] for row in listed} == {"Release night", None}
    assert {"group" in row for row in listed} == {True, False}
    assert {"principal" in row for row in listed} == {True, False}
    for row in listed:
        whole = (await rig.graph(f"{REQUESTS}/{row['id']}", params=EXPAND)).json()
        assert whole["justification"] == "Release night"
        assert (whole["group"]["displayName"], whole["principal"]["displayName"]) == (DATABASE.name, "Rob Reed")


async def test_enums_are_sometimes_in_pascal_case(rig: Rig) -> None:
    for _ in range(40):
        rig.ask_group()
    listed = await rows(rig, REQUESTS, **OF_GROUP)
    assert {(row["action"], row["accessId"]) for row in listed} == {
        ("selfActivate", "member"),
        ("SelfActivate", "Member"),
    }


async def test_stage_id_is_sometimes_the_approvals_own(rig: Rig) -> None:
    made = [rig.ask_group() for _ in range(40)]
    seen = [(await rows(rig, f"{APPROVALS}/{request.id}/stages", "ann"))[0]["id"] for request in made]
    assert {stage == request.id for stage, request in zip(seen, made, strict=True)} == {True, False}


async def test_outsider_may_not_read_a_request(rig: Rig) -> None:
    request = rig.ask_group()
    assert (await rig.graph(f"{REQUESTS}/{request.id}", "olga")).status_code == 403


async def test_requests_of_another_desk_are_not_found(rig: Rig) -> None:
    request = rig.ask()
    assert error_of(await rig.graph(f"{REQUESTS}/{request.id}")) == (404, "ResourceNotFound")
    assert (await rig.graph(f"{APPROVALS}/{request.id}/stages", "ann")).status_code == 404


async def test_requestor_withdraws_once(rig: Rig) -> None:
    request = rig.ask_group()
    path = f"{REQUESTS}/{request.id}/cancel"
    assert (await rig.graph(path, "ann", "POST")).status_code == 403
    assert (await rig.graph(path, "rob", "POST")).status_code == 204
    assert (await rig.graph(path, "rob", "POST")).status_code == 400


async def test_approval_has_stages_in_one_version_and_steps_in_the_other(rig: Rig) -> None:
    request, beta = rig.ask_group(), APPROVALS.replace("v1.0", "beta")
    whole = (await rig.graph(f"{APPROVALS}/{request.id}", "ann", params={"$expand": "stages"})).json()
    assert whole["stages"][0]["assignedToMe"] is True
    in_beta = (await rig.graph(f"{beta}/{request.id}", "ann", params={"$expand": "steps"})).json()
    assert in_beta["steps"] == whole["stages"]
    assert (await rig.graph(f"{APPROVALS}/{request.id}/steps", "ann")).status_code == 400
    assert (await rig.graph(f"{beta}/{request.id}", "ann", params={"$expand": "stages"})).status_code == 400


async def test_approvals_of_the_caller_are_listed(rig: Rig) -> None:
    path = f"{APPROVALS}/filterByCurrentUser(on='approver')"
    assert await ids(rig, path, "ann", **{"$expand": "stages"}) == rig.ids_of("group")


@pytest.mark.parametrize("result, status", [("Approve", "Provisioned"), ("Deny", "Denied")])
async def test_decision_counts_and_names_the_reviewer(rig: Rig, result: str, status: str) -> None:
    request = rig.ask_group()
    assert (await decide(rig, request, "ann", result)).status_code == 204
    stage = (await rig.graph(f"{APPROVALS}/{request.id}/stages/{request.step_id}", "ben")).json()
    assert (stage["status"], stage["reviewedBy"]["id"]) == ("Completed", rig.world.people["ann"].oid)
    assert (await rig.graph(f"{REQUESTS}/{request.id}")).json()["status"] == status


async def test_steps_of_beta_take_decisions_too(rig: Rig) -> None:
    request = rig.ask_group()
    path = f"{APPROVALS}/{request.id}/steps/{request.step_id}".replace("v1.0", "beta")
    body = {"reviewResult": "Approve", "justification": "ok"}
    assert (await rig.graph(path, "ann", "PATCH", json=body)).status_code == 204


async def test_second_decision_is_a_conflict(rig: Rig) -> None:
    request = rig.ask_group()
    await decide(rig, request, "ann")
    assert error_of(await decide(rig, request, "ben", "Deny")) == (409, "Conflict")


@pytest.mark.parametrize("user", ["olga", "rob", "ann"])
async def test_only_the_groups_own_approvers_decide(rig: Rig, user: str) -> None:
    request = rig.ask_group(group=BREAKGLASS.name)
    assert (await decide(rig, request, user)).status_code == 403
    assert (await decide(rig, request, "ben")).status_code == 204


@pytest.mark.parametrize("user", ["ann", "ben", "cleo"])
async def test_with_an_empty_list_nobody_decides(rig: Rig, user: str) -> None:
    request = rig.ask_group("owner", BREAKGLASS.name)
    assert (await decide(rig, request, user)).status_code == 403
    assert rig.world.requests[request.id].review is None


async def test_decision_on_a_dead_request_or_unknown_stage_is_not_found(rig: Rig) -> None:
    request = rig.ask_group()
    path = f"{APPROVALS}/{request.id}/stages/00000000-1111-4222-8333-444455556666"
    body = {"reviewResult": "Approve", "justification": "ok"}
    assert (await rig.graph(path, "ann", "PATCH", json=body)).status_code == 404
    rig.forward(hours=24)
    assert (await decide(rig, request, "ann")).status_code == 404


@pytest.mark.parametrize("sent", [{"justification": " "}, {"reviewResult": "Approved"}, {"status": "Completed"}])
async def test_malformed_decision_changes_nothing(rig: Rig, sent: dict[str, str]) -> None:
    request = rig.ask_group()
    assert (await decide(rig, request, "ann", **sent)).status_code == 400
    assert rig.world.requests[request.id].review is None


@pytest.mark.parametrize("path", ["{}", "{}/stages", "{}/stages/{}", "filterByCurrentUser(on='approver')"])
async def test_application_cannot_read_approvals(rig: Rig, path: str) -> None:
    request = rig.ask_group()
    answer = await rig.graph(f"{APPROVALS}/{path.format(request.id, request.step_id)}")
    assert error_of(answer) == (403, "Authorization_RequestDenied")


async def test_application_cannot_decide(rig: Rig) -> None:
    request = rig.ask_group()
    assert (await decide(rig, request, "app")).status_code == 403
    assert rig.world.requests[request.id].review is None


@pytest.mark.parametrize(
    "path, method, missing",
    [
        (MINE, "GET", "PrivilegedAssignmentSchedule.Read.AzureADGroup"),
        (f"{APPROVALS}/x/stages/x", "PATCH", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"),
        (f"{ROOT}/resources", "GET", "PrivilegedAccess.Read.AzureADGroup"),
    ],
)
async def test_missing_permission_is_told_in_nested_json(rig: Rig, path: str, method: str, missing: str) -> None:
    token = rig.user_token("ann", only=("RoleAssignmentSchedule.ReadWrite.Directory",))
    answer = await rig.raw(path, token, method, json={} if method == "PATCH" else None)
    assert error_of(answer) == (403, "UnknownError")
    inner = json.loads(answer.json()["error"]["message"])
    assert inner["errorCode"] == "PermissionScopeNotGranted"
    assert missing in inner["message"]


async def test_reading_permission_does_not_decide(rig: Rig) -> None:
    request = rig.ask_group()
    token = rig.user_token("ann", only=("PrivilegedAssignmentSchedule.Read.AzureADGroup",))
    path = f"{APPROVALS}/{request.id}/stages/{request.step_id}"
    assert (await rig.raw(f"{APPROVALS}/{request.id}/stages", token)).status_code == 200
    answer = await rig.raw(path, token, "PATCH", json={"reviewResult": "Approve", "justification": "ok"})
    assert error_of(answer) == (403, "UnknownError")


async def test_application_without_the_permission_lists_nothing(rig: Rig) -> None:
    token = rig.app_token(only=("RoleAssignmentSchedule.ReadWrite.Directory",))
    assert error_of(await rig.raw(REQUESTS, token, params=OF_GROUP)) == (403, "UnknownError")


async def test_reading_permission_does_not_withdraw(rig: Rig) -> None:
    request = rig.ask_group()
    assert (await rig.graph(f"{REQUESTS}/{request.id}/cancel", "app", "POST")).status_code == 403


async def test_groups_under_pims_care_are_listed(rig: Rig) -> None:
    listed = await rows(rig, f"{ROOT}/resources")
    assert {(row["displayName"], row["isAssignableToRole"]) for row in listed} == {
        ("prod-db-admins", True),
        ("breakglass-operators", False),
    }


async def test_approved_membership_exists_for_its_duration(rig: Rig) -> None:
    request = rig.ask_group(duration="PT2H")
    await decide(rig, request, "ann")
    path = f"{ROOT}/assignmentScheduleInstances"
    row = (await rows(rig, path, **OF_GROUP))[0]
    assert row["assignmentScheduleId"] == f"{DATABASE.id}_member_{request.id}"
    assert (row["startDateTime"], row["endDateTime"]) == ("2026-11-23T10:00:00.000Z", "2026-11-23T12:00:00.000Z")
    rig.forward(hours=2)
    assert await rows(rig, path, **OF_GROUP) == []


@pytest.mark.parametrize("how", ["deactivate", "revoke"])
async def test_membership_ends_early(rig: Rig, how: How) -> None:
    request = rig.ask_group()
    await decide(rig, request, "ann")
    rig.forward(minutes=10)
    rig.world.end(request.id, how)
    assert await rows(rig, f"{ROOT}/assignmentScheduleInstances", **OF_GROUP) == []
