"""The desk of Azure roles: what it asks ARM, byte for byte, and what it makes of the answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from build import a_request, guid
from domain.test_azure_scopes import EVIL_SCOPES
from graph.fake_microsoft import (
    A_GUID,
    ARM,
    EVIL_IDS,
    OWNER,
    SUBSCRIPTION,
    Answer,
    Json,
    a_stage,
    an_approval,
    an_azure_row,
    azure_rig,
    error,
    ok,
    page,
    throttled,
    token,
)

from app.domain.errors import GraphRefused, Malformed, RequestGone, Unavailable
from app.domain.request import ActivationRequest, Kind, PolicyFacts, RequestKey, Role, Scope, Status, Term, Verdict
from app.graph.arm_wire import parse_request
from app.ports import Resource, Vote

AUTH = "/providers/Microsoft.Authorization"
REQUESTS = f"{AUTH}/roleAssignmentScheduleRequests"
MINE = f"GET {REQUESTS}?$filter=asApprover%28%29&api-version=2020-10-01"
ROLE = f"{SUBSCRIPTION}{AUTH}/roleDefinitions/{OWNER}"
NAME = "fea7a502-9a96-4806-a26f-eee560e52045"
STAGE = "4135f961-be78-4005-8101-c72a5af307a2"
OTHER = "/subscriptions/1f1e1d1c-2222-4333-8444-a55566677788"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-web"


def known(**over: object) -> ActivationRequest:
    role, key = Role(OWNER, "Owner", path=ROLE), RequestKey(Kind.AZURE, NAME)
    return a_request(**({"key": key, "role": role, "scope": Scope(SUBSCRIPTION), "approval_id": A_GUID} | over))


def at(scope: str) -> str:
    return f"GET {scope}{REQUESTS}?api-version=2020-10-01"


def arm_page(*rows: Json, following: object = None) -> httpx.Response:
    return ok({"value": list(rows), **({} if following is None else {"nextLink": following})})


# --- an approver's listing ---


async def test_the_tenant_is_asked_once_as_microsofts_own_client_does() -> None:
    row = an_azure_row()
    there = azure_rig(arm_page(row))
    listing = await there.azure.list_for(token)
    assert there.microsoft.lines == [MINE]
    assert there.microsoft.requests[0].url.host == "management.azure.com"
    assert [request.key.id for request in listing.requests] == [row["name"]]
    assert (listing.kind, listing.complete, there.azure.resource) == (Kind.AZURE, True, Resource.ARM)


async def test_only_what_waits_is_kept_extensions_with_it() -> None:
    words = ["PendingApproval", "pendingapproval", "PendingAdminDecision", "TimedOut", "Provisioned", "New", None]
    listing = await azure_rig(arm_page(*(an_azure_row(status=word) for word in words))).azure.list_for(token)
    assert [request.native_status for request in listing.requests] == words[:3]


async def test_every_page_is_followed_however_many_rows_there_are() -> None:
    link = f"{ARM}{REQUESTS}?$filter=asApprover%28%29&api-version=2020-10-01&$skiptoken=x"
    there = azure_rig(arm_page(*(an_azure_row() for _ in range(60)), following=link), arm_page(an_azure_row()))
    listing = await there.azure.list_for(token)
    assert (len(listing.requests), listing.complete, listing.full_page) == (61, True, False)
    assert there.microsoft.lines[1] == f"GET {link.removeprefix(ARM)}"


@pytest.mark.parametrize(
    "link", ["https://evil.example/x", "http://management.azure.com/x", "https://graph.microsoft.com/v1.0/x", "/x", 7]
)
async def test_a_next_page_elsewhere_is_not_followed(link: object) -> None:
    there = azure_rig(arm_page(an_azure_row(), following=link))
    listing = await there.azure.list_for(token)
    assert (len(listing.requests), listing.complete) == (1, False)
    assert len(there.microsoft.requests) == 1


@pytest.mark.parametrize("trouble", [[error(500)] * 3, [error(403)], [throttled("30")], [ok({"value": None})]])
async def test_a_page_that_fails_keeps_what_was_read_and_forbids_absence(trouble: list[Answer]) -> None:
    there = azure_rig(arm_page(an_azure_row(), following=f"{ARM}{REQUESTS}?x=1"), *trouble)
    listing = await there.azure.list_for(token)
    assert (len(listing.requests), listing.complete) == (1, False)


async def test_a_row_with_a_hostile_scope_is_set_aside_by_its_name() -> None:
    bad = an_azure_row(scope=f"{SUBSCRIPTION}/../x")
    listing = await azure_rig(arm_page(an_azure_row(), bad)).azure.list_for(token)
    assert (len(listing.requests), listing.broken) == (1, (bad["name"],))


# --- who asks ---


async def test_the_sign_in_name_comes_from_the_directory() -> None:
    there = azure_rig(arm_page(an_azure_row()))
    names = {"displayName": "Cyril", "userPrincipalName": "adm-cy@contoso.example", "mail": None}
    there.microsoft.asides["/v1.0/users/"] = ok(names)
    (request,) = (await there.azure.list_for(token)).requests
    assert request.requestor.upn == "adm-cy@contoso.example"
    assert (request.requestor.name, request.requestor.mail) == ("Cy Rao", "cy@contoso.example")


async def test_where_nobody_may_read_it_the_address_stands_in() -> None:
    (request,) = (await azure_rig(arm_page(an_azure_row())).azure.list_for(token)).requests
    assert request.requestor.upn == "cy@contoso.example"


async def test_a_subscription_once_named_names_what_lies_in_it() -> None:
    inner = an_azure_row(scope=GROUP, expanded={"scope": {"id": GROUP, "displayName": "rg-web"}})
    there = azure_rig(arm_page(inner), arm_page(an_azure_row()), arm_page(inner))
    names = [(await there.azure.list_for(token)).requests[0].scope.name for _ in range(3)]
    assert names == ["Resource group rg-web", "Subscription Prod", "Resource group rg-web in Prod"]


# --- the application's listing ---


async def test_each_watched_scope_is_listed() -> None:
    rows = [an_azure_row(), an_azure_row(scope=OTHER)]
    there = azure_rig(arm_page(rows[0]), arm_page(rows[1]), watched=(SUBSCRIPTION, OTHER))
    listing = await there.azure.list_all(token)
    assert {request.key.id for request in listing.requests} == {row["name"] for row in rows}
    assert there.microsoft.lines == [at(SUBSCRIPTION), at(OTHER)]
    assert listing.complete


async def test_a_request_at_two_watched_scopes_is_one() -> None:
    row = an_azure_row(scope=GROUP)
    listing = await azure_rig(arm_page(row), arm_page(row), watched=(SUBSCRIPTION, GROUP)).azure.list_all(token)
    assert len(listing.requests) == 1


async def test_where_none_is_configured_the_readable_subscriptions_are_watched() -> None:
    subscriptions = page({"id": SUBSCRIPTION, "displayName": "Prod"}, {"id": OTHER, "displayName": "Staging"})
    there = azure_rig(subscriptions, arm_page(an_azure_row(scope=GROUP, expanded=None)), arm_page())
    (request,) = (await there.azure.list_all(token)).requests
    assert there.microsoft.lines == ["GET /subscriptions?api-version=2022-12-01", at(SUBSCRIPTION), at(OTHER)]
    assert request.scope.name == "Resource group rg-web in Prod"


@pytest.mark.parametrize("answer", [error(403), error(404), page()])
async def test_where_none_may_be_read_there_is_nothing_to_list(answer: httpx.Response) -> None:
    listing = await azure_rig(answer).azure.list_all(token)
    assert (listing.requests, listing.complete) == ((), True)


async def test_an_outage_of_the_discovery_is_no_empty_list() -> None:
    with pytest.raises(Unavailable):
        await azure_rig(*[error(500)] * 3).azure.list_all(token)


async def test_a_scope_that_fails_forbids_absence_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = arm_page(an_azure_row()), error(400, "InsufficientPermissions")
    there = azure_rig(good, bad, good, bad, good, arm_page(), watched=(SUBSCRIPTION, OTHER))
    listings = [await there.azure.list_all(token) for _ in range(3)]
    assert [(len(listing.requests), listing.complete) for listing in listings] == [(1, False), (1, False), (1, True)]
    said = [line for line in caplog.messages if OTHER in line]
    assert [("cannot" in line, "again" in line) for line in said] == [(True, False), (False, True)]


async def test_when_every_scope_fails_the_desk_does() -> None:
    with pytest.raises(GraphRefused):
        await azure_rig(error(403), watched=(SUBSCRIPTION,)).azure.list_all(token)


# --- what has ended ---


async def test_what_has_ended_is_read_scope_by_scope() -> None:
    old = an_azure_row(status="TimedOut", createdOn="2026-10-31T09:00:00Z")
    there = azure_rig(arm_page(an_azure_row(status="TimedOut"), an_azure_row(), old), watched=(SUBSCRIPTION,))
    listing = await there.azure.list_ended(datetime(2026, 11, 1, tzinfo=UTC), token)
    assert [there.azure.ended(request) for request in listing.requests] == [Status.EXPIRED]
    assert listing.complete


@pytest.mark.parametrize("watched, answers", [((), [error(403)]), ((), [page()]), ((SUBSCRIPTION,), [error(403)])])
async def test_who_may_not_list_the_scopes_is_shown_their_own_part(
    watched: tuple[str, ...], answers: list[Answer]
) -> None:
    there = azure_rig(*answers, arm_page(an_azure_row(status="Denied")), watched=watched)
    listing = await there.azure.list_ended(datetime(2026, 11, 1, tzinfo=UTC), token)
    assert (len(listing.requests), listing.complete) == (1, False)
    assert there.microsoft.lines[-1] == MINE


# --- single calls ---


async def test_one_request_is_read_at_its_scope() -> None:
    row = an_azure_row(name=NAME, scope=GROUP)
    there = azure_rig(ok(row))
    assert await there.azure.fetch(known(scope=Scope(GROUP)), token) == parse_request(row)
    assert there.microsoft.lines == [f"GET {GROUP}{REQUESTS}/{NAME}?api-version=2020-10-01"]


async def test_who_may_not_read_the_scope_finds_it_in_their_own_list() -> None:
    row = an_azure_row(name=NAME, status="Denied")
    there = azure_rig(error(403), arm_page(an_azure_row(), row))
    assert (await there.azure.fetch(known(), token)).native_status == "Denied"
    assert there.microsoft.lines[1] == MINE


async def test_what_is_not_in_their_own_list_either_stays_refused() -> None:
    with pytest.raises(GraphRefused) as caught:
        await azure_rig(error(403), arm_page(an_azure_row())).azure.fetch(known(), token)
    assert caught.value.status == 403


async def test_the_stages_are_read_by_the_approvals_own_id() -> None:
    there = azure_rig(an_approval(a_stage(id_=STAGE)))
    (step,) = await there.azure.steps(known(), token)
    assert (step.id, step.live) == (STAGE, True)
    assert there.microsoft.lines == [f"GET {AUTH}/roleAssignmentApprovals/{A_GUID}?api-version=2021-01-01-preview"]


async def test_where_no_approval_was_told_it_may_have_the_requests_id() -> None:
    there = azure_rig(error(404))
    with pytest.raises(RequestGone):
        await there.azure.steps(known(approval_id=""), token)
    assert f"/roleAssignmentApprovals/{NAME}?" in there.microsoft.lines[0]


@pytest.mark.parametrize("status", [200, 204])
async def test_a_withdrawal_is_sent_as_microsofts_own_client_does(status: int) -> None:
    there = azure_rig(httpx.Response(status))
    await there.azure.cancel(known(), token)
    assert there.microsoft.lines == [f"POST {SUBSCRIPTION}{REQUESTS}/{NAME}/cancel?api-version=2020-10-01"]
    assert there.microsoft.requests[0].content == b""


def policy_row(*rules: object) -> Json:
    return {"properties": {"scope": SUBSCRIPTION, "roleDefinitionId": ROLE, "effectiveRules": list(rules)}}


async def test_the_settings_are_asked_for_at_the_very_scope() -> None:
    stage = {"isApproverJustificationRequired": True, "primaryApprovers": []}
    rules = [
        {"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT8H"},
        {"id": "Approval_EndUser_Assignment", "setting": {"isApprovalRequired": True, "approvalStages": [stage]}},
    ]
    there = azure_rig(arm_page(policy_row(*rules)))
    facts = await there.azure.policy(known(), token)
    assert facts == PolicyFacts(comment_required=True, longest=timedelta(hours=8), approvers=())
    assert facts.nobody
    (line,) = there.microsoft.lines
    where = f"atScope%28%29%20and%20roleDefinitionId%20eq%20%27{ROLE.replace('/', '%2F')}%27"
    assert line == f"GET {SUBSCRIPTION}{AUTH}/roleManagementPolicyAssignments?$filter={where}&api-version=2020-10-01"


@pytest.mark.parametrize("answers", [[error(400)], [error(403)], [error(404)], [ok({})], [arm_page()]])
async def test_settings_that_cannot_be_read_are_unknown(answers: list[Answer]) -> None:
    assert await azure_rig(*answers).azure.policy(known(), token) == PolicyFacts()


async def test_a_role_without_a_path_has_no_readable_settings() -> None:
    assert await azure_rig().azure.policy(known(role=Role(OWNER)), token) == PolicyFacts()


def instance(schedule: str) -> Json:
    facts = {
        "roleAssignmentScheduleId": f"/x/{schedule}",
        "startDateTime": "2026-11-23T10:00:00Z",
        "endDateTime": "2026-11-23T12:00:00Z",
    }
    return {"properties": facts}


async def test_a_role_is_held_from_and_until_what_its_instance_says() -> None:
    there = azure_rig(arm_page(instance(guid()), instance(NAME)))
    began = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert await there.azure.term(known(), token) == Term(began, began + timedelta(hours=2))
    where = f"principalId%20eq%20%27{known().requestor.id}%27"
    path = f"{SUBSCRIPTION}{AUTH}/roleAssignmentScheduleInstances"
    assert there.microsoft.lines == [f"GET {path}?$filter={where}&api-version=2020-10-01"]
    assert await azure_rig(arm_page()).azure.term(known(), token) is None


async def test_who_may_not_read_others_at_the_scope_asks_for_their_own() -> None:
    there = azure_rig(error(400, "InsufficientPermissions"), arm_page(instance(NAME)))
    assert await there.azure.term(known(), token) is not None
    assert "$filter=asTarget%28%29&" in there.microsoft.lines[1]


# --- ids ---


@pytest.mark.parametrize("evil", EVIL_IDS)
async def test_a_hostile_id_never_becomes_an_address(evil: str) -> None:
    there = azure_rig()
    named = known(key=RequestKey(Kind.AZURE, evil))
    calls = (
        there.azure.fetch(named, token),
        there.azure.cancel(named, token),
        there.azure.steps(known(approval_id=evil or "x"), token),
        there.azure.decide(known(approval_id=evil or "x"), Vote(STAGE, Verdict.DENY, "x"), token),
        there.azure.decide(known(), Vote(evil, Verdict.DENY, "x"), token),
    )
    for call in calls:
        with pytest.raises(Malformed):
            await call
    assert there.microsoft.requests == []


@pytest.mark.parametrize("evil", EVIL_SCOPES)
async def test_a_hostile_scope_never_becomes_an_address(evil: str) -> None:
    there = azure_rig()
    somewhere = known(scope=Scope(evil))
    role = known(role=Role(OWNER, path=f"{evil or '/x'}{AUTH}/roleDefinitions/{OWNER}"))
    calls = (
        there.azure.fetch(somewhere, token),
        there.azure.cancel(somewhere, token),
        there.azure.policy(somewhere, token),
        there.azure.policy(role, token),
        there.azure.term(somewhere, token),
    )
    for call in calls:
        with pytest.raises(Malformed):
            await call
    assert there.microsoft.requests == []
