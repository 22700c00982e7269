"""The alarm: signed, to one address only, once a call; whatever does not say yes is a failure that repeats nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fakes import FakeClock

from app.alarm import OneAddress, Webhook
from app.domain.errors import BotError, Unavailable

URL = "https://on-call.example/hooks/pim?team=1"
KEY = "a key of tests"
FACTS = {"event": "request_unanswered", "role": "Global Administrator", "requestor": "Zoë \ud800"}
Answer = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def webhook(answer: Answer, url: str = URL) -> AsyncIterator[Webhook]:
    alarm = Webhook(url, KEY, FakeClock(), httpx.MockTransport(answer))
    yield alarm
    await alarm.aclose()


async def heard(answer: httpx.Response | None = None) -> httpx.Request:
    requests: list[httpx.Request] = []

    def listen(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer or httpx.Response(202)

    async with webhook(listen) as alarm:
        await alarm.sound("entra/1/escalation", FACTS)
    (request,) = requests
    return request


async def test_it_is_one_post_of_json_to_the_one_address() -> None:
    request = await heard()
    assert (request.method, str(request.url)) == ("POST", URL)
    assert json.loads(request.content)["role"] == "Global Administrator"
    assert request.headers["x-pim-delivery"] == "entra/1/escalation"


async def test_the_signature_covers_time_and_body() -> None:
    request = await heard()
    stamp = request.headers["x-pim-timestamp"]
    assert int(stamp) == int(FakeClock().now.timestamp())
    mac = hmac.new(KEY.encode(), stamp.encode() + b"." + request.content, hashlib.sha256).hexdigest()
    assert request.headers["x-pim-signature"] == f"v1={mac}"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_yes_will_do(status: int) -> None:
    await heard(httpx.Response(status))


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
async def test_anything_else_is_a_failure_and_is_not_followed(status: int) -> None:
    with pytest.raises(Unavailable) as caught:
        await heard(httpx.Response(status, headers={"location": "https://evil.example/"}, text="a private word"))
    assert "private" not in str(caught.value)


async def test_a_tool_that_cannot_be_reached_is_a_failure() -> None:
    def unplugged(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to on-call.example with secrets")

    async with webhook(unplugged) as alarm:
        with pytest.raises(BotError) as caught:
            await alarm.sound("x", FACTS)
    assert "secrets" not in str(caught.value)


@pytest.mark.parametrize(
    "other",
    [
        "https://evil.example/",
        "http://on-call.example/",
        "https://on-call.example:444/",
        "https://on-call.example.evil/",
    ],
)
async def test_no_byte_leaves_for_another_origin(other: str) -> None:
    sent: list[Any] = []
    transport = OneAddress(URL, httpx.MockTransport(lambda request: sent.append(request) or httpx.Response(200)))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(Unavailable):
            await client.post(other, content=b"x")
    assert sent == []
