"""The gate's manners: patient with reads, exact with decisions, silent while Microsoft asks for it."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from graph.fake_microsoft import ROOT, TOKEN, Answer, Rig, error, html, ok, rig, throttled, token
from hypothesis import given
from hypothesis import strategies as st

from app.domain.breaker import FAILURES, in_a_round
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
from app.graph.budget import MOST
from app.graph.client import Change, Gate, Manners

OUTAGES: list[Answer] = [
    error(500),
    error(502),
    html(504),
    html(200),
    ok([], 200),
    httpx.Response(204),
    httpx.Response(302, headers={"Location": f"{ROOT}/v1.0/elsewhere"}),
    httpx.ConnectError("no"),
    httpx.ConnectTimeout("no"),
    httpx.ReadTimeout("no"),
    httpx.WriteTimeout("no"),
    httpx.PoolTimeout("no"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("cut"),
    httpx.DecodingError("bad gzip"),
]
REFUSALS = [(400, GraphRefused), (401, SignInRequired), (403, GraphRefused), (404, RequestGone), (409, AlreadyDecided)]


async def read(there: Rig) -> object:
    return await there.gate.get("/v1.0/x", token)


async def decide(there: Rig) -> None:
    await there.gate.send(Change("PATCH", "/beta/x", {"reviewResult": "Approve"}), token)


# --- reads ---


@pytest.mark.parametrize("outage", OUTAGES)
async def test_a_read_survives_two_outages(outage: Answer) -> None:
    there = rig(outage, outage, ok({"a": 1}))
    assert await read(there) == {"a": 1}
    assert len(there.microsoft.requests) == 3


@pytest.mark.parametrize("outage", OUTAGES)
async def test_a_read_gives_up_after_three_tries(outage: Answer) -> None:
    there = rig(*[outage] * 4)
    with pytest.raises((Unavailable, Malformed)) as caught:
        await read(there)
    assert caught.value.retryable
    assert len(there.microsoft.requests) == 3


async def test_in_a_long_outage_each_read_is_tried_once_however_many_ask() -> None:
    there = rig(*[error(500)] * 200)
    await asyncio.gather(*(read(there) for _ in range(100)), return_exceptions=True)
    assert len(there.microsoft.requests) == 100 + MOST


async def test_successes_earn_second_tries_again() -> None:
    there = rig(*[error(500)] * 100, *[ok({})] * 5, error(500), ok({"a": 1}))
    await asyncio.gather(*(read(there) for _ in range(100 - int(MOST))), return_exceptions=True)
    for _ in range(5):
        await read(there)
    assert await read(there) == {"a": 1}


async def test_the_pauses_between_tries_grow() -> None:
    there = rig(*[error(500)] * 3)
    with pytest.raises(Unavailable):
        await read(there)
    assert there.slept == pytest.approx([0.15, 0.3])  # half of 0.3 and of 0.6: the jitter stands at a half


@pytest.mark.parametrize("status, kind", REFUSALS)
async def test_a_refused_read_is_not_tried_again(status: int, kind: type[BotError]) -> None:
    there = rig(error(status))
    with pytest.raises(kind):
        await read(there)
    assert there.slept == []


async def test_a_sign_in_that_is_over_reaches_nobody() -> None:
    async def over() -> str:
        raise SignInRequired

    there = rig()
    with pytest.raises(SignInRequired):
        await there.gate.get("/v1.0/x", over)
    with pytest.raises(SignInRequired):
        await there.gate.send(Change("PATCH", "/v1.0/x", {}), over)


async def test_each_try_asks_for_the_token_again() -> None:
    tokens = iter(["old", "new"])

    async def fresh() -> str:
        return next(tokens)

    there = rig(error(500), ok({}))
    await there.gate.get("/v1.0/x", fresh)
    assert [call.headers["authorization"] for call in there.microsoft.requests] == ["Bearer old", "Bearer new"]


# --- a token taken back early ---

LACKING = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
WANTED = b64encode(LACKING.encode()).decode()
TAKEN_BACK = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{WANTED}"'}


class Renewing:
    """A person whose token can be had anew; `asked` are the claims that were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, claims: str = "") -> str:
        self.asked.append(claims)
        return f"token {len(self.asked)}"


async def test_a_read_is_tried_once_more_with_a_token_that_has_what_was_lacking() -> None:
    person, there = Renewing(), rig(httpx.Response(401, headers=TAKEN_BACK), ok({"id": 1}))
    assert await there.gate.get("/v1.0/x", person) == {"id": 1}
    assert person.asked == ["", LACKING]
    assert [call.headers["authorization"] for call in there.microsoft.requests] == ["Bearer token 1", "Bearer token 2"]


async def test_a_second_refusal_is_for_the_person() -> None:
    person, there = Renewing(), rig(*[httpx.Response(401, headers=TAKEN_BACK)] * 2)
    with pytest.raises(ClaimsChallenge) as caught:
        await there.gate.get("/v1.0/x", person)
    assert (caught.value.claims, person.asked) == (LACKING, ["", LACKING])


