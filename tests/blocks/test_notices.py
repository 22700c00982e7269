"""Direct messages, whispers and the channel's notes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.request import Kind
from blocks import ids, notices
from blocks.message import Message
from tests.blocks import samples

STATES = samples.every_state()


def told(state: str) -> Message:
    message = notices.outcome_notice(STATES[state], now=samples.NOW)
    assert message is not None
    return message


def buttons(message: Message) -> list[dict[str, Any]]:
    return [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]


@pytest.mark.parametrize("state", ["pending", "deciding", "canceled"])
def test_requestor_hears_nothing_they_know_already(state: str) -> None:
    assert notices.outcome_notice(STATES[state], now=samples.NOW) is None


def test_approval_says_by_whom_with_what_words_and_until_when() -> None:
    words = json.dumps(told("approved").blocks)
    assert all(part in words for part in ("Ann Ames", "Fits CHG0031337", "Active until", "2026-11-23 13:00 UTC"))
    assert buttons(told("approved")) == []


def test_approval_without_an_end_says_how_long() -> None:
    assert '"4 h"' in json.dumps(told("approved_in_portal").blocks)


@pytest.mark.parametrize("state", ["denied", "expired", "failed"])
def test_no_says_why_and_offers_to_ask_again(state: str) -> None:
    (button,) = buttons(told(state))
    assert button["action_id"] == ids.ASK_AGAIN
    assert button["url"].endswith("/ActivationMenuBlade/~/aadmigratedroles")
    assert "Nothing was activated" in json.dumps(told(state).blocks)


def test_denial_carries_the_reason_in_both_texts() -> None:
    message = told("denied")
    assert "Two hours are enough" in message.text
    assert "Two hours are enough" in json.dumps(message.blocks)


def test_links_follow_the_kind_of_request() -> None:
    request = replace(samples.REQUEST, key=replace(samples.REQUEST.key, kind=Kind.GROUP))
    message = notices.outcome_notice(replace(STATES["denied"], request=request), now=samples.NOW)
    assert message is not None
    assert buttons(message)[0]["url"].endswith("/~/aadgroup")


def test_not_linked_whisper_holds_the_one_time_address_once() -> None:
    message = notices.not_linked(samples.URL)
    assert [(button["action_id"], button["url"]) for button in buttons(message)] == [(ids.SIGN_IN_PAGE, samples.URL)]
    assert samples.URL not in message.text


@pytest.mark.parametrize("shown,expected", [(True, [ids.SIGN_IN, ids.PORTAL]), (False, [ids.PORTAL])])
def test_channel_note_has_its_sign_in_button_only_when_asked(*, shown: bool, expected: list[str]) -> None:
    message = notices.channel_note(notices.blind_words(Kind), button_shown=shown, version=1)
    assert [button["action_id"] for button in buttons(message)] == expected
    assert not [button for button in buttons(message) if button["action_id"] == ids.SIGN_IN and "url" in button]


def test_channel_note_gets_new_ids_with_each_version() -> None:
    versions = [notices.channel_note("words", button_shown=True, version=version) for version in (1, 2)]
    first, second = ({block["block_id"] for block in message.blocks} for message in versions)
    assert not first & second


@pytest.mark.parametrize(
    "appeared,said", [(0, "Nothing was missed."), (1, "1 new request found."), (2, "2 new requests found.")]
)
def test_sight_back_says_what_was_missed(appeared: int, said: str) -> None:
    assert notices.sighted_words([Kind.ENTRA], appeared).endswith(said)


def test_refusal_is_said_in_both_texts() -> None:
    message = notices.refusal("This is your own request. Nothing was changed.")
    assert message.text in json.dumps(message.blocks)


def test_stamp_is_kept_in_the_payload() -> None:
    stamped = notices.restarted().stamped(ids.NOTICE_EVENT, notice="n1")
    assert stamped.payload()["metadata"] == {"event_type": "pim_notice", "event_payload": {"notice": "n1"}}
    assert "metadata" not in notices.restarted().payload()
