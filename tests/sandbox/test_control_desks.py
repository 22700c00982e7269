"""Requests of all three desks through `/control`: how they are named, their words, the oddities they may have."""

from __future__ import annotations

import pytest
from sandbox.asking import ASK, AZURE, DESKS, GROUP, PROD, Json, made, post
from sandbox.world_rig import Rig

from app.sandbox.approvers import can_decide


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    "given, scope",
    [
        ({}, PROD),
        ({"scope": "prod"}, PROD),
        ({"scope": PROD.upper()}, PROD),
        ({"scope": PROD.removeprefix("/subscriptions/")}, PROD),
        ({"scope": PROD.removeprefix("/")}, PROD),
        ({"scope": "Contoso"}, "/providers/Microsoft.Management/managementGroups/contoso"),
        ({"scope": f"{PROD}/resourceGroups/rg-new"}, f"{PROD}/resourceGroups/rg-new"),
    ],
)
async def test_azure_scope_goes_by_name_or_path(rig: Rig, given: dict[str, str], scope: str) -> None:
    request = await made(rig, **{**AZURE, **given})
    assert (request["kind"], request["role"], request["scope"]) == ("azure", "Owner", scope)


@pytest.mark.parametrize("scope", ["prod-db-admins", "9E2F0C11-6a3b-4f0d-a1b2-c3d4e5f60703"])
async def test_group_goes_by_name_or_id(rig: Rig, scope: str) -> None:
    request = await made(rig, **{**GROUP, "scope": scope})
    assert (request["role"], request["scope"]) == ("member", "9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703")


@pytest.mark.parametrize(
    "desk, start, words",
    [
        (ASK, None, ["PendingApproval", "Provisioned", "Canceled", "Denied", "Failed"]),
        (AZURE, None, ["PendingApproval", "Provisioned", "Canceled", "Denied", "TimedOut"]),
        (GROUP, None, ["PendingApproval", "Provisioned", "Canceled", "Denied", "Failed"]),
        (ASK, "2026-11-23T12:00:00Z", ["PendingApproval", "Granted", "Canceled", "Denied", "Failed"]),
        (AZURE, "2026-11-23T12:00:00Z", ["PendingApproval", "ScheduleCreated", "Canceled", "Denied", "TimedOut"]),
        (GROUP, "2026-11-23T12:00:00Z", ["PendingApproval", "Granted", "Canceled", "Denied", "Failed"]),
    ],
)
async def test_each_desk_has_its_own_words(rig: Rig, desk: Json, start: str | None, words: list[str]) -> None:
    rows = [await made(rig, **{**desk, "start": start}) for _ in words]
    for row, act in zip(rows[1:4], ("approve", "cancel", "deny"), strict=True):
        body = None if act == "cancel" else {"by": "ann", "verdict": act, "comment": "ok"}
        answer = await post(rig, f"/requests/{row['id']}/{'cancel' if act == 'cancel' else 'decide'}", body)
        assert answer.status_code == 200, answer.text
    standing = [rig.world.requests[row["id"]].status(rig.world.now()) for row in rows[:4]]
    rig.forward(hours=24)
    assert [*standing, rig.world.requests[rows[4]["id"]].status(rig.world.now())] == words


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("how, status", [("deactivate", "Provisioned"), ("revoke", "Revoked"), ("fail", "Failed")])
async def test_an_active_role_can_end_early(rig: Rig, desk: Json, how: str, status: str) -> None:
    path = f"/requests/{(await made(rig, **desk))['id']}"
    assert (await post(rig, f"{path}/end", {"how": how})).status_code == 400
    assert (await post(rig, f"{path}/decide", {"by": "ann", "verdict": "approve"})).json()["active"]
    ended = (await post(rig, f"{path}/end", {"how": how})).json()
    assert (ended["status"], ended["active"], ended["verdict"]) == (status, None, "approve")
    assert (await post(rig, f"{path}/end", {"how": how})).status_code == 400


async def test_a_scheduled_role_can_be_revoked_but_not_deactivated(rig: Rig) -> None:
    path = f"/requests/{(await made(rig, start='2026-11-23T12:00:00Z'))['id']}"
    await post(rig, f"{path}/decide", {"by": "ann", "verdict": "approve"})
    assert (await post(rig, f"{path}/end", {"how": "deactivate"})).status_code == 400
    assert (await post(rig, f"{path}/end", {"how": "revoke"})).json()["status"] == "Revoked"


@pytest.mark.parametrize("how", [None, "explode"])
async def test_other_endings_are_refused(rig: Rig, how: str | None) -> None:
    path = f"/requests/{(await made(rig))['id']}/end"
    assert (await post(rig, path, {"how": how} if how else {})).status_code == 400
    assert (await post(rig, "/requests/00000000-1111-4222-8333-444455556666/end", {"how": "fail"})).status_code == 404


@pytest.mark.parametrize("desk", DESKS)
async def test_an_extension_waits_for_an_administrator(rig: Rig, desk: Json) -> None:
    request = await made(rig, **{**desk, "action": "selfExtend"})
    assert request["status"] == "PendingAdminDecision"
    decided = await post(rig, f"/requests/{request['id']}/decide", {"by": "ann", "verdict": "deny"})
    assert decided.json()["status"] == ("AdminDenied" if desk is AZURE else "Denied")


@pytest.mark.parametrize("desk", DESKS)
async def test_a_stale_row_stays_pending_and_cannot_be_decided(rig: Rig, desk: Json) -> None:
    request = await made(rig, **{**desk, "stale": True, "age": "P2D"})
    assert request["status"] == "PendingApproval"
    answer = await post(rig, f"/requests/{request['id']}/decide", {"by": "ann", "verdict": "approve"})
    assert (answer.status_code, answer.json()["error"]) == (400, "No approval step of this request is live.")


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("approvers, may", [([], []), (["olga"], ["olga"]), (["rob", "ben"], ["ben"])])
async def test_a_request_may_have_its_own_approvers(rig: Rig, desk: Json, approvers: list[str], may: list[str]) -> None:
    taken = []
    for person in ("ann", "ben", "olga", "rob"):
        request = await made(rig, **{**desk, "requestor": "rob", "approvers": approvers})
        answer = await post(rig, f"/requests/{request['id']}/decide", {"by": person, "verdict": "deny"})
        taken += [person] if answer.status_code == 200 else []
    assert taken == may


@pytest.mark.parametrize(
    "desk, may",
    [
        ({**AZURE, "role": "User Access Administrator"}, []),
        ({**AZURE, "role": "Key Vault Administrator", "scope": "kv-prod"}, ["ann"]),
        ({**AZURE, "role": "Key Vault Administrator"}, ["ann", "ben", "cleo"]),
        ({**GROUP, "scope": "breakglass-operators"}, ["ben"]),
        ({**GROUP, "scope": "breakglass-operators", "role": "owner"}, []),
    ],
)
async def test_policy_says_who_may_approve(rig: Rig, desk: Json, may: list[str]) -> None:
    request = rig.world.requests[(await made(rig, **desk))["id"]]
    assert [person for person in rig.world.people if can_decide(request, person)] == may
