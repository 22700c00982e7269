"""The emulated audit log tells a request's whole story, as late, as stingily and as untidily as Entra's does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sandbox.world_rig import Rig, error_of

from app.sandbox.activations import Ask, How, Request
from app.sandbox.azure_roles import AZURE_ROLES
from app.sandbox.roles import find_role
from app.sandbox.scopes import PROD

AUDITS = "/v1.0/auditLogs/directoryAudits"
OWNER = AZURE_ROLES["8e3af657-a8ff-443c-a75c-2fe8c4bcb635"]
ASKED = ["Add member to role requested (PIM activation)", "Add member to role approval requested (PIM activation)"]
APPROVED = "Add member to role request approved (PIM activation)"
ACTIVE = "Add member to role completed (PIM activation)"


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def audits(rig: Rig, text: str = "loggedByService eq 'PIM'", **query: str) -> list[dict[str, Any]]:
    rig.world.audit_calls.clear()
    answer = await rig.graph(AUDITS, params={"$filter": text, **query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["value"]
    return rows


async def story(rig: Rig, request: Request) -> list[str]:
    """What the log tells of one request, oldest first."""
    rows = await audits(rig, f"correlationId eq '{request.id}'")
    return [row["activityDisplayName"] for row in reversed(rows)]


async def test_approved_role_is_told_from_asking_to_expiry(rig: Rig) -> None:
    request = rig.ask(duration="PT2H")
    rig.forward(minutes=3)
    await rig.decide(request, "ann", why="CHG0042 reviewed")
    assert await story(rig, request) == [*ASKED, APPROVED, ACTIVE]
    rig.forward(hours=2)
    assert (await story(rig, request))[4:] == ["Remove member from role (PIM activation expired)"]


async def test_decision_names_the_approver_and_the_comment(rig: Rig) -> None:
    request = rig.ask("rob", justification="Investigate")
    rig.forward(minutes=3)
    await rig.decide(request, "ben", "Deny", "no change request")
    row = (await audits(rig, f"correlationId eq '{request.id}'"))[0]
    assert row["activityDisplayName"] == "Add member to role request denied (PIM activation)"
    assert (row["initiatedBy"]["user"]["id"], row["resultReason"]) == (
        rig.world.people["ben"].oid,
        "no change request",
    )
    assert {target["type"]: target["id"] for target in row["targetResources"]} == {
        "Role": request.asked.role.id,
        "Request": request.id,
        "User": rig.world.people["rob"].oid,
        "Directory": rig.settings.tenant,
        "Other": None,
    }
    details = {detail["key"]: detail["value"] for detail in row["additionalDetails"]}
    assert (details["RequestId"], details["Justification"]) == (request.id, "Investigate")


async def test_nobody_in_time_is_told_by_pim_itself(rig: Rig) -> None:
    request = rig.ask()
    rig.forward(hours=24)
    row = (await audits(rig, f"correlationId eq '{request.id}'"))[0]
    assert row["activityDisplayName"] == "PIM activation request expired"
    assert (row["initiatedBy"]["user"], row["initiatedBy"]["app"]["displayName"]) == (None, "Azure AD PIM")
    assert await audits(rig, f"initiatedBy/app/displayName eq 'Azure AD PIM' and correlationId eq '{request.id}'")


async def test_withdrawal_is_told(rig: Rig) -> None:
    request = rig.ask()
    rig.world.cancel(request.id)
    assert await story(rig, request) == [*ASKED, "Add member to role canceled (PIM activation)"]


@pytest.mark.parametrize(
    "how, last",
    [
        ("deactivate", "Remove member from role completed (PIM deactivate)"),
        ("revoke", "Remove member from role in PIM completed (timebound)"),
        ("fail", ACTIVE),
    ],
)
async def test_early_end_is_told(rig: Rig, how: How, last: str) -> None:
    request = rig.ask()
    rig.world.decide(request.id, "ann", "approve", "ok")
    rig.forward(minutes=30)
    rig.world.end(request.id, how)
    rig.forward(hours=8)
    rows = await audits(rig, f"correlationId eq '{request.id}'")
    assert (rows[0]["activityDisplayName"], rows[0]["result"]) == (last, "failure" if how == "fail" else "success")


async def test_scheduled_role_that_is_taken_away_was_never_active(rig: Rig) -> None:
    request = rig.ask(start=rig.clock.now + timedelta(hours=5))
    rig.world.decide(request.id, "ann", "approve", "ok")
    rig.world.end(request.id, "revoke")
    rig.forward(hours=9)
    assert ACTIVE not in await story(rig, request)


async def test_extension_is_told_in_its_own_words(rig: Rig) -> None:
    role = find_role("Exchange Administrator")
    assert role
    request = rig.world.ask(Ask("entra", "rob", role, action="selfExtend"))
    rig.world.decide(request.id, "ann", "deny", "once is enough")
    assert await story(rig, request) == [
        "Add member to role in PIM requested (extend)",
        "Update member in PIM denied by admin (extend/renew)",
    ]


async def test_each_desk_has_its_category(rig: Rig) -> None:
    requests = {
        "RoleManagement": rig.ask(),
        "GroupManagement": rig.ask_group(),
        "ResourceManagement": rig.world.ask(Ask("azure", "rob", OWNER, PROD)),
    }
    for category, request in requests.items():
        rows = await audits(rig, f"category eq '{category}' and correlationId eq '{request.id}'")
        assert len(rows) == 2


async def test_azure_rows_name_the_requestor_as_other(rig: Rig) -> None:
    request = rig.world.ask(Ask("azure", "rob", OWNER, PROD))
    rig.forward(minutes=1)
    rig.world.decide(request.id, "ann", "deny", "no")
    row = (await audits(rig, f"correlationId eq '{request.id}'"))[0]
    targets = {target["type"]: target["id"] for target in row["targetResources"]}
    people = rig.world.people
    assert targets == {"Role": OWNER.id, "Other": people["rob"].oid, "User": people["ann"].oid}


async def test_targets_and_details_come_in_no_fixed_order(rig: Rig) -> None:
    for _ in range(20):
        rig.ask()
    rows = await audits(rig, "category eq 'RoleManagement'")
    assert len({row["targetResources"][0]["type"] for row in rows}) > 2
    assert len({row["additionalDetails"][0]["key"] for row in rows}) > 2
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "text",
    [
        "activityDateTime ge 2026-11-23T10:00:00Z",
        "startswith(activityDisplayName,'Add member to role request approved')",
        "activityDisplayName eq 'Add member to role request approved (PIM activation)'",
        "initiatedBy/user/id eq '{ann}'",
        "initiatedBy/user/userPrincipalName eq 'ann@contoso.example'",
    ],
)
async def test_filters_narrow(rig: Rig, text: str) -> None:
    request = rig.world.ask(Ask("entra", "rob", rig.ask().asked.role, age=timedelta(minutes=30)))
    rig.world.requests = {request.id: request}
    rig.world.decide(request.id, "ann", "approve", "ok")
    rows = await audits(rig, text.format(ann=rig.world.people["ann"].oid))
    assert 1 <= len(rows) < 4
    assert APPROVED in {row["activityDisplayName"] for row in rows}


async def test_targets_filter_by_id(rig: Rig) -> None:
    request = rig.ask()
    rows = await audits(rig, f"targetResources/any(t:t/id eq '{request.id}')")
    assert {row["correlationId"] for row in rows} == {request.id}
    assert await audits(rig, "loggedByService eq 'Core Directory'") == []


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "result eq 'success'"},
        {"$filter": "activityDateTime ne 2026-11-23T10:00:00Z"},
        {"$filter": "startswith(category,'Role')"},
        {"$orderby": "activityDateTime desc"},
        {"$select": "id"},
        {"$top": "1001"},
    ],
)
async def test_odd_queries_are_refused(rig: Rig, query: dict[str, str]) -> None:
    assert (await rig.graph(AUDITS, params=query)).status_code == 400


async def test_pages_are_followed_without_losing_rows(rig: Rig) -> None:
    whole = [row["id"] for row in await audits(rig)]
    seen: list[str] = []
    query: dict[str, str] = {"$top": "5"}
    while True:
        rig.world.audit_calls.clear()
        answer = (await rig.graph(AUDITS, params=query)).json()
        seen += [row["id"] for row in answer["value"]]
        if "@odata.nextLink" not in answer:
            break
        rig.ask()  # newer rows come on top and must not shift what follows
        query["$skiptoken"] = answer["@odata.nextLink"].rpartition("$skiptoken=")[2]
    assert seen == whole


async def test_rows_come_late(rig: Rig) -> None:
    answer = await rig.http.post("/control/lag", json={"audit_seconds": 90})
    assert answer.json() == {"seconds": 0, "audit_seconds": 90}
    request = rig.ask()
    rig.forward(seconds=89)
    assert await story(rig, request) == []
    rig.forward(seconds=1)
    assert await story(rig, request) == ASKED


async def test_sixth_call_in_ten_seconds_must_wait(rig: Rig) -> None:
    for _ in range(5):
        assert (await rig.graph(AUDITS)).status_code == 200
    rig.forward(seconds=4)
    answer = await rig.graph(AUDITS)
    assert error_of(answer) == (429, "TooManyRequests")
    assert answer.headers["retry-after"] == "6"
    rig.forward(seconds=6)
    assert (await rig.graph(AUDITS)).status_code == 200


async def test_application_needs_the_permission(rig: Rig) -> None:
    token = rig.app_token(only=("RoleManagement.Read.Directory",))
    assert error_of(await rig.raw(AUDITS, token)) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize("user, status", [("cleo", 200), ("ann", 403)])
async def test_person_needs_a_directory_role_besides_the_permission(rig: Rig, user: str, status: int) -> None:
    assert (await rig.raw(AUDITS, rig.user_token(user, only=("AuditLog.Read.All",)))).status_code == status
