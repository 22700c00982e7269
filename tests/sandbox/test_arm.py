"""The door of the emulated Azure Resource Manager: tokens, versions, options, faults, the log."""

from __future__ import annotations

import json

import httpx
import pytest
from sandbox.arm_rig import MINE, PROD, REQUESTS, A, decide
from sandbox.world_rig import Rig, error_of


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("token, code", [("", "AuthenticationFailed"), ("rubbish", "InvalidAuthenticationToken")])
async def test_missing_or_broken_token_is_unauthorised(rig: Rig, token: str, code: str) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = await rig.http.get(f"/arm{REQUESTS}?api-version=2020-10-01", headers=headers)
    assert error_of(answer) == (401, code)
    assert set(answer.json()) == {"error"}
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("resource", ["graph", "api"])
async def test_token_for_another_audience_is_unauthorised(rig: Rig, resource: str) -> None:
    headers = {"authorization": f"Bearer {rig.user_token('ann', resource=resource)}"}
    answer = await rig.http.get(f"/arm{REQUESTS}?api-version=2020-10-01", headers=headers)
    assert error_of(answer) == (401, "InvalidAuthenticationTokenAudience")


async def test_expired_token_is_unauthorised(rig: Rig) -> None:
    headers = {"authorization": f"Bearer {rig.user_token('ann', resource='arm')}"}
    rig.forward(seconds=4799)
    answer = await rig.http.get(f"/arm{REQUESTS}?api-version=2020-10-01", headers=headers)
    assert error_of(answer) == (401, "ExpiredAuthenticationToken")


async def test_delegated_token_needs_its_scope(rig: Rig) -> None:
    headers = {"authorization": f"Bearer {rig.user_token('ann', only=(), resource='arm')}"}
    answer = await rig.http.get(f"/arm{REQUESTS}?api-version=2020-10-01&$filter=asApprover()", headers=headers)
    assert error_of(answer) == (403, "AuthorizationFailed")


@pytest.mark.parametrize(
    "version, status, code",
    [
        ("", 400, "MissingApiVersionParameter"),
        ("latest", 400, "InvalidApiVersionParameter"),
        ("2099-01-01", 404, "InvalidResourceType"),
        ("2021-01-01-preview", 404, "InvalidResourceType"),
    ],
)
async def test_api_version_is_mandatory_and_checked(rig: Rig, version: str, status: int, code: str) -> None:
    assert error_of(await rig.arm(REQUESTS, "ann", params=MINE, version=version)) == (status, code)


@pytest.mark.parametrize("version", ["2020-10-01", "2020-10-01-preview", "2022-04-01-preview", "2024-09-01-preview"])
async def test_several_versions_list_requests(rig: Rig, version: str) -> None:
    assert (await rig.arm(REQUESTS, "ann", params=MINE, version=version)).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"$top": "5"},
        {"$select": "name"},
        {"$filter": "status eq 'PendingApproval'"},
        {"$filter": "properties/status eq 'PendingApproval'"},
        {"$filter": "asApprover() or asTarget()"},
        {"$filter": "asApprover"},
        {"$filter": "asOwner()"},
        {"$filter": "asApprover() and status eq 'PendingApproval'"},
        {"$filter": "asApprover()", "$skiptoken": "AAAA"},
        {"$filter": "asApprover()", "$skiptoken": "!!"},
    ],
)
async def test_odd_query_options_are_refused(rig: Rig, query: dict[str, str]) -> None:
    answer = await rig.arm(REQUESTS, "ann", params=query)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message"}


async def test_an_option_given_twice_is_refused(rig: Rig) -> None:
    headers = {"authorization": f"Bearer {rig.user_token('ann', resource='arm')}"}
    query = "api-version=2020-10-01&$filter=asApprover()&$filter=asTarget()"
    assert (await rig.http.get(f"/arm{REQUESTS}?{query}", headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "path, method, status",
    [
        ("/subscriptions", "GET", 404),
        (f"{A}/roleAssignments", "GET", 404),
        (f"{A}/roleAssignmentApprovals/x/steps", "GET", 404),
        (f"/planets/mars{REQUESTS}", "GET", 400),
        (REQUESTS, "DELETE", 405),
        ("/batch", "GET", 404),
    ],
)
async def test_other_places_are_refused(rig: Rig, path: str, method: str, status: int) -> None:
    assert (await rig.arm(path, "ann", method)).status_code == status


async def test_every_answer_carries_request_ids(rig: Rig) -> None:
    good, bad = await rig.arm(REQUESTS, "ann", params=MINE), await rig.arm("/nowhere", "ann")
    assert good.headers["x-ms-request-id"] != bad.headers["x-ms-request-id"]


async def test_faults_and_the_log_know_the_service(rig: Rig) -> None:
    fault = {"service": "arm", "method": "GET", "path": "^/providers", "do": "answer", "status": 429, "times": 1}
    await rig.http.post("/control/faults", json=[fault])
    assert [(await rig.arm(REQUESTS, "ann", params=MINE)).status_code for _ in range(2)] == [429, 200]
    lines = (await rig.http.get("/control/log")).json()
    assert [(line["service"], line["who"], line["status"]) for line in lines] == [
        ("arm", None, 429),
        ("arm", "ann", 200),
    ]
    assert (lines[1]["path"], lines[1]["query"]) == (REQUESTS, {"api-version": "2020-10-01", "$filter": "asApprover()"})


async def test_a_lost_answer_leaves_the_decision_made(rig: Rig) -> None:
    request = rig.ask_azure()
    await rig.http.post("/control/faults", json=[{"service": "arm", "method": "PUT", "do": "drop_after", "times": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        await decide(rig, request)
    assert rig.world.requests[request.id].review


async def test_ten_thousand_requests_are_paged_in_order(rig: Rig) -> None:
    for _ in range(10_000):
        rig.ask_azure()
    wanted = rig.ids_of("azure")
    first = (await rig.arm(REQUESTS, "ann", params=MINE)).json()
    token = httpx.URL(first["nextLink"]).params["$skiptoken"]
    second = (await rig.arm(REQUESTS, "ann", params={**MINE, "$skiptoken": token})).json()
    assert [row["name"] for row in (*first["value"], *second["value"])] == wanted[:200]


async def test_text_that_is_no_unicode_still_arrives(rig: Rig) -> None:
    request = rig.ask_azure(justification="\ud800\u0000 & <b>")
    row = json.loads((await rig.arm(f"{PROD}{REQUESTS}/{request.id}", "ann")).content)
    assert row["properties"]["justification"] == "\ud800\u0000 & <b>"


# Subscriptions


@pytest.mark.parametrize("user, found", [("app", [PROD]), ("cleo", [PROD]), ("ann", []), ("olga", [])])
async def test_subscriptions_are_those_that_the_caller_may_read(rig: Rig, user: str, found: list[str]) -> None:
    answer = await rig.arm("/subscriptions", user, version="2022-12-01")
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["value"]] == found


async def test_a_subscription_has_a_name(rig: Rig) -> None:
    (row,) = (await rig.arm("/subscriptions", version="2022-12-01")).json()["value"]
    assert (row["displayName"], row["subscriptionId"]) == ("Prod", PROD.rpartition("/")[2])


async def test_subscriptions_have_versions_and_no_options(rig: Rig) -> None:
    assert error_of(await rig.arm("/subscriptions", version="2020-10-01")) == (404, "InvalidResourceType")
    answer = await rig.arm("/subscriptions", params={"$top": "1"}, version="2022-12-01")
    assert error_of(answer) == (400, "InvalidQueryParameter")
