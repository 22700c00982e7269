"""The gate before our API: who is let in, how often, with how much; and the codes that say so."""

from __future__ import annotations

import logging

import httpx
import pytest
from api_rig import ApiRig, problem
from build import guid
from use_cases.house import House

from app.api.bearer_gate import LARGEST
from app.api.buckets import MOST, Buckets, Rate
from app.domain.errors import Unavailable

LISTS = "/api/security/pim/my-requests"
EVERYTHING = [
    ("GET", "pending-approvals"),
    ("GET", "requests/history"),
    ("GET", "my-requests"),
    ("GET", "overview"),
    ("GET", f"requests/{guid()}"),
    ("POST", f"approvals/{guid()}/approve"),
    ("POST", f"approvals/{guid()}/deny"),
    ("GET", "no-such-thing"),
    ("DELETE", "overview"),
    ("GET", ""),
]


@pytest.mark.parametrize("method, path", EVERYTHING)
async def test_nothing_below_the_prefix_answers_without_a_token(api: ApiRig, method: str, path: str) -> None:
    answer = await api.http.request(method, f"/api/security/pim/{path}", content=b"{")
    assert problem(answer) == (401, "sign_in_required")
    assert answer.headers["www-authenticate"] == 'Bearer realm="PIM Approvals"'


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YW5uOnB3", "ann", "bearerann", "Token ann", "Bearer  ann"]
)
async def test_another_header_is_no_token(api: ApiRig, header: str) -> None:
    assert problem(await api.http.get(LISTS, headers={"Authorization": header})) == (401, "sign_in_required")


async def test_two_tokens_are_none(api: ApiRig) -> None:
    headers = [("Authorization", "Bearer ann"), ("Authorization", "Bearer ben")]
    assert problem(await api.http.get(LISTS, headers=headers)) == (401, "sign_in_required")


@pytest.mark.parametrize("place", ["access_token", "token"])
async def test_a_token_in_the_address_is_none(api: ApiRig, place: str) -> None:
    assert problem(await api.http.get(LISTS, params={place: "ann"})) == (401, "sign_in_required")


async def test_a_refused_token_is_told_its_flaw_and_nothing_of_itself(
    api: ApiRig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await api.get("my-requests", "canary")
    assert problem(answer) == (401, "sign_in_required")
    challenge = 'Bearer realm="PIM Approvals", error="invalid_token", error_description="unknown key"'
    assert answer.headers["www-authenticate"] == challenge
    assert "canary" not in answer.text
    assert "canary" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("app"))


async def test_keys_that_cannot_be_fetched_are_an_outage(api: ApiRig) -> None:
    api.bearers.failure = Unavailable(retry_after=17)
    answer = await api.get("my-requests")
    assert problem(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "17"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_letter_case(api: ApiRig, scheme: str) -> None:
    assert (await api.http.get(LISTS, headers={"Authorization": f"{scheme} ann"})).status_code == 200


@pytest.mark.parametrize("method, path", EVERYTHING[:7])
async def test_each_call_needs_its_own_scope(api: ApiRig, method: str, path: str) -> None:
    wrong, needed = ("ann.approve", "Requests.Read") if method == "GET" else ("ann.read", "Requests.Approve")
    body = {"reason": "x"} if path.endswith("deny") else None
    headers = {"Authorization": f"Bearer {wrong}"}
    answer = await api.http.request(method, f"/api/security/pim/{path}", json=body, headers=headers)
    assert problem(answer) == (403, "insufficient_scope")
    assert f'error="insufficient_scope", scope="{needed}"' in answer.headers["www-authenticate"]


async def test_being_an_auditor_is_no_scope(api: ApiRig) -> None:
    answer = await api.post(f"approvals/{guid()}/approve", "olga.audit.read", {})
    assert problem(answer) == (403, "insufficient_scope")


async def test_what_does_not_exist_is_a_problem_too(api: ApiRig) -> None:
    assert problem(await api.get("no-such-thing")) == (404, "not_found")
    answer = await api.post("overview")
    assert problem(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


# Size


@pytest.mark.parametrize("size, status", [(LARGEST, 422), (LARGEST + 1, 413)])
async def test_a_body_has_a_limit(api: ApiRig, size: int, status: int) -> None:
    headers = {"Authorization": "Bearer ann", "Content-Type": "application/json"}
    path = f"/api/security/pim/approvals/{guid()}/deny"
    answer = await api.http.post(path, content=b" " * size, headers=headers)
    assert answer.status_code == status


# Rate


async def test_each_person_has_a_bucket_for_reading_and_one_for_deciding(house: House) -> None:
    api = ApiRig(house, reads=Rate(burst=2, per_second=0.5), decides=Rate(burst=1, per_second=0.1))
    assert [(await api.get("my-requests")).status_code for _ in range(3)] == [200, 200, 429]
    answer = await api.get("my-requests")
    assert problem(answer) == (429, "rate_limited")
    assert answer.headers["retry-after"] == "3"
    assert (await api.get("my-requests", "ben")).status_code == 200
    path = f"approvals/{guid()}/approve"
    assert [(await api.post(path)).status_code for _ in range(2)] == [404, 429]
    api.seconds += 2
    assert (await api.get("my-requests")).status_code == 200


async def test_a_strangers_calls_are_nobodys(house: House) -> None:
    api = ApiRig(house, reads=Rate(burst=1, per_second=0.1))
    for _ in range(5):
        assert (await api.get("my-requests", "nobody")).status_code == 401
    assert (await api.get("my-requests")).status_code == 200


@pytest.mark.parametrize("who", ["ann", "ann.read", "ann.audit"])
async def test_another_token_is_no_other_bucket(house: House, who: str) -> None:
    api = ApiRig(house, reads=Rate(burst=1, per_second=0.1))
    await api.get("my-requests")
    assert (await api.get("my-requests", who)).status_code == 429


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_bucket_fills_steadily_and_not_beyond_its_brim() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=2, per_second=0.5), clock)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 2.0]
    clock.seconds = 1.0
    assert buckets.take("a") == 1.0
    clock.seconds = 2.0
    assert buckets.take("a") == 0.0
    clock.seconds = 1000.0
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 2.0]


def test_buckets_that_are_full_again_are_forgotten_and_the_others_are_not() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=1, per_second=1.0), clock)
    for number in range(MOST):
        buckets.take(f"early {number}")
    clock.seconds = 0.9
    assert buckets.take("early 0") > 0
    buckets.take("late")
    clock.seconds = 1.5
    buckets.take("later")
    assert buckets.take("late") > 0
    assert len(buckets) <= 3


async def test_the_documents_need_no_token(api: ApiRig) -> None:
    pages = [await api.http.get(path) for path in ("/docs", "/openapi.json")]
    assert [page.status_code for page in pages] == [httpx.codes.OK] * 2
