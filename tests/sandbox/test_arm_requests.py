"""The emulated Azure lists requests and assignments as ARM does, and shows rows with ARM's oddities."""

from __future__ import annotations

from datetime import datetime

import pytest
from sandbox.arm_rig import (
    CONTOSO,
    FEW,
    INSTANCES,
    MINE,
    PROD,
    REQUESTS,
    STAGING,
    VAULT,
    WEB,
    A,
    approval,
    decide,
    names,
    stage_of,
)
from sandbox.world_rig import Rig, error_of


@pytest.fixture
def rig() -> Rig:
    return Rig()


# Listing


async def test_approver_sees_what_waits_anywhere_and_every_status(rig: Rig) -> None:
    made = [rig.ask_azure(scope=name) for name in ("Prod", "rg-web", "kv-prod", "Staging", "Contoso")]
    await decide(rig, made[0])
    assert await names(rig, REQUESTS, "ann", "asApprover()") == rig.ids_of("azure")
    assert await names(rig, REQUESTS, "olga", "asApprover()") == []
    assert await names(rig, REQUESTS, "app", "asApprover()") == []


async def test_requestor_sees_their_own(rig: Rig) -> None:
    rig.ask_azure("rita", created_by="ann")
    mine = [request.id for request in rig.world.of_kind("azure") if request.asked.requestor == "rita"]
    assert await names(rig, REQUESTS, "rita", "asTarget()") == mine
    assert await names(rig, REQUESTS, "rita", "asRequestor()") == mine[:1]
    assert await names(rig, REQUESTS, "ann", "asRequestor()") == mine[1:]


async def test_own_request_does_not_wait_for_oneself(rig: Rig) -> None:
    own = rig.ask_azure("ann")
    assert own.id not in await names(rig, REQUESTS, "ann", "asApprover()")


async def test_the_three_desks_do_not_mix(rig: Rig) -> None:
    entra, azure = rig.ask(), rig.ask_azure()
    assert entra.id not in await names(rig, REQUESTS, "ann", "asApprover()")
    path = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
    assert azure.id not in [row["id"] for row in (await rig.graph(path)).json()["value"]]
    assert (await rig.graph(f"{path}/{azure.id}")).status_code == 404


@pytest.mark.parametrize(
    "scope, text, seen",
    [
        (PROD, None, {"Contoso", "Prod", "rg-web", "kv-prod"}),
        (PROD, "atScope()", {"Contoso", "Prod"}),
        (WEB, None, {"Contoso", "Prod", "rg-web"}),
        (WEB, "atScope()", {"Contoso", "Prod", "rg-web"}),
        (VAULT, "atScope()", {"Contoso", "Prod", "kv-prod"}),
        (PROD.upper(), "ATSCOPE()", {"Contoso", "Prod"}),
    ],
)
async def test_a_reader_lists_at_a_scope(rig: Rig, scope: str, text: str | None, seen: set[str]) -> None:
    made = {
        rig.ask_azure("adm-rob", scope=name).id: name for name in ("Contoso", "Prod", "rg-web", "kv-prod", "Staging")
    }
    for reader in ("app", "cleo"):
        found = await names(rig, f"{scope}{REQUESTS}", reader, text)
        assert {made[name] for name in found if name in made} == seen


async def test_a_principal_is_filtered_at_a_scope(rig: Rig) -> None:
    request = rig.ask_azure("adm-rob")
    oid = rig.world.people["adm-rob"].oid
    for text in (f"principalId eq '{oid.upper()}'", f"principalId eq {oid}", f"assignedTo('{oid}')"):
        assert await names(rig, f"{PROD}{REQUESTS}", "app", text) == [request.id]
    assert await names(rig, f"{WEB}{REQUESTS}", "app", f"atScope() and principalId eq '{oid}'") == [request.id]


@pytest.mark.parametrize(
    "path, user, text",
    [
        (f"{PROD}{REQUESTS}", "ann", None),
        (f"{PROD}{REQUESTS}", "rob", "atScope()"),
        (f"{PROD}{REQUESTS}", "ann", "principalId eq 'c3333333-0c0c-4c0c-8c0c-000000000c03'"),
        (f"{STAGING}{REQUESTS}", "app", None),
        (f"{CONTOSO}{REQUESTS}", "app", None),
        (REQUESTS, "app", None),
        (f"{PROD}{INSTANCES}", "ann", None),
    ],
)
async def test_without_rights_one_is_sent_to_ones_own(rig: Rig, path: str, user: str, text: str | None) -> None:
    answer = await rig.arm(path, user, params={"$filter": text} if text else None)
    assert error_of(answer) == (400, "InsufficientPermissions")
    assert "Please use $filter=asTarget()" in answer.text