async def test_a_plain_refusal_asks_for_no_other_token() -> None:
    person, there = Renewing(), rig(error(401))
    with pytest.raises(SignInRequired):
        await there.gate.get("/v1.0/x", person)
    assert person.asked == [""]


async def test_a_decision_is_never_sent_a_second_time_for_lack_of_a_proof() -> None:
    person, there = Renewing(), rig(httpx.Response(401, headers=TAKEN_BACK))
    with pytest.raises(ClaimsChallenge):
        await there.gate.send(Change("PATCH", "/v1.0/x", {}), person)
    assert (len(there.microsoft.requests), person.asked) == (1, [""])


async def test_nobody_gets_a_cookie_that_was_set_for_somebody_else() -> None:
    there = rig(ok({}, 200, {"Set-Cookie": "session=ann; Path=/; Secure"}), ok({}))
    await read(there)
    await read(there)
    assert "cookie" not in there.microsoft.requests[1].headers


# --- decisions ---


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_decision_is_taken_with_any_success(status: int) -> None:
    there = rig(httpx.Response(status))
    await decide(there)
    (call,) = there.microsoft.requests
    assert (call.method, call.headers["authorization"]) == ("PATCH", f"Bearer {TOKEN}")
    assert call.headers["content-type"] == "application/json"
    assert json.loads(call.content) == {"reviewResult": "Approve"}


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.PoolTimeout("no")])
async def test_a_decision_that_never_left_was_surely_not_taken(failure: Exception) -> None:
    there = rig(failure)
    with pytest.raises(Unavailable):
        await decide(there)
    assert len(there.microsoft.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        error(500),
        html(502),
        html(504),
        throttled("7", status=503),
        httpx.Response(302, headers={"Location": f"{ROOT}/beta/x"}),
        httpx.Response(307, headers={"Location": f"{ROOT}/beta/x"}),
        httpx.Response(308, headers={"Location": "https://evil.example/"}),
        httpx.ReadTimeout("no"),
        httpx.WriteTimeout("no"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.CloseError("reset"),
        httpx.RemoteProtocolError("cut"),
        httpx.LocalProtocolError("odd"),
        httpx.DecodingError("bad gzip"),
    ],
)
async def test_a_decision_whose_answer_is_lost_is_sent_once_and_unknown(answer: Answer) -> None:
    there = rig(answer)
    with pytest.raises(OutcomeUnknown):
        await decide(there)
    assert len(there.microsoft.requests) == 1
    assert there.slept == []


@pytest.mark.parametrize("status, kind", REFUSALS)
async def test_a_refused_decision_is_sent_once(status: int, kind: type[BotError]) -> None:
    there = rig(error(status))
    with pytest.raises(kind):
        await decide(there)
    assert len(there.microsoft.requests) == 1


async def test_a_throttled_decision_was_not_taken_and_is_not_sent_again() -> None:
    there = rig(throttled("7"))
    with pytest.raises(Unavailable) as caught:
        await decide(there)
    assert caught.value.retry_after == 7
    assert len(there.microsoft.requests) == 1


@given(st.dictionaries(st.text(), st.text(), max_size=2))
def test_no_text_of_a_decision_breaks_its_sending(body: dict[str, str]) -> None:
    there = rig(httpx.Response(204))
    asyncio.run(there.gate.send(Change("PATCH", "/beta/x", body), token))
    assert json.loads(there.microsoft.requests[0].content) == body


# --- the pause ---


@pytest.mark.parametrize("answer", [throttled("30"), throttled("30", status=503)])
async def test_while_microsoft_asks_to_wait_nothing_gets_through(answer: httpx.Response) -> None:
    there = rig(answer, ok({"open": True}))
    with pytest.raises(Unavailable):
        await read(there)
    there.clock.forward(29.9)
    for call in (read, decide):
        with pytest.raises(Unavailable) as caught:
            await call(there)
        assert caught.value.retry_after == pytest.approx(0.1)
    assert len(there.microsoft.requests) == 1
    there.clock.forward(0.1)
    assert await read(there) == {"open": True}


async def test_a_throttled_decision_stops_reads_too() -> None:
    there = rig(throttled("30"))
    with pytest.raises(Unavailable):
        await decide(there)
    with pytest.raises(Unavailable):
        await read(there)
    assert len(there.microsoft.requests) == 1


async def test_a_throttled_read_is_not_tried_again() -> None:
    there = rig(throttled("0"))
    with pytest.raises(Unavailable):
        await read(there)
    assert (len(there.microsoft.requests), there.slept) == (1, [])


async def test_what_asked_us_to_wait_is_counted_and_our_own_waiting_is_not() -> None:
    there = rig(error(500), throttled("30"), ok({}))
    for _ in range(3):
        with pytest.raises(Unavailable):
            await read(there)
    assert there.gate.throttled == 1


async def test_a_throttled_try_ends_the_tries() -> None:
    there = rig(error(500), throttled("30"))
    with pytest.raises(Unavailable) as caught:
        await read(there)
    assert caught.value.retry_after == 30


