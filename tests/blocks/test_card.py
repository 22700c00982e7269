"""The card in every state: golden JSON, which buttons it has, and what it says where."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.arrival import Step
from app.domain.policy import Policy
from app.domain.request import Status, Ticket
from app.domain.ruling import portal_only
from blocks import ids
from blocks.card import OCCASIONS, Call, card, fallback_card
from blocks.message import Message
from tests.blocks import samples

GOLDEN = Path(__file__).parent / "golden"
STATES = samples.every_state()


def show(row: samples.RequestRow) -> Message:
    return card(row, "t0ken", card_id="card-1", now=samples.NOW, closed=portal_only(row, Policy()))


def buttons(message: Message) -> list[dict[str, Any]]:
    return [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]


def menu(message: Message) -> list[dict[str, Any]]:
    """What the menu beside the buttons offers."""
    return [option for element in buttons(message) for option in element.get("options", ())]


@pytest.mark.parametrize("state", STATES)
def test_card_reads_as_agreed(state: str) -> None:
    """`PIM_UPDATE_GOLDEN=1 pytest tests/blocks` writes the files anew; read the difference before keeping it."""
    file = GOLDEN / f"{state}.json"
    shown = json.dumps(show(STATES[state]).payload(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("PIM_UPDATE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_golden_folder_holds_the_states_and_nothing_else() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(STATES)


@pytest.mark.parametrize("state", [name for name, row in STATES.items() if row.status is not Status.PENDING])
def test_no_button_once_it_is_not_pending(state: str) -> None:
    decisions = {ids.APPROVE, ids.DENY, ids.MORE, ids.PORTAL}
    assert not decisions & {button["action_id"] for button in buttons(show(STATES[state]))}


@pytest.mark.parametrize("state", [name for name, row in STATES.items() if row.status is not Status.PENDING])
def test_only_an_active_role_has_a_way_back(state: str) -> None:
    assert [button["action_id"] for button in buttons(show(STATES[state]))] == [ids.REMOVE] * (state == "approved")


def test_a_first_post_names_whom_it_is_for_and_a_repaint_nobody() -> None:
    row = STATES["pending"]
    first = card(row, "t0ken", card_id="c", now=samples.NOW, call=Call(("U0ANN00001", "S0ONCALL01")))
    called = json.dumps([block for block in first.blocks if block["block_id"].startswith("pim_call")])
    assert '"user_id": "U0ANN00001"' in called
    assert '"usergroup_id": "S0ONCALL01"' in called
    assert first.text == show(row).text
    assert {"user", "usergroup"}.isdisjoint(re.findall(r'"type": "(\w+)"', json.dumps(show(row).blocks)))


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_message_of_ones_own_says_first_why_one_gets_it(occasion: str) -> None:
    own = card(STATES["pending"], "t0ken", card_id="c", now=samples.NOW, call=Call(occasion=occasion))
    assert own.text.startswith(OCCASIONS[occasion])
    assert OCCASIONS[occasion] in json.dumps(own.blocks[1])


def test_every_step_that_calls_people_has_its_words() -> None:
    assert set(OCCASIONS) == {Step.ARRIVAL, Step.NUDGE}


def test_no_button_once_the_24_hours_are_over() -> None:
    assert buttons(show(STATES["pending_over"])) == []


@pytest.mark.parametrize("state", ["undecidable", "stale", "nobody_approves"])
def test_what_nobody_can_decide_here_has_only_the_portal_button(state: str) -> None:
    assert [button["action_id"] for button in buttons(show(STATES[state]))] == [ids.PORTAL]


@pytest.mark.parametrize(
    "state, words",
    [
        ("undecidable", "only be decided in the portal"),
        ("stale", "no approval step is open"),
        ("nobody_approves", "name no approver"),
        ("uncheckable", "cannot be checked right now"),
        ("one_approver", "Only "),
        ("many_approvers", " and 6 more"),
        ("default_approvers", "no approver is named"),
        ("unknown", "may read how"),
        ("pending_looked_at", " is looking at this since "),
        ("pending_looked_at", " (1 more)"),
        ("pending_asked", " asked the requestor:"),
        ("pending_asked", "No answer yet."),
        ("pending_answered", "Only Lyon"),
        ("pending_last_minutes", "under 15 minutes left"),
        ("approved_scheduled", "Starts "),
        ("approved", "Active since "),
        ("approved_ended", "Active from "),
        ("approved_early", "ended early "),
        ("approved_revoked", "taken away "),
        ("approved_failed", "could not activate"),
        ("approved_lapsed_unseen", "no longer shows when"),
    ],
)
def test_card_says_what_is_special_about_it(state: str, words: str) -> None:
    assert words in json.dumps(show(STATES[state]).blocks)


def test_an_extension_has_no_deadline_of_24_hours() -> None:
    assert "Decide by" not in json.dumps(show(STATES["undecidable"]).blocks)


def test_pending_card_carries_the_token_and_nothing_else() -> None:
    values = {button["action_id"]: button.get("value") for button in buttons(show(STATES["pending"]))}
    assert values == {ids.APPROVE: "t0ken", ids.DENY: "t0ken", ids.MORE: None}
    assert [option["value"] for option in menu(show(STATES["pending"]))] == [
        "looking:t0ken",
        "ask:t0ken",
        "details:t0ken",
        "portal",
    ]


@pytest.mark.parametrize("state,style", [("pending", None), ("pending_critical", None), ("pending_low", "primary")])
def test_approve_is_green_only_below_high(state: str, style: str | None) -> None:
    approve = buttons(show(STATES[state]))[0]
    assert approve.get("style") == style


@pytest.mark.parametrize("state", STATES)
def test_every_version_keeps_rich_text(state: str) -> None:
    assert "rich_text" in {block["type"] for block in show(STATES[state]).blocks}


def test_new_version_has_new_block_ids() -> None:
    row = STATES["pending"]
    before = {block["block_id"] for block in show(row).blocks}
    after = {block["block_id"] for block in show(replace(row, version=row.version + 1)).blocks}
    assert not before & after
    assert all(map(ids.ours, before | after))


def test_metadata_names_the_copy_only() -> None:
    assert show(STATES["pending"]).metadata == {"event_type": "pim_card", "event_payload": {"card": "card-1"}}


def test_long_justification_is_cut_at_300_and_stays_on_one_line() -> None:
    row = samples.row(request=replace(samples.REQUEST, justification="why\n" * 200))
    quoted = next(
        part["elements"][0]["text"]
        for block in show(row).blocks
        if block["type"] == "rich_text"
        for part in block["elements"]
        if part["type"] == "rich_text_quote"
    )
    assert quoted.endswith("…")
    assert len(quoted) <= 300
    assert "\n" not in quoted


def test_a_ticket_is_a_link_where_its_page_is_known() -> None:
    drawn = card(STATES["pending"], "t", card_id="c", now=samples.NOW, ticket_url="https://tickets.example/CHG0031337")
    shown = json.dumps(drawn.blocks, sort_keys=True)
    assert '{"text": "CHG0031337", "type": "link", "url": "https://tickets.example/CHG0031337"}' in shown


def test_missing_ticket_is_said() -> None:
    row = samples.row(request=replace(samples.REQUEST, ticket=Ticket("  ", "ServiceNow")))
    assert '"No ticket"' in json.dumps(show(row).blocks)


def test_unreadable_duration_is_shown_raw() -> None:
    row = samples.row(request=replace(samples.REQUEST, duration=None, duration_text="P1M"))
    words = json.dumps(show(row).blocks)
    assert '"P1M"' in words
    assert "check it in the portal" in words


def test_our_own_approval_words_are_not_quoted_as_a_comment() -> None:
    row = samples.row(Status.APPROVED, decided=samples.decided("Approved in Slack"))
    assert "Approved in Slack" not in json.dumps(show(row).blocks)


def test_start_in_the_past_is_not_shown() -> None:
    row = samples.row(request=replace(samples.REQUEST, start=samples.NOW - timedelta(minutes=1)))
    assert "Starts" not in json.dumps(show(row).blocks)


def test_ended_role_says_when_it_ended() -> None:
    assert '"ended "' in json.dumps(show(STATES["approved_ended"]).blocks)


def test_fallback_card_has_no_blocks_and_says_where_to_decide() -> None:
    message = fallback_card(STATES["pending"], card_id="card-1", now=samples.NOW)
    assert message.blocks == []
    assert message.text.startswith("High: Bob Berg asks for Exchange Administrator for 4 h; decide by 24 Nov 08:00 UTC")
    assert "<https://entra.microsoft.com/#view/" in message.text
    assert message.metadata == {"event_type": "pim_card", "event_payload": {"card": "card-1"}}


def test_fallback_card_of_a_final_request_offers_nothing() -> None:
    message = fallback_card(STATES["denied"], card_id="card-1", now=samples.NOW)
    assert "denied 09:05 UTC by Ann Ames in Slack: Two hours" in message.text
    assert "portal" not in message.text
