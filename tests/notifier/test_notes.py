"""Standing notes of the channel: one message a topic, edited and never repeated."""

from __future__ import annotations

import pytest
from notifier.painting import POST, UPDATE, buttons, ticks
from notifier.rig import Rig

from blocks import ids

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
    rig.slack.disturb(POST, error="invalid_blocks", times=2)
    await rig.outbox.put_note("blind:entra", "I cannot see.", over="", button=True, channel=rig.slack.settings.channel)
    await rig.appear()
    await ticks(rig, 2)
    assert (len(rig.slack.messages()), await rig.behind()) == (1, 0)


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
async def test_a_note_whose_drawing_slack_refuses_is_said_in_words(rig: Rig, code: str) -> None:
    rig.slack.disturb(POST, error=code)
    await say(rig, "I cannot see.")
    rig.slack.disturb(UPDATE, error=code)
    await say(rig, "I see a little.")
    (message,) = rig.slack.messages()
    assert (message.text, message.blocks, await rig.outbox.unpainted_notes()) == ("I see a little.", [], [])


async def test_a_note_that_can_be_edited_no_more_is_replaced(rig: Rig) -> None:
    await say(rig, "I cannot see.")
    rig.slack.disturb(UPDATE, error="edit_window_closed")
    await say(rig, "I see a little.")
    await ticks(rig, 2)
    assert [message.text for message in rig.slack.messages()] == ["I see a little."]
