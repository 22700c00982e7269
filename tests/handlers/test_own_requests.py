"""Requestors press Withdraw: in their message, in `/pim mine`, on App Home. Each is answered where they pressed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from bolt_rig import BoltRig, addresses, slack_no, texts
from build import a_request, decided
from people import adm_rob, ann, ben, rita, rob, slack_of

from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Status
from app.ports import Letter, Topic
from app.store.directs import StoredDirects
from blocks import ids

DM, TS = "D0ROB00001", "1700000000.000200"


def elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def withdraw_tokens(blocks: list[dict[str, Any]]) -> list[str]:
    return [element["value"] for element in elements(blocks) if element["action_id"] == ids.WITHDRAW]


async def followed(rig: BoltRig, **over: object) -> tuple[ActivationRequest, Letter]:
    """Rob's request, and the message in which he follows it, as Slack shows it."""
    request = await rig.house.ask(a_request(**over))
    directs = StoredDirects(rig.house.store, rig.house.new_id)
    await rig.house.book.matched(request.key, Match(How.BY_MAIL, slack_of(rob)), rig.house.clock())
    (letter,) = await directs.unpainted(10)
    await directs.trying(letter.direct, DM)
    assert await directs.painted(letter, TS)
    return request, letter


async def press(rig: BoltRig, letter: Letter, action_id: str = ids.WITHDRAW) -> None:
    container = {"type": "message", "message_ts": TS, "channel_id": DM}
    await rig.act(rig.press(rob, action_id, letter.entries[0].token, container=container))


async def test_withdraw_in_the_message_that_follows_the_request(rig: BoltRig) -> None:
    await rig.house.link(rob)
    request, letter = await followed(rig)
    await press(rig, letter)
    assert (await rig.house.row(request)).status is Status.CANCELED
    (whisper,) = rig.screens.whispers
    assert "Your request is withdrawn" in texts(whisper.blocks)
    assert rig.wakes
    assert await rig.outcomes() == ["withdrawn"]


async def test_without_a_sign_in_they_get_the_way_to_it_and_nothing_is_withdrawn(rig: BoltRig) -> None:
    request, letter = await followed(rig)
    await press(rig, letter)
    (whisper,) = rig.screens.whispers
    assert addresses(whisper.blocks)
    assert (await rig.house.row(request)).status is Status.PENDING


async def test_a_request_of_ones_other_account_is_refused_in_words(rig: BoltRig) -> None:
    await rig.house.link(rob)
    _, letter = await followed(rig, requestor=adm_rob)
    await press(rig, letter)
    assert adm_rob.upn in rig.screens.whispers[0].text


async def test_a_press_that_slack_delivers_again_is_one(rig: BoltRig) -> None:
    await rig.house.link(rob)
    _, letter = await followed(rig)
    container = {"type": "message", "message_ts": TS, "channel_id": DM}
    payload = rig.press(rob, ids.WITHDRAW, letter.entries[0].token, container=container)
    for _ in range(3):
        await rig.act(payload)
    assert (rig.house.desk.count("cancel"), len(rig.screens.whispers)) == (1, 1)


async def test_mine_has_a_button_for_what_still_waits_alone(rig: BoltRig) -> None:
    await rig.house.link(rob)
    request, over = await rig.house.ask(), await rig.house.ask()
    await rig.house.ask(a_request(created=rig.house.clock() - timedelta(hours=25)))
    await rig.house.ask(a_request(requestor=rita))
    await rig.house.book.settle(over.key, Status.DENIED, decided(), None, rig.house.clock())
    answer = await rig.type(rob, "mine")
    (token,) = withdraw_tokens(answer["blocks"])
    await rig.act(rig.press(rob, ids.WITHDRAW, token))
    assert (await rig.house.row(request)).status is Status.CANCELED
    assert "Your request is withdrawn" in texts(rig.screens.whispers[0].blocks)
    assert withdraw_tokens((await rig.type(rob, "mine"))["blocks"]) == []


@pytest.mark.parametrize("which", ["approved", "history"])
async def test_other_lists_have_no_such_button(rig: BoltRig, which: str) -> None:
    await rig.house.link(rob)
    await rig.house.ask()
    assert withdraw_tokens((await rig.type(rob, which))["blocks"]) == []


async def test_the_list_before_the_last_one_is_out_of_date(rig: BoltRig) -> None:
    await rig.house.link(rob)
    await rig.house.ask()
    (old,) = withdraw_tokens((await rig.type(rob, "mine"))["blocks"])
    await rig.type(rob, "mine")
    await rig.act(rig.press(rob, ids.WITHDRAW, old))
    assert "out of date" in rig.screens.whispers[0].text
    assert rig.house.desk.count("cancel") == 0


