"""The HTTP API over the wire: Entra's tokens, decisions on behalf of the caller, and cards that say so."""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from journeys.calling import Caller, Shell, told
from journeys.driver import Sandbox

CLAIMS = '{"access_token":{"acrs":{"essential":true, "value":"c1"}}}'
CHALLENGE = base64.b64encode(CLAIMS.encode()).decode()
AT_GRAPH = {
    "service": "graph",
    "method": "PATCH",
    "status": 401,
    "headers": {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{CHALLENGE}"'},
    "body": {"error": {"code": "InvalidAuthenticationToken", "message": "Claims are needed"}},
}
AT_LOGIN = {
    "service": "login",
    "path": "token$",
    "status": 400,
    "body": {"error": "interaction_required", "error_codes": [50076], "claims": CLAIMS},
}


@pytest.fixture
def ann(shared: Sandbox) -> Caller:
    return Caller(shared, "ann")


@pytest.fixture
def cleo(shared: Sandbox) -> Caller:
    """Approver and auditor, and nobody in Slack."""
    return Caller(shared, "cleo")


def test_an_approver_without_slack_approves_and_every_screen_says_so(shared: Sandbox, cleo: Caller) -> None:
    request, _ = shared.waiting()
    assert request in [item["id"] for item in cleo.get("pending-approvals?limit=200")["items"]]
    answer = cleo.approve(request, "Seen in the change calendar", if_match=cleo.item(request)["digest"])
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert answer.json()["decided"]["where"] == "api"
    found = shared.request(request)
    assert (found["status"], found["reviewed_by"], found["comment"]) == (
        "Provisioned",
        "cleo",
        "Seen in the change calendar",
    )
    card = shared.ended(request, "Approved by Cleo Clay through the API")
    assert "Seen in the change calendar" in card.words
    shared.told("rob", "Cleo Clay", "Seen in the change calendar")


def test_a_denial_reaches_the_requestor_with_its_reason(shared: Sandbox, ann: Caller) -> None:
    request, _ = shared.waiting()
    answer = ann.deny(request, "Half an hour will do")
    assert (answer.status_code, answer.json()["status"]) == (200, "denied")
    shared.ended(request, "Denied by Ann Alder through the API")
    shared.told("rob", "Ann Alder", "Half an hour will do")


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "azure", "role": "Contributor", "scope": "rg-web"},
        {"kind": "group", "role": "member", "scope": "prod-db-admins"},
    ],
    ids=["azure", "group"],
)
def test_every_desk_is_decided_with_the_callers_own_token(shared: Sandbox, ann: Caller, asked: dict[str, str]) -> None:
    request = shared.ask("rita", **asked)
    item = ann.item(request)
    assert item["kind"] == asked["kind"]
    answer = ann.approve(request, "Checked with Rita, who needs it for the rollout of tonight")
    assert answer.status_code == 200, answer.text
    assert shared.request(request)["reviewed_by"] == "ann"


def test_everything_microsoft_was_asked_for_a_caller_was_asked_as_the_caller(shared: Sandbox, cleo: Caller) -> None:
    request, _ = shared.waiting()
    assert cleo.approve(request).status_code == 200
    sent = [call for call in shared.sent(request) if call["status"] == 204]
    assert [call["who"] for call in sent] == ["cleo"]


# Not


def test_nobody_approves_their_own_request(shared: Sandbox) -> None:
    request = shared.ask("rob")
    rob = Caller(shared, "rob")
    rob.item(request)
    assert told(rob.approve(request)) == (403, "own_request")
    assert shared.sent(request) == []


def test_what_is_not_theirs_does_not_exist_for_others(shared: Sandbox) -> None:
    request, _ = shared.waiting()
    for user in ("olga", "gus", "rita"):
        other = Caller(shared, user)
        assert told(other.call("GET", f"requests/{request}")) == (404, "not_found")
        assert told(other.approve(request)) == (404, "not_found")
        assert told(other.deny(request, "x")) == (404, "not_found")
        assert request not in str(other.get("requests/history?limit=200"))
    assert shared.sent(request) == []


def test_whoever_comes_second_is_told_who_was_first(shared: Sandbox, ann: Caller) -> None:
    request, card = shared.waiting()
    shared.approve("ben", card)
    answer = ann.deny(request, "Too late")
    assert told(answer) == (409, "already_decided")
    assert "Ben Brook already approved" in answer.json()["detail"]


def test_another_digest_is_refused(shared: Sandbox, ann: Caller) -> None:
    request, card = shared.waiting()
    assert told(ann.approve(request, if_match='"0123"')) == (412, "changed")
    assert shared.offers(card)
    assert shared.sent(request) == []


