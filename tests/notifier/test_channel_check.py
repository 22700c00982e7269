"""New cards go only into a private channel of our own company that we are in; edits go on wherever a card stands."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from build import decided
from notifier.rig import Rig

from app.domain.errors import Unavailable
from app.domain.request import Status
from app.notifier.channel import LOOK_AGAIN, LOOK_SOON, ChannelGuard, Channels, unfit
from app.notifier.painter import Painter

INFO, POST = "conversations.info", "chat.postMessage"
SOUND = {"is_private": True, "is_member": True, "is_archived": False, "is_ext_shared": False}
WRONG = {
    "shared with another company": ({"is_ext_shared": True}, "shared with another company"),
    "about to be shared": ({"is_pending_ext_shared": True}, "shared with another company"),
    "waiting for another company": ({"pending_connected_team_ids": ["T9"]}, "shared with another company"),
    "public": ({"is_private": False}, "is not private"),
    "of an unknown kind": ({"is_private": None}, "is not private"),
    "archived": ({"is_archived": True}, "is archived"),
    "left": ({"is_member": False}, "does not have the bot as a member"),
}


def say(rig: Rig, over: dict[str, Any], times: int | None = None) -> None:
    """From now on Slack describes the channel so."""
    rig.slack.world.faults.clear()
    rig.slack.disturb(INFO, times=times, status=200, body={"ok": True, "channel": {**SOUND, **over}})


@pytest.fixture
def guard(rig: Rig) -> ChannelGuard:
    return ChannelGuard(gateway=rig.gateway, channel=rig.slack.settings.channel, clock=rig.clock)


@pytest.fixture
def painter(rig: Rig, guard: ChannelGuard) -> Painter:
    rig.painter.channels = Channels(home=guard, routed=(), outbox=rig.outbox, new_text=rig.new_token)
    return rig.painter


# --- what is judged ---


async def test_the_emulated_approvers_channel_is_as_it_should_be(rig: Rig) -> None:
    assert await unfit(rig.gateway, rig.slack.settings.channel) == ""


@pytest.mark.parametrize("over, words", WRONG.values(), ids=WRONG.keys())
async def test_no_cards_in_a_channel_that_is(rig: Rig, over: dict[str, Any], words: str) -> None:
    say(rig, over)
    assert words in await unfit(rig.gateway, "C0123456789")


@pytest.mark.parametrize(
    "error, words", [("channel_not_found", "invite the bot"), ("missing_scope", "could not be looked at")]
)
async def test_no_cards_in_a_channel_that_slack_does_not_show(rig: Rig, error: str, words: str) -> None:
    rig.slack.disturb(INFO, error=error)
    assert words in await unfit(rig.gateway, "C0123456789")


async def test_a_public_channel_of_the_workspace_will_not_do(rig: Rig) -> None:
    assert await unfit(rig.gateway, rig.slack.settings.general_channel) != ""


async def test_an_outage_is_no_judgement(rig: Rig) -> None:
    rig.slack.disturb(INFO, status=503, body={})
    with pytest.raises(Unavailable):
        await unfit(rig.gateway, "C0123456789")


# --- when it is looked at ---


async def test_it_is_looked_at_once_an_hour(rig: Rig, guard: ChannelGuard) -> None:
    for passed in (timedelta(0), LOOK_AGAIN - timedelta(seconds=1), timedelta(seconds=1)):
        rig.clock.forward(passed.total_seconds())
        assert await guard.look() == ""
    assert len(rig.slack.calls(INFO)) == 2


async def test_an_outage_changes_nothing_that_was_known(rig: Rig, guard: ChannelGuard) -> None:
    await guard.look()
    rig.clock.forward(LOOK_AGAIN.total_seconds())
    rig.slack.disturb(INFO, status=503, body={})
    assert await guard.look() == ""


async def test_before_the_first_look_nothing_is_posted_and_nothing_is_reported(rig: Rig, guard: ChannelGuard) -> None:
    rig.slack.disturb(INFO, status=503, body={})
    assert "not been checked yet" in await guard.look()
    assert guard.trouble == ""
    rig.clock.forward(LOOK_SOON.total_seconds())
    assert await guard.look() == ""


# --- what follows ---


async def test_new_cards_wait_while_the_channel_is_shared_and_come_when_it_is_not(
    rig: Rig, guard: ChannelGuard, painter: Painter
) -> None:
    say(rig, {"is_ext_shared": True})
    await rig.appear()
    await painter.tick()
    assert rig.slack.calls(POST) == []
    assert guard.trouble.startswith("New cards wait: the approvers channel")
    say(rig, {})
    await painter.tick()
    assert rig.slack.calls(POST) == []
    rig.clock.forward(LOOK_SOON.total_seconds())
    await painter.tick()
    assert len(rig.slack.messages()) == 1
    assert guard.trouble == ""


async def test_buttons_are_still_taken_away(rig: Rig, painter: Painter) -> None:
    request = await rig.appear()
    await painter.tick()
    say(rig, {"is_ext_shared": True})
    rig.clock.forward(LOOK_AGAIN.total_seconds())
    await rig.book.settle(request.key, Status.DENIED, decided(), None, rig.clock())
    await rig.appear()
    await painter.tick()
    (message,) = rig.slack.messages()
    assert "pim_approve" not in str(message.blocks)
    assert await rig.behind() == 1


async def test_a_post_whose_answer_was_lost_is_looked_for_but_not_repeated(rig: Rig, painter: Painter) -> None:
    rig.slack.disturb(POST, "drop_before")
    await rig.appear()
    await painter.tick()
    say(rig, {"is_ext_shared": True})
    rig.clock.forward(LOOK_AGAIN.total_seconds())
    await painter.tick()
    assert len(rig.slack.calls("conversations.history")) == 1
    assert (len(rig.slack.messages()), await rig.behind()) == (0, 1)


async def test_it_is_logged_once_down_and_once_up(
    rig: Rig, guard: ChannelGuard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "app.notifier.channel")
    for over in ({}, {"is_private": False}, {"is_private": False}, {}, {}):
        say(rig, over)
        await guard.look()
        rig.clock.forward(LOOK_AGAIN.total_seconds())
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "New cards wait",
        "The approvers channel is as it should be again; new cards are posted.",
    ]
