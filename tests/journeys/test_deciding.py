"""Decisions in Slack and beside it: refused, raced, withdrawn, decided in the portal, expired. Over real processes."""

from __future__ import annotations

from typing import Any

import pytest
from journeys.driver import APPROVE, DENY, Sandbox, Shown, concurrently

ASK_AGAIN = "pim_ask_again"
LIGHT, USUAL = "Reports Reader", "Teams Administrator"  # PIM asks for a comment only for the second


def untouched(sandbox: Sandbox, request: str) -> bool:
    """Nothing was sent, and the card still offers the decision."""
    pending = sandbox.request(request)["status"] == "PendingApproval"
    return pending and sandbox.posted(request).decidable and not sandbox.sent(request)


@pytest.fixture(scope="module", autouse=True)
def dying(shared: Sandbox) -> tuple[str, Shown]:
    """A request in the last seconds of its 24 hours, and its card. It dies while the other tests run."""
    request = shared.ask("rita", "Guest Inviter", age="PT23H59M50S")
    return request, shared.posted(request)


# --- yes and no ---


def test_a_denial_tells_the_requestor_why_and_where_to_ask_again(shared: Sandbox) -> None:
    request = shared.ask("rita")
    assert "You denied this request" in shared.deny("ann", shared.posted(request), "Name the ticket, please")
    direct = shared.told("rita", "Denied by Ann Alder", "Name the ticket, please")
    assert direct.buttons[ASK_AGAIN]["url"].startswith("https://")
    assert "Name the ticket" in shared.ended(request, "Denied by Ann Alder in Slack").words
    now = shared.request(request)
    assert (now["status"], now["reviewed_by"], now["active"]) == ("Denied", "ann", None)


def test_who_asks_again_is_shown_with_the_denial_and_with_what_changed(shared: Sandbox) -> None:
    role = "Groups Administrator"
    first = shared.ask("ben", role, duration="PT8H", ticket={"number": "", "system": ""})
    shared.deny("ann", shared.posted(first), "Eight hours are too long")
    again = shared.posted(shared.ask("ben", role, duration="PT2H", ticket={"number": "CHG-77", "system": "Jira"}))
    assert "after a denial by Ann Alder: “Eight hours are too long”" in again.words
    assert "Changed: 8 h → 2 h, ticket CHG-77 added" in again.words
    assert "asked again" in again.text
    assert "denied in the last 7 days" not in again.words
    form = shared.form("ann", again)
    assert "Eight hours are too long" in form.words
    assert "1 denial in the last 7 days" in form.words


def test_a_denial_without_a_reason_stays_in_the_form(shared: Sandbox) -> None:
    request = shared.ask("rita")
    form = shared.form("ann", shared.posted(request), DENY)
    answer = shared.submit("ann", form, "   ", block="reason")
    assert answer["body"]["errors"]["reason"].startswith("Say why you deny")
    assert untouched(shared, request)


def test_an_approval_may_go_without_a_comment_where_pim_asks_for_none(shared: Sandbox) -> None:
    request = shared.ask("rita", LIGHT)
    assert "You approved" in shared.approve("ann", shared.posted(request), "")
    assert shared.request(request)["comment"] == "Approved in Slack"
    assert "Approved in Slack" not in shared.ended(request, "Approved by Ann Alder").words.replace("Alder in Slack", "")


def test_an_approval_needs_a_comment_where_pim_asks_for_one(shared: Sandbox) -> None:
    request = shared.ask("rita", USUAL)
    answer = shared.submit("ann", shared.form("ann", shared.posted(request)), " ")
    assert answer["body"]["errors"]["comment"].startswith("Say why you approve")
    assert untouched(shared, request)


def test_looking_is_not_deciding(shared: Sandbox) -> None:
    request, card = shared.waiting()
    shared.form("ann", card)
    assert "You approved" in shared.approve("ben", card, "Ben was faster")
    assert shared.request(request)["reviewed_by"] == "ben"


# --- who may not ---


def test_nobody_approves_their_own_request(shared: Sandbox) -> None:
    request = shared.ask("ann")
    card = shared.posted(request)
    whisper = shared.whispered("ann", lambda: shared.press("ann", card, APPROVE))
    assert "your own request" in whisper.words
    assert untouched(shared, request)


@pytest.mark.parametrize(
    "user, words", [("rita", "Microsoft refused"), ("olga", "Microsoft refused"), ("gus", "Guests, bots")]
)
def test_who_is_no_approver_is_refused_in_their_own_form(shared: Sandbox, user: str, words: str) -> None:
    request, card = shared.waiting()
    shared.signed_in(user)
    said = shared.approve(user, card, "Let me")
    assert words in said
    assert "Nothing was changed" in said
    assert untouched(shared, request)


def test_a_stranger_who_is_not_signed_in_learns_nothing(shared: Sandbox) -> None:
    request = shared.ask(justification="The merger with Fabrikam")
    shared.command("olga", "sign-out")
    card = shared.posted(request)
    whisper = shared.whispered("olga", lambda: shared.press("olga", card, DENY))
    assert "Sign in to Microsoft first" in whisper.words
    assert "Fabrikam" not in whisper.words + whisper.text
    assert untouched(shared, request)


