"""Deciding over HTTP: statuses and codes as promised, one decision for each key, an answer in time."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import pytest
from api_rig import ApiRig, problem
from build import NOW, REPORTS_READER, a_request, an_intent, decided, known_as, seen
from fakes import ALWAYS, ProcessKilled
from people import TENANT, ann, ben, cleo, rita
from use_cases.house import House

from app.api.problems import CODES
from app.domain.errors import ClaimsChallenge, DeviceDemanded, GraphRefused, Unavailable
from app.domain.request import ActivationRequest, Kind, PolicyFacts, Status, Verdict
from app.domain.risk import Level, Risk
from app.inbox import UNANSWERED, Deliveries
from app.ports import PAUSE, Switch

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann, Ben and Cleo may decide."""
    return await house.ask(approvers=(ann, ben, cleo))


async def pending(house: House, request: ActivationRequest) -> None:
    assert (await house.row(request)).status is Status.PENDING
    assert house.desk.sent == []


# 200


async def test_an_approval_answers_with_the_request_as_it_is_now(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    answer = await api.approve(activation.key.id, "cleo", "Checked with Rob")
    assert answer.status_code == 200
    item = answer.json()
    assert (item["id"], item["status"]) == (activation.key.id, "approved")
    decided_ = item["decided"]
    assert (decided_["by"]["id"], decided_["comment"], decided_["where"]) == (cleo.id, "Checked with Rob", "api")
    assert [(sent.by, sent.verdict) for sent in house.desk.sent] == [(cleo.id, Verdict.APPROVE)]
    assert (api.woken, api.decided) == (1, [("api", "done")])


async def test_a_denial_carries_its_reason(api: ApiRig, house: House, activation: ActivationRequest) -> None:
    answer = await api.deny(activation.key.id, reason="Ask for two hours")
    assert (answer.status_code, answer.json()["status"]) == (200, "denied")
    assert [(sent.verdict, sent.justification) for sent in house.desk.sent] == [(Verdict.DENY, "Ask for two hours")]


@pytest.mark.parametrize("body", [None, {}, {"comment": None}, {"comment": ""}])
async def test_an_approval_needs_no_body_where_a_comment_is_optional(api: ApiRig, house: House, body: object) -> None:
    request = await house.ask(
        a_request(role=REPORTS_READER), risk=Risk(Level.LOW), policy=PolicyFacts(comment_required=False)
    )
    answer = await api.post(f"approvals/{request.key.id}/approve", body=body)
    assert answer.json()["decided"]["comment"] == "Approved through the API"


@pytest.mark.parametrize("match", ["{digest}", '"{digest}"', '"other", "{digest}"', "*"])
async def test_the_digest_that_was_shown_lets_it_through(
    api: ApiRig, activation: ActivationRequest, match: str
) -> None:
    answer = await api.approve(activation.key.id, if_match=match.replace("{digest}", activation.digest))
    assert answer.status_code == 200


# Not


async def test_ones_own_request_is_403(api: ApiRig, house: House) -> None:
    for request in (a_request(requestor=ann), a_request(requestor=rita, created_by=ann.id)):
        await house.ask(request)
        assert problem(await api.approve(request.key.id)) == (403, "own_request")
        assert problem(await api.deny(request.key.id)) == (403, "own_request")
    assert house.desk.sent == []


async def test_an_auditor_who_is_no_approver_is_403(api: ApiRig, house: House, activation: ActivationRequest) -> None:
    assert problem(await api.approve(activation.key.id, "olga.audit")) == (403, "not_approver")
    await pending(house, activation)


@pytest.mark.parametrize("status", [Status.APPROVED, Status.DENIED, Status.CANCELED, Status.FAILED])
async def test_what_has_ended_is_409(api: ApiRig, house: House, activation: ActivationRequest, status: Status) -> None:
    await house.book.settle(activation.key, status, decided(ben), None, NOW)
    answer = await api.approve(activation.key.id)
    assert problem(answer) == (409, "already_decided")
    assert ("Ben Bauer" in answer.json()["detail"]) is (status in (Status.APPROVED, Status.DENIED))


async def test_what_somebody_is_deciding_is_409_and_says_when_to_look_again(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    await house.book.claim(an_intent(activation, ben))
    answer = await api.approve(activation.key.id)
    assert problem(answer) == (409, "claimed")
    assert answer.headers["retry-after"] == "5"


async def test_what_expired_is_410(api: ApiRig, house: House, activation: ActivationRequest) -> None:
    house.clock.advance(timedelta(days=1))
    assert problem(await api.approve(activation.key.id)) == (410, "expired")
    await house.book.settle(activation.key, Status.EXPIRED, decided(None), None, house.clock())
    assert problem(await api.approve(activation.key.id)) == (410, "expired")


@pytest.mark.parametrize("match", ["0" * 64, '"nope"', 'W/"nope"', "nope, other"])
async def test_another_digest_is_412(api: ApiRig, house: House, activation: ActivationRequest, match: str) -> None:
    assert problem(await api.approve(activation.key.id, if_match=match)) == (412, "changed")
    await pending(house, activation)


async def test_what_changed_in_microsoft_is_412_without_any_digest(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    house.desk.change(activation.key.id, justification="Something else")
    assert problem(await api.approve(activation.key.id)) == (412, "changed")
    await pending(house, activation)


async def test_microsofts_challenge_is_401_with_its_claims(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    house.desk.fail("decide", ClaimsChallenge(claims=CLAIMS))
    answer = await api.approve(activation.key.id)
    assert problem(answer) == (401, "sign_in_required")
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_claims"' in challenge
    assert base64.b64decode(challenge.split('claims="')[1].rstrip('"')).decode() == CLAIMS
    assert (await api.approve(activation.key.id)).status_code == 200


@pytest.mark.parametrize(
    "failure, told",
    [
        (Unavailable(), (503, "unavailable")),
        (DeviceDemanded("A managed device only."), (403, "managed_device")),
        (GraphRefused("Microsoft refused: no", status=403), (403, "refused")),
    ],
)
async def test_microsofts_no_is_told_by_what_it_means(
    api: ApiRig, house: House, activation: ActivationRequest, failure: Exception, told: tuple[int, str]
) -> None:
    house.on_behalf.failures[ann.id] = failure
    assert problem(await api.approve(activation.key.id)) == told
    await pending(house, activation)


async def test_a_pause_is_503(api: ApiRig, house: House, activation: ActivationRequest) -> None:
    await house.switches.turn(Switch(PAUSE, on=True, reason="an exercise", by="os:op", at=NOW), None)
    assert problem(await api.approve(activation.key.id)) == (503, "paused")
    await pending(house, activation)


async def test_a_missing_comment_is_422(api: ApiRig, house: House, activation: ActivationRequest) -> None:
    assert problem(await api.approve(activation.key.id, comment=None)) == (422, "comment_missing")
    assert problem(await api.deny(activation.key.id, reason="  ")) == (422, "invalid_request")
    assert problem(await api.deny(activation.key.id, reason="\x1c")) == (422, "comment_missing")
    await pending(house, activation)


@pytest.mark.parametrize(
    "path, body",
    [
        ("approve", {"comment": "x" * 501}),
        ("approve", {"comment": 7}),
        ("approve", {"comment": "x", "force": True}),
        ("approve", {"reason": "x"}),
        ("approve", ["x"]),
        ("approve", "x"),
        ("deny", None),
        ("deny", {}),
        ("deny", {"reason": ""}),
        ("deny", {"reason": None}),
        ("deny", {"reason": "x" * 501}),
        ("deny", {"comment": "x"}),
    ],
)
async def test_a_body_of_another_shape_is_422(
    api: ApiRig, house: House, activation: ActivationRequest, path: str, body: object
) -> None:
    answer = await api.post(f"approvals/{activation.key.id}/{path}", body=body)
    assert problem(answer) == (422, "invalid_request")
    await pending(house, activation)


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"null x", b'{"reason": "\\ud800"}', b'{"reason": NaN}', b"[" * 16000])
async def test_a_body_that_is_no_json_is_422(
    api: ApiRig, house: House, activation: ActivationRequest, raw: bytes
) -> None:
    headers = {"Authorization": "Bearer ann", "Content-Type": "application/json"}
    path = f"/api/security/pim/approvals/{activation.key.id}/deny"
    assert problem(await api.http.post(path, content=raw, headers=headers)) == (422, "invalid_request")
    await pending(house, activation)


async def test_what_no_database_holds_is_sent_as_it_is_and_kept_as_it_can_be(
    api: ApiRig, activation: ActivationRequest
) -> None:
    answer = await api.deny(activation.key.id, reason="no\x00pe")
    assert answer.status_code == 200
    assert answer.json()["decided"]["comment"] == "no\N{REPLACEMENT CHARACTER}pe"


async def test_an_id_that_two_desks_share_decides_neither(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    """Whoever asks for an Azure role chooses its GUID: the id of a harmless request that an approver was just shown."""
    twin = known_as(activation.key.id, Kind.AZURE)
    await house.book.remember([seen(twin, approvers=(ann,))], NOW)
    assert problem(await api.approve(activation.key.id)) == (404, "not_found")
    assert problem(await api.deny(activation.key.id)) == (404, "not_found")
    assert problem(await api.get(f"requests/{activation.key.id}")) == (404, "not_found")
    await pending(house, activation)


# 202


async def test_a_fate_that_stays_unknown_is_202_and_is_looked_up_elsewhere(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    house.desk.lose_answer_after()
    house.desk.before("decide", lambda: house.desk.fail("steps", Unavailable(), times=ALWAYS))
    answer = await api.approve(activation.key.id)
    assert (answer.status_code, answer.json()["status"]) == (202, "deciding")
    house.desk.heal()
    await house.courier.resume(after_start=True)
    looked = await api.http.get(answer.headers["location"], headers={"Authorization": "Bearer ann"})
    assert (looked.json()["status"], looked.json()["decided"]["where"]) == ("approved", "api")


async def test_who_has_waited_long_enough_gets_202_and_the_decision_goes_on(house: House) -> None:
    api = ApiRig(house, patience=0)
    activation = await house.ask()
    answered = asyncio.Event()

    async def hold(method: str) -> None:
        if method == "answer":
            await answered.wait()

    house.desk.turn = hold
    answer = await api.approve(activation.key.id)
    assert (answer.status_code, answer.json()["id"]) == (202, activation.key.id)
    assert house.desk.accepted == []
    answered.set()
    await api.approvals.drain(10)
    assert (await house.row(activation)).status is Status.APPROVED
    assert api.woken == 1


# The key


async def test_the_same_key_again_is_the_same_decision(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    first = await api.approve(activation.key.id, idempotency_key="k-1")
    again = [await api.approve(activation.key.id, idempotency_key="k-1") for _ in range(3)]
    assert [(one.status_code, one.json()) for one in again] == [(200, first.json())] * 3
    assert len(house.desk.sent) == 1
    api.start()
    assert (await api.approve(activation.key.id, idempotency_key="k-1")).status_code == 200


async def test_without_a_key_a_repetition_is_told_who_was_first(api: ApiRig, activation: ActivationRequest) -> None:
    await api.approve(activation.key.id)
    assert problem(await api.approve(activation.key.id)) == (409, "already_decided")


async def test_a_key_belongs_to_one_person(api: ApiRig, activation: ActivationRequest) -> None:
    await api.approve(activation.key.id, "ann", idempotency_key="k-1")
    assert problem(await api.approve(activation.key.id, "ben", idempotency_key="k-1")) == (409, "already_decided")


@pytest.mark.parametrize("other", ["deny", "comment", "match", "request"])
async def test_a_key_belongs_to_one_decision(
    api: ApiRig, house: House, activation: ActivationRequest, other: str
) -> None:
    await api.approve(activation.key.id, idempotency_key="k-1")
    another = await house.ask()
    calls = {
        "deny": lambda: api.deny(activation.key.id, idempotency_key="k-1"),
        "comment": lambda: api.approve(activation.key.id, comment="Other words", idempotency_key="k-1"),
        "match": lambda: api.approve(activation.key.id, idempotency_key="k-1", if_match=activation.digest),
        "request": lambda: api.approve(another.key.id, idempotency_key="k-1"),
    }
    assert problem(await calls[other]()) == (422, "key_reused")
    assert len(house.desk.sent) == 1


async def test_the_same_key_twenty_times_at_once_is_one_decision(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    answers = await asyncio.gather(*(api.approve(activation.key.id, "cleo", idempotency_key="k-1") for _ in range(20)))
    told = [(one.status_code, one.json().get("code", one.json()["status"])) for one in answers]
    assert set(told) <= {(200, "approved"), (202, "deciding"), (409, "in_progress")}
    assert (200, "approved") in told
    assert len(house.desk.sent) == 1
    assert len(await house.audit(activation)) == 1


async def test_what_came_to_nothing_may_be_tried_again_with_its_key(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    house.desk.fail("fetch", Unavailable())
    assert problem(await api.approve(activation.key.id, idempotency_key="k-1")) == (503, "unavailable")
    house.desk.fail("decide", ClaimsChallenge(claims=CLAIMS))
    assert problem(await api.approve(activation.key.id, idempotency_key="k-1")) == (401, "sign_in_required")
    assert (await api.approve(activation.key.id, idempotency_key="k-1")).status_code == 200


async def test_an_unknown_fate_is_told_as_it_stands_at_the_repetition(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    house.desk.lose_answer_after()
    house.desk.before("decide", lambda: house.desk.fail("steps", Unavailable(), times=ALWAYS))
    assert (await api.approve(activation.key.id, idempotency_key="k-1")).status_code == 202
    assert (await api.approve(activation.key.id, idempotency_key="k-1")).status_code == 202
    house.desk.heal()
    await house.link(ann)
    await house.courier.resume(after_start=True)
    assert (await api.approve(activation.key.id, idempotency_key="k-1")).json()["status"] == "approved"
    assert len(house.desk.sent) == 1


async def killed(api: ApiRig, house: House, request: ActivationRequest, *, late: bool) -> None:
    """The process dies while Cleo's call with a key is under way."""

    async def die(method: str) -> None:
        if method == ("answer" if late else "decide"):
            raise ProcessKilled

    house.desk.turn = die
    with pytest.raises(ProcessKilled):
        await api.approve(request.key.id, "cleo", idempotency_key="k-1")
    house.desk.turn = None
    house.restart()
    api.start()


@pytest.mark.parametrize("late", [False, True])
async def test_after_a_crash_the_key_tells_what_became_of_it(
    api: ApiRig,
    house: House,
    activation: ActivationRequest,
    late: bool,  # noqa: FBT001 - both ways
) -> None:
    await house.link(ben)
    await killed(api, house, activation, late=late)
    assert problem(await api.approve(activation.key.id, "cleo", idempotency_key="k-1")) == (409, "in_progress")
    house.clock.advance(UNANSWERED)
    await Deliveries(inbox=house.inbox, outbox=house.outbox, clock=house.clock).sweep(UNANSWERED)
    assert [notice for notice in await house.notices() if notice.topic == "restarted"] == []
    house.clock.advance(timedelta(minutes=15))
    await house.courier.resume(after_start=True)
    answer = await api.approve(activation.key.id, "cleo", idempotency_key="k-1")
    assert (answer.status_code == 200) is late
    assert late or problem(answer) == (409, "not_taken")
    assert len(house.desk.accepted) == int(late)


async def test_a_key_whose_decision_came_to_nothing_tells_who_decided_since(
    api: ApiRig, house: House, activation: ActivationRequest
) -> None:
    await killed(api, house, activation, late=False)
    house.clock.advance(timedelta(minutes=20))
    await Deliveries(inbox=house.inbox, outbox=house.outbox, clock=house.clock).sweep(UNANSWERED)
    await house.courier.resume(after_start=True)
    assert (await api.deny(activation.key.id, "ben")).status_code == 200
    answer = await api.approve(activation.key.id, "cleo", idempotency_key="k-1")
    assert problem(answer) == (409, "already_decided")
    assert "Ben Bauer" in answer.json()["detail"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü", "a\tb"])
async def test_a_key_that_is_none_is_422(api: ApiRig, house: House, activation: ActivationRequest, key: str) -> None:
    headers = {"Authorization": "Bearer ann", "Idempotency-Key": key.encode("latin-1")}
    path = f"/api/security/pim/approvals/{activation.key.id}/approve"
    answer = await api.http.post(path, json={"comment": "x"}, headers=headers)  # type: ignore[arg-type]  # bytes too
    assert problem(answer) == (422, "invalid_request")
    await pending(house, activation)


async def test_the_inbox_holds_no_key_as_it_was_sent(api: ApiRig, house: House, activation: ActivationRequest) -> None:
    await api.approve(activation.key.id, idempotency_key="canary-key")
    (row,) = await house.sql("SELECT key, what, slack_user, outcome FROM inbox")
    assert row["key"].startswith(f"api:{TENANT}:{ann.id}:")
    assert "canary" not in str(row)
    assert (row["slack_user"], row["outcome"]) == ("", "done")


def test_every_promised_code_has_its_status() -> None:
    promised = {
        "own_request": 403,
        "not_approver": 403,
        "already_decided": 409,
        "claimed": 409,
        "expired": 410,
        "changed": 412,
        "sign_in_required": 401,
        "unavailable": 503,
    }
    assert {code: CODES[code][0] for code in promised} == promised