async def home(rig: BoltRig) -> dict[str, Any]:
    await rig.deliver_event(rig.home_opened(rob))
    await rig.settled()
    return rig.screens.homes[slack_of(rob)]


async def test_withdraw_on_app_home_is_answered_in_a_modal(rig: BoltRig) -> None:
    await rig.house.link(rob)
    request = await rig.house.ask()
    view = await home(rig)
    assert ids.APPROVE not in [element["action_id"] for element in elements(view["blocks"])]
    (token,) = withdraw_tokens(view["blocks"])
    await rig.act(rig.press_home(rob, ids.WITHDRAW, token))
    assert (await rig.house.row(request)).status is Status.CANCELED
    assert "Asking Microsoft" in texts(rig.screens.opened[0][1])
    assert "Your request is withdrawn" in texts(rig.screens.updated[0][1])
    await rig.home.refresh()
    assert withdraw_tokens(rig.screens.homes[slack_of(rob)]["blocks"]) == []


async def test_a_refusal_on_app_home_stands_in_the_modal(rig: BoltRig) -> None:
    await rig.house.link(rob)
    request = await rig.house.ask()
    (token,) = withdraw_tokens((await home(rig))["blocks"])
    await rig.house.book.settle(request.key, Status.DENIED, decided(ann), None, rig.house.clock())
    await rig.act(rig.press_home(rob, ids.WITHDRAW, token))
    assert "already denied" in texts(rig.screens.updated[0][1])


async def test_a_modal_that_does_not_open_keeps_nobody_from_withdrawing(rig: BoltRig) -> None:
    await rig.house.link(rob)
    request = await rig.house.ask()
    (token,) = withdraw_tokens((await home(rig))["blocks"])
    rig.screens.failures["open_modal"] = slack_no("expired_trigger_id")
    await rig.act(rig.press_home(rob, ids.WITHDRAW, token))
    assert (await rig.house.row(request)).status is Status.CANCELED
    assert rig.screens.updated == []


async def test_without_a_sign_in_app_home_has_no_such_button(rig: BoltRig) -> None:
    await rig.house.ask()
    assert withdraw_tokens((await home(rig))["blocks"]) == []


# Nudge


async def test_nudge_asks_the_approvers_again_and_says_when_the_next_is_possible(rig: BoltRig) -> None:
    request, letter = await followed(rig)
    await press(rig, letter, ids.NUDGE)
    asked = [one.direct for one in await directs_of(rig) if one.direct.topic is Topic.NUDGE]
    assert {direct.slack_user for direct in asked} == {slack_of(ann), slack_of(ben)}
    (whisper,) = rig.screens.whispers
    assert "2 approvers were asked again" in whisper.text
    assert "You can ask again from 10:30" in whisper.text
    assert (await rig.house.row(request)).nudged_at == rig.house.clock()
    assert rig.wakes


async def test_nudge_within_the_hour_asks_nobody_and_says_so(rig: BoltRig) -> None:
    _, letter = await followed(rig)
    await press(rig, letter, ids.NUDGE)
    rig.house.clock.advance(timedelta(minutes=59))
    await press(rig, letter, ids.NUDGE)
    assert "Nobody was asked" in rig.screens.whispers[1].text
    assert len([one for one in await directs_of(rig) if one.direct.topic is Topic.NUDGE]) == 2
    rig.house.clock.advance(timedelta(minutes=1))
    await press(rig, letter, ids.NUDGE)
    assert "were asked again" in rig.screens.whispers[2].text


async def test_nudge_says_when_nobody_can_be_asked(rig: BoltRig) -> None:
    rig.audience.users = {}
    _, letter = await followed(rig)
    await press(rig, letter, ids.NUDGE)
    assert "Nobody was asked" in rig.screens.whispers[0].text


async def test_an_old_button_nudges_nobody(rig: BoltRig) -> None:
    await followed(rig)
    container = {"type": "message", "message_ts": TS, "channel_id": DM}
    await rig.act(rig.press(rob, ids.NUDGE, "a token of somebody", container=container))
    assert "out of date" in rig.screens.whispers[0].text
    assert [one for one in await directs_of(rig) if one.direct.topic is Topic.NUDGE] == []


async def directs_of(rig: BoltRig) -> Sequence[Letter]:
    return await StoredDirects(rig.house.store, rig.house.new_id).unpainted(20)