# --- more than one hand ---


@pytest.mark.parametrize("second", [APPROVE, DENY])
def test_two_approvers_at_once_make_one_decision(shared: Sandbox, second: str) -> None:
    request, card = shared.waiting()
    forms = {"ann": shared.form("ann", card), "ben": shared.form("ben", card, second)}
    block = "comment" if second == APPROVE else "reason"
    concurrently(
        lambda: shared.submit("ann", forms["ann"], "Ann says so"),
        lambda: shared.submit("ben", forms["ben"], "Ben says so", block),
    )
    said = {user: shared.outcome(user) for user in forms}
    first = shared.request(request)["reviewed_by"]
    name = {"ann": "Ann Alder", "ben": "Ben Brook"}[first]
    (other,) = forms.keys() - {first}
    assert f"You {'approved' if first == 'ann' or second == APPROVE else 'denied'} this request" in said[first]
    assert name in said[other]
    assert "Nothing was changed" in said[other]
    assert [call["who"] for call in shared.sent(request) if call["status"] == 204] == [first]
    assert name in shared.ended(request, " in Slack").words


def test_a_form_opened_before_somebody_decided_says_who_was_first(shared: Sandbox) -> None:
    request, card = shared.waiting()
    late = shared.form("ann", card)
    shared.approve("ben", card, "Ben was faster")
    shared.submit("ann", late, "Me too")
    assert "Ben Brook already approved this request" in shared.outcome("ann")
    assert [call["who"] for call in shared.sent(request)] == ["ben"]


def test_one_form_submitted_twice_sends_one_decision(shared: Sandbox) -> None:
    request, card = shared.waiting()
    form = shared.form("ann", card)
    body = {"user": "ann", "view_id": form.id, "values": {"comment": "Twice"}}
    concurrently(*[lambda: shared.http.post(f"{shared.world_url}/control/submit", json=body)] * 2)
    shared.ended(request, "Approved by Ann Alder")
    assert [call["status"] for call in shared.sent(request)] == [204]


# --- what happens elsewhere ---


def test_a_withdrawn_request_loses_its_buttons(shared: Sandbox) -> None:
    request = shared.ask("rita")
    card = shared.posted(request)
    shared.withdraw(request)
    assert shared.ended(request, "withdrawn by the requestor").id == card.id


@pytest.mark.parametrize("verdict, word", [("approve", "Approved"), ("deny", "Denied")])
def test_a_decision_in_the_portal_is_shown_as_such(shared: Sandbox, verdict: str, word: str) -> None:
    request = shared.ask("rita")
    shared.posted(request)
    shared.decide_in_portal(request, "ben", verdict, "Seen on my phone")
    card = shared.ended(request, f"{word} by Ben Brook in the portal")
    assert "Seen on my phone" in card.words
    shared.told("rita", f"{word} by Ben Brook in the portal", "Seen on my phone")
    assert shared.sent(request) == []


def test_a_decision_in_the_portal_behind_an_open_form_is_not_claimed(shared: Sandbox) -> None:
    request, card = shared.waiting()
    form = shared.form("ann", card)
    shared.decide_in_portal(request, "ben", "deny")
    shared.submit("ann", form, "Looks right")
    assert "denied this request" in (said := shared.outcome("ann")) or "no longer pending" in said
    assert "Ann Alder" not in shared.ended(request, "Denied by Ben Brook in the portal").words


def test_a_request_that_changed_since_the_card_is_not_decided(shared: Sandbox) -> None:
    request, card = shared.waiting()
    form = shared.form("ann", card)
    longer = microsofts(shared, request)
    longer["scheduleInfo"]["expiration"]["duration"] = "PT9H"
    shared.fault("graph", f"ScheduleRequests/{request}$", method="GET", status=200, body=longer)
    shared.submit("ann", form, "Only an hour, fine")
    assert "changed since you opened it" in shared.outcome("ann")
    shared.mend()
    assert untouched(shared, request)


def test_nobody_decides_in_time(shared: Sandbox, dying: tuple[str, Shown]) -> None:
    request, card = dying
    assert shared.ended(request, "nobody decided in time").id == card.id
    assert ASK_AGAIN in shared.told("rita", "Guest Inviter", "nobody decided in time").buttons
    assert shared.sent(request) == []


def microsofts(sandbox: Sandbox, request: str) -> dict[str, Any]:
    """The request as Graph shows it to an application."""
    token = sandbox.get("token", user="app", resource="graph")["access_token"]
    path = f"/graph/v1.0/roleManagement/directory/roleAssignmentScheduleRequests/{request}"
    query = {"$expand": "principal,roleDefinition"}
    headers = {"Authorization": f"Bearer {token}"}
    row: dict[str, Any] = sandbox.http.get(sandbox.world_url + path, params=query, headers=headers).json()
    return row
