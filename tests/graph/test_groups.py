"""The desk of PIM groups: what it asks Microsoft, byte for byte, and what it makes of the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from build import a_request, guid, known_as
from graph.fake_microsoft import (
    A_GUID,
    DB_ADMINS,
    EVIL_IDS,
    EXTENSIONS,
    Answer,
    Json,
    a_group_row,
    a_step,
    error,
    groups_rig,
    ok,
    page,
    throttled,
    token,
)
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import AlreadyDecided, GraphRefused, Malformed, OutcomeUnknown, RequestGone, Unavailable
from app.domain.request import Kind, Person, RequestKey, Role, Scope, Status, Term, Ticket, Verdict
from app.graph.groups import parse_request
from app.ports import Vote

ROOT = "/v1.0/identityGovernance/privilegedAccess/group"
REQUESTS = f"{ROOT}/assignmentScheduleRequests"
APPROVALS = f"{ROOT}/assignmentApprovals"
BETA = "/beta/identityGovernance/privilegedAccess/group/assignmentApprovals"
PENDING = "$expand=group,principal&$filter=status%20eq%20%27PendingApproval%27"
STEP = "d4fa4045-4716-436d-aec5-57b0a713f095"
BO = "22bb33cc-44dd-55ee-66ff-770088119902"
MEMBER, IN_GROUP = Role("member", "Member"), Scope(DB_ADMINS, "prod-db-admins")
OURS = a_request(key=RequestKey(Kind.GROUP, A_GUID), role=MEMBER, scope=IN_GROUP)


def of_group(group: str, status: str = "PendingApproval") -> str:
    where = f"groupId%20eq%20%27{group}%27%20and%20status%20eq%20%27{status}%27"
    return f"GET {REQUESTS}?$expand=group,principal&$filter={where}"


def bare(**over: object) -> Json:
    """A row as sparse as listings are."""
    return a_group_row(group=None, principal=None, justification=None, ticketInfo=None, **over)


# --- a row ---


def test_a_row_becomes_a_request() -> None:
    row = a_group_row()
    request = parse_request(row)
    assert request.key == RequestKey(Kind.GROUP, row["id"])
    assert request.requestor == Person(BO, "Bo Lindh", "bo@contoso.example")
    assert request.created_by == BO
    assert request.role == Role("member", "Member", privileged=True)
    assert request.scope == Scope(DB_ADMINS, "prod-db-admins")
    assert request.ticket == Ticket("CHG-881", "Jira")
    assert (request.justification, request.duration) == ("Release night", timedelta(hours=2))
    assert (request.approval_id, request.decidable) == ("", True)


@pytest.mark.parametrize("word, access", [("Owner", "owner"), ("MEMBER", "member")])
def test_access_is_read_in_any_case(word: str, access: str) -> None:
    assert parse_request(a_group_row(accessId=word)).role.id == access


@pytest.mark.parametrize("value", [True, False, None, "true"])
def test_a_group_that_can_hold_directory_roles_is_privileged(value: object) -> None:
    row = a_group_row(group={"displayName": "x", "isAssignableToRole": value})
    assert parse_request(row).role.privileged is (value if isinstance(value, bool) else None)


@pytest.mark.parametrize("name", ["id", "groupId", "principalId"])
@pytest.mark.parametrize("value", [None, *EVIL_IDS])
def test_a_row_with_a_hostile_id_is_malformed(name: str, value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(a_group_row(**{name: value}))


@pytest.mark.parametrize("value", [None, "", "admin", "member'", "member/..", 7])
def test_access_of_another_sort_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(a_group_row(accessId=value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(a_group_row())), JSON, max_size=4))
def test_no_row_is_too_odd_to_be_read_or_set_aside(over: dict[str, Any]) -> None:
    row = a_group_row() | over
    try:
        assert parse_request(row).key.kind is Kind.GROUP
    except Malformed:
        assert over


@given(st.sampled_from(sorted(a_group_row())))
def test_no_missing_key_is_worse_than_malformed(name: str) -> None:
    row = {key: value for key, value in a_group_row().items() if key != name}
    try:
        parse_request(row)
    except Malformed:
        assert name in {"id", "createdDateTime", "accessId", "groupId", "principalId"}


# --- an approver's listing ---


async def test_an_approvers_list_is_asked_for_as_microsofts_own_client_does() -> None:
    row = a_group_row()
    there = groups_rig(page(row))
    listing = await there.groups.list_for(token)
    assert there.microsoft.lines == [f"GET {REQUESTS}/filterByCurrentUser(on='approver')?{PENDING}"]
    assert [request.key.id for request in listing.requests] == [row["id"]]
    assert (listing.kind, listing.complete, listing.full_page) == (Kind.GROUP, True, False)


async def test_fifty_rows_may_hide_more() -> None:
    listing = await groups_rig(page(*(a_group_row() for _ in range(50)))).groups.list_for(token)
    assert (len(listing.requests), listing.full_page, listing.complete) == (50, True, False)


async def test_extensions_are_listed_beside_the_rest() -> None:
    extension = a_group_row(status="PendingAdminDecision", action="selfExtend")
    there = groups_rig(page(a_group_row()))
    there.microsoft.asides[EXTENSIONS] = page(extension)
    listing = await there.groups.list_for(token)
    assert [request.decidable for request in listing.requests] == [True, False]
    assert [there.groups.ended(request) for request in listing.requests] == [None, None]


# --- sparse rows ---


async def test_what_a_listing_leaves_out_is_read_once_and_remembered() -> None:
    whole = a_group_row()
    sparse = bare(id=whole["id"])
    there = groups_rig(page(sparse), ok(whole), page(sparse))
    first, second = await there.groups.list_for(token), await there.groups.list_for(token)
    assert first.requests == second.requests == (parse_request(whole),)
    assert there.microsoft.lines[1] == f"GET {REQUESTS}/{whole['id']}?$expand=group,principal"
    assert len(there.microsoft.lines) == 3


async def test_what_the_listing_says_counts_more_than_what_was_read_before() -> None:
    whole = a_group_row()
    there = groups_rig(page(bare(id=whole["id"])), ok(whole), page(bare(id=whole["id"], status="Denied")))
    await there.groups.list_for(token)
    assert (await there.groups.list_for(token)).requests == ()


async def test_many_sparse_rows_are_read_a_few_at_a_time() -> None:
    rows = [a_group_row() for _ in range(20)]
    there = groups_rig(page(*(bare(id=row["id"]) for row in rows)), *(ok(row) for row in rows))
    listing = await there.groups.list_for(token)
    assert len(listing.requests) == 20


@pytest.mark.parametrize("status", [403, 404])
async def test_a_row_whose_rest_is_refused_is_taken_as_it_is(status: int) -> None:
    there = groups_rig(page(bare()), error(status))
    there.microsoft.asides["/v1.0/users/"] = error(403)
    (request,) = (await there.groups.list_for(token)).requests
    assert (request.scope.label, request.requestor.label) == (DB_ADMINS, BO)


@pytest.mark.parametrize("trouble", [[error(500)] * 3, [httpx.ReadTimeout("no")] * 3, [throttled("30")]])
async def test_in_an_outage_a_row_without_its_facts_is_set_aside_not_shown_wrong(trouble: list[Answer]) -> None:
    row = bare()
    there = groups_rig(page(row), *trouble)
    listing = await there.groups.list_for(token)
    assert (listing.requests, listing.broken) == ((), (row["id"],))


async def test_in_an_outage_a_row_that_lacks_names_only_is_shown() -> None:
    there = groups_rig(page(a_group_row(group=None)), *[error(500)] * 3)
    (request,) = (await there.groups.list_for(token)).requests
    assert request.scope.label == DB_ADMINS


# --- the application's listing ---


async def test_each_watched_group_is_listed_with_the_filter_microsoft_demands() -> None:
    other = guid()
    rows = [a_group_row(), a_group_row(groupId=other)]
    there = groups_rig(page(rows[0]), page(rows[1]), watched=(DB_ADMINS, other))
    listing = await there.groups.list_all(token)
    assert {request.key.id for request in listing.requests} == {row["id"] for row in rows}
    assert listing.complete
    assert there.microsoft.lines == [of_group(DB_ADMINS), of_group(other)]
    asked = [f"GET {request.url.raw_path.decode()}" for request in there.microsoft.aside]
    assert asked == [of_group(DB_ADMINS, EXTENSIONS), of_group(other, EXTENSIONS)]


async def test_where_none_is_configured_the_groups_are_discovered() -> None:
    there = groups_rig(page({"id": DB_ADMINS, "displayName": "prod-db-admins"}), page(a_group_row()))
    assert len((await there.groups.list_all(token)).requests) == 1
    assert there.microsoft.lines == [f"GET {ROOT}/resources", of_group(DB_ADMINS)]


@pytest.mark.parametrize("refusal", [error(403), error(404), error(400)])
async def test_where_none_may_be_discovered_there_is_nothing_to_list(refusal: httpx.Response) -> None:
    listing = await groups_rig(refusal).groups.list_all(token)
    assert (listing.requests, listing.complete) == ((), True)


async def test_an_outage_of_the_discovery_is_no_empty_list() -> None:
    with pytest.raises(Unavailable):
        await groups_rig(*[error(500)] * 3).groups.list_all(token)


async def test_a_group_that_fails_forbids_absence() -> None:
    other = guid()
    there = groups_rig(page(a_group_row()), error(403), watched=(DB_ADMINS, other))
    listing = await there.groups.list_all(token)
    assert (len(listing.requests), listing.complete) == (1, False)


async def test_when_every_group_fails_the_desk_does() -> None:
    with pytest.raises(GraphRefused):
        await groups_rig(error(403), error(403), watched=(DB_ADMINS, guid())).groups.list_all(token)


async def test_a_refused_status_filter_leaves_the_group_in_the_filter() -> None:
    refused = error(400, "InvalidFilter")
    there = groups_rig(refused, page(a_group_row(), a_group_row(status="Denied")), page(), watched=(DB_ADMINS,))
    assert len((await there.groups.list_all(token)).requests) == 1
    await there.groups.list_all(token)
    plain = f"GET {REQUESTS}?$expand=group,principal&$filter=groupId%20eq%20%27{DB_ADMINS}%27"
    assert there.microsoft.lines[1:] == [plain, plain]


# --- what has ended ---


async def test_what_has_ended_is_read_group_by_group() -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    old = a_group_row(status="Denied", createdDateTime="2026-10-31T09:00:00Z")
    there = groups_rig(page(a_group_row(status="Denied"), a_group_row(), old), watched=(DB_ADMINS,))
    listing = await there.groups.list_ended(since, token)
    assert [request.native_status for request in listing.requests] == ["Denied"]
    assert there.microsoft.lines == [f"GET {REQUESTS}?$filter=groupId%20eq%20%27{DB_ADMINS}%27"]


@pytest.mark.parametrize("answers", [[error(403)], [page({"id": DB_ADMINS}), error(403)]])
async def test_who_may_not_list_the_groups_is_shown_their_own_part(answers: list[Answer]) -> None:
    there = groups_rig(*answers, page(a_group_row(status="Provisioned")))
    listing = await there.groups.list_ended(datetime(2026, 11, 1, tzinfo=UTC), token)
    assert (len(listing.requests), listing.complete) == (1, False)
    assert there.microsoft.lines[-1] == f"GET {REQUESTS}/filterByCurrentUser(on='approver')"


# --- single calls ---


async def test_one_request_is_read_with_its_names() -> None:
    row = a_group_row()
    there = groups_rig(ok(row))
    assert await there.groups.fetch(known_as(row["id"], Kind.GROUP), token) == parse_request(row)
    assert there.microsoft.lines == [f"GET {REQUESTS}/{row['id']}?$expand=group,principal"]


async def test_who_may_not_read_a_request_asks_their_own_list_for_it() -> None:
    row = a_group_row(status="Provisioned")
    there = groups_rig(error(403), page(row))
    assert (await there.groups.fetch(known_as(row["id"], Kind.GROUP), token)).native_status == "Provisioned"
    assert there.microsoft.lines[1] == (
        f"GET {REQUESTS}/filterByCurrentUser(on='approver')?$expand=group,principal&$filter=id%20eq%20%27{row['id']}%27"
    )


async def test_the_stages_are_read_as_v1_writes_them() -> None:
    there = groups_rig(ok({"id": A_GUID, "stages": [a_step(id=STEP)]}))
    (step,) = await there.groups.steps(OURS, token)
    assert (step.id, step.live) == (STEP, True)
    assert there.microsoft.lines == [f"GET {APPROVALS}/{A_GUID}?$expand=stages"]


async def decide(*answers: Answer, verdict: Verdict = Verdict.APPROVE) -> list[httpx.Request]:
    there = groups_rig(*answers)
    await there.groups.decide(OURS, Vote(STEP, verdict, "ok"), token)
    assert there.microsoft.answers == []
    return there.microsoft.requests


def stages(**over: object) -> httpx.Response:
    return ok({"id": A_GUID, "stages": [a_step(id=STEP, **over)]})


@pytest.mark.parametrize("verdict, word", [(Verdict.APPROVE, "Approve"), (Verdict.DENY, "Deny")])
async def test_a_decision_is_sent_as_microsofts_own_client_does(verdict: Verdict, word: str) -> None:
    (call,) = await decide(httpx.Response(204), verdict=verdict)
    assert f"{call.method} {call.url.raw_path.decode()}" == f"PATCH {APPROVALS}/{A_GUID}/stages/{STEP}"
    assert json.loads(call.content) == {"justification": "ok", "reviewResult": word}


@pytest.mark.parametrize("status", [404, 405])
async def test_where_v1_does_not_know_the_call_beta_is_sent_it_while_the_stage_is_live(status: int) -> None:
    *_, look, call = await decide(error(status), stages(), httpx.Response(204))
    assert look.method == "GET"
    assert f"{call.method} {call.url.raw_path.decode()}" == f"PATCH {BETA}/{A_GUID}/steps/{STEP}"
    assert json.loads(call.content) == {"justification": "ok", "reviewResult": "Approve"}


@pytest.mark.parametrize(
    "look",
    [
        [stages(assignedToMe=False)],
        [stages(status="Expired")],
        [ok({"id": A_GUID, "stages": []})],
        [ok({"id": A_GUID, "stages": [a_step()]})],
        [error(404)],
        [error(500)] * 3,
    ],
)
async def test_beta_is_sent_nothing_unless_the_stage_is_seen_to_be_live(look: list[Answer]) -> None:
    with pytest.raises(RequestGone):
        await decide(error(404), *look)


async def test_a_stage_that_is_decided_by_then_says_so() -> None:
    with pytest.raises(AlreadyDecided):
        await decide(error(404), stages(status="Completed", reviewResult="Denied"))


@pytest.mark.parametrize(
    "answer, kind",
    [
        (error(400), GraphRefused),
        (error(403), GraphRefused),
        (error(409), AlreadyDecided),
        (throttled(), Unavailable),
        (error(500), OutcomeUnknown),
        (httpx.ReadTimeout("no"), OutcomeUnknown),
        (httpx.ConnectError("no"), Unavailable),
    ],
)
async def test_nothing_else_is_sent_twice(answer: Answer, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        await decide(answer)
    assert type(caught.value) is kind


async def test_a_lost_answer_of_beta_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        await decide(error(404), stages(), httpx.ReadTimeout("no"))


async def test_a_withdrawal_is_sent_as_microsofts_own_client_does() -> None:
    there = groups_rig(httpx.Response(204))
    await there.groups.cancel(OURS, token)
    assert there.microsoft.lines == [f"POST {REQUESTS}/{A_GUID}/cancel"]


async def test_the_settings_belong_to_the_group_and_the_access() -> None:
    there = groups_rig(ok({"value": []}))
    await there.groups.policy(OURS, token)
    (line,) = there.microsoft.lines
    assert line == (
        "GET /v1.0/policies/roleManagementPolicyAssignments?$expand=policy%28%24expand%3Drules%29"
        f"&$filter=scopeId%20eq%20%27{DB_ADMINS}%27%20and%20scopeType%20eq%20%27Group%27"
        "%20and%20roleDefinitionId%20eq%20%27member%27"
    )


async def test_access_is_held_from_and_until_what_its_instance_says() -> None:
    mine = {
        "assignmentScheduleId": f"{DB_ADMINS}_member_{A_GUID}".upper(),
        "startDateTime": "2026-11-23T10:00:00Z",
        "endDateTime": "2026-11-23T12:00:00Z",
    }
    other = mine | {"assignmentScheduleId": f"{DB_ADMINS}_member_{STEP}"}
    there = groups_rig(page(other, mine))
    began = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert await there.groups.term(OURS, token) == Term(began, began + timedelta(hours=2))
    where = f"groupId%20eq%20%27{DB_ADMINS}%27%20and%20principalId%20eq%20%27{OURS.requestor.id}%27"
    assert there.microsoft.lines == [f"GET {ROOT}/assignmentScheduleInstances?$filter={where}"]
    assert await groups_rig(page(other)).groups.term(OURS, token) is None


@pytest.mark.parametrize("value", EVIL_IDS)
async def test_a_hostile_id_never_becomes_an_address(value: str) -> None:
    there = groups_rig()
    evil = known_as(value, Kind.GROUP)
    calls = (
        there.groups.fetch(evil, token),
        there.groups.steps(evil, token),
        there.groups.cancel(evil, token),
        there.groups.decide(evil, Vote(STEP, Verdict.DENY, "x"), token),
        there.groups.decide(OURS, Vote(value, Verdict.DENY, "x"), token),
        there.groups.policy(a_request(role=MEMBER, scope=Scope(value)), token),
        there.groups.policy(a_request(role=Role(value), scope=IN_GROUP), token),
        there.groups.term(a_request(role=MEMBER, scope=Scope(value)), token),
    )
    for call in calls:
        with pytest.raises(Malformed):
            await call
    assert there.microsoft.requests == []


def test_microsofts_words_become_ours() -> None:
    there = groups_rig()
    assert there.groups.ended(a_request(native_status="Provisioned")) is Status.APPROVED
    assert there.groups.ended(a_request(native_status="somethingNew")) is None
