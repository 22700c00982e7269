"""Azure approvals: who sees a stage, which shape of a decision is taken, and that the first one counts."""

from __future__ import annotations

from datetime import datetime

import pytest
from sandbox.arm_rig import (
    APPROVAL_VERSION,
    APPROVALS,
    FEW,
    MINE,
    NOWHERE,
    PROD,
    REQUESTS,
    SHAPES,
    STAGING,
    WEB,
    approval,
    decide,
    inner,
    stage_of,
)
from sandbox.world_rig import Rig, error_of


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_approvals_of_the_caller_are_listed(rig: Rig) -> None:
    answer = await approval(rig, "", params=MINE)
    known = [rig.world.requests[rig.world.approvals[row["name"]]].id for row in answer.json()["value"]]
    assert known == rig.ids_of("azure")
    assert (await approval(rig, "", "olga", params=MINE)).json()["value"] == []
    assert len((await approval(rig, "", "rita", params={"$filter": "asTarget()"})).json()["value"]) == 1
    assert len((await approval(rig, "", "rita", params={"$filter": "asCreatedBy()"})).json()["value"]) == 1
    assert (await approval(rig, "")).status_code == 400


async def test_approvals_are_for_people(rig: Rig) -> None:
    request = rig.ask_azure()
    for path in ("", f"/{request.approval_id}", f"/{request.approval_id}/stages"):
        answer = await approval(rig, path, "app", params=MINE if not path else None)
        assert error_of(answer) == (403, "AuthorizationFailed")


async def test_an_approval_concerns_its_people_only(rig: Rig) -> None:
    request = rig.ask_azure("rob")
    seen = {u: (await approval(rig, f"/{request.approval_id}", u)).status_code for u in ("ann", "rob", "rita", "olga")}
    assert seen == {"ann": 200, "rob": 200, "rita": 403, "olga": 403}


async def test_stage_is_assigned_to_approvers_only(rig: Rig) -> None:
    request = rig.ask_azure("ben")
    seen = {u: (await stage_of(rig, request, u))["properties"]["assignedToMe"] for u in ("ann", "cleo", "ben")}
    assert seen == {"ann": True, "cleo": True, "ben": False}


async def test_older_rows_call_their_stages_steps(rig: Rig) -> None:
    words = set()
    for _ in range(FEW):
        row = (await approval(rig, f"/{rig.ask_azure().approval_id}")).json()
        words |= set(row["properties"])
    assert words == {"stages", "steps"}


async def test_a_stages_name_is_not_always_what_its_id_ends_in(rig: Rig) -> None:
    agree = set()
    for _ in range(FEW):
        request = rig.ask_azure()
        stage = await stage_of(rig, request)
        end = stage["id"].rsplit("/", 1)[1]
        assert end == request.step_id
        assert (await approval(rig, f"/{request.approval_id}/stages/{end}")).json() == stage
        agree.add(stage["name"] == end)
    assert agree == {True, False}


async def test_approvals_are_read_below_a_scope_too(rig: Rig) -> None:
    request = rig.ask_azure(scope="rg-web")
    for scope, status in ((WEB, 200), (PROD, 200), (STAGING, 404)):
        path = f"{scope}{APPROVALS}/{request.approval_id}/stages/{request.step_id}"
        assert (await rig.arm(path, "ann", version=APPROVAL_VERSION)).status_code == status


async def test_a_stale_row_has_no_live_stage(rig: Rig) -> None:
    request = rig.ask_azure(is_stale=True)
    row = (await rig.arm(f"{PROD}{REQUESTS}/{request.id}", "ann")).json()["properties"]
    assert row["status"] == "PendingApproval"
    assert (await stage_of(rig, request))["properties"]["status"] == "Expired"
    assert (await decide(rig, request)).status_code == 404


# The decision


