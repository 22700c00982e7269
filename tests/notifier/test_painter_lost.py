"""Cards whose answer was lost, and cards that are gone: never two, never one for a request that is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request
from notifier.painting import HISTORY, POST, UPDATE, buttons, change, end, redraw, ticks
from notifier.rig import Rig

from app.domain.request import Status
from blocks import ids

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


async def test_a_message_that_only_mentions_the_card_is_not_taken_for_it(rig: Rig) -> None:
    await rig.appear()
    (card,) = await rig.rows("SELECT id FROM cards")
    workspace = rig.slack.world.workspace
    metadata = {"event_type": "about_a_card", "event_payload": {"card": card["id"]}}
    workspace.post(workspace.channels[rig.slack.settings.channel], "Look", [], metadata=metadata)
    rig.slack.disturb(POST, "drop_before")
    await ticks(rig, 4)
    assert [message.text == "Look" for message in rig.slack.messages()] == [True, False]


async def test_what_another_app_marked_as_our_card_is_not_taken_for_it(rig: Rig) -> None:
    await rig.appear()
    (card,) = await rig.rows("SELECT id FROM cards")
    workspace = rig.slack.world.workspace
    forged = {"event_type": ids.CARD_EVENT, "event_payload": {"card": card["id"]}}
    workspace.post(workspace.channels[rig.slack.settings.channel], "Mine", [], metadata=forged, user="U0EVILAPP1")
    rig.slack.disturb(POST, "drop_before")
    await ticks(rig, 4)
    assert [message.text == "Mine" for message in rig.slack.messages()] == [True, False]


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
    await redraw(rig, request)
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


async def test_an_unknown_copy_that_was_pressed_is_painted_and_loses_its_buttons_with_the_other(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    (card,) = rig.slack.messages()
    workspace = rig.slack.world.workspace
    twin = workspace.post(workspace.channels[card.channel], card.text, card.blocks, metadata=card.metadata)
    assert await rig.cards.adopt((twin.channel, twin.ts), buttons(card)[ids.APPROVE], rig.new_token)
    await ticks(rig, 1)
    assert (twin.edits, buttons(twin)[ids.APPROVE] != buttons(card)[ids.APPROVE]) == (1, True)
    await end(rig, request)
    await ticks(rig, 1)
    assert [ids.APPROVE in buttons(message) for message in rig.slack.messages()] == [False, False]