@pytest.mark.parametrize(
    "text", ["principalId('x')", "atScope eq 'x'", "roleDefinitionId eq 'x'", "atScope() principalId eq x"]
)
async def test_a_reader_too_is_told_of_a_wrong_filter(rig: Rig, text: str) -> None:
    answer = await rig.arm(f"{PROD}{REQUESTS}", params={"$filter": text})
    assert error_of(answer) == (400, "InvalidFilter")


async def test_list_follows_next_links_without_losing_rows(rig: Rig) -> None:
    for _ in range(250):
        rig.ask_azure()
    headers = {"authorization": f"Bearer {rig.user_token('ann', resource='arm')}"}
    seen: list[str] = []
    url = f"{rig.settings.world_url}/arm{REQUESTS}?api-version=2020-10-01&$filter=asApprover()"
    while url:
        answer = (await rig.http.get(url, headers=headers)).json()
        seen += [row["name"] for row in answer["value"]]
        url = answer.get("nextLink")
        assert url is None or url.startswith(f"{rig.settings.world_url}/arm{REQUESTS}?api-version=2020-10-01&")
    assert seen == rig.ids_of("azure")


# Rows


async def test_a_row_has_arms_shape(rig: Rig) -> None:
    request = next(r for r in (rig.ask_azure("rita", "Contributor", "rg-web") for _ in range(FEW)) if r.quirk % 5 != 1)
    row = (await rig.arm(f"{WEB}{REQUESTS}/{request.id}", "ann")).json()
    properties = row["properties"]
    assert (row["id"], row["name"]) == (f"{WEB}{REQUESTS}/{request.id}", request.id)
    assert properties["scope"] == WEB
    assert properties["roleDefinitionId"] == f"{PROD}{A}/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
    assert properties["principalId"] == properties["requestorId"] == rig.world.people["rita"].oid
    assert properties["expandedProperties"]["scope"] == {"id": WEB, "displayName": "rg-web", "type": "resourcegroup"}
    assert properties["expandedProperties"]["roleDefinition"]["displayName"] == "Contributor"
    assert properties["expandedProperties"]["principal"]["email"] == "rita@contoso.example"
    assert "isValidationOnly" not in properties


@pytest.mark.parametrize(
    "scope, kind",
    [("Contoso", "managementgroup"), ("Prod", "subscription"), ("rg-web", "resourcegroup"), ("kv-prod", "resource")],
)
async def test_each_kind_of_scope_has_a_readable_name(rig: Rig, scope: str, kind: str) -> None:
    made = {rig.ask_azure("adm-rob", scope=scope).id for _ in range(FEW)}
    rows = (await rig.arm(REQUESTS, "ann", params=MINE)).json()["value"]
    named = [row["properties"].get("expandedProperties") for row in rows if row["name"] in made]
    assert {(n["scope"]["displayName"], n["scope"]["type"]) for n in named if n} == {(scope, kind)}
    assert None in named


async def test_rows_vary_as_arms_do(rig: Rig) -> None:
    for _ in range(2 * FEW):
        rig.ask_azure()
    rows = (await rig.arm(REQUESTS, "ann", params=MINE)).json()["value"]
    every = [row["properties"] for row in rows]
    assert {row["requestType"] for row in every} == {"SelfActivate", "selfActivate"}
    assert {row["scheduleInfo"]["expiration"]["type"] for row in every} == {"AfterDuration", "afterDuration"}
    assert {row["scheduleInfo"]["startDateTime"] is None for row in every} == {True, False}
    digits = {len(row["createdOn"].rstrip("Z").partition(".")[2]) for row in every}
    assert digits == set(range(8))
    ends = {row["properties"]["approvalId"].rsplit("/", 1)[1] == row["name"] for row in rows}
    assert ends == {True, False}


async def test_an_extension_has_no_approval(rig: Rig) -> None:
    request = rig.ask_azure(action="selfExtend")
    row = (await rig.arm(f"{PROD}{REQUESTS}/{request.id}", "ann")).json()["properties"]
    assert (row["status"], row["approvalId"], row["requestType"].lower()) == (
        "PendingAdminDecision",
        None,
        "selfextend",
    )
    assert (await approval(rig, f"/{request.approval_id}")).status_code == 404


