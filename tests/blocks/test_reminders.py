"""Direct messages in which an approver decides: golden JSON alone and among others, and whose buttons stand where."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.policy import Policy
from app.domain.request import Status
from app.domain.ruling import portal_only
from blocks import ids, reminders
from blocks.card import card as draw_card
from blocks.message import Message
from blocks.reminders import MOST_LINES, MOST_WITH_BUTTONS, Item, deciding_message, many_wait
from tests.blocks import samples

GOLDEN = Path(__file__).parent / "golden" / "directs"
STATES = samples.every_state()
CARD = "https://team.slack.com/archives/C1/p1"


def item(row: samples.RequestRow, token: str) -> Item:
    return Item(row, token, CARD, portal_only(row, Policy()))


def show(*rows: samples.RequestRow, now: object = samples.NOW) -> Message:
    items = [item(row, f"t0ken-{number}") for number, row in enumerate(rows)]
    return deciding_message(many_wait(len(items)), items, now=now)


def buttons(message: Message) -> list[dict[str, Any]]:
    return [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]


def words(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


PICTURES = {
    **{state: show(row) for state, row in STATES.items()},
    "several": show(*(STATES[name] for name in ("pending_critical", "deciding", "pending", "denied", "undecidable"))),
    "too_many": show(*[STATES["pending"]] * 20),
}


@pytest.mark.parametrize("state", PICTURES)
def test_message_reads_as_agreed(state: str) -> None:
    """`PIM_UPDATE_GOLDEN=1 pytest tests/blocks` writes the files anew; read the difference before keeping it."""
    file = GOLDEN / f"{state}.json"
    shown = json.dumps(PICTURES[state].payload(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("PIM_UPDATE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_golden_folder_holds_these_messages_and_nothing_else() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == PICTURES.keys()


def test_one_request_has_the_same_buttons_as_its_card() -> None:
    shown = {button["action_id"]: button.get("value") for button in buttons(show(STATES["pending"]))}
    card = buttons(draw_card(STATES["pending"], "t0ken-0", card_id="c1", now=samples.NOW))
    assert shown == {button["action_id"]: button.get("value") for button in card}
    assert shown[ids.APPROVE] == "t0ken-0"


def test_each_of_several_has_its_own_token() -> None:
    shown = [button["value"] for button in buttons(show(STATES["pending"], STATES["pending_critical"]))]
    assert shown == ["t0ken-0", "t0ken-0", "t0ken-1", "t0ken-1"]


@pytest.mark.parametrize("state", [name for name, row in STATES.items() if row.status is not Status.PENDING])
def test_no_button_once_it_is_not_pending(state: str) -> None:
    assert buttons(show(STATES[state])) == []
    among = buttons(show(STATES["pending"], STATES[state]))
    assert {button["value"] for button in among} == {"t0ken-0"}


@pytest.mark.parametrize("count", [1, 2])
def test_no_button_once_the_24_hours_are_over(count: int) -> None:
    message = show(*[STATES["pending_over"]] * count)
    assert buttons(message) == []
    assert "24 hours are over" in words(message)
    assert reminders.NOTHING_LEFT in message.text


@pytest.mark.parametrize("state", ["undecidable", "stale", "nobody_approves"])
def test_what_nobody_can_decide_here_has_only_the_portal_button(state: str) -> None:
    for message in (show(STATES[state]), show(*[STATES[state]] * 2)):
        assert {button["action_id"] for button in buttons(message)} == {ids.PORTAL}


def test_never_green_at_high_or_among_several() -> None:
    assert buttons(show(STATES["pending_low"]))[0]["style"] == "primary"
    assert "primary" not in words(show(STATES["pending"]))
    assert "primary" not in words(show(STATES["pending_low"], STATES["pending"]))


def test_every_message_has_a_way_to_the_card() -> None:
    for state in ("pending", "denied"):
        assert words(show(STATES[state])).count(CARD) == 1
    assert words(show(STATES["pending"], STATES["pending"])).count(CARD) == 2
    nowhere = replace(item(STATES["pending"], "t0ken"), card_url="")
    assert "archives" not in words(deciding_message("It waits.", [nowhere], now=samples.NOW))


def test_what_has_no_room_for_buttons_is_a_line_or_counted() -> None:
    message = show(*[STATES["pending"]] * 20)
    assert len(buttons(message)) == 2 * MOST_WITH_BUTTONS
    assert words(message).count(CARD) == MOST_WITH_BUTTONS + MOST_LINES
    assert f"… and {20 - MOST_WITH_BUTTONS - MOST_LINES} more" in words(message)


def test_the_headline_goes_when_nothing_is_left() -> None:
    still, over = show(STATES["pending"], STATES["denied"]), show(STATES["denied"], STATES["canceled"])
    assert many_wait(2) in still.text
    assert (many_wait(2) in over.text, reminders.NOTHING_LEFT in over.text) == (False, True)


def test_new_version_has_new_block_ids() -> None:
    row = STATES["pending"]
    before, after = show(row), show(replace(row, version=row.version + 1))
    named = [{block["block_id"] for block in one.blocks if block.get("block_id")} for one in (before, after)]
    assert not named[0] & named[1]
    assert all(map(ids.ours, named[0] | named[1]))


def test_the_deadline_says_when_time_ran_out() -> None:
    late = samples.NOW + timedelta(hours=24)
    assert "time ran out" in show(STATES["pending"], now=late).text
