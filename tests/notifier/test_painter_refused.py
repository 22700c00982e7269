"""Cards that Slack refuses: a plain one instead, a pause, one complaint, and the others go on."""

from __future__ import annotations

import pytest
from notifier.painting import DELETE, PAUSE, POST, UPDATE, buttons, change, end, redraw, ticks
from notifier.rig import Rig

from blocks import ids

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
    await redraw(rig, request)
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
    await ticks(rig, 2)
    assert (len(rig.slack.messages()), await rig.behind()) == (1, 1)
    assert rig.painter.trouble


# Refusals for good


@pytest.mark.parametrize(
    "code",
    [
        *("not_in_channel", "channel_not_found", "is_archived", "restricted_action"),
        *("account_inactive", "invalid_auth", "token_revoked", "missing_scope", "some_news"),
    ],
)
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


@pytest.mark.parametrize("code", ["not_in_channel", "is_archived", "missing_scope", "token_revoked"])
async def test_what_ended_while_slack_refused_gets_no_card_when_it_takes_them_again(rig: Rig, code: str) -> None:
    ended = await rig.appear()
    rig.slack.disturb(POST, error=code, times=None)
    await rig.painter.tick()
    await rig.appear()
    await end(rig, ended)
    rig.slack.world.faults.clear()
    await ticks(rig, int(PAUSE + 5))
    assert (len(rig.slack.messages()), await rig.behind()) == (1, 0)


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed", "is_inactive"])
async def test_a_card_that_can_be_edited_no_more_goes_with_its_buttons(rig: Rig, code: str) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await end(rig, request)
    rig.slack.disturb(UPDATE, error=code)
    await ticks(rig, 4)
    assert (rig.slack.messages(), len(rig.slack.calls(POST)), await rig.behind()) == ([], 1, 0)


async def test_of_a_pending_request_it_is_posted_anew(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    (old,) = rig.slack.messages()
    await redraw(rig, request)
    rig.slack.disturb(UPDATE, error="edit_window_closed")
    await ticks(rig, 4)
    (new,) = rig.slack.messages()
    assert buttons(new)[ids.APPROVE] != buttons(old)[ids.APPROVE]


# Throttling


async def test_a_throttled_channel_keeps_no_other_kind_of_call_waiting(rig: Rig) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "30"}, body={"ok": False, "error": "ratelimited"})
    await ticks(rig, 2)
    await end(rig, first)
    await ticks(rig, 2)
    assert (buttons(rig.slack.messages()[0]), len(rig.slack.calls(POST))) == ({}, 2)
    await ticks(rig, 30)
    assert (len(rig.slack.messages()), rig.painter.trouble) == (2, "")
