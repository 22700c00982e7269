"""Payloads become values once, at the door; whatever JSON comes in, parsing it never fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.request import Verdict
from blocks import ids
from handlers.payloads import Body, parse_action, parse_command, parse_opened, parse_submission

NAMES = [
    *("type", "actions", "action_id", "block_id", "action_ts", "value", "container", "channel_id", "message_ts"),
    *("view_id", "team", "user", "id", "trigger_id", "response_url", "view", "state", "values", "private_metadata"),
    *("callback_id", "event", "tab", "event_id", "team_id", "user_id", "text", "reason", "comment"),
]
WORDS = ["home", ids.APPROVE, ids.DECIDE_MODAL, "pim_decide:1", "U1", ""]
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=40,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=12)


def action(**over: Any) -> dict[str, Any]:  # noqa: ANN401 - wrong types on purpose
    """A press on Approve in a channel."""
    pressed = {"action_id": ids.APPROVE, "block_id": "pim_decide:3", "value": "token", "action_ts": "17.5"}
    container = {"type": "message", "message_ts": "17.1", "channel_id": "C1"}
    body = {"team": {"id": "T1"}, "user": {"id": "U1"}, "container": container, "actions": [pressed]}
    return {**body, "trigger_id": "t1", "response_url": "https://hooks.slack.com/x", **over}


@given(body=BODIES)
def test_no_payload_breaks_a_parser(body: Body) -> None:
    parsed = (parse_action(body), parse_submission(body), parse_command(body), parse_opened(body))
    assert len(parsed) == 4


@given(body=BODIES)
def test_what_is_parsed_is_text_and_names_us(body: Body) -> None:
    found = parse_action(action(**body))
    if found is not None:
        assert found.action_id in ids.ACTIONS
        assert all(isinstance(getattr(found, name), str) for name in found.__slots__)


def test_a_press_is_read_from_where_slack_puts_it() -> None:
    found = parse_action(action())
    assert found is not None
    assert (found.team, found.user, found.channel, found.ts) == ("T1", "U1", "C1", "17.1")
    assert (found.value, found.verdict, found.trigger_id) == ("token", Verdict.APPROVE, "t1")


@pytest.mark.parametrize(
    "over",
    [
        {"user": {"id": "U2"}},
        {"team": {"id": "T2"}},
        {"container": {"message_ts": "17.2", "channel_id": "C1"}},
        {"container": {"message_ts": "17.1", "channel_id": "C2"}},
        {"container": {"view_id": "V1"}},
        {"actions": [{**action()["actions"][0], "action_ts": "17.6"}]},
        {"actions": [{**action()["actions"][0], "action_id": ids.DENY}]},
    ],
)
def test_another_press_has_another_key(over: dict[str, Any]) -> None:
    first, other = parse_action(action()), parse_action(action(**over))
    assert first is not None
    assert other is not None
    assert first.key != other.key


@pytest.mark.parametrize("over", [{"trigger_id": "t2"}, {"response_url": ""}, {"message": {"text": "x"}}])
def test_the_same_press_has_the_same_key_whatever_comes_with_it(over: dict[str, Any]) -> None:
    first, again = parse_action(action()), parse_action(action(**over))
    assert first is not None
    assert again is not None
    assert first.key == again.key


def test_two_homes_are_two_places() -> None:
    keys = [parse_action(action(container={"type": "view", "view_id": view})) for view in ("V1", "V2")]
    assert keys[0] is not None
    assert keys[1] is not None
    assert keys[0].key != keys[1].key
    assert keys[0].ts == ""


def test_a_submission_is_the_token_and_what_was_written() -> None:
    values = {"reason": {"pim_reason": {"type": "plain_text_input", "value": "Not on call"}}}
    view = {"id": "V1", "callback_id": ids.DECIDE_MODAL, "private_metadata": "m1", "state": {"values": values}}
    body = {"team": {"id": "T1"}, "user": {"id": "U1"}, "trigger_id": "t1", "view": view}
    found = parse_submission(body)
    assert found is not None
    assert (found.token, found.view_id, found.comment, found.block_id) == ("m1", "V1", "Not on call", "reason")
    assert found.key == "submission:t1"


@pytest.mark.parametrize("over", [{"callback_id": "pim_other"}, {"private_metadata": ""}, {"private_metadata": None}])
def test_another_form_is_no_submission_of_ours(over: dict[str, Any]) -> None:
    view = {"id": "V1", "callback_id": ids.DECIDE_MODAL, "private_metadata": "m1", **over}
    assert parse_submission({"view": view}) is None


@pytest.mark.parametrize(
    "text, words",
    [("", ()), ("  ", ()), ("history", ("history",)), (" History  <@U1|Rob>\t7d ", ("History", "<@U1|Rob>", "7d"))],
)
def test_a_command_is_cut_at_blanks(text: str, words: tuple[str, ...]) -> None:
    assert parse_command({"team_id": "T1", "user_id": "U1", "text": text, "trigger_id": "t1"}).words == words


def test_only_the_home_tab_is_home() -> None:
    event = {"team_id": "T1", "event_id": "Ev1", "event": {"user": "U1", "tab": "home"}}
    found = parse_opened(event)
    assert found is not None
    assert (found.user, found.key) == ("U1", "event:Ev1")
    assert parse_opened({**event, "event": {"user": "U1", "tab": "messages"}}) is None
