"""Slack throttles, breaks down or swallows its answer: still one card each, and buttons go in the end."""

from __future__ import annotations

import pytest
from journeys.driver import APPROVE, Json, Sandbox, Shown

POST, UPDATE = "chat.postMessage", "chat.update"


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "drop_after"},
        {"do": "drop_before"},
        {"status": 500},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 200, "body": {"ok": False, "error": "internal_error"}},
        {"status": 200, "body": "<html>Sorry</html>"},
    ],
    ids=["answer lost", "cut off", "broken", "throttled", "internal error", "html"],
)
def test_a_disturbed_post_makes_exactly_one_card(own: Sandbox, fault: Json) -> None:
    request = own.ask()
    own.fault("slack", POST, **{"do": "answer", "times": 1, **fault})
    card = own.posted(request)
    form = own.until(lambda: opens(own, card), "a form, as soon as the bot knows its card")
    own.submit("ann", form, "Checked")
    assert own.ended(request, "Approved by Ann Alder").id == card.id


def test_a_disturbed_direct_message_is_sent_exactly_once(own: Sandbox) -> None:
    request = own.ask("rita", "Guest Inviter")
    card = own.posted(request)
    own.until(
        lambda: nothing_to_post(own) and own.directs("rita"), "silence"
    )  # so that the fault meets the direct message
    own.fault("slack", POST, "drop_after", times=1)
    own.approve("ann", card)
    own.told("rita", "Guest Inviter")
    own.approve("ben", own.waiting()[1], "Told after Rita")  # messages go out in order: hers was tried again by then
    own.told("rob", "Told after Rita")
    assert len([m for m in own.notices("rita") if "Guest Inviter" in m.words]) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"do": "drop_before"},
        {"do": "drop_after"},
    ],
    ids=["broken", "throttled", "cut off", "answer lost"],
)
def test_buttons_go_in_the_end(own: Sandbox, fault: Json) -> None:
    request, card = own.waiting()
    own.fault("slack", UPDATE, **{"do": "answer", "times": 2, **fault})
    assert "You approved" in own.approve("ann", card)
    assert own.ended(request, "Approved by Ann Alder in Slack").id == card.id


def test_a_form_that_cannot_be_updated_ends_in_a_direct_message(own: Sandbox) -> None:
    request = own.ask("rob", "License Administrator")
    form = own.form("ann", own.posted(request))
    own.fault("slack", "views.update", status=500)
    own.submit("ann", form, "Slack is down today")
    own.told("ann", "You approved this request", "License Administrator")


def test_a_form_that_does_not_open_is_said_so(own: Sandbox) -> None:
    request, card = own.waiting()
    own.fault("slack", "views.open", status=200, body={"ok": False, "error": "expired_trigger_id"})
    whisper = own.whispered("ann", lambda: own.press("ann", card, APPROVE))
    assert "Nothing was changed; please press the button again" in whisper.words
    assert own.request(request)["status"] == "PendingApproval"


def test_who_cannot_be_looked_up_decides_nothing(own: Sandbox) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    own.fault("slack", "users.info", status=500)
    own.submit("ann", form, "Trust me")
    assert "Nothing was changed" in own.outcome("ann")
    assert own.sent(request) == []
    assert own.posted(request).decidable


def test_a_deleted_card_of_a_live_request_comes_back_once_with_new_buttons(own: Sandbox) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    delete(own, card)
    own.fault("graph", request, "drop_before", method="PATCH", times=1)
    own.submit("ann", form, "The connection breaks")
    again = own.posted(request)
    assert (again.id != card.id, again.buttons[APPROVE]["value"] != card.buttons[APPROVE]["value"]) == (True, True)
    assert "You approved" in own.approve("ben", again)
    own.ended(request, "Approved by Ben Brook")


def test_a_deleted_card_of_a_request_that_ends_stays_away(own: Sandbox) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    delete(own, card)
    own.submit("ann", form, "Anyway")
    assert "You approved" in own.outcome("ann")
    another_decision(own)
    assert not any(shown.decidable for shown in own.cards(request))


def delete(sandbox: Sandbox, card: Shown) -> None:
    """Somebody with the right to do so deletes a message of the bot."""
    token = sandbox.settings["env"]["PIM_SLACK_BOT_TOKEN"]
    place = {"token": token, "channel": card.channel, "ts": card.id}
    assert sandbox.http.post(f"{sandbox.world_url}/slack/api/chat.delete", data=place).json()["ok"]
    assert not sandbox.offers(card)


def opens(sandbox: Sandbox, card: Shown) -> Shown | None:
    """Ann's form; None when the bot does not know its own card yet and says so instead."""
    whispers, before = len(sandbox.whispers("ann")), sandbox.modal("ann")
    sandbox.press("ann", card, APPROVE)
    sandbox.until(
        lambda: sandbox.modal("ann") != before or len(sandbox.whispers("ann")) > whispers, "a form or a whisper"
    )
    modal = sandbox.modal("ann")
    return modal if modal != before else None


def nothing_to_post(sandbox: Sandbox) -> bool:
    cards = all(sandbox.cards(row["id"]) for row in sandbox.requests())
    return cards and all(sandbox.directs(user) for user in ("ann", "ben"))


def another_decision(sandbox: Sandbox) -> str:
    request = sandbox.ask()
    sandbox.approve("ann", sandbox.posted(request))
    return request
