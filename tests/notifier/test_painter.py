"""Cards: one for each request, painted until Slack shows what the row says, whatever Slack does meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from build import NOW, a_request, decided
from notifier.rig import Rig

from app.domain.request import ActivationRequest, Status
from app.notifier.painter import PAUSE_AFTER_REFUSAL
from app.sandbox.slack_records import Message
from blocks import ids

PAUSE = PAUSE_AFTER_REFUSAL.total_seconds()
POST, UPDATE, DELETE, HISTORY = "chat.postMessage", "chat.update", "chat.delete", "conversations.history"


async def end(rig: Rig, request: ActivationRequest, status: Status = Status.APPROVED) -> None:
    await rig.book.settle(request.key, status, decided(), None, rig.clock())


async def change(rig: Rig, request: ActivationRequest) -> ActivationRequest:
    return await rig.appear(replace(request, justification=f"{request.justification}, now"))


def buttons(message: Message) -> dict[str, str]:
    """Action ids and values of a message."""
    found = [element for block in message.blocks for element in block.get("elements", ())]
    return {element["action_id"]: element.get("value", "") for element in found if element.get("type") == "button"}


async def ticks(rig: Rig, times: int, seconds: float = 1.0) -> None:
    for _ in range(times):
        rig.clock.forward(seconds)
        await rig.painter.tick()


# Posting


async def test_a_new_request_gets_one_card_however_often_it_ticks(rig: Rig) -> None:
    await rig.appear()
    await ticks(rig, 4)
    assert len(rig.slack.messages()) == 1
    assert (len(rig.slack.calls()), await rig.behind()) == (1, 0)


async def test_a_card_names_its_copy_and_carries_the_copys_token(rig: Rig) -> None:
    await rig.appear()
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    card = await rig.cards.by_place(message.channel, message.ts)
    assert card is not None
    assert message.metadata == {"event_type": ids.CARD_EVENT, "event_payload": {"card": card.id}}
    assert (buttons(message)[ids.APPROVE], buttons(message)[ids.DENY]) == (card.token, card.token)


async def test_a_card_unfurls_nothing(rig: Rig) -> None:
    await rig.appear()
    await rig.painter.tick()
    body: Any = rig.slack.calls(POST)[0].body
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


async def test_a_changed_row_edits_its_card_and_posts_none(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await change(rig, request)
    await ticks(rig, 2)
    (message,) = rig.slack.messages()
    assert (message.edits, await rig.behind()) == (1, 0)


async def test_a_card_loses_its_buttons_when_its_request_ends(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await end(rig, request)
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    assert buttons(message) == {}
    assert message.metadata is not None


async def test_edits_go_before_posts(rig: Rig) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    await end(rig, first)
    await rig.painter.tick()
    assert [call.path for call in rig.slack.calls()] == [f"/{POST}", f"/{UPDATE}", f"/{POST}"]


async def test_all_is_painted_in_one_tick_by_a_clock_that_never_stands_still(rig: Rig) -> None:
    rig.clock.step = timedelta(milliseconds=7)
    for _ in range(3):
        await rig.appear()
    await rig.outbox.put_note("blind:entra", "I cannot see.", over="", button=True, channel=rig.slack.settings.channel)
    await rig.painter.tick()
    assert (len(rig.slack.messages()), await rig.behind(), rig.painter.trouble) == (4, 0, "")


async def test_by_such_a_clock_a_pause_ends_too(rig: Rig) -> None:
    rig.clock.step = timedelta(milliseconds=100)
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "2"}, body={"ok": False, "error": "ratelimited"})
    for _ in range(40):
        await rig.painter.tick()
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST))) == (1, 2)


# Slack's pace


async def test_posts_that_come_too_fast_wait_as_long_as_slack_says(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "30"}, body={"ok": False, "error": "ratelimited"})
    await ticks(rig, 30)
    assert len(rig.slack.calls(POST)) == 1
    await ticks(rig, 2)
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST))) == (1, 2)


async def test_a_burst_of_requests_gets_every_card_once(rig: Rig) -> None:
    for _ in range(9):
        await rig.appear()
    await ticks(rig, 12)
    cards = [message.metadata["event_payload"]["card"] for message in rig.slack.messages() if message.metadata]
    assert (len(cards), len(set(cards)), await rig.behind()) == (9, 9, 0)


async def test_while_posts_wait_buttons_are_still_taken_away(rig: Rig) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "600"}, body={"ok": False, "error": "ratelimited"})
    await rig.painter.tick()
    await end(rig, first)
    await ticks(rig, 3)
    (message,) = rig.slack.messages()
    assert (buttons(message), len(rig.slack.calls(POST))) == ({}, 2)


async def test_an_endless_pause_is_an_hour(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "99999999"}, body={"ok": False, "error": "ratelimited"})
    await rig.painter.tick()
    await ticks(rig, 2, 1801)
    assert len(rig.slack.messages()) == 1


async def test_an_outage_is_waited_out(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, times=3, status=503, body="<html>Sorry</html>", headers={"content-type": "text/html"})
    await ticks(rig, 8)
    assert (len(rig.slack.messages()), await rig.behind(), rig.painter.trouble) == (1, 0, "")


# Answers that never came


async def test_a_card_whose_answer_was_lost_is_found_and_not_posted_again(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, "drop_after")
    await ticks(rig, 6)
    (message,) = rig.slack.messages()
    card = await rig.cards.by_place(message.channel, message.ts)
    assert card is not None
    assert (len(rig.slack.calls(POST)), buttons(message)[ids.APPROVE], await rig.behind()) == (1, card.token, 0)


async def test_a_card_that_never_arrived_is_posted(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, "drop_before")
    await ticks(rig, 4)
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST)), await rig.behind()) == (1, 2, 0)


async def test_a_found_card_shows_what_happened_meanwhile(rig: Rig) -> None:
    request = await rig.appear()
    rig.slack.disturb(POST, "drop_after")
    await rig.painter.tick()
    await end(rig, request)
    await ticks(rig, 4)
    (message,) = rig.slack.messages()
    assert (buttons(message), await rig.behind()) == ({}, 0)


async def test_a_lost_card_is_found_behind_many_other_messages(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, "drop_after")
    await rig.painter.tick()
    workspace = rig.slack.world.workspace
    channel = workspace.channels[rig.slack.settings.channel]
    for number in range(150):
        workspace.post(channel, f"chat {number}", [], user="U0ANNALDER")
    await ticks(rig, 4)
    assert len(rig.slack.calls(POST)) == 1
    assert len(rig.slack.calls(HISTORY)) == 2


async def test_nothing_is_posted_while_it_cannot_be_looked_for(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, "drop_after")
    rig.slack.disturb(HISTORY, times=2, status=503, body="")
    await ticks(rig, 10)
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST))) == (1, 1)


async def test_a_lost_answer_to_an_edit_is_an_edit_again(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await end(rig, request)
    rig.slack.disturb(UPDATE, "drop_after")
    await ticks(rig, 4)
    assert (len(rig.slack.messages()), len(rig.slack.calls(UPDATE)), await rig.behind()) == (1, 2, 0)


# Cards that are gone


async def test_a_deleted_card_is_posted_once_more_with_another_token(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    (old,) = rig.slack.messages()
    rig.slack.remove(old)
    await change(rig, request)
    await ticks(rig, 6)
    (new,) = rig.slack.messages()
    assert (len(rig.slack.calls(POST)), await rig.behind()) == (2, 0)
    assert buttons(old)[ids.APPROVE] != buttons(new)[ids.APPROVE]


async def test_the_place_of_a_deleted_card_means_nothing_any_more(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    (old,) = rig.slack.messages()
    rig.slack.remove(old)
    await change(rig, request)
    await ticks(rig, 6)
    assert await rig.cards.by_place(old.channel, old.ts) is None


async def test_a_deleted_card_of_a_request_that_ended_stays_deleted(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    rig.slack.remove(rig.slack.messages()[0])
    await end(rig, request)
    await ticks(rig, 6)
    assert (rig.slack.messages(), await rig.behind(), len(rig.slack.calls(UPDATE))) == ([], 0, 1)


@pytest.mark.parametrize("status", [Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.CANCELED, Status.FAILED])
async def test_a_request_that_ended_first_never_gets_a_card(rig: Rig, status: Status) -> None:
    request = await rig.appear()
    await end(rig, request, status)
    await ticks(rig, 3)
    assert rig.slack.calls() == []


async def test_a_request_that_ended_before_its_lost_card_arrived_never_gets_one(rig: Rig) -> None:
    request = await rig.appear()
    rig.slack.disturb(POST, "drop_before")
    await rig.painter.tick()
    await end(rig, request)
    await ticks(rig, 5)
    assert (rig.slack.messages(), len(rig.slack.calls(POST)), await rig.behind()) == ([], 1, 0)


async def test_a_request_past_its_deadline_is_not_announced(rig: Rig) -> None:
    await rig.appear(a_request(created=NOW - timedelta(hours=25)))
    await ticks(rig, 3)
    assert rig.slack.calls(POST) == []


# Drawings that Slack refuses


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"])
async def test_a_refused_drawing_becomes_a_plain_card(rig: Rig, code: str) -> None:
    await rig.appear()
    rig.slack.disturb(POST, error=code)
    await ticks(rig, 3)
    (message,) = rig.slack.messages()
    assert (message.blocks, len(rig.slack.calls(POST)), await rig.behind()) == ([], 2, 0)
    assert message.metadata is not None
    assert "portal" in message.text


async def test_a_refused_edit_takes_the_buttons_away_with_a_plain_card(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await end(rig, request)
    rig.slack.disturb(UPDATE, error="invalid_blocks")
    await ticks(rig, 3)
    (message,) = rig.slack.messages()
    assert (buttons(message), len(rig.slack.calls(UPDATE)), await rig.behind()) == ({}, 2, 0)


async def test_a_card_that_cannot_even_become_plain_is_deleted_and_posted_anew(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    (old,) = rig.slack.messages()
    await change(rig, request)
    rig.slack.disturb(UPDATE, error="invalid_blocks")
    rig.slack.disturb(UPDATE, error="block_mismatch")
    await ticks(rig, 4)
    (new,) = rig.slack.messages()
    assert (len(rig.slack.calls(DELETE)), len(rig.slack.calls(POST)), await rig.behind()) == (1, 2, 0)
    assert buttons(new)[ids.APPROVE] != buttons(old)[ids.APPROVE]


async def test_such_a_card_leaves_no_buttons_when_its_request_ended(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await end(rig, request)
    rig.slack.disturb(UPDATE, error="invalid_blocks")
    rig.slack.disturb(UPDATE, error="block_mismatch")
    await ticks(rig, 4)
    assert (rig.slack.messages(), len(rig.slack.calls(POST)), await rig.behind()) == ([], 1, 0)


async def test_a_card_slack_never_takes_does_not_hold_up_the_others(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, error="invalid_blocks", times=2)
    await rig.appear()
    await rig.painter.tick()
    assert (len(rig.slack.messages()), await rig.behind()) == (1, 1)
    assert rig.painter.trouble


# Refusals for good


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived", "token_revoked", "some_news"])
async def test_a_refusal_is_complained_of_once_and_not_asked_every_second(
    rig: Rig, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    await rig.appear()
    await rig.appear()
    rig.slack.disturb(POST, error=code, times=None)
    await ticks(rig, int(PAUSE * 3))
    assert len(rig.slack.calls(POST)) == 3
    assert [code in record.message for record in caplog.records if record.levelname == "WARNING"] == [True]
    assert code in rig.painter.trouble


async def test_once_slack_takes_cards_again_they_appear_and_it_is_said_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.appear()
    await rig.appear()
    rig.slack.disturb(POST, error="is_archived")
    await ticks(rig, int(PAUSE + 5))
    assert (len(rig.slack.messages()), rig.painter.trouble) == (2, "")
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 2


async def test_edits_that_work_do_not_hide_that_posts_do_not(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    rig.slack.disturb(POST, error="restricted_action", times=None)
    for _ in range(3):
        await ticks(rig, int(PAUSE))
        first = await change(rig, first)
        await rig.painter.tick()
    assert "restricted_action" in rig.painter.trouble
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


async def test_a_card_goes_when_its_buttons_are_void_even_while_nothing_may_be_posted(rig: Rig) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    rig.slack.disturb(POST, error="restricted_action", times=None)
    await rig.painter.tick()
    await end(rig, first)
    await rig.painter.tick()
    assert buttons(rig.slack.messages()[0]) == {}


# Standing notes


async def say(rig: Rig, text: str, *, over: str = "", button: bool = False) -> None:
    await rig.outbox.put_note("blind:entra", text, over=over, button=button, channel=rig.slack.settings.channel)
    await ticks(rig, 2)


async def test_a_note_is_one_message_that_is_edited(rig: Rig) -> None:
    await say(rig, "I cannot see Entra role requests.", button=True)
    await say(rig, "I cannot see Entra role requests.", button=True)
    await say(rig, "I see a little.", button=True)
    (message,) = rig.slack.messages()
    assert (message.text, message.edits) == ("I see a little.", 1)
    assert buttons(message)[ids.SIGN_IN] == "sign_in"


async def test_a_note_that_is_over_says_so_and_has_no_sign_in_button(rig: Rig) -> None:
    await say(rig, "I cannot see.", button=True)
    await say(rig, "", over="I can see again.")
    (message,) = rig.slack.messages()
    assert (message.text, ids.SIGN_IN in buttons(message)) == ("I can see again.", False)


async def test_a_note_nobody_saw_ends_in_silence(rig: Rig) -> None:
    await rig.outbox.put_note("blind:entra", "I cannot see.", over="", button=True, channel=rig.slack.settings.channel)
    await say(rig, "", over="I can see again.")
    assert rig.slack.calls() == []


async def test_a_note_whose_answer_was_lost_is_found_by_its_topic(rig: Rig) -> None:
    rig.slack.disturb(POST, "drop_after")
    await say(rig, "I cannot see.")
    await say(rig, "I see a little.")
    (message,) = rig.slack.messages()
    assert (message.text, len(rig.slack.calls(POST))) == ("I see a little.", 1)


async def test_a_deleted_note_is_posted_again_when_it_changes(rig: Rig) -> None:
    await say(rig, "I cannot see.")
    rig.slack.remove(rig.slack.messages()[0])
    await say(rig, "I see a little.")
    assert [message.text for message in rig.slack.messages()] == ["I see a little."]


async def test_a_note_posted_again_is_not_posted_twice_when_its_answer_is_lost(rig: Rig) -> None:
    await say(rig, "I cannot see.")
    rig.slack.remove(rig.slack.messages()[0])
    rig.slack.disturb(POST, "drop_after")
    await say(rig, "I see a little.")
    await ticks(rig, 4)
    assert [message.text for message in rig.slack.messages()] == ["I see a little."]


async def test_a_note_slack_refuses_does_not_hold_up_cards(rig: Rig) -> None:
    rig.slack.disturb(POST, error="invalid_blocks")
    await rig.outbox.put_note("blind:entra", "I cannot see.", over="", button=True, channel=rig.slack.settings.channel)
    await rig.appear()
    await rig.painter.tick()
    assert (len(rig.slack.messages()), await rig.behind()) == (1, 0)
