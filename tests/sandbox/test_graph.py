"""The emulated Graph refuses what Microsoft refuses and shows rows as Microsoft shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sandbox.world_rig import APPROVALS, ROLE_REQUESTS, Rig, error_of

DIRECTORY = "/v1.0/roleManagement/directory"
PENDING = {"$filter": "status eq 'PendingApproval'", "$expand": "principal,roleDefinition"}
MINE = f"{ROLE_REQUESTS}/filterByCurrentUser(on='approver')"


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def ids(rig: Rig, path: str, user: str, **query: str) -> list[str]:
    answer = await rig.graph(path, user, params=query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["value"]]


async def test_application_lists_every_request_of_this_desk(rig: Rig) -> None:
    assert await ids(rig, ROLE_REQUESTS, "app") == rig.ids_of("entra")


async def test_list_follows_next_links_without_losing_rows(rig: Rig) -> None:
    for _ in range(5):
        rig.ask()
    seen, url = [], f"{rig.settings.world_url}/graph{ROLE_REQUESTS}?$top=3&$expand=principal"
    while url:
        answer = (await rig.http.get(url, headers={"authorization": f"Bearer {rig.app_token()}"})).json()
        seen += [row["id"] for row in answer["value"]]
        url = answer.get("@odata.nextLink")
        assert url is None or url.startswith(f"{rig.settings.world_url}/graph/v1.0/")
    assert seen == rig.ids_of("entra")


async def test_default_page_has_a_hundred_rows(rig: Rig) -> None:
    for _ in range(98):
        rig.ask()
    first = (await rig.graph(ROLE_REQUESTS)).json()
    assert len(first["value"]) == 100
    assert "@odata.nextLink" in first


@pytest.mark.parametrize("token", ["x", "AAAA", "!!"])
async def test_forged_skiptoken_is_refused(rig: Rig, token: str) -> None:
    answer = await rig.graph(ROLE_REQUESTS, params={"$skiptoken": token})
    assert error_of(answer) == (400, "BadRequest")


async def test_application_may_not_filter_by_status(rig: Rig) -> None:
    answer = await rig.graph(ROLE_REQUESTS, params=PENDING)
    assert error_of(answer) == (400, "InvalidFilter")
    assert "The status eq 'PendingApproval' filter is invalid." in answer.text


async def test_reader_may_filter_by_status(rig: Rig) -> None:
    done = rig.ask()
    await rig.decide(done, "ann")
    assert done.id not in await ids(rig, ROLE_REQUESTS, "cleo", **PENDING)


async def test_approver_without_directory_role_may_not_list_all(rig: Rig) -> None:
    assert error_of(await rig.graph(ROLE_REQUESTS, "ann")) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    "query",
    [
        {"$orderby": "createdDateTime"},
        {"$filter": "status"},
        {"$filter": "status eq PendingApproval"},
        {"$filter": "principalId eq 'x' or id eq 'y'"},
        {"$filter": "createdDateTime eq '2026-01-01'"},
        {"$select": "id,secret"},
        {"$expand": "everything"},
        {"$top": "0"},
        {"$top": "101"},
        {"$skip": "1"},
        {"colour": "blue"},
    ],
)
async def test_odd_query_options_are_refused(rig: Rig, query: dict[str, str]) -> None:
    answer = await rig.graph(ROLE_REQUESTS, params=query)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "innerError"}


async def test_filters_combine_and_select_narrows(rig: Rig) -> None:
    request = rig.ask("rita", "Global Reader")
    oid = rig.world.people["rita"].oid
    text = f"principalId eq '{oid.upper()}' and roleDefinitionId ne '29232cdf-9323-42fd-ade2-1d097af3e4de'"
    answer = await rig.graph(ROLE_REQUESTS, params={"$filter": text, "$select": "id,status"})
    assert answer.json()["value"] == [{"id": request.id, "status": "PendingApproval"}]


async def test_created_by_filters_by_its_user(rig: Rig) -> None:
    rita = rig.world.people["rita"].oid
    found = await ids(rig, ROLE_REQUESTS, "app", **{"$filter": f"createdBy eq '{rita}'"})
    assert len(found) == 1


async def test_approver_sees_what_waits_for_them(rig: Rig) -> None:
    assert await ids(rig, MINE, "ann", **PENDING) == rig.ids_of("entra")
    assert await ids(rig, MINE, "olga", **PENDING) == []


async def test_own_request_does_not_wait_for_oneself(rig: Rig) -> None:
    own = rig.ask("ann")
    assert own.id not in await ids(rig, MINE, "ann")
    assert await ids(rig, f"{ROLE_REQUESTS}/filterByCurrentUser(on='principal')", "ann") == [own.id]


async def test_function_gives_fifty_rows_and_no_link(rig: Rig) -> None:
    for _ in range(60):
        rig.ask()
    answer = (await rig.graph(MINE, "ann", params=PENDING)).json()
    assert len(answer["value"]) == 50
    assert "@odata.nextLink" not in answer


@pytest.mark.parametrize("option", ["$top", "$skip", "$skiptoken"])
async def test_function_refuses_paging(rig: Rig, option: str) -> None:
    assert (await rig.graph(MINE, "ann", params={option: "10"})).status_code == 400


async def test_function_refuses_other_relations(rig: Rig) -> None:
    answer = await rig.graph(f"{ROLE_REQUESTS}/filterByCurrentUser(on='createdBy')", "ann")
    assert error_of(answer) == (400, "BadRequest")


async def test_function_needs_a_person(rig: Rig) -> None:
    assert (await rig.graph(MINE, "app")).status_code == 400


async def test_pending_row_has_microsofts_quirks(rig: Rig) -> None:
    request = rig.ask()
    row = (await rig.graph(f"{ROLE_REQUESTS}/{request.id}", "ann", params={"$expand": "principal"})).json()
    assert row["approvalId"] == row["targetScheduleId"] == row["id"]
    assert row["completedDateTime"] < row["createdDateTime"]
    assert row["createdBy"]["user"]["displayName"] is None
    assert row["principal"]["@odata.type"] == "#microsoft.graph.user"


async def test_rows_vary_as_microsofts_do(rig: Rig) -> None:
    for _ in range(60):
        rig.ask()
    rows: list[dict[str, Any]] = (await rig.graph(ROLE_REQUESTS)).json()["value"]
    assert {row["action"] for row in rows} == {"selfActivate", "SelfActivate"}
    assert {row["scheduleInfo"]["startDateTime"] is None for row in rows} == {True, False}
    digits = {len(row["createdDateTime"].partition(".")[2]) for row in rows}
    assert digits == {0, 3, 4, 8}


async def test_outsider_may_not_read_a_request(rig: Rig) -> None:
    request = rig.ask()
    assert error_of(await rig.graph(f"{ROLE_REQUESTS}/{request.id}", "olga"))[0] == 403


async def test_unknown_request_is_not_found(rig: Rig) -> None:
    path = f"{ROLE_REQUESTS}/00000000-1111-4222-8333-444455556666"
    assert error_of(await rig.graph(path)) == (404, "ResourceNotFound")


async def test_requestor_withdraws_once(rig: Rig) -> None:
    request = rig.ask()
    path = f"{ROLE_REQUESTS}/{request.id}/cancel"
    assert (await rig.graph(path, "rob", "POST")).status_code == 204
    assert (await rig.graph(path, "rob", "POST")).status_code == 400
    assert rig.world.requests[request.id].status(rig.world.now()) == "Canceled"


async def test_approver_cannot_withdraw_for_another(rig: Rig) -> None:
    request = rig.ask()
    assert (await rig.graph(f"{ROLE_REQUESTS}/{request.id}/cancel", "ann", "POST")).status_code == 403


async def test_step_is_assigned_to_approvers_only(rig: Rig) -> None:
    request = rig.ask("ben")
    seen = {user: (await rig.step(request, user))["assignedToMe"] for user in ("ann", "cleo", "ben", "olga")}
    assert seen == {"ann": True, "cleo": True, "ben": False, "olga": False}


async def test_approval_expands_its_steps(rig: Rig) -> None:
    request = rig.ask()
    bare = (await rig.graph(f"{APPROVALS}/{request.id}", "ann")).json()
    full = (await rig.graph(f"{APPROVALS}/{request.id}", "ann", params={"$expand": "steps"})).json()
    assert "steps" not in bare
    assert full["steps"][0]["status"] == "InProgress"


async def test_step_ids_are_sometimes_the_approvals_own(rig: Rig) -> None:
    made = [rig.ask() for _ in range(40)]
    assert {request.id == request.step_id for request in made} == {True, False}


async def test_approvals_exist_in_beta_only(rig: Rig) -> None:
    request = rig.ask()
    path = f"{APPROVALS}/{request.id}".replace("/beta/", "/v1.0/")
    assert error_of(await rig.graph(path, "ann")) == (400, "BadRequest")


async def test_approvals_of_the_caller_are_listed(rig: Rig) -> None:
    path = f"{APPROVALS}/filterByCurrentUser(on='approver')"
    assert await ids(rig, path, "ann") == rig.ids_of("entra")


async def test_approval_provisions_and_names_the_reviewer(rig: Rig) -> None:
    request = rig.ask()
    assert (await rig.decide(request, "ann", why="CHG1")).status_code == 204
    step = await rig.step(request, "ben")
    assert (step["status"], step["reviewResult"][:7], step["justification"]) == ("Completed", "Approve", "CHG1")
    assert step["reviewedBy"]["id"] == rig.world.people["ann"].oid
    assert rig.world.requests[request.id].status(rig.world.now()) == "Provisioned"


async def test_denial_is_kept(rig: Rig) -> None:
    request = rig.ask()
    assert (await rig.decide(request, "ben", "Deny", "no change request")).status_code == 204
    assert rig.world.requests[request.id].status(rig.world.now()) == "Denied"


async def test_second_decision_is_a_conflict_and_changes_nothing(rig: Rig) -> None:
    request = rig.ask()
    await rig.decide(request, "ann")
    assert error_of(await rig.decide(request, "ben", "Deny")) == (409, "Conflict")
    review = rig.world.requests[request.id].review
    assert review
    assert (review.by, review.verdict) == ("ann", "approve")


@pytest.mark.parametrize("user", ["olga", "rob", "adm-rob"])
async def test_only_approvers_decide(rig: Rig, user: str) -> None:
    request = rig.ask("rob")
    assert (await rig.decide(request, user)).status_code == 403
    assert rig.world.requests[request.id].review is None


async def test_nobody_decides_their_own_request(rig: Rig) -> None:
    own = rig.ask("ann")
    assert (await rig.decide(own, "ann")).status_code == 403
    assert rig.world.requests[own.id].review is None


async def test_application_cannot_decide(rig: Rig) -> None:
    request = rig.ask()
    assert (await rig.decide(request, "app")).status_code == 403
    assert rig.world.requests[request.id].review is None


async def test_decision_on_an_unknown_step_is_not_found(rig: Rig) -> None:
    request = rig.ask()
    path = f"{APPROVALS}/{request.id}/steps/00000000-1111-4222-8333-444455556666"
    body = {"reviewResult": "Approve", "justification": "ok"}
    assert (await rig.graph(path, "ann", "PATCH", json=body)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"reviewResult": "Approved", "justification": "x"}',
        b'{"reviewResult": "Approve", "justification": 7}',
        b'{"reviewResult": "Approve", "justification": "x", "status": "Completed"}',
        b'{"reviewResult": "Approve", "justification": " "}',
    ],
)
async def test_malformed_decision_changes_nothing(rig: Rig, body: bytes) -> None:
    request = rig.ask()
    path = f"{APPROVALS}/{request.id}/steps/{request.step_id}"
    assert (await rig.raw(path, rig.user_token("ann"), "PATCH", content=body)).status_code == 400
    assert rig.world.requests[request.id].review is None


async def test_comment_may_be_empty_where_policy_says_so(rig: Rig) -> None:
    request = rig.ask("rob", "Reports Reader")
    assert (await rig.decide(request, "ann", why="")).status_code == 204


async def test_request_dies_after_a_day(rig: Rig) -> None:
    request = rig.ask()
    rig.forward(hours=24)
    row = (await rig.graph(f"{ROLE_REQUESTS}/{request.id}")).json()
    assert row["status"] == "Failed"
    assert (await rig.step(request, "ann"))["status"] == "Expired"
    assert (await rig.decide(request, "ann")).status_code == 404


async def test_request_lives_until_its_day_is_over(rig: Rig) -> None:
    request = rig.ask()
    rig.forward(hours=23, minutes=59, seconds=59)
    assert (await rig.decide(request, "ann")).status_code == 204


async def test_approved_role_is_active_for_its_duration(rig: Rig) -> None:
    request = rig.ask(duration="PT2H")
    await rig.decide(request, "ann")
    path = f"{DIRECTORY}/roleAssignmentScheduleInstances"
    query = {"$filter": f"roleAssignmentScheduleId eq '{request.id}'"}
    row = (await rig.graph(path, params=query)).json()["value"][0]
    assert (row["startDateTime"], row["endDateTime"]) == ("2026-11-23T10:00:00.000Z", "2026-11-23T12:00:00.000Z")
    rig.forward(hours=2)
    assert (await rig.graph(path, params=query)).json()["value"] == []


async def test_future_start_is_granted_first(rig: Rig) -> None:
    request = rig.ask(start=rig.clock.now.replace(hour=15))
    await rig.decide(request, "ann")
    assert rig.world.requests[request.id].status(rig.world.now()) == "Granted"
    rig.forward(hours=5)
    assert rig.world.requests[request.id].status(rig.world.now()) == "Provisioned"


async def test_requestor_reads_own_instances_and_no_others(rig: Rig) -> None:
    await rig.decide(rig.ask("rob"), "ann")
    path, oid = f"{DIRECTORY}/roleAssignmentScheduleInstances", rig.world.people["rob"].oid
    own = await rig.graph(path, "rob", params={"$filter": f"principalId eq '{oid}'"})
    assert len(own.json()["value"]) == 1
    assert (await rig.graph(path, "rob")).status_code == 403


@pytest.mark.parametrize("version", ["v1.0", "beta"])
async def test_privileged_mark_exists_in_beta_only(rig: Rig, version: str) -> None:
    path = f"/{version}/roleManagement/directory/roleDefinitions"
    answer = await rig.graph(path, params={"$select": "id,displayName,isPrivileged"})
    assert answer.status_code == (200 if version == "beta" else 400)


async def test_privileged_mark_cannot_be_filtered(rig: Rig) -> None:
    path = "/beta/roleManagement/directory/roleDefinitions"
    assert (await rig.graph(path, params={"$filter": "isPrivileged eq true"})).status_code == 400


async def test_policy_names_approvers_and_limits(rig: Rig) -> None:
    role = "62e90394-69f5-4237-9190-012177145e10"
    query = {
        "$filter": f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{role}'",
        "$expand": "policy($expand=rules)",
    }
    answer = await rig.graph("/v1.0/policies/roleManagementPolicyAssignments", "ann", params=query)
    rules = {rule["id"]: rule for rule in answer.json()["value"][0]["policy"]["rules"]}
    assert rules["Expiration_EndUser_Assignment"]["maximumDuration"] == "PT8H"
    assert "Ticketing" in rules["Enablement_EndUser_Assignment"]["enabledRules"]
    stage = rules["Approval_EndUser_Assignment"]["setting"]["approvalStages"][0]
    assert stage["primaryApprovers"][0]["@odata.type"] == "#microsoft.graph.groupMembers"


@pytest.mark.parametrize("text", ["scopeId eq '/'", "scopeType eq 'DirectoryRole'", ""])
async def test_policies_need_scope_and_type(rig: Rig, text: str) -> None:
    answer = await rig.graph("/v1.0/policies/roleManagementPolicyAssignments", params={"$filter": text})
    assert answer.status_code == 400


async def test_single_rule_is_readable(rig: Rig) -> None:
    query = {"$filter": "scopeId eq '/' and scopeType eq 'DirectoryRole'"}
    rows = (await rig.graph("/v1.0/policies/roleManagementPolicyAssignments", params=query)).json()["value"]
    path = f"/v1.0/policies/roleManagementPolicies/{rows[0]['policyId']}/rules/Approval_EndUser_Assignment"
    assert (await rig.graph(path)).json()["id"] == "Approval_EndUser_Assignment"


async def test_me_is_the_caller(rig: Rig) -> None:
    assert (await rig.graph("/v1.0/me", "ann")).json()["id"] == rig.world.people["ann"].oid
    assert (await rig.graph("/v1.0/me", "app")).status_code == 400


@pytest.mark.parametrize("name", ["rob", "gus"])
async def test_people_are_found_by_principal_name(rig: Rig, name: str) -> None:
    upn = rig.world.people[name].upn.replace("#", "%23").replace("@", "%40")
    answer = await rig.graph(f"/v1.0/users/{upn}", params={"$select": "id,mail"})
    assert answer.json()["id"] == rig.world.people[name].oid


async def test_person_without_mailbox_has_no_mail(rig: Rig) -> None:
    assert (await rig.graph(f"/v1.0/users/{rig.world.people['adm-rob'].oid}")).json()["mail"] is None


async def test_person_reads_only_themselves(rig: Rig) -> None:
    assert (await rig.graph(f"/v1.0/users/{rig.world.people['rob'].oid}", "ann")).status_code == 403
    assert (await rig.graph("/v1.0/users/nobody@contoso.example")).status_code == 404


@pytest.mark.parametrize("cast", ["", "/microsoft.graph.user"])
async def test_group_members_are_listed(rig: Rig, cast: str) -> None:
    path = f"/v1.0/groups/c2f1a7d4-3b68-4e0e-8f7a-1d5b9e60a4c3/transitiveMembers{cast}"
    rows = (await rig.graph(path, "ann", params={"$select": "id,displayName"})).json()["value"]
    assert {row["displayName"] for row in rows} == {"Ann Alder", "Ben Brook", "Cleo Clay"}


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c"])
async def test_missing_or_broken_token_is_unauthorised(rig: Rig, token: str) -> None:
    answer = await rig.raw(ROLE_REQUESTS, token)
    assert error_of(answer) == (401, "InvalidAuthenticationToken")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("resource", ["arm", "api"])
async def test_token_for_another_audience_is_unauthorised(rig: Rig, resource: str) -> None:
    answer = await rig.raw("/v1.0/me", rig.user_token("ann", resource=resource))
    assert error_of(answer) == (401, "InvalidAuthenticationToken")


async def test_expired_token_is_unauthorised(rig: Rig) -> None:
    token = rig.user_token("ann")
    rig.forward(seconds=4799)
    assert error_of(await rig.raw("/v1.0/me", token)) == (401, "InvalidAuthenticationToken")


async def test_foreign_signature_is_unauthorised(rig: Rig) -> None:
    head, body, _ = rig.user_token("ann").split(".")
    forged = rig.user_token("olga").rsplit(".", 1)[1]
    assert (await rig.raw("/v1.0/me", f"{head}.{body}.{forged}")).status_code == 401


async def test_missing_scope_is_told_in_nested_json(rig: Rig) -> None:
    token = rig.user_token("ann", only=("User.Read",))
    answer = await rig.raw(MINE, token)
    assert error_of(answer) == (403, "UnknownError")
    inner = json.loads(answer.json()["error"]["message"])
    assert inner["errorCode"] == "PermissionScopeNotGranted"
    assert "RoleAssignmentSchedule.ReadWrite.Directory" in inner["message"]


async def test_decision_needs_the_undocumented_scope_too(rig: Rig) -> None:
    request = rig.ask()
    token = rig.user_token("ann", only=("RoleAssignmentSchedule.ReadWrite.Directory",))
    path = f"{APPROVALS}/{request.id}/steps/{request.step_id}"
    answer = await rig.raw(path, token, "PATCH", json={"reviewResult": "Approve", "justification": "ok"})
    assert answer.status_code == 403
    assert "PrivilegedAccess.ReadWrite.AzureAD" in answer.text


async def test_every_answer_carries_request_ids(rig: Rig) -> None:
    good, bad = await rig.graph("/v1.0/me", "ann"), await rig.graph("/v1.0/nowhere", "ann")
    assert good.headers["request-id"] != bad.headers["request-id"]
    assert bad.json()["error"]["innerError"]["request-id"] == bad.headers["request-id"]
    assert "segment 'nowhere'" in bad.text


async def test_text_that_is_no_unicode_still_arrives(rig: Rig) -> None:
    request = rig.ask(justification="\ud800\u0000 & <b>")
    row = (await rig.graph(f"{ROLE_REQUESTS}/{request.id}")).json()
    assert row["justification"] == "\ud800\u0000 & <b>"
