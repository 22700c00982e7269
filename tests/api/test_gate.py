"""The gate before Slack's door: the very bytes that Slack signed get through, and nothing else does."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.gate import LARGEST_BODY, WINDOW, SlackGate
from app.api.server import build_door

NOW = 1_795_391_760
SECRET = "canary-8f742231b10e8888abcd99yyyzzz85a5"
CANARY = "payload-canary-0123"
BODY = f"payload=%7B%22type%22%3A%22block_actions%22%7D&secret={CANARY}".encode()

Headers = list[tuple[bytes, bytes]]


def signature(body: bytes = BODY, at: object = NOW, secret: str = SECRET) -> bytes:
    mac = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256)
    return b"v0=" + mac.hexdigest().encode()


def signed(body: bytes = BODY, at: object = NOW, secret: str = SECRET) -> Headers:
    stamp = (b"x-slack-request-timestamp", str(at).encode())
    return [(b"content-length", b"1"), stamp, (b"x-slack-signature", signature(body, at, secret))]


@dataclass
class Inner:
    """Stands where Bolt stands: reads the whole body, answers 200."""

    bodies: list[bytes] = field(default_factory=list)
    after: list[Message] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        message = await receive()
        self.bodies.append(message["body"])
        assert not message.get("more_body", False)
        self.after.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Caller:
    """One connection: gives the body in chunks, keeps what is answered, counts what was read."""

    chunks: list[Message]
    sent: list[Message] = field(default_factory=list)
    read: int = 0

    async def receive(self) -> Message:
        self.read += 1
        return self.chunks.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


def chunked(*parts: bytes) -> list[Message]:
    last = len(parts) - 1
    return [{"type": "http.request", "body": part, "more_body": n < last} for n, part in enumerate(parts)]


async def knock(
    headers: Headers, chunks: Iterable[Message] | None = None, method: str = "POST", now: float = NOW
) -> tuple[Caller, Inner]:
    caller, inner = Caller(list(chunks) if chunks is not None else chunked(BODY)), Inner()
    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/slack/events", "headers": headers}
    await SlackGate(inner, SECRET, lambda: now)(scope, caller.receive, caller.send)
    return caller, inner


async def test_what_slack_signed_passes_as_the_very_same_bytes() -> None:
    caller, inner = await knock(signed())
    assert (caller.status, inner.bodies) == (200, [BODY])


async def test_a_body_in_chunks_is_verified_and_passed_on_as_one() -> None:
    caller, inner = await knock(signed(), chunked(BODY[:7], b"", BODY[7:]))
    assert (caller.status, inner.bodies) == (200, [BODY])


async def test_an_empty_body_may_be_signed_too() -> None:
    caller, inner = await knock(signed(b""), chunked(b""))
    assert (caller.status, inner.bodies) == (200, [b""])


async def test_after_the_body_the_application_sees_the_end_of_the_connection() -> None:
    _, inner = await knock(signed())
    assert inner.after == [{"type": "http.disconnect"}]


@given(body=st.binary(max_size=300), cut=st.integers(0, 300))
async def test_any_signed_bytes_pass_unchanged_however_they_are_cut(body: bytes, cut: int) -> None:
    caller, inner = await knock(signed(body), chunked(body[:cut], body[cut:]))
    assert (caller.status, inner.bodies) == (200, [body])


@pytest.mark.parametrize("age", [-WINDOW, -1, 0, 1, WINDOW])
async def test_five_minutes_to_either_side_are_believed(age: int) -> None:
    caller, _ = await knock(signed(at=NOW - age))
    assert caller.status == 200


def without(name: bytes) -> Headers:
    return [header for header in signed() if header[0] != name]


def replaced(name: bytes, value: bytes) -> Headers:
    return [*without(name), (name, value)]


STAMP, SIGNATURE = b"x-slack-request-timestamp", b"x-slack-signature"
FORGED: dict[str, Headers] = {
    "nothing at all": [],
    "no signature": without(SIGNATURE),
    "no timestamp": without(STAMP),
    "an empty signature": replaced(SIGNATURE, b""),
    "an empty timestamp": replaced(STAMP, b""),
    "another secret": signed(secret="guess"),
    "an empty secret": signed(secret=""),
    "a signature of another body": signed(b"something else"),
    "a signature of another time": replaced(STAMP, str(NOW - 1).encode()),
    "one digit wrong": replaced(SIGNATURE, signature()[:-1] + (b"0" if signature()[-1:] != b"0" else b"1")),
    "a digit too few": replaced(SIGNATURE, signature()[:-1]),
    "a digit too many": replaced(SIGNATURE, signature() + b"0"),
    "a line end after it": replaced(SIGNATURE, signature() + b"\n"),
    "capital letters": replaced(SIGNATURE, signature().upper()),
    "without its version": replaced(SIGNATURE, signature().removeprefix(b"v0=")),
    "another version": replaced(SIGNATURE, b"v1=" + signature().removeprefix(b"v0=")),
    "not ASCII": replaced(SIGNATURE, b"v0=" + "é".encode() * 32),
    "the signature twice": [*signed(), (SIGNATURE, signature())],
    "the timestamp twice": [*signed(), (STAMP, str(NOW).encode())],
    "a second, wrong signature": [*signed(), (SIGNATURE, b"v0=" + b"0" * 64)],
    "too old": signed(at=NOW - WINDOW - 1),
    "too far ahead": signed(at=NOW + WINDOW + 1),
    "a timestamp of 5,000 digits": signed(at="1" * 5000),
    "a negative timestamp": signed(at=-NOW),
    "a timestamp with a sign": signed(at=f"+{NOW}"),
    "a timestamp with a fraction": signed(at=f"{NOW}.0"),
    "a timestamp with an underscore": signed(at="1_795_391_76"),
    "a timestamp in other digits": replaced(STAMP, "١٧٩٥٣٩١٧٦٠".encode()),
    "a timestamp in words": signed(at="now"),
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
async def test_what_slack_did_not_sign_is_401_and_goes_no_further(headers: Headers) -> None:
    caller, inner = await knock(headers)
    assert (caller.status, inner.bodies) == (401, [])


async def test_a_tampered_body_is_401() -> None:
    caller, inner = await knock(signed(), chunked(BODY.replace(b"block_actions", b"view_closed")))
    assert (caller.status, inner.bodies) == (401, [])


@pytest.mark.parametrize("body", [b"payload=%7Bnot", b"\xff\xfe", b"payload=[1,2]", b"[" * 100_000, b"ssl_check=1"])
async def test_garbage_nobody_signed_is_401_without_being_read_as_anything(body: bytes) -> None:
    caller, inner = await knock([], chunked(body))
    assert (caller.status, inner.bodies) == (401, [])


@pytest.mark.parametrize("body", [b"ssl_check=1&payload=%7B%7D", b"ssl_check=1&command=%2Fpim"])
async def test_a_certificate_check_opens_no_side_door(body: bytes) -> None:
    caller, inner = await knock([], chunked(body))
    assert (caller.status, inner.bodies) == (401, [])


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS", "post"])
async def test_other_methods_are_405_even_when_signed(method: str) -> None:
    caller, inner = await knock(signed(), method=method)
    assert (caller.status, inner.bodies, caller.read) == (405, [], 0)


async def test_the_largest_body_passes() -> None:
    body = b"x" * LARGEST_BODY
    caller, inner = await knock(signed(body), chunked(body))
    assert (caller.status, inner.bodies) == (200, [body])


async def test_one_byte_more_is_413_even_when_signed() -> None:
    body = b"x" * (LARGEST_BODY + 1)
    caller, inner = await knock(signed(body), chunked(body))
    assert (caller.status, inner.bodies) == (413, [])


async def test_a_stream_is_cut_off_as_soon_as_it_is_too_large() -> None:
    piece = b"x" * (LARGEST_BODY // 2)
    caller, inner = await knock([], chunked(*[piece] * 50))
    assert (caller.status, inner.bodies, caller.read) == (413, [], 3)


async def test_what_the_sender_says_about_the_length_is_not_believed() -> None:
    caller, inner = await knock(signed(), chunked(b"x" * (LARGEST_BODY + 1)))
    assert (caller.status, inner.bodies) == (413, [])


async def test_a_sender_who_leaves_in_the_middle_reaches_nobody() -> None:
    half: list[Message] = [{"type": "http.request", "body": BODY, "more_body": True}, {"type": "http.disconnect"}]
    _, inner = await knock(signed(), half)
    assert inner.bodies == []


@pytest.mark.parametrize("headers", [[], signed(secret="guess"), [*signed(), (SIGNATURE, signature())]])
async def test_nothing_of_a_refused_request_is_logged_but_the_reason(
    headers: Headers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await knock(headers)
    assert len(caplog.records) == 1
    assert CANARY not in caplog.text
    assert signature().decode() not in caplog.text


async def test_a_refusal_tells_slack_not_to_try_again_and_repeats_nothing() -> None:
    caller, _ = await knock([])
    assert (b"x-slack-no-retry", b"1") in caller.sent[0]["headers"]
    assert CANARY.encode() not in caller.sent[1]["body"]


# Signed, and still no payload


@pytest.mark.parametrize(
    "problem", [ValueError("payload"), TypeError(), AttributeError(), UnicodeDecodeError("x", b"", 0, 1, "")]
)
async def test_a_signed_body_without_a_payload_is_400_without_a_traceback(
    problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def choke(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise problem

    caller = Caller(chunked(BODY))
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/slack/events", "headers": signed()}
    await SlackGate(choke, SECRET, lambda: NOW)(scope, caller.receive, caller.send)
    assert caller.status == 400
    assert [(record.levelno, record.exc_info) for record in caplog.records] == [(logging.WARNING, None)]
    assert CANARY not in caplog.text


# The door: which path goes through the gate


def unguarded(inner: ASGIApp) -> ASGIApp:
    return inner


@pytest.mark.parametrize(
    "path, is_gated",
    [("/slack/events", True), ("/slack/events/", False), ("/slack/Events", False), ("/healthz", False), ("/", False)],
)
async def test_only_slacks_path_reaches_slacks_side(path: str, is_gated: bool) -> None:  # noqa: FBT001 - a table
    caller, inner = Caller([*chunked(b""), {"type": "http.disconnect"}]), Inner()
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await build_door(inner, [], [], unguarded)(scope, caller.receive, caller.send)
    assert (bool(inner.bodies), caller.status) == ((True, 200) if is_gated else (False, 404))


async def test_without_a_slack_side_its_path_does_not_exist() -> None:
    caller = Caller([*chunked(b"payload={}"), {"type": "http.disconnect"}])
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/slack/events",
        "headers": [],
        "query_string": b"",
    }
    await build_door(None, [], [], unguarded)(scope, caller.receive, caller.send)
    assert caller.status == 404