@pytest.mark.parametrize("accepted", SHAPES)
async def test_only_the_chosen_shape_decides(rig: Rig, accepted: str) -> None:
    chosen = await rig.http.post("/control/arm", json={"accepts": [accepted]})
    assert chosen.json() == {"accepts": [accepted]}
    request = rig.ask_azure()
    for shape in SHAPES:
        if shape == accepted:
            continue
        answer = await decide(rig, request, shape=shape)
        status = inner(answer)[0] if shape == "batch" else answer.status_code
        assert 400 <= status < 500
        assert rig.world.requests[request.id].review is None
        assert (await stage_of(rig, request))["properties"]["status"] == "InProgress"
    answer = await decide(rig, request, shape=accepted)
    assert inner(answer)[0] == 204 if accepted == "batch" else answer.status_code == 200
    assert rig.world.requests[request.id].status(rig.world.now()) == "Provisioned"


async def test_a_new_world_takes_the_wrapped_put(rig: Rig) -> None:
    assert (await decide(rig, rig.ask_azure(), shape="put")).status_code == 200
    assert (await decide(rig, rig.ask_azure(), shape="patch_wrapped")).status_code == 400


async def test_no_shape_at_all_may_be_taken(rig: Rig) -> None:
    await rig.http.post("/control/arm", json={"accepts": []})
    request = rig.ask_azure()
    for shape in SHAPES:
        await decide(rig, request, shape=shape)
    assert rig.world.requests[request.id].review is None


@pytest.mark.parametrize("body", [{}, {"accepts": "put"}, {"accepts": ["post"]}, {"accepts": [1]}, {"takes": []}])
async def test_other_shapes_are_no_shapes(rig: Rig, body: object) -> None:
    assert (await rig.http.post("/control/arm", json=body)).status_code == 400
    assert rig.world.arm_accepts == ("put",)


async def test_reset_forgets_the_shapes(rig: Rig) -> None:
    await rig.http.post("/control/arm", json={"accepts": ["batch"]})
    rig.world.reset()
    assert rig.world.arm_accepts == ("put",)


async def test_approval_names_the_reviewer(rig: Rig) -> None:
    request = rig.ask_azure()
    answer = (await decide(rig, request)).json()["properties"]
    assert (answer["status"], answer["reviewResult"][:7], answer["justification"]) == ("Completed", "Approve", "CHG1")
    assert answer["reviewedBy"]["principalId"] == rig.world.people["ann"].oid
    assert datetime.fromisoformat(answer["reviewedDateTime"]) == rig.clock.now


async def test_results_are_spelled_in_two_ways(rig: Rig) -> None:
    words = set()
    for result in ("Approve", "Deny"):
        for _ in range(10):
            request = rig.ask_azure()
            await decide(rig, request, result=result)
            words.add((await stage_of(rig, request))["properties"]["reviewResult"])
    assert words == {"Approve", "Approved", "Deny", "Denied"}


async def test_a_bare_patch_is_sometimes_answered_with_nothing(rig: Rig) -> None:
    await rig.http.post("/control/arm", json={"accepts": ["patch_bare"]})
    answers = [await decide(rig, rig.ask_azure(), shape="patch_bare") for _ in range(FEW)]
    assert {(answer.status_code, bool(answer.content)) for answer in answers} == {(200, True), (200, False)}


@pytest.mark.parametrize("shape", SHAPES)
async def test_second_decision_is_a_conflict_and_changes_nothing(rig: Rig, shape: str) -> None:
    await rig.http.post("/control/arm", json={"accepts": [shape]})
    request = rig.ask_azure()
    await decide(rig, request, shape=shape)
    answer = await decide(rig, request, "ben", shape, "Deny")
    assert (inner(answer) if shape == "batch" else error_of(answer)) == (409, "Conflict")
    review = rig.world.requests[request.id].review
    assert review
    assert (review.by, review.verdict) == ("ann", "approve")


@pytest.mark.parametrize("user", ["olga", "rob", "rita", "app"])
async def test_only_approvers_decide(rig: Rig, user: str) -> None:
    request = rig.ask_azure("rob")
    assert error_of(await decide(rig, request, user)) == (403, "AuthorizationFailed")
    assert rig.world.requests[request.id].review is None


async def test_nobody_decides_where_the_list_is_empty(rig: Rig) -> None:
    request = rig.ask_azure(role="User Access Administrator")
    for user in ("ann", "ben", "cleo"):
        assert (await decide(rig, request, user)).status_code == 403
    assert rig.world.requests[request.id].review is None


