"""The single calls of the desk: one request, its steps, a decision, a role's settings."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from build import a_request, known_as
from graph.fake_microsoft import A_GUID, EVIL_IDS, Answer, Rig, a_row, a_step, error, html, ok, page, rig, token

from app.domain.calls import Receipt
from app.domain.errors import (
    AlreadyDecided,
    BotError,
    ClaimsChallenge,
    GraphRefused,
    Malformed,
    OutcomeUnknown,
    RequestGone,
    SignInRequired,
    Unavailable,
)
from app.domain.request import PolicyFacts, Role, Status, Term, Verdict
from app.ports import Vote

REQUESTS = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
APPROVALS = "/beta/roleManagement/directory/roleAssignmentApprovals"
STEP = "d4fa4045-4716-436d-aec5-57b0a713f095"
Call = Callable[[Rig], Awaitable[object]]


async def decide(there: Rig, verdict: Verdict = Verdict.APPROVE, why: str = "Trusted User") -> None:
    await there.desk.decide(known_as(A_GUID), Vote(STEP, verdict, why), token)


# --- names of calls and answers ---

OURS = "0c5a7d3e-1111-4222-8333-444455556666"


async def named(there: Rig) -> Receipt:
    return await there.desk.decide(known_as(A_GUID), Vote(STEP, Verdict.APPROVE, "ok", OURS), token)


async def test_a_decision_carries_our_name_and_brings_back_microsofts() -> None:
    there = rig(httpx.Response(204, headers={"request-id": "aa-11"}))
    assert await named(there) == Receipt("aa-11")
    assert there.microsoft.requests[0].headers["client-request-id"] == OURS


async def test_without_a_name_of_ours_none_is_sent() -> None:
    there = rig(httpx.Response(204))
    await decide(there)
    assert "client-request-id" not in there.microsoft.requests[0].headers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
async def test_every_refusal_brings_microsofts_name_along(status: int) -> None:
    there = rig(error(status, request_id="aa-11"))
    with pytest.raises(BotError) as caught:
        await named(there)
    assert caught.value.request_id == "aa-11"


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "<!channel>", "Bearer canary", "a/b"])
async def test_what_is_no_name_is_not_kept(name: str) -> None:
    there = rig(httpx.Response(204, headers={"request-id": name}))
    assert await named(there) == Receipt("")


# --- what is sent ---


async def test_one_request_is_read_with_its_names() -> None:
    row = a_row()
    there = rig(ok(row))
    assert (await there.desk.fetch(known_as(row["id"]), token)).key.id == row["id"]
    assert there.microsoft.lines == [f"GET {REQUESTS}/{row['id']}?$expand=principal,roleDefinition"]


@pytest.mark.parametrize("word", ["Provisioned", "Canceled", "unknownFutureValue", None])
async def test_one_request_is_read_whatever_its_status(word: object) -> None:
    row = a_row(status=word)
    assert (await rig(ok(row)).desk.fetch(known_as(row["id"]), token)).native_status == (word or "")


async def test_the_steps_are_read_as_microsofts_own_client_does() -> None:
    steps = [a_step(), a_step(assignedToMe=False)]
    there = rig(ok({"id": A_GUID, "steps": steps}))
    read = await there.desk.steps(known_as(A_GUID), token)
    assert [(step.id, step.live) for step in read] == [(steps[0]["id"], True), (steps[1]["id"], False)]
    assert there.microsoft.lines == [f"GET {APPROVALS}/{A_GUID}?$expand=steps"]


@pytest.mark.parametrize("verdict, word", [(Verdict.APPROVE, "Approve"), (Verdict.DENY, "Deny")])
async def test_a_decision_is_sent_as_microsofts_own_client_does(verdict: Verdict, word: str) -> None:
    there = rig(httpx.Response(204))
    await decide(there, verdict)
    (call,) = there.microsoft.requests
    assert there.microsoft.lines == [f"PATCH {APPROVALS}/{A_GUID}/steps/{STEP}"]
    assert json.loads(call.content) == {"justification": "Trusted User", "reviewResult": word}
    assert call.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "why", ['"quotes" and \\', "\N{GREEK SMALL LETTER PI} \U0001f512", "lone \ud83d", "nul \x00", ""]
)
async def test_any_comment_can_be_sent(why: str) -> None:
    there = rig(httpx.Response(204))
    await decide(there, why=why)
    sent = json.loads(there.microsoft.requests[0].content)["justification"]
    assert sent == why.replace("\ud83d", "\ufffd").replace("\x00", "\ufffd")


async def test_a_roles_settings_are_asked_for_by_its_template() -> None:
    rules = [{"id": "Enablement_EndUser_Assignment", "enabledRules": ["Ticketing"]}]
    there = rig(ok({"value": [{"policy": {"rules": rules}}]}))
    facts = await there.desk.policy(a_request(role=Role(A_GUID)), token)
    assert facts == PolicyFacts(ticket_required=True, justification_required=False)
    (line,) = there.microsoft.lines
    assert line == (
        "GET /v1.0/policies/roleManagementPolicyAssignments?$expand=policy%28%24expand%3Drules%29"
        "&$filter=scopeId%20eq%20%27%2F%27%20and%20scopeType%20eq%20%27DirectoryRole%27"
        f"%20and%20roleDefinitionId%20eq%20%27{A_GUID}%27"
    )


async def test_who_may_not_read_a_request_asks_their_own_list_for_it() -> None:
    row = a_row(status="Provisioned")
    there = rig(error(403), page(a_row(), row))
    assert (await there.desk.fetch(known_as(row["id"]), token)).native_status == "Provisioned"
    assert there.microsoft.lines[1] == (
        f"GET {REQUESTS}/filterByCurrentUser(on='approver')?$expand=principal,roleDefinition"
        f"&$filter=id%20eq%20%27{row['id']}%27"
    )


async def test_a_role_is_held_from_and_until_what_its_instance_says() -> None:
    request = known_as(A_GUID)
    other = {"roleAssignmentScheduleId": STEP, "startDateTime": "2026-01-01T00:00:00Z"}
    mine = {
        "roleAssignmentScheduleId": A_GUID.upper(),
        "startDateTime": "2026-11-23T10:00:00Z",
        "endDateTime": "2026-11-23T12:00:00Z",
    }
    there = rig(page(other, mine))
    began = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert await there.desk.term(request, token) == Term(began, began + timedelta(hours=2))
    (line,) = there.microsoft.lines
    assert line.endswith(f"/roleAssignmentScheduleInstances?$filter=principalId%20eq%20%27{request.requestor.id}%27")
    assert await rig(page(other)).desk.term(request, token) is None


async def test_a_withdrawal_is_sent_as_microsofts_own_client_does() -> None:
    there = rig(httpx.Response(204))
    await there.desk.cancel(known_as(A_GUID), token)
    assert there.microsoft.lines == [f"POST {REQUESTS}/{A_GUID}/cancel"]
    assert there.microsoft.requests[0].content == b""


# --- ids ---


@pytest.mark.parametrize("value", EVIL_IDS)
async def test_a_hostile_id_never_becomes_an_address(value: str) -> None:
    there = rig()
    calls = (
        there.desk.fetch(known_as(value), token),
        there.desk.steps(known_as(value), token),
        there.desk.decide(known_as(value), Vote(STEP, Verdict.DENY, "x"), token),
        there.desk.decide(known_as(A_GUID), Vote(value, Verdict.DENY, "x"), token),
        there.desk.policy(a_request(role=Role(value)), token),
    )
    for call in calls:
        with pytest.raises(Malformed):
            await call
    assert there.microsoft.requests == []


async def test_an_id_in_capitals_goes_out_in_lower_case() -> None:
    there = rig(httpx.Response(204))
    await there.desk.decide(known_as(A_GUID.upper()), Vote(STEP.upper(), Verdict.DENY, "no"), token)
    assert there.microsoft.lines == [f"PATCH {APPROVALS}/{A_GUID}/steps/{STEP}"]


# --- what comes back ---


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"steps": None},
        {"steps": {}},
        {"steps": [None]},
        {"steps": ["x"]},
        {"steps": [{}]},
        {"steps": [{"id": "../x"}]},
    ],
)
async def test_an_approval_without_readable_steps_is_malformed_and_not_without_steps(body: object) -> None:
    with pytest.raises(Malformed):
        await rig(ok(body)).desk.steps(known_as(A_GUID), token)


async def test_an_approval_without_steps_has_none() -> None:
    assert await rig(ok({"id": A_GUID, "steps": []})).desk.steps(known_as(A_GUID), token) == ()


@pytest.mark.parametrize(
    "call",
    [
        lambda there: there.desk.fetch(known_as(A_GUID), token),
        lambda there: there.desk.steps(known_as(A_GUID), token),
        lambda there: there.desk.list_all(token),
        lambda there: there.desk.list_for(token),
    ],
    ids=["fetch", "steps", "list_all", "list_for"],
)
@pytest.mark.parametrize(
    "answers, kind",
    [
        ([error(500)] * 3, Unavailable),
        ([httpx.ReadTimeout("no")] * 3, Unavailable),
        ([html(200)] * 3, Malformed),
        ([error(401)], SignInRequired),
        ([error(403)] * 2, GraphRefused),
        ([error(404)], RequestGone),
    ],
)
async def test_every_read_fails_in_the_same_words(call: Call, answers: list[Answer], kind: type[BotError]) -> None:
    with pytest.raises(kind) as caught:
        await call(rig(*answers))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "answer, kind",
    [
        (error(409), AlreadyDecided),
        (error(404), RequestGone),
        (error(403), GraphRefused),
        (error(401), SignInRequired),
        (error(500), OutcomeUnknown),
        (httpx.ReadTimeout("no"), OutcomeUnknown),
        (httpx.ConnectError("no"), Unavailable),
        (error(429), Unavailable),
    ],
)
async def test_a_decision_fails_in_words_that_say_whether_it_may_have_counted(
    answer: Answer, kind: type[BotError]
) -> None:
    there = rig(answer)
    with pytest.raises(kind) as caught:
        await decide(there)
    assert type(caught.value) is kind
    assert len(there.microsoft.requests) == 1


async def test_a_challenge_to_a_decision_carries_its_claims() -> None:
    claims = "%7B%22access_token%22%3A%7B%7D%7D"
    there = rig(error(400, "RoleAssignmentRequestAcrsValidationFailed", f"https://x?a=b&claims={claims}"))
    with pytest.raises(ClaimsChallenge) as caught:
        await decide(there)
    assert caught.value.claims == '{"access_token":{}}'


@pytest.mark.parametrize("answers", [[error(400)], [error(403)], [error(404)], [html(200)] * 3, [page()], [ok({})]])
async def test_settings_that_cannot_be_read_are_unknown(answers: list[Answer]) -> None:
    assert await rig(*answers).desk.policy(a_request(), token) == PolicyFacts()


@pytest.mark.parametrize("answers, kind", [([error(500)] * 3, Unavailable), ([error(401)], SignInRequired)])
async def test_settings_that_somebody_else_might_read_are_not_called_unknown(
    answers: list[Answer], kind: type[BotError]
) -> None:
    with pytest.raises(kind):
        await rig(*answers).desk.policy(a_request(), token)


# --- Microsoft's words for an end ---


@pytest.mark.parametrize(
    "word, status",
    [
        ("Granted", Status.APPROVED),
        ("ScheduleCreated", Status.APPROVED),
        ("PendingScheduleCreation", Status.APPROVED),
        ("PendingProvisioning", Status.APPROVED),
        ("Provisioned", Status.APPROVED),
        ("provisioned", Status.APPROVED),
        ("Revoked", Status.APPROVED),
        ("Denied", Status.DENIED),
        ("DENIED", Status.DENIED),
        ("Canceled", Status.CANCELED),
        ("Cancelled", Status.CANCELED),
        ("Failed", Status.FAILED),
        ("PendingApproval", None),
        ("PendingAdminDecision", None),
        ("TimedOut", Status.EXPIRED),
        ("unknownFutureValue", None),
        ("", None),
    ],
)
def test_microsofts_words_become_ours(word: str, status: Status | None) -> None:
    assert rig().desk.ended(a_request(native_status=word)) is status