@pytest.mark.parametrize(
    "place, user, status",
    [
        (PROD, "rob", 200),
        (PROD, "ann", 200),
        (PROD, "app", 200),
        (PROD.upper(), "ann", 200),
        (PROD, "olga", 403),
        (WEB, "ann", 404),
        ("", "ann", 404),
    ],
)
async def test_one_request_is_read_at_its_own_scope_by_those_it_concerns(
    rig: Rig, place: str, user: str, status: int
) -> None:
    request = rig.ask_azure("rob")
    assert (await rig.arm(f"{place}{REQUESTS}/{request.id}", user)).status_code == status


async def test_a_request_beyond_the_readers_scope_is_denied(rig: Rig) -> None:
    request = rig.ask_azure("rob", scope="Staging")
    assert error_of(await rig.arm(f"{STAGING}{REQUESTS}/{request.id}")) == (403, "AuthorizationFailed")


async def test_requestor_withdraws_once(rig: Rig) -> None:
    answers = []
    for _ in range(FEW):
        request = rig.ask_azure()
        path = f"{PROD}{REQUESTS}/{request.id}/cancel"
        assert (await rig.arm(path, "ann", "POST")).status_code == 403
        answers.append((await rig.arm(path, "rob", "POST")).status_code)
        assert (await rig.arm(path, "rob", "POST")).status_code == 400
        assert rig.world.requests[request.id].status(rig.world.now()) == "Canceled"
    assert set(answers) == {200, 204}


async def test_request_dies_after_a_day(rig: Rig) -> None:
    request = rig.ask_azure()
    rig.forward(hours=24)
    assert (await rig.arm(f"{PROD}{REQUESTS}/{request.id}")).json()["properties"]["status"] == "TimedOut"
    assert (await stage_of(rig, request))["properties"]["status"] == "Expired"
    assert (await decide(rig, request)).status_code == 404


# Assignments


async def test_approved_role_is_active_for_its_duration(rig: Rig) -> None:
    request = rig.ask_azure(duration="PT2H")
    await decide(rig, request)
    (row,) = (await rig.arm(f"{PROD}{INSTANCES}")).json()["value"]
    properties = row["properties"]
    assert properties["roleAssignmentScheduleId"].endswith(f"/{request.id}")
    start, end = (datetime.fromisoformat(properties[name]) for name in ("startDateTime", "endDateTime"))
    assert (start, (end - start).total_seconds()) == (rig.clock.now, 7200)
    rig.forward(hours=2)
    assert await names(rig, f"{PROD}{INSTANCES}") == []


@pytest.mark.parametrize("how", ["deactivate", "revoke", "fail"])
async def test_an_assignment_that_ends_early_is_gone(rig: Rig, how: str) -> None:
    request = rig.ask_azure()
    await decide(rig, request)
    assert len(await names(rig, f"{PROD}{INSTANCES}")) == 1
    await rig.http.post(f"/control/requests/{request.id}/end", json={"how": how})
    assert await names(rig, f"{PROD}{INSTANCES}") == []


async def test_assignments_are_listed_per_scope_only(rig: Rig) -> None:
    request = rig.ask_azure(scope="rg-web")
    await decide(rig, request)
    assert await names(rig, INSTANCES, "rob", "asTarget()") == []
    assert len(await names(rig, f"{WEB}{INSTANCES}", "rob", "asTarget()")) == 1
    assert len(await names(rig, f"{PROD}{INSTANCES}", "app")) == 1
    assert await names(rig, f"{PROD}{INSTANCES}", "app", "atScope()") == []
    oid = rig.world.people["rita"].oid
    assert await names(rig, f"{PROD}{INSTANCES}", "app", f"principalId eq '{oid}'") == []


async def test_future_start_is_scheduled_first(rig: Rig) -> None:
    request = rig.ask_azure(start=rig.clock.now.replace(hour=15))
    await decide(rig, request)
    assert rig.world.requests[request.id].status(rig.world.now()) == "ScheduleCreated"
    assert await names(rig, f"{PROD}{INSTANCES}") == []
    rig.forward(hours=5)
    assert len(await names(rig, f"{PROD}{INSTANCES}")) == 1