async def test_comment_is_demanded_where_policy_says_so(rig: Rig) -> None:
    request = rig.ask_azure()
    assert error_of(await decide(rig, request, why=" ")) == (400, "RoleAssignmentRequestPolicyValidationFailed")
    assert (await decide(rig, rig.ask_azure(role="Reader"), why="")).status_code == 200


@pytest.mark.parametrize(
    "method, body",
    [
        ("PUT", b"{"),
        ("PUT", b"[]"),
        ("PUT", b'{"reviewResult": "Approve", "justification": "bare"}'),
        ("PUT", b'{"properties": []}'),
        ("PUT", b'{"properties": {"reviewResult": "Approved", "justification": "x"}}'),
        ("PUT", b'{"properties": {"reviewResult": "Approve", "justification": 7}}'),
        ("PUT", b'{"properties": {"reviewResult": "Approve", "justification": "x", "status": "Completed"}}'),
        ("PATCH", b'{"reviewResult": "Maybe", "justification": "x"}'),
    ],
)
async def test_malformed_decision_changes_nothing(rig: Rig, method: str, body: bytes) -> None:
    await rig.http.post("/control/arm", json={"accepts": list(SHAPES)})
    request = rig.ask_azure()
    path = f"{APPROVALS}/{request.approval_id}/stages/{request.step_id}?api-version={APPROVAL_VERSION}"
    headers = {"authorization": f"Bearer {rig.user_token('ann', resource='arm')}"}
    answer = await rig.http.request(method, f"/arm{path}", headers=headers, content=body)
    assert error_of(answer) == (400, "InvalidRequestContent")
    assert rig.world.requests[request.id].review is None


async def test_decision_on_an_unknown_stage_is_not_found(rig: Rig) -> None:
    request = rig.ask_azure()
    place, body = f"/{request.approval_id}/stages/{NOWHERE}", {"properties": {"reviewResult": "Approve"}}
    assert (await approval(rig, place, method="PUT", json=body)).status_code == 404
    assert (await approval(rig, f"/{NOWHERE}")).status_code == 404


async def test_a_batch_runs_each_call_and_says_so_outside(rig: Rig) -> None:
    await rig.http.post("/control/arm", json={"accepts": ["batch"]})
    request = rig.ask_azure()
    stages = f"{APPROVALS}/{request.approval_id}/stages?api-version={APPROVAL_VERSION}"
    outer = set()
    for name in ("a", "b"):
        items = [
            {"name": name, "httpMethod": "GET", "url": stages},
            {"name": "2", "httpMethod": "GET", "url": f"https://management.azure.com{stages}"},
            {"name": "3", "httpMethod": "GET", "url": stages.partition("?")[0]},
        ]
        answer = await rig.arm("/batch", "ann", "POST", json={"requests": items}, version="2020-06-01")
        outer.add(answer.status_code)
        inside = [(one["name"], one["httpStatusCode"]) for one in answer.json()["responses"]]
        assert inside == [(name, 200), ("2", 200), ("3", 400)]
    assert outer == {200, 202}


@pytest.mark.parametrize(
    "body", [None, [], {}, {"requests": []}, {"requests": "x"}, {"requests": [{"url": "/x"}]}, {"requests": [1] * 21}]
)
async def test_what_is_no_batch_is_refused(rig: Rig, body: object) -> None:
    answer = await rig.arm("/batch", "ann", "POST", json=body, version="2020-06-01")
    assert error_of(answer) == (400, "InvalidRequestContent")
    assert error_of(await rig.arm("/batch", "ann", "POST", json=body))[0] == 404


async def test_replicas_show_the_old_state_for_a_while(rig: Rig) -> None:
    request = rig.ask_azure()
    await rig.http.post("/control/lag", json={"seconds": 60})
    assert (await decide(rig, request, "ann")).status_code == 200
    assert (await stage_of(rig, request, "ben"))["properties"]["reviewResult"] == "NotReviewed"
    row = (await rig.arm(f"{PROD}{REQUESTS}/{request.id}", "ben")).json()
    assert row["properties"]["status"] == "PendingApproval"
    assert (await decide(rig, request, "ben", result="Deny")).status_code == 409
    rig.forward(seconds=60)
    assert (await stage_of(rig, request, "ben"))["properties"]["status"] == "Completed"
