"""What an HTTP answer means: how long to wait, and which of our errors it is."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from build import NOW
from graph.fake_microsoft import error, html, ok, throttled
from hypothesis import given
from hypothesis import strategies as st

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
from app.graph.answers import failure, json_of, retry_after

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
IN_TEXT = "%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"
STEP_UP = "RoleAssignmentRequestAcrsValidationFailed"


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


# --- how long to wait ---


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("0", 0),
        ("1", 1),
        (" 17 ", 17),
        ("3600", 3600),
        ("3601", 3600),
        ("100000000", 3600),
        ("999999999999", 3600),
        ("9" * 400, 5),
        ("1e8", 5),
        ("-1", 5),
        ("1.5", 5),
        ("inf", 5),
        ("nan", 5),
        ("junk", 5),
        ("", 5),
        ("12, 13", 5),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 5),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999", 5),
        ("Mon, 32 Jan 2026 00:00:00 GMT", 5),
        (date(30), 30),
        (date(-30), 0),
        (date(40_000_000), 3600),
    ],
)
def test_the_wait_is_read_and_clamped(value: str, seconds: float) -> None:
    assert retry_after(throttled(value), NOW) == seconds


def test_without_a_word_about_it_the_wait_is_a_few_seconds() -> None:
    assert retry_after(throttled(None), NOW) == 5


@pytest.mark.parametrize("ours", [-7200, 0, 7200])
def test_a_date_is_measured_against_the_servers_own_clock(ours: int) -> None:
    answer = throttled(date(30), Date=date(0))
    assert retry_after(answer, NOW + timedelta(seconds=ours)) == 30


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    assert retry_after(throttled(date(30).replace("GMT", "-0000"), Date=date(10).replace("GMT", "-0000")), NOW) == 20


HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
NUMBERS = st.integers().map(str) | st.floats().map(str)
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Xyz"]),
    st.integers(-1, 40),
    st.sampled_from(["Jan", "Dec", "Foo"]),
    st.integers(-1, 10**21),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.integers(-1, 99),
    st.sampled_from(["GMT", "EST", "+0000", "-9999", "+99999999999999", ""]),
)


@given(HEADERS | NUMBERS | DATES, HEADERS | DATES)
def test_the_wait_is_always_between_none_and_an_hour(value: str, server: str) -> None:
    headers = [(b"Retry-After", value.encode("latin-1")), (b"Date", server.encode("latin-1"))]
    assert 0 <= retry_after(httpx.Response(429, headers=headers), NOW) <= 3600


# --- which error ---


@pytest.mark.parametrize(
    "answer, on_read, on_decision",
    [
        (throttled("7"), Unavailable, Unavailable),
        (throttled(None), Unavailable, Unavailable),
        (throttled("7", status=503), Unavailable, OutcomeUnknown),
        (error(500), Unavailable, OutcomeUnknown),
        (error(502), Unavailable, OutcomeUnknown),
        (html(503), Unavailable, OutcomeUnknown),
        (html(504), Unavailable, OutcomeUnknown),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), Unavailable, OutcomeUnknown),
        (httpx.Response(307, headers={"Location": "/v1.0/me"}), Unavailable, OutcomeUnknown),
        (httpx.Response(304), Unavailable, OutcomeUnknown),
        (error(400), GraphRefused, GraphRefused),
        (error(401), SignInRequired, SignInRequired),
        (html(401), SignInRequired, SignInRequired),
        (error(403), GraphRefused, GraphRefused),
        (html(403), GraphRefused, GraphRefused),
        (error(404), RequestGone, RequestGone),
        (error(409), AlreadyDecided, AlreadyDecided),
        (error(418), GraphRefused, GraphRefused),
    ],
)
def test_a_status_means_the_same_error_each_time(
    answer: httpx.Response, on_read: type[BotError], on_decision: type[BotError]
) -> None:
    assert type(failure(answer, NOW, decision=False)) is on_read
    assert type(failure(answer, NOW, decision=True)) is on_decision


@pytest.mark.parametrize("decision", [True, False])
def test_a_throttled_answer_says_how_long(decision: bool) -> None:  # noqa: FBT001 - a table
    problem = failure(throttled("7"), NOW, decision=decision)
    assert isinstance(problem, Unavailable)
    assert problem.retry_after == 7


def test_trouble_that_is_not_throttling_names_no_wait() -> None:
    problem = failure(error(500, Retry_After="9"), NOW, decision=False)
    assert isinstance(problem, Unavailable)
    assert problem.retry_after is None


def test_a_refusal_keeps_status_and_code() -> None:
    problem = failure(error(403, "Forbidden", "You may not."), NOW, decision=True)
    assert isinstance(problem, GraphRefused)
    assert (problem.status, problem.code) == (403, "Forbidden")


def test_the_second_error_inside_the_message_is_the_one_that_is_told() -> None:
    inner = json.dumps({"errorCode": "PermissionScopeNotGranted", "message": "Missing scope.", "x": []})
    problem = failure(error(403, "UnknownError", inner), NOW, decision=False)
    assert isinstance(problem, GraphRefused)
    assert problem.code == "PermissionScopeNotGranted"
    assert str(problem) == "Microsoft refused: Missing scope. (PermissionScopeNotGranted)"


@pytest.mark.parametrize("inner", ["7", "null", "[1]", '"x"', '{"errorCode": null}', "{", "[" * 20_000])
def test_a_message_that_only_looks_like_json_is_told_as_it_is(inner: str) -> None:
    problem = failure(error(400, "BadRequest", inner), NOW, decision=False)
    assert isinstance(problem, GraphRefused)
    assert problem.code == "BadRequest"
    assert str(problem) == f"Microsoft refused: {inner[:300]} (BadRequest)"


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '{"error": "x"}', '{"error": {"code": 7}}', "{"])
def test_a_refusal_without_a_readable_reason_is_still_a_refusal(body: str) -> None:
    problem = failure(httpx.Response(403, text=body), NOW, decision=True)
    assert type(problem) is GraphRefused
    assert str(problem) == "Microsoft refused: no reason given"


# --- claims challenges ---


def challenged(value: str, status: int = 401) -> httpx.Response:
    header = f'Bearer realm="", authorization_uri="https://x", error="insufficient_claims", claims="{value}"'
    return error(status, "InvalidAuthenticationToken", WWW_Authenticate=header)


@pytest.mark.parametrize(
    "value",
    [
        base64.b64encode(CLAIMS.encode()).decode(),
        base64.b64encode(CLAIMS.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(b'{"access_token":{"v":"\xc3\xbf\xc3\xbe>>>"}}').decode().rstrip("="),
        base64.b64encode(b'{"access_token":{"v":"\xc3\xbf\xc3\xbe>>>"}}').decode(),
    ],
)
@pytest.mark.parametrize("decision", [True, False])
def test_a_401_with_claims_asks_for_a_stronger_sign_in(value: str, decision: bool) -> None:  # noqa: FBT001 - a table
    problem = failure(challenged(value), NOW, decision=decision)
    assert isinstance(problem, ClaimsChallenge)
    assert list(json.loads(problem.claims)) == ["access_token"]


def test_a_400_with_claims_in_its_text_asks_for_a_stronger_sign_in() -> None:
    message = f'https://login/authorize?client_id=x&claims={IN_TEXT}" and more'
    inner = json.dumps({"errorCode": STEP_UP, "message": message})
    for answer in (error(400, STEP_UP, message), error(400, "UnknownError", inner)):
        problem = failure(answer, NOW, decision=True)
        assert isinstance(problem, ClaimsChallenge)
        assert json.loads(problem.claims) == json.loads(CLAIMS)


@pytest.mark.parametrize(
    "value",
    [
        "A",
        "%%%",
        "\u00ff",
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"not json").decode(),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'"access_token"').decode(),
        base64.b64encode(b'{"id_token": {}}').decode(),
        base64.b64encode(b"[" * 20_000).decode(),
    ],
)
def test_unreadable_claims_in_a_401_only_ask_to_sign_in_again(value: str) -> None:
    assert type(failure(challenged(value), NOW, decision=True)) is SignInRequired


@pytest.mark.parametrize("claims", ["", "%7B", "x", "%5B%5D", "%22access_token%22", "%7B%22id_token%22%3A1%7D"])
def test_unreadable_claims_in_a_400_are_a_plain_refusal(claims: str) -> None:
    problem = failure(error(400, STEP_UP, f"see https://x?claims={claims}"), NOW, decision=True)
    assert type(problem) is GraphRefused


def test_claims_are_believed_only_where_microsoft_puts_them() -> None:
    elsewhere = challenged(base64.b64encode(CLAIMS.encode()).decode(), status=403)
    another_code = error(400, "BadRequest", f"&claims={IN_TEXT}")
    for answer in (elsewhere, another_code):
        assert type(failure(answer, NOW, decision=True)) is GraphRefused


# --- bodies ---


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", "7", '"x"', "{", "[" * 100_000, "\ufeff[]"])
def test_a_body_that_is_no_json_object_is_malformed(body: str) -> None:
    with pytest.raises(Malformed):
        json_of(httpx.Response(200, text=body))


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b'{"a": "\xff"}', b"\x00"])
def test_bytes_that_are_no_text_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_of(httpx.Response(200, content=body))


def test_an_object_is_read() -> None:
    assert json_of(ok({"value": []})) == {"value": []}


@pytest.mark.parametrize("secret", ["Bearer canary", "eyJhbGciOiJub25lIn0.canary", f"{'x' * 64}canary"])
def test_a_token_that_an_error_quotes_is_not_repeated(secret: str) -> None:
    problem = failure(error(400, secret, f"The call had {secret} in it"), NOW, decision=False)
    assert str(problem) == "Microsoft refused: The call had […] in it"


def test_the_permissions_that_lack_are_told_in_full() -> None:
    named = "RoleAssignmentSchedule.ReadWrite.Directory,RoleManagement.ReadWrite.Directory"
    assert named in str(failure(error(403, "UnknownError", f"missing {named}."), NOW, decision=False))