async def test_a_shorter_wait_that_comes_in_later_does_not_open_the_gate_early() -> None:
    there = rig(throttled("60"), throttled("1"))
    tries = await asyncio.gather(read(there), read(there), return_exceptions=True)
    assert [type(failure) for failure in tries] == [Unavailable, Unavailable]
    there.clock.forward(59)
    with pytest.raises(Unavailable):
        await read(there)
    assert len(there.microsoft.requests) == 2


async def test_a_pause_that_begins_while_a_token_is_fetched_still_holds() -> None:
    there = rig(throttled("60"))

    async def slow() -> str:
        for _turn in range(9):
            await asyncio.sleep(0)
        return TOKEN

    sent = (read(there), there.gate.send(Change("PATCH", "/beta/x", {}), slow))
    tries = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(failure) for failure in tries] == [Unavailable, Unavailable]
    assert there.microsoft.lines == ["GET /v1.0/x"]


async def test_the_pause_is_nobodys_wall_clock() -> None:
    there = rig(throttled("3600"), ok({}))
    with pytest.raises(Unavailable):
        await read(there)
    there.clock.now += timedelta(hours=1)
    assert await read(there) == {}


async def test_trouble_that_is_not_throttling_closes_nothing() -> None:
    there = rig(*[error(500)] * 3, ok({}))
    with pytest.raises(Unavailable):
        await read(there)
    assert await read(there) == {}


# --- while nobody answers ---


async def in_rounds(there: Rig, times: int) -> int:
    """How many calls so many reads of the rounds made."""
    before = len(there.microsoft.requests)
    with in_a_round():
        for _ in range(times):
            with suppress(BotError):
                await read(there)
    return len(there.microsoft.requests) - before


@pytest.mark.parametrize("outage", [error(502), html(200), httpx.ConnectTimeout("no")])
async def test_the_rounds_stop_asking_and_a_person_does_not(outage: Answer) -> None:
    there = rig(*[outage] * 50)
    assert 0 < await in_rounds(there, 100) < 10
    before = len(there.microsoft.requests)
    with pytest.raises(BotError):
        await decide(there)
    assert len(there.microsoft.requests) == before + 1


async def test_a_persons_answer_opens_the_gate_for_the_rounds() -> None:
    there = rig(*[error(500)] * FAILURES, httpx.Response(204), ok({}), ok({}))
    assert await in_rounds(there, 50) == FAILURES
    await decide(there)
    assert await in_rounds(there, 2) == 2


async def test_where_nothing_may_be_asked_no_token_is_fetched() -> None:
    there = rig(*[error(500)] * 9)
    await in_rounds(there, 9)
    with in_a_round(), pytest.raises(Unavailable, match="Microsoft Graph did not answer"):
        await there.gate.get("/v1.0/x", nobody)


async def nobody() -> str:
    raise AssertionError


# --- the pace and the patience of a service that wants them ---


def paced(there: Rig, **manners: float) -> Gate:
    return there.a_gate(ROOT, Manners(**manners))


async def test_reads_keep_their_distance_however_many_ask_at_once() -> None:
    there = rig(*(ok({}) for _ in range(4)))
    gate = paced(there, pace=2.0)
    await asyncio.gather(*(gate.get("/v1.0/x", token) for _ in range(4)))
    assert there.slept == [2.0, 4.0, 6.0]


async def test_a_read_after_the_distance_does_not_wait() -> None:
    there = rig(ok({}), ok({}))
    gate = paced(there, pace=2.0)
    await gate.get("/v1.0/x", token)
    there.clock.forward(2)
    await gate.get("/v1.0/x", token)
    assert there.slept == []


async def test_a_decision_does_not_wait_for_a_turn() -> None:
    there = rig(ok({}), httpx.Response(204))
    gate = paced(there, pace=2.0)
    await gate.get("/v1.0/x", token)
    await gate.send(Change("PATCH", "/v1.0/x"), token)
    assert there.slept == []


async def test_a_patient_read_waits_out_what_it_is_told() -> None:
    there = rig(throttled("7"), ok({"a": 1}))
    assert await there.a_patient_gate(Manners(patience=60.0)).get("/v1.0/x", token) == {"a": 1}
    assert there.slept == [7.0]


async def test_no_read_waits_longer_than_its_patience() -> None:
    there = rig(throttled("61"))
    with pytest.raises(Unavailable):
        await paced(there, patience=60.0).get("/v1.0/x", token)
    assert there.slept == []


async def test_what_throttles_one_gate_does_not_silence_another() -> None:
    there = rig(throttled("30"), ok({"a": 1}))
    with pytest.raises(Unavailable):
        await paced(there).get("/v1.0/x", token)
    assert await read(there) == {"a": 1}


async def test_a_success_in_html_is_no_answer_of_microsofts() -> None:
    with pytest.raises(OutcomeUnknown):
        await decide(rig(html(200)))