@pytest.mark.parametrize("resource", ["graph", "arm"])
def test_a_token_for_another_api_is_refused(shared: Sandbox, resource: str) -> None:
    assert told(Caller(shared, "ann", resource).call("GET", "overview")) == (401, "sign_in_required")


def test_a_token_without_a_person_is_refused(shared: Sandbox) -> None:
    answer = Caller(shared, "app").call("GET", "overview")
    assert told(answer) == (401, "sign_in_required")
    assert "no person behind it" in answer.headers["www-authenticate"]


# What Microsoft wants first


@pytest.mark.parametrize("fault", [AT_GRAPH, AT_LOGIN], ids=["at Graph", "at the exchange"])
def test_a_claims_challenge_goes_back_to_the_caller(shared: Sandbox, cleo: Caller, fault: dict[str, object]) -> None:
    request, card = shared.waiting()
    cleo.item(request)
    shared.fault(**{"path": request, "times": 1, **fault})
    answer = cleo.approve(request)
    assert told(answer) == (401, "sign_in_required")
    assert f'error="insufficient_claims", claims="{CHALLENGE}"' in answer.headers["www-authenticate"]
    shared.mend()
    assert shared.posted(request).id == card.id
    assert cleo.approve(request).status_code == 200


# Once


def test_the_same_key_again_decides_nothing_again(shared: Sandbox, cleo: Caller) -> None:
    request, _ = shared.waiting()
    key = f"once-{request}"
    answers = [cleo.approve(request, idempotency_key=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert told(cleo.deny(request, "No", idempotency_key=key)) == (422, "key_reused")
    assert [call["status"] for call in shared.sent(request)] == [204]


def test_a_lost_answer_is_read_back_as_the_caller(shared: Sandbox, cleo: Caller) -> None:
    request, _ = shared.waiting()
    shared.fault("graph", request, "drop_after", method="PATCH", times=1)
    answer = cleo.approve(request)
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert len(shared.sent(request)) == 1


# Reading


def test_an_auditor_reads_everything_page_by_page(shared: Sandbox, cleo: Caller) -> None:
    shown: list[str] = []
    cursor = ""
    while True:
        page = cleo.get(f"requests/history?limit=5&cursor={cursor}")
        shown += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(shown) == len(set(shown))
    assert set(shown) >= {row["id"] for row in shared.requests() if row["status"] != "PendingApproval"}


def test_a_list_that_has_not_changed_is_not_sent_again(shared: Sandbox) -> None:
    rita = Caller(shared, "rita")
    first = rita.call("GET", "my-requests?to=2020-01-01")
    again = rita.call("GET", "my-requests?to=2020-01-01", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_of_the_api_is_there(shared: Sandbox) -> None:
    url = shared.settings["bot_url"]
    assert "swagger" in shared.http.get(f"{url}/docs").text.lower()
    paths = shared.http.get(f"{url}/openapi.json").json()["paths"]
    assert {path for path in paths if path.startswith("/api/")} == {
        f"/api/security/pim/{path}"
        for path in (
            "pending-approvals",
            "requests/history",
            "my-requests",
            "overview",
            "requests/{id}",
            "approvals/{id}/approve",
            "approvals/{id}/deny",
        )
    }


# kill -9


def test_a_decision_that_a_kill_interrupted_is_found_out_about(own: Sandbox) -> None:
    """Cleo's token dies with the process; Ben's session reads what became of her decision."""
    request, card = own.waiting()
    cleo = Caller(own, "cleo")
    cleo.item(request)
    own.fault("graph", request, "slow", method="PATCH", seconds=4, times=1)
    key = f"killed-{request}"
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(cleo.approve, request, idempotency_key=key)
        own.until(lambda: not own.offers(card), "a claim")
        own.bot("kill")
        with pytest.raises(httpx.TransportError):
            call.result()
    own.bot("start")
    own.ended(request, "Approved by Cleo Clay through the API")
    answer = cleo.approve(request, idempotency_key=key)
    assert (answer.status_code, answer.json()["decided"]["where"]) == (200, "api")
    assert [call["status"] for call in own.sent(request)].count(204) == 1


# The page


def shell_lines() -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.hot  # the shell that reads the examples prints what it would send, the caller's token in it
def test_every_example_of_the_page_does_what_it_says(shared: Sandbox) -> None:
    first, second = shared.waiting()[0], shared.waiting()[0]
    shell = Shell(shared)
    for line in shell_lines():
        shell.variables["ID"] = second if line.endswith('/deny"') else first
        shell.variables["DIGEST"] = Caller(shared, "ann").item(shell.variables["ID"])["digest"]
        answer = shell.run(line)
        assert answer is None or answer.is_success, f"{line}\n{answer.text}"
    assert [shared.request(one)["status"] for one in (first, second)] == ["Provisioned", "Denied"]
