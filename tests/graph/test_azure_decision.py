"""Deciding at ARM: four shapes in order, the next only after a 4xx and a look that shows the stage still live."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from build import a_request
from graph.fake_microsoft import (
    A_GUID,
    BATCHED,
    Answer,
    AzureRig,
    a_stage,
    an_approval,
    azure_rig,
    error,
    html,
    line_of,
    ok,
    throttled,
    token,
)

from app.domain.calls import Receipt
from app.domain.errors import (
    AlreadyDecided,
    BotError,
    ClaimsChallenge,
    GraphRefused,
    OutcomeUnknown,
    RequestGone,
    SignInRequired,
    Unavailable,
)
from app.domain.request import Kind, RequestKey, Scope, Verdict
from app.ports import Vote

STAGE = "4135f961-be78-4005-8101-c72a5af307a2"
APPROVAL = f"/providers/Microsoft.Authorization/roleAssignmentApprovals/{A_GUID}"
ADDRESS = f"{APPROVAL}/stages/{STAGE}?api-version=2021-01-01-preview"
LOOK = f"GET {APPROVAL}?api-version=2021-01-01-preview"
BARE = {"reviewResult": "Approve", "justification": "I trust this person."}
WRAPPED = {"properties": BARE}
OURS = a_request(key=RequestKey(Kind.AZURE, STAGE), scope=Scope("/"), approval_id=A_GUID)
BATCH = {
    "requests": [{"name": str(BATCHED), "httpMethod": "PUT", "url": ADDRESS, "content": WRAPPED}],
}
SENT = [
    (f"PUT {ADDRESS}", WRAPPED),
    (f"PATCH {ADDRESS}", WRAPPED),
    (f"PATCH {ADDRESS}", BARE),
    ("POST /batch?api-version=2020-06-01", BATCH),
]
CLAIMS = "%7B%22access_token%22%3A%7B%7D%7D"
ACRS = error(400, "RoleAssignmentRequestAcrsValidationFailed", f"https://x?a=b&claims={CLAIMS}")


def live() -> httpx.Response:
    return an_approval(a_stage(id_=STAGE))


def inner(status: object, name: str = str(BATCHED), **more: object) -> dict[str, object]:
    return {"name": name, "httpStatusCode": status, "headers": {}, "content": None, **more}


def batch(*answers: object, outer: int = 200) -> httpx.Response:
    return ok({"responses": list(answers)}, outer)


async def decide(there: AzureRig, verdict: Verdict = Verdict.APPROVE) -> None:
    await there.azure.decide(OURS, Vote(STAGE, verdict, "I trust this person."), token)


def sent(there: AzureRig) -> list[tuple[str, Any]]:
    """Every change that was sent, with its body; looks are left out."""
    changes = [request for request in there.microsoft.requests if request.method != "GET"]
    return [(line_of(change), json.loads(change.content)) for change in changes]


def refused(times: int) -> list[Answer]:
    """The first shapes are refused, and the stage is seen to be live after each."""
    return [answer for _ in range(times) for answer in (error(400, "InvalidRequestContent"), live())]


# --- names of calls and answers ---

NAME = "0c5a7d3e-1111-4222-8333-444455556666"


@pytest.mark.parametrize("number", range(4))
async def test_every_shape_carries_our_name_and_brings_back_microsofts(number: int) -> None:
    answer = batch(inner(204)) if number == 3 else httpx.Response(200)
    answer.headers["x-ms-request-id"] = "aa-11"
    there = azure_rig(*refused(number), answer)
    receipt = await there.azure.decide(OURS, Vote(STAGE, Verdict.APPROVE, "ok", NAME), token)
    assert receipt == Receipt("aa-11")
    changes = [request for request in there.microsoft.requests if request.method != "GET"]
    assert [change.headers["x-ms-client-request-id"] for change in changes] == [NAME] * (number + 1)


async def test_a_success_that_is_not_believed_keeps_its_name() -> None:
    unbelievable = ok({"properties": {"reviewResult": "NotReviewed"}}, 200, {"x-ms-request-id": "aa-11"})
    with pytest.raises(OutcomeUnknown) as caught:
        await decide(azure_rig(unbelievable))
    assert caught.value.request_id == "aa-11"


# --- the shapes ---


@pytest.mark.parametrize("number", range(4))
async def test_the_shapes_go_out_in_order_each_after_a_look(number: int) -> None:
    last = batch(inner(204)) if number == 3 else httpx.Response(200)
    there = azure_rig(*refused(number), last)
    await decide(there)
    assert sent(there) == SENT[: number + 1]
    assert [line for line in there.microsoft.lines if line.startswith("GET")] == [LOOK] * number
    assert there.microsoft.answers == []


@pytest.mark.parametrize(
    "answer", [httpx.Response(200), httpx.Response(204), ok(a_stage(reviewResult="Approve")), ok(None, 202)]
)
async def test_any_success_is_one(answer: httpx.Response) -> None:
    there = azure_rig(answer)
    await decide(there)
    assert len(sent(there)) == 1


async def test_a_refusal_is_written_in_every_shape() -> None:
    there = azure_rig(*refused(3), batch(inner(204)))
    await decide(there, Verdict.DENY)
    words = [json.dumps(body) for _, body in sent(there)]
    assert all('"Deny"' in word and "Approve" not in word for word in words)


@pytest.mark.parametrize("number", range(4))
async def test_the_shape_that_worked_comes_first_from_then_on(number: int) -> None:
    last: Callable[[], httpx.Response] = lambda: batch(inner(204)) if number == 3 else httpx.Response(200)  # noqa: E731 - twice
    there = azure_rig(*refused(number), last(), last())
    await decide(there)
    there.microsoft.requests.clear()
    await decide(there)
    assert sent(there) == [SENT[number]]


async def test_where_it_works_no_more_the_others_follow_in_order() -> None:
    there = azure_rig(*refused(2), httpx.Response(200), *refused(3), batch(inner(200)))
    await decide(there)
    there.microsoft.requests.clear()
    await decide(there)
    assert sent(there) == [SENT[2], SENT[0], SENT[1], SENT[3]]


# --- what ends it ---

REFUSALS = [(error(400), GraphRefused), (error(401), SignInRequired), (error(403), GraphRefused)]
REFUSALS += [(error(404), RequestGone), (error(405), GraphRefused), (error(422), GraphRefused)]


@pytest.mark.parametrize("answer, kind", REFUSALS)
@pytest.mark.parametrize(
    "look",
    [
        [an_approval(a_stage(id_=STAGE, assignedToMe=False))],
        [an_approval(a_stage(id_=STAGE, status="Expired"))],
        [an_approval(a_stage())],
        [an_approval()],
        [error(403)],
        [error(404)],
        [error(401)],
        [error(500)] * 3,
        [httpx.ReadTimeout("no")] * 3,
        [html(200)] * 3,
        [throttled("30")],
    ],
)
async def test_no_other_shape_goes_out_unless_the_stage_is_seen_to_be_live(
    answer: httpx.Response, kind: type[BotError], look: list[Answer]
) -> None:
    there = azure_rig(answer, *look)
    with pytest.raises(kind) as caught:
        await decide(there)
    assert type(caught.value) is kind
    assert sent(there) == SENT[:1]


@pytest.mark.parametrize("answer, _", REFUSALS)
async def test_a_stage_that_is_decided_by_then_says_so(answer: httpx.Response, _: object) -> None:
    there = azure_rig(answer, an_approval(a_stage(id_=STAGE, status="Completed", reviewResult="Approved")))
    with pytest.raises(AlreadyDecided):
        await decide(there)
    assert sent(there) == SENT[:1]


ENDS: list[tuple[Answer, type[BotError]]] = [
    (error(409), AlreadyDecided),
    (throttled("30"), Unavailable),
    (ACRS, ClaimsChallenge),
    (error(500), OutcomeUnknown),
    (error(503), OutcomeUnknown),
    (httpx.Response(302), OutcomeUnknown),
    (html(200), OutcomeUnknown),
    (httpx.ReadTimeout("no"), OutcomeUnknown),
    (httpx.ReadError("no"), OutcomeUnknown),
    (httpx.WriteError("no"), OutcomeUnknown),
    (httpx.RemoteProtocolError("no"), OutcomeUnknown),
    (httpx.ConnectError("no"), Unavailable),
]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("answer, kind", ENDS)
async def test_first_come_throttled_challenged_or_lost_ends_it_on_any_shape(
    answer: Answer, kind: type[BotError], number: int
) -> None:
    there = azure_rig(*refused(number), answer)
    with pytest.raises(kind) as caught:
        await decide(there)
    assert type(caught.value) is kind
    assert sent(there) == SENT[: number + 1]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("shown", ["NotReviewed", "Deny", "a word of tomorrow"])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_success_that_shows_no_such_decision_is_read_back(shown: str, number: int, wrapped: bool) -> None:  # noqa: FBT001 - a case
    stage = a_stage(id_=STAGE, reviewResult=shown)
    told = stage if wrapped else stage["properties"]
    there = azure_rig(*refused(number), batch(inner(200, content=told)) if number == 3 else ok(told))
    with pytest.raises(OutcomeUnknown):
        await decide(there)
    assert sent(there) == SENT[: number + 1]


async def test_a_challenge_carries_its_claims() -> None:
    with pytest.raises(ClaimsChallenge) as caught:
        await decide(azure_rig(ACRS))
    assert caught.value.claims == '{"access_token":{}}'


async def test_when_no_shape_is_taken_the_last_refusal_is_told() -> None:
    there = azure_rig(*refused(3), batch(inner(403, content={"error": {"code": "X", "message": "no"}})), live())
    with pytest.raises(GraphRefused) as caught:
        await decide(there)
    assert (caught.value.status, caught.value.code) == (403, "X")
    assert sent(there) == SENT


# --- batches ---


@pytest.mark.parametrize("outer", [200, 202])
@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_inner_success_is_one_whatever_the_outer_says(status: int, outer: int) -> None:
    await decide(azure_rig(*refused(3), batch(inner(status), outer=outer)))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200),
        httpx.Response(202),
        html(200),
        ok({}),
        ok([]),
        ok({"responses": None}),
        batch(),
        batch(None),
        batch({}),
        batch(inner(None)),
        batch(inner("204")),
        batch(inner(0)),
        batch(inner(2040)),
        batch(inner(204, name="another")),
        batch(inner(204), inner(204)),
        batch(inner(500)),
        batch(inner(302)),
    ],
)
async def test_an_outer_success_without_a_readable_inner_one_says_nothing(answer: httpx.Response) -> None:
    there = azure_rig(*refused(3), answer)
    with pytest.raises(OutcomeUnknown):
        await decide(there)


@pytest.mark.parametrize(
    "status, kind", [(409, AlreadyDecided), (429, Unavailable), (503, OutcomeUnknown), (500, OutcomeUnknown)]
)
async def test_an_inner_status_is_believed(status: int, kind: type[BotError]) -> None:
    with pytest.raises(kind):
        await decide(azure_rig(*refused(3), batch(inner(status))))


async def test_an_inner_throttle_silences_the_desk_for_as_long_as_it_says() -> None:
    there = azure_rig(*refused(3), batch(inner(429, headers={"Retry-After": "30"})))
    with pytest.raises(Unavailable):
        await decide(there)
    with pytest.raises(Unavailable) as caught:
        await there.azure.list_for(token)
    assert caught.value.retry_after == 30


async def test_an_inner_challenge_carries_its_claims() -> None:
    header = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ"'
    with pytest.raises(ClaimsChallenge) as caught:
        await decide(azure_rig(*refused(3), batch(inner(401, headers={"WWW-Authenticate": header}))))
    assert caught.value.claims == '{"access_token":{}}'
