"""What requestors read of their own request: golden JSON of the message that follows it and of the last calls."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.lifecycle import Holding
from app.domain.request import Status
from blocks import ids
from blocks.message import Message
from blocks.own_request import asked_again, asked_too_soon, dying, ending, following
from tests.blocks import samples

GOLDEN = Path(__file__).parent / "golden" / "own"
STATES = samples.every_state()
SEEN = samples.NOW - timedelta(minutes=59)
FOLLOWED = (
    *("pending", "pending_looked_at", "pending_over", "undecidable", "deciding", "many_approvers", "nobody_approves"),
    *("stale", "approved", "approved_in_portal", "denied", "expired", "canceled", "failed", "unknown"),
)
HELD = samples.row(
    Status.APPROVED,
    holding=Holding(samples.NOW - timedelta(hours=2), samples.NOW + timedelta(minutes=14)),
    decided=samples.decided("Fine"),
)


def shown(message: Message | None) -> Message:
    assert message is not None
    return message


PICTURES = {
    **{state: following(STATES[state], "t0ken", seen=SEEN, now=samples.NOW) for state in FOLLOWED},
    "nudged": following(replace(STATES["many_approvers"], nudged_at=samples.NOW), "t0ken", seen=SEEN, now=samples.NOW),
    "dying": shown(dying(STATES["pending_last_minutes"], now=samples.NOW)),
    "ending": shown(ending(HELD, now=samples.NOW)),
}


def words(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


@pytest.mark.parametrize("state", PICTURES)
def test_message_reads_as_agreed(state: str) -> None:
    """`PIM_UPDATE_GOLDEN=1 pytest tests/blocks` writes the files anew; read the difference before keeping it."""
    file = GOLDEN / f"{state}.json"
    drawn = json.dumps(PICTURES[state].payload(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("PIM_UPDATE_GOLDEN"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


def test_golden_folder_holds_these_messages_and_nothing_else() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == PICTURES.keys()


@pytest.mark.parametrize("state", STATES)
def test_it_never_names_who_is_looking_or_deciding(state: str) -> None:
    row = STATES[state]
    if row.status.open:
        drawn = following(replace(row, questions=()), "t0ken", seen=None, now=samples.NOW)
        assert samples.ANN.name not in words(drawn) + drawn.text


def test_it_says_that_nobody_can_approve() -> None:
    assert "name nobody who can approve" in words(PICTURES["nobody_approves"])


@pytest.mark.parametrize("name", ["dying", "ending"])
def test_a_last_call_brings_the_way_to_ask_again_and_the_reason_to_copy(name: str) -> None:
    drawn = words(PICTURES[name])
    assert "rich_text_preformatted" in drawn
    assert "Move the mailboxes of the Lyon office to the new hub" in drawn
    assert f'"action_id": "{ids.ASK_AGAIN}"' in drawn
    assert "I ask for no role in your name" in PICTURES[name].text


def test_without_a_reason_there_is_nothing_to_copy() -> None:
    row = replace(HELD, request=replace(HELD.request, justification="  "))
    drawn = words(shown(ending(row, now=samples.NOW)))
    assert "preformatted" not in drawn
    assert "to copy" not in drawn


@pytest.mark.parametrize("state", [name for name, row in STATES.items() if not row.status.open])
def test_what_has_ended_is_not_dying(state: str) -> None:
    assert dying(STATES[state], now=samples.NOW) is None


def test_last_calls_that_come_too_late_say_nothing() -> None:
    assert dying(STATES["pending_over"], now=samples.NOW) is None
    assert ending(HELD, now=samples.NOW + timedelta(minutes=14)) is None
    assert ending(STATES["approved_early"], now=samples.NOW) is None
    assert ending(STATES["approved_unseen"], now=samples.NOW) is None


def test_answers_to_a_nudge_say_how_many_and_from_when_on_again() -> None:
    again = samples.NOW + timedelta(hours=1)
    row = STATES["pending"]
    one, two = (asked_again(row, count, again, samples.NOW) for count in (1, 2))
    late = asked_too_soon(row, again, samples.NOW)
    assert (one.text[:29], two.text[:31]) == ("1 approver was asked again ab", "2 approvers were asked again ab")
    assert late.text.startswith("Nobody was asked")
    assert all('"type": "date"' in words(message) for message in (one, two, late))


@pytest.mark.parametrize("state", STATES)
def test_buttons_are_there_only_while_it_waits(state: str) -> None:
    row = STATES[state]
    drawn = words(following(row, "t0ken", seen=SEEN, now=samples.NOW))
    waits = row.status is Status.PENDING and state != "pending_over"
    assert (ids.WITHDRAW in drawn, ids.NUDGE in drawn and not waits) == (waits, False)
