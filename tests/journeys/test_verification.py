"""Verify and finish, over the wire: a decision waits for a sign-in, and one button on our own page sends it."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from journeys.driver import APPROVE, DENY, Json, Sandbox, Shown
from journeys.walking import Walked, walk_from

from app.sandbox.people import CAST

SETTINGS = {"policy_file": str(Path(__file__).parents[1] / "data" / "sign_in_every_time.toml")}
CLAIMS = '{"access_token":{"acrs":{"essential":true, "value":"c1"}}}'
PAGE = "pim_sign_in_page"


def in_a_header(claims: str) -> Json:
    wanted = f'claims="{base64.b64encode(claims.encode()).decode()}"'
    return {
        "status": 401,
        "headers": {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", {wanted}'},
        "body": {"error": {"code": "InvalidAuthenticationToken", "message": "Claims are needed"}},
    }


IN_A_HEADER = in_a_header(CLAIMS)
TAKEN_BACK = in_a_header('{"access_token":{"nbf":{"essential":true, "value":"1700000000"}}}')
IN_A_MESSAGE = {
    "status": 400,
    "body": {
        "error": {"code": "RoleAssignmentRequestAcrsValidationFailed", "message": f"x?a=b&claims={quote(CLAIMS)}"}
    },
}


def asked_to_verify(sandbox: Sandbox, user: str, card: Shown, action: str = APPROVE) -> str:
    """Submit a decision; the address in the modal that asks for a sign-in."""
    block = "comment" if action == APPROVE else "reason"
    sandbox.submit(user, sandbox.form(user, card, action), "Checked with Rob", block=block)
    assert "Nothing was sent yet" in sandbox.outcome(user)
    modal = sandbox.modal(user)
    assert modal is not None
    return str(modal.buttons[PAGE]["url"])


def verifying(sandbox: Sandbox, request: str, name: str) -> Shown:
    """Its card, still open to everybody, with who is signing in."""

    def look() -> Shown | None:
        found = [card for card in sandbox.cards(request) if card.decidable and f"{name} wants to decide" in card.words]
        return found[0] if found else None

    return sandbox.until(look, f"a card that says that {name} is verifying")


def approved_by(sandbox: Sandbox, request: str, name: str) -> None:
    sandbox.ended(request, f"Approved by {name} in Slack")
    assert sandbox.request(request)["status"] == "Provisioned"
    assert [call["status"] for call in sandbox.sent(request)][-1:] == [204]


# --- the company wants a new sign-in every time ---


def test_a_lapsed_window_is_verified_and_finished_on_our_page(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))
    verifying(own, request, "Ann Alder")
    seen: list[str] = []
    walked = walk_from(own, address, "ann", before_finish=seen.append)
    assert (walked.outcome, walked.status) == ("decided", 200)
    facts = ("Approve this request?", "Reports Reader", "Rob Reed", "1 h", "Checked with Rob")
    assert all(fact in html.unescape(seen[-1]) for fact in facts)
    assert "You approved this request" in walked.text
    approved_by(own, request, "Ann Alder")
    assert own.request(request)["reviewed_by"] == "ann"


def test_a_denial_waits_and_finishes_the_same_way(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ben", own.posted(request), DENY)
    assert walk_from(own, address, "ben").outcome == "decided"
    assert "Checked with Rob" in own.ended(request, "Denied by Ben Brook in Slack").words


def test_the_pages_alone_send_nothing(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))

    def look(page: str) -> None:
        assert 'data-outcome="finish"' in page
        assert own.sent(request) == []
        raise StopWalking

    with pytest.raises(StopWalking):
        walk_from(own, address, "ann", before_finish=look)
    assert own.request(request)["status"] == "PendingApproval"


def test_a_sign_in_ahead_finishes_nothing_by_itself(own: Sandbox) -> None:
    request = own.ask()
    asked_to_verify(own, "ann", own.posted(request))
    own.signed_in("ann")
    verifying(own, request, "Ann Alder")
    assert own.sent(request) == []


def test_a_forwarded_verification_is_refused(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))
    walked = walk_from(own, address, "ben")
    assert (walked.outcome, walked.status) == ("failed", 400)
    assert "another account" in walked.text
    assert own.sent(request) == []


def test_somebody_elses_microsoft_sign_in_is_refused(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))
    walked = walk_from(own, address, "ann", microsoft="ben")
    assert (walked.outcome, walked.status) == ("failed", 400)
    assert own.sent(request) == []


def test_used_pages_send_nothing_more(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))
    again: list[Walked] = []
    assert walk_from(own, address, "ann", before_finish=lambda _: again.append(walk_from(own, address, "ann")))
    assert [walked.outcome for walked in again] == ["failed"]
    assert walk_from(own, address, "ann").outcome == "failed"
    assert len(own.sent(request)) == 1


def test_who_is_beaten_while_signing_in_is_told_by_whom(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))

    def ben_is_faster(_page: str) -> None:
        own.decide_in_portal(request, "ben", "deny", "Not today")
        own.ended(request, "Denied by Ben Brook")

    walked = walk_from(own, address, "ann", before_finish=ben_is_faster)
    assert (walked.outcome, walked.status) == ("refused", 400)
    assert "Ben Brook already denied this request" in walked.text
    assert own.sent(request) == []


def test_a_waiting_decision_survives_kill_9_and_is_not_sent_by_itself(own: Sandbox) -> None:
    request = own.ask()
    address = asked_to_verify(own, "ann", own.posted(request))
    own.bot("kill")
    own.bot("start")
    own.until_well()
    assert own.sent(request) == []

    def killed_again(_page: str) -> None:
        own.bot("kill")
        own.bot("start")
        own.until_well()

    assert walk_from(own, address, "ann", before_finish=killed_again).outcome == "decided"
    approved_by(own, request, "Ann Alder")


# --- Microsoft wants more proof ---


@pytest.mark.parametrize(
    "method,fault",
    [("GET", IN_A_HEADER), ("PATCH", IN_A_HEADER), ("PATCH", IN_A_MESSAGE)],
    ids=["a read, 401", "the decision, 401", "the decision, 400"],
)
def test_a_claims_challenge_is_met_by_the_next_sign_in(shared: Sandbox, method: str, fault: Json) -> None:
    request = shared.ask()
    card = shared.posted(request)
    since = shared.get("log")[-1]["n"]
    shared.fault("graph", f"Approvals/{request}", method=method, times=1, **fault)
    address = asked_to_verify(shared, "ann", card)
    verifying(shared, request, "Ann Alder")
    walked = walk_from(shared, address, "ann")
    assert walked.outcome == "decided", walked
    approved_by(shared, request, "Ann Alder")
    authorize = shared.calls("login", "GET", "/authorize", since)[-1]["query"]
    assert json.loads(authorize["claims"])["access_token"]["acrs"] == {"essential": True, "value": "c1"}
    assert (authorize["prompt"], authorize["login_hint"]) == ("login", CAST["ann"].upn)


def test_a_token_that_microsoft_took_back_is_replaced_and_nobody_is_asked(shared: Sandbox) -> None:
    request = shared.ask()
    card = shared.posted(request)
    since = shared.get("log")[-1]["n"]
    form = shared.form("ann", card)
    shared.fault("graph", f"Approvals/{request}", method="GET", times=1, **TAKEN_BACK)
    shared.submit("ann", form, "Go ahead")
    assert "You approved" in shared.outcome("ann")
    assert [call["who"] for call in shared.sent(request)] == ["ann"]
    assert "ann" in [call["who"] for call in shared.calls("login", "POST", "/token", since)]


def test_another_approver_decides_while_one_is_verifying(shared: Sandbox) -> None:
    request = shared.ask()
    card = shared.posted(request)
    more = in_a_header(CLAIMS.replace("c1", "c2"))  # her session may hold c1 by now, and then nobody would be asked
    shared.fault("graph", f"Approvals/{request}", method="GET", times=1, **more)
    address = asked_to_verify(shared, "ann", card)
    assert "You approved" in shared.approve("ben", verifying(shared, request, "Ann Alder"))
    walked = walk_from(shared, address, "ann")
    assert walked.outcome == "refused"
    assert "Ben Brook already approved this request" in walked.text
    assert [call["who"] for call in shared.sent(request) if call["status"] == 204] == ["ben"]


class StopWalking(Exception):
    """The browser is closed here."""
