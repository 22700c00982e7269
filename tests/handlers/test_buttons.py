"""Presses: a modal of one's own, or one sentence only oneself sees; never silence, never twice."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from bolt_rig import HOOK, BoltRig, BrokenInbox, Json, addresses, slack_no, texts
from build import NOW, a_request, decided
from people import CHANNEL, ann, ben, rita, rob

from app.domain.errors import Unavailable
from app.domain.request import Status
from app.ports import LinkState
from blocks import ids


async def test_a_press_is_acknowledged_with_nothing_and_opens_the_modal(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    answer = await rig.act(payload)
    assert (answer.status, answer.body) == (200, "")
    ((trigger, view),) = rig.screens.opened
    assert (trigger, view["callback_id"]) == (payload["trigger_id"], ids.DECIDE_MODAL)
    assert request.justification in texts(view)


@pytest.mark.parametrize(
    "action_id, inputs", [(ids.APPROVE, [ids.COMMENT_BLOCK]), (ids.DENY, [ids.TEMPLATE_BLOCK, ids.REASON_BLOCK])]
)
async def test_each_button_opens_its_own_form(rig: BoltRig, action_id: str, inputs: list[str]) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    await rig.act(await rig.press_card(ann, request, action_id))
    ((_, view),) = rig.screens.opened
    assert [part["block_id"] for part in view["blocks"] if part["type"] == "input"] == inputs


async def test_the_form_carries_a_token_that_only_our_memory_understands(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    token = await rig.open_form(ann, request)
    modal = await rig.house.cards.modal(token)
    assert modal is not None
    assert (modal.key, modal.digest) == (request.key, request.digest)
    assert request.key.id not in token


async def test_the_press_is_a_row_that_is_closed_when_answered(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    await rig.act(await rig.press_card(ann, request))
    assert await rig.outcomes() == ["modal opened"]


# Refused


async def refused(rig: BoltRig, payload: dict[str, Any]) -> str:
    """Press; the one sentence that comes instead of a modal."""
    answer = await rig.act(payload)
    assert (answer.status, answer.body, rig.screens.opened) == (200, "", [])
    (whisper,) = rig.screens.whispers
    assert (whisper.address, whisper.replace) == (HOOK, False)
    return whisper.text


async def test_ones_own_request_is_refused_in_a_whisper(rig: BoltRig) -> None:
    request = await rig.house.ask(approvers=(ann, rob))
    await rig.house.link(rob)
    assert "your own request" in await refused(rig, await rig.press_card(rob, request))
    assert await rig.outcomes() == ["refused: own_request"]


@pytest.mark.parametrize("status, word", [(Status.APPROVED, "already approved"), (Status.CANCELED, "withdrew")])
async def test_a_request_that_ended_is_refused_in_a_whisper(rig: BoltRig, status: Status, word: str) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    await rig.house.book.settle(request.key, status, decided(ben), None, rig.house.clock())
    assert word in await refused(rig, payload)


@pytest.mark.parametrize(
    "over",
    [
        {"container": {"type": "message", "message_ts": "1.1", "channel_id": CHANNEL}},
        {"container": {"type": "message", "message_ts": "", "channel_id": CHANNEL}},
        {"container": {"type": "view", "view_id": "V1"}},
        {"container": None},
    ],
)
async def test_a_press_at_another_place_than_the_card_is_refused(rig: BoltRig, over: dict[str, object]) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    assert "Nothing was changed" in await refused(rig, await rig.press_card(ann, request) | over)


async def test_a_token_of_another_card_is_refused(rig: BoltRig) -> None:
    first, second = await rig.house.ask(), await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, first)
    payload["actions"][0]["value"] = (await rig.house.card(second)).token
    assert "Nothing was changed" in await refused(rig, payload)


async def test_what_the_message_in_the_payload_says_is_not_read(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    fake = {"text": "Rob asks for Reports Reader", "blocks": [{"type": "section", "text": "Reports Reader"}]}
    await rig.act(await rig.press_card(ann, request, message=fake))
    ((_, view),) = rig.screens.opened
    assert "Exchange Administrator" in texts(view)
    assert "Reports Reader" not in texts(view)


# Signing in


async def test_who_is_not_signed_in_gets_an_address_of_their_own(rig: BoltRig) -> None:
    request = await rig.house.ask()
    for person in (ann, ben):
        await rig.act(await rig.press_card(person, request))
    found = [addresses(whisper.blocks) for whisper in rig.screens.whispers]
    assert [len(one) for one in found] == [1, 1]
    assert found[0] != found[1]
    assert rig.screens.opened == []


async def test_whose_session_is_over_gets_one_too(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann, state=LinkState.SUSPENDED)
    await rig.act(await rig.press_card(ann, request))
    (whisper,) = rig.screens.whispers
    assert len(addresses(whisper.blocks)) == 1


async def test_an_address_is_for_the_account_that_pressed(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.act(await rig.press_card(ben, request))
    token = addresses(rig.screens.whispers[0].blocks)[0].rsplit("/", 1)[1]
    going = await rig.linking.start(token)
    assert going.cookie
    rows = await rig.house.sql("SELECT slack_user FROM inbox")
    assert rows == [{"slack_user": "U0BEN00001"}]


async def test_the_button_of_a_shared_note_gives_each_person_their_own_address(rig: BoltRig) -> None:
    for person in (ann, rita, ann):
        await rig.act(rig.press(person, ids.SIGN_IN, "sign_in"))
    found = [address for whisper in rig.screens.whispers for address in addresses(whisper.blocks)]
    assert len(set(found)) == 3
    assert set(await rig.outcomes()) == {"sign-in address given"}


# Once


async def test_a_replayed_press_is_acknowledged_and_does_nothing(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    answers = [await rig.act(payload) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(rig.screens.opened) == 1


async def test_twenty_replays_at_once_are_one_press(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    answers = await asyncio.gather(*(rig.deliver(payload) for _ in range(20)))
    await rig.settled()
    assert {answer.status for answer in answers} == {200}
    assert (len(rig.screens.opened), rig.screens.whispers) == (1, [])


async def test_pressing_again_later_is_another_press(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    for _ in range(2):
        await rig.act(await rig.press_card(ann, request))
    assert len(rig.screens.opened) == 2


async def test_two_people_at_the_same_moment_are_two_presses(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann, ben)
    payload = await rig.press_card(ann, request)
    other = {**payload, "user": rig.common(ben)["user"]}
    await asyncio.gather(rig.deliver(payload), rig.deliver(other))
    await rig.settled()
    assert len(rig.screens.opened) == 2


# Payloads that are not ours


def changed(payload: dict[str, Any], **action: object) -> dict[str, Any]:
    return {**payload, "actions": [{**payload["actions"][0], **action}]}


@pytest.mark.parametrize(
    "action",
    [
        {"action_id": "pim_grant_all"},
        {"action_id": ""},
        {"action_id": "approve"},
        {"block_id": "someone_elses"},
        {"block_id": ""},
        {"block_id": None},
        {"block_id": "x_pim_decide:1"},
    ],
    ids=str,
)
async def test_a_button_that_is_not_ours_is_acknowledged_and_means_nothing(
    rig: BoltRig, action: dict[str, object]
) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    answer = await rig.act(changed(await rig.press_card(ann, request), **action))
    assert (answer.status, answer.body) == (200, "")
    assert (rig.screens.opened, rig.screens.whispers, await rig.outcomes()) == ([], [], [])


async def test_two_actions_in_one_payload_are_acknowledged_and_mean_nothing(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    payload["actions"] *= 2
    assert (await rig.act(payload)).status == 200
    assert (rig.screens.opened, await rig.outcomes()) == ([], [])


@pytest.mark.parametrize("action_id", sorted(ids.LINK_ACTIONS))
async def test_a_button_that_opens_an_address_needs_only_its_ack(rig: BoltRig, action_id: str) -> None:
    answer = await rig.act(rig.press(ann, action_id))
    assert (answer.status, answer.body) == (200, "")
    assert (rig.screens.whispers, await rig.outcomes()) == ([], [])


# Paging


async def test_older_turns_the_page_in_place(rig: BoltRig) -> None:
    for _ in range(12):
        await rig.house.ask()
    await rig.house.link(ann)
    first = await rig.type(ann, "history")
    cursor = next(e["value"] for b in first["blocks"] for e in b.get("elements", ()) if e.get("action_id") == ids.PAGE)
    await rig.act(rig.press(ann, ids.PAGE, cursor))
    (whisper,) = rig.screens.whispers
    assert (whisper.replace, "Older" in texts(whisper.blocks)) == (True, False)
    assert len([block for block in whisper.blocks if "Exchange" in texts(block)]) == 2


async def test_newer_comes_back_to_where_one_was(rig: BoltRig) -> None:
    for _ in range(25):
        await rig.house.ask()
    await rig.house.link(ann)
    pages = [(await rig.type(ann, "history"))["blocks"]]
    for action_id in (ids.PAGE, ids.PAGE, ids.NEWER, ids.NEWER):
        await rig.act(rig.press(ann, action_id, carried(pages[-1], action_id)))
        pages.append(rig.screens.whispers[-1].blocks)
    entries = [[texts(block) for block in page if "Exchange" in texts(block)] for page in pages]
    assert [len(page) for page in entries] == [10, 10, 5, 10, 10]
    assert entries[3:] == [entries[1], entries[0]]
    assert [carried(pages[-1], ids.NEWER), bool(carried(pages[-1], ids.PAGE))] == ["", True]


async def test_what_waits_has_pages_too(rig: BoltRig) -> None:
    for number in range(12):
        await rig.house.ask(a_request(created=NOW - timedelta(minutes=number)))
    await rig.house.link(ann)
    first = await rig.type(ann, "pending")
    assert first["text"].startswith("Waiting for a decision: 12.")
    await rig.act(rig.press(ann, ids.PAGE, carried(first["blocks"], ids.PAGE)))
    assert len([block for block in rig.screens.whispers[-1].blocks if "Exchange" in texts(block)]) == 2


def carried(blocks: list[Json], action_id: str) -> str:
    """What a page button carries; empty where there is none."""
    buttons = [e for block in blocks for e in block.get("elements", ()) if e.get("action_id") == action_id]
    return buttons[0]["value"] if buttons else ""


@pytest.mark.parametrize("cursor", ["", "x", "é" * 10, "A" * 5000, "bnVsbA"])
async def test_a_cursor_somebody_made_up_is_the_first_page(rig: BoltRig, cursor: str) -> None:
    await rig.house.ask()
    await rig.house.link(ann)
    await rig.act(rig.press(ann, ids.PAGE, cursor))
    (whisper,) = rig.screens.whispers
    assert "Exchange Administrator" in texts(whisper.blocks)


async def test_a_page_shows_a_stranger_nothing(rig: BoltRig) -> None:
    await rig.house.ask()
    await rig.act(rig.press(rita, ids.PAGE, ""))
    (whisper,) = rig.screens.whispers
    assert "Exchange" not in texts(whisper.blocks)
    assert len(addresses(whisper.blocks)) == 1


# When something is broken


async def test_a_modal_that_does_not_open_is_said_to_the_person(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    rig.screens.failures["open_modal"] = slack_no()
    await rig.act(await rig.press_card(ann, request))
    (whisper,) = rig.screens.whispers
    assert "press the button again" in whisper.text
    assert await rig.outcomes() == ["modal did not open"]


async def test_without_a_database_the_press_is_acknowledged_and_the_person_told(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable())
    assert "could not be recorded" in await refused(rig, payload)


async def test_a_bug_before_the_ack_is_a_sentence_and_a_line_in_the_log(
    rig: BoltRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(RuntimeError("a bug"))
    assert "went wrong" in await refused(rig, rig.press(ann, ids.SIGN_IN, "sign_in"))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("problem", [RuntimeError("a bug"), Unavailable()])
async def test_a_failure_after_the_ack_is_a_sentence_too(
    rig: BoltRig, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)

    async def fail(*_: object) -> None:
        raise problem

    payload = await rig.press_card(ann, request)
    monkeypatch.setattr(rig.house.cards, "by_place", fail)
    assert "went wrong" in await refused(rig, payload)


async def test_an_answer_that_slack_does_not_take_is_logged_and_hurts_nobody(
    rig: BoltRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.screens.failures["whisper"] = slack_no("expired_url")
    assert (await rig.act(rig.press(ann, ids.SIGN_IN, "sign_in"))).status == 200
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.WARNING]


async def test_a_row_that_cannot_be_closed_does_not_unsay_the_answer(rig: BoltRig) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable(), takes=True)
    await rig.act(rig.press(ann, ids.SIGN_IN, "sign_in"))
    (whisper,) = rig.screens.whispers
    assert len(addresses(whisper.blocks)) == 1


async def test_where_there_is_no_way_to_whisper_a_modal_answers(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.act(await rig.press_card(ann, request, response_url=None))
    assert (rig.screens.whispers, len(rig.screens.opened)) == ([], 1)
    assert addresses(rig.screens.opened[0][1])
