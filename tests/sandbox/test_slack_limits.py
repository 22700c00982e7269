"""The Block Kit validator and the pace keeper: each limit at its edge, each structural rule once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sandbox.slack_rig import START, actions, button, home, modal, mrkdwn, plain, quote, section, text_input

from app.sandbox.slack_limits import Pace, are_blocks_too_long, check_blocks, check_metadata, check_view

DIVIDER = {"type": "divider"}


def header(text: str) -> dict[str, object]:
    return {"type": "header", "text": plain(text)}


def fields(*texts: str) -> dict[str, object]:
    return {"type": "section", "fields": [mrkdwn(text) for text in texts]}


def select(count: int, chosen: str = "0") -> dict[str, object]:
    options = [{"text": plain(f"n{n}"), "value": str(n)} for n in range(count)]
    return {
        "type": "static_select",
        "action_id": "s",
        "options": options,
        "initial_option": {"text": plain("n0"), "value": chosen},
    }


def context(count: int) -> dict[str, object]:
    return {"type": "context", "elements": [mrkdwn("x")] * count}


AT_THE_EDGE = [
    (header("x" * 150), header("x" * 151)),
    (section("x" * 3000), section("x" * 3001)),
    (section("x"), section("")),
    (fields(*["x" * 2000] * 10), fields("x" * 2001)),
    (fields(*["x"] * 10), fields(*["x"] * 11)),
    (context(10), context(11)),
    (actions(*[button(f"b{n}") for n in range(25)]), actions(*[button(f"b{n}") for n in range(26)])),
    (actions(button("x" * 75)), actions(button("x" * 76))),
    (actions(button("b", value="v" * 2000)), actions(button("b", value="v" * 2001))),
    (actions(button("b", style="danger")), actions(button("b", style="warning"))),
    (actions(button("b", accessibility_label="a" * 75)), actions(button("b", accessibility_label="a" * 76))),
    (actions(select(100)), actions(select(101))),
    (actions(select(2)), actions(select(2, chosen="2"))),
    (section("x", block_id="i" * 255), section("x", block_id="i" * 256)),
    (quote("anything & <!channel>"), quote("")),
    (section("x", accessory=button("b")), section("x", accessory={"type": "plain_text_input", "action_id": "t"})),
    (text_input("a", max_length=3000), text_input("a", max_length=3001)),
    (text_input("a", min_length=2, max_length=3), text_input("a", min_length=4, max_length=3)),
    (header("a"), {"type": "header", "text": mrkdwn("a")}),
    (DIVIDER, {"type": "divider", "colour": "red"}),
]


@pytest.mark.parametrize("sound, broken", AT_THE_EDGE)
def test_a_limit_holds_at_its_edge(sound: dict[str, object], broken: dict[str, object]) -> None:
    assert check_blocks([sound], "message") == []
    assert len(check_blocks([broken], "message")) == 1


def test_lengths_are_counted_by_code_point() -> None:
    assert check_blocks([header("\N{LOCK}" * 150)], "message") == []


def test_a_fault_names_its_place() -> None:
    (line,) = check_blocks([DIVIDER, actions(button("b" * 76))], "message")
    assert line == "[ERROR] must be less than 76 characters [json-pointer:/blocks/1/elements/0/text/text]"


def test_fifty_blocks_fit_a_message_and_a_hundred_a_modal() -> None:
    assert check_blocks([DIVIDER] * 50, "message") == []
    assert "no more than 50 items" in check_blocks([DIVIDER] * 51, "message")[0]
    assert check_view(modal(*[DIVIDER] * 100), "modal") == []
    assert "no more than 100 items" in check_view(modal(*[DIVIDER] * 101), "modal")[0]


def test_block_ids_are_unique_in_a_payload() -> None:
    (line,) = check_blocks([section("a", block_id="x"), section("b", block_id="x")], "message")
    assert "`block_id` x already exists" in line


def test_action_ids_are_unique_in_a_block() -> None:
    assert "already exists in this block" in check_blocks([actions(button("b"), button("b"))], "message")[0]
    assert check_blocks([actions(button("b")), actions(button("b"))], "message") == []


@pytest.mark.parametrize(
    "kind, surfaces", [("alert", {"modal"}), ("card", {"message", "home"}), ("table", {"message"}), ("file", set())]
)
def test_newer_blocks_go_only_where_slack_takes_them(kind: str, surfaces: set[str]) -> None:
    accepted = {s for s in ("message", "modal", "home") if not check_blocks([{"type": kind}], s)}
    assert accepted == surfaces


@pytest.mark.parametrize("nonsense", [None, "text", 7, [], {}, {"type": None}, {"type": "section"}, {"type": "input"}])
def test_nonsense_is_refused_without_a_crash(nonsense: object) -> None:
    assert check_blocks([nonsense], "message")
    assert check_blocks(nonsense, "message") or nonsense == []


def test_rich_text_knows_its_parts() -> None:
    leaves = [
        {"type": "text", "text": "a", "style": {"bold": True}},
        {"type": "link", "url": "https://a.example"},
        {"type": "user", "user_id": "U1"},
        {"type": "date", "timestamp": 1795391685, "format": "{date}", "fallback": "x"},
    ]
    run = {"type": "rich_text_section", "elements": leaves}
    listed = {"type": "rich_text_list", "style": "bullet", "elements": [run]}
    assert check_blocks([{"type": "rich_text", "elements": [run, listed]}], "message") == []
    assert check_blocks([{"type": "rich_text", "elements": [{**listed, "style": "dashed"}]}], "message")


def test_a_modal_with_an_input_needs_a_submit_button() -> None:
    view = modal(text_input("reason"))
    assert check_view(view, "modal") == []
    view.pop("submit")
    assert check_view(view, "modal") == ["[ERROR] missing required field: submit [json-pointer:/view]"]


@pytest.mark.parametrize(
    "wrong",
    [{"title": plain("x" * 25)}, {"private_metadata": "x" * 3001}, {"callback_id": "x" * 256}, {"colour": "red"}],
)
def test_a_modal_keeps_its_limits(wrong: dict[str, object]) -> None:
    assert len(check_view(modal(DIVIDER, **wrong), "modal")) == 1


def test_a_view_of_the_wrong_type_is_refused() -> None:
    assert check_view(home(DIVIDER), "home") == []
    assert check_view(home(DIVIDER), "modal")
    assert check_view(home(DIVIDER, title=plain("a")), "home")
    assert check_view("view", "modal")


def test_the_texts_of_a_message_have_a_common_limit() -> None:
    assert not are_blocks_too_long([section("x" * 3000)] * 4)
    assert are_blocks_too_long([section("x" * 3000)] * 4 + [section("y")])


@pytest.mark.parametrize(
    "metadata, problem",
    [
        ({"event_type": "pim_card", "event_payload": {"card": "c1"}}, ""),
        ({"event_type": "pim_card"}, "invalid_metadata_format"),
        ({"event_type": "pim_card", "event_payload": "c1"}, "invalid_metadata_schema"),
        ({"event_type": "pim_card", "event_payload": {"card": "x" * 17_000}}, "metadata_too_large"),
    ],
)
def test_metadata_has_a_form(metadata: object, problem: str) -> None:
    assert check_metadata(metadata) == problem


def test_a_bucket_allows_a_burst_then_one_call_a_second() -> None:
    pace = Pace()
    assert [pace.wait("post", 60, 3, START) for _ in range(4)] == [0, 0, 0, 1]
    assert pace.wait("post", 60, 3, START + timedelta(seconds=1)) == 0
    assert pace.wait("post", 60, 3, START + timedelta(seconds=1)) == 1
    assert pace.wait("other", 60, 3, START) == 0


def test_the_wait_is_as_long_as_the_bucket_is_slow() -> None:
    pace = Pace()
    assert pace.wait("list", 20, 1, START) == 0
    assert pace.wait("list", 20, 1, START) == 3
