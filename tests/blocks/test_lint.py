"""The lint itself: each mistake is found, and what is right is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from blocks.lint import Surface, lint


def plain(text: str, *, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


def button(**facts: object) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **facts}


def actions(*buttons: dict[str, Any], block_id: str = "b") -> dict[str, Any]:
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)}


def section(text: dict[str, Any], **facts: object) -> dict[str, Any]:
    return {"type": "section", "text": text, **facts}


def mrkdwn(text: str) -> dict[str, Any]:
    return section({"type": "mrkdwn", "text": text})


def rich(text: str) -> dict[str, Any]:
    part = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [part]}


BAD_BLOCKS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "too many blocks": ([section(plain("x"))] * 51, "51 blocks"),
    "twice the same id": ([section(plain("x"), block_id="i")] * 2, "block_id i is used 2 times"),
    "newer block": ([{"type": "alert", "text": plain("x")}], "alert"),
    "long header": ([{"type": "header", "text": plain("x" * 151)}], "header.text is 151"),
    "header in mrkdwn": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "must be plain_text"),
    "long section": ([section(plain("x" * 3001))], "section.text is 3001"),
    "many fields": ([{"type": "section", "fields": [plain("x")] * 11}], "section.fields is 11"),
    "empty text": ([section(plain(""))], "plain_text without text"),
    "long rich text": ([rich("x" * 3001)], "text.text is 3001"),
    "many buttons": ([actions(*(button(action_id=f"a{n}") for n in range(26)))], "actions.elements is 26"),
    "same button twice": ([actions(button(), button())], "action_id a is used 2 times"),
    "long button": ([actions(button(text=plain("x" * 76)))], "button.text is 76"),
    "long value": ([actions(button(value="x" * 2001))], "button.value is 2001"),
    "long label": ([actions(button(accessibility_label="x" * 76))], "button.accessibility_label is 76"),
    "two green buttons": (
        [actions(button(style="primary"), button(style="primary", action_id="b"))],
        "more than one primary",
    ),
    "actions without id": ([{"type": "actions", "elements": [button()]}], "needs an id of ours"),
    "emoji": ([section(plain("x", emoji=True))], "emoji: false"),
    "mention": ([mrkdwn("hi <!channel>")], "mrkdwn holds '<!channel>'"),
    "group mention": ([mrkdwn("hi <!subteam^S1>")], "<!subteam^S1>"),
    "broken token": ([mrkdwn("a < b")], "mrkdwn holds '< b'"),
    "script link": ([mrkdwn("<javascript:x|y>")], "javascript"),
    "broadcast": ([{"type": "rich_text", "elements": [{"type": "broadcast", "range": "here"}]}], "wakes everybody"),
    "hidden character": ([rich("a\u202eb")], "hidden character"),
    "lone surrogate": ([rich("a\ud800b")], "hidden character"),
    "too large": ([rich("x" * 2900)] * 5, "msg_blocks_too_long"),
}


@pytest.mark.parametrize("name", BAD_BLOCKS)
def test_mistake_in_blocks_is_found(name: str) -> None:
    blocks, said = BAD_BLOCKS[name]
    assert [problem for problem in lint({"text": "hello", "blocks": blocks}, "message") if said in problem]


@pytest.mark.parametrize("text,said", [("", "empty"), (" ", "empty"), ("x" * 4001, "4001"), ("<!here> hi", "<!here>")])
def test_mistake_in_a_fallback_text_is_found(text: str, said: str) -> None:
    assert [problem for problem in lint({"text": text, "blocks": []}, "message") if said in problem]


MODAL: dict[str, Any] = {"type": "modal", "title": plain("Hi"), "blocks": [section(plain("x"))]}
INPUT = {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input", "action_id": "a"}}
BAD_VIEWS: list[tuple[dict[str, Any], Surface, str]] = [
    ({**MODAL, "type": "home"}, "modal", "says it is home"),
    ({**MODAL, "title": None}, "modal", "needs a title"),
    ({**MODAL, "title": plain("x" * 25)}, "modal", "modal.title is 25"),
    ({**MODAL, "private_metadata": "x" * 3001}, "modal", "private_metadata is 3001"),
    ({**MODAL, "blocks": []}, "modal", "0 blocks"),
    ({**MODAL, "blocks": [section(plain("x"))] * 101}, "modal", "101 blocks"),
    ({**MODAL, "blocks": [INPUT]}, "modal", "needs a submit"),
    ({**MODAL, "blocks": [rich("x" * 2900)] * 90}, "modal", "view_too_large"),
    ({**MODAL, "type": "home", "submit": plain("Go")}, "home", "neither submit"),
]


@pytest.mark.parametrize("view,surface,said", BAD_VIEWS)
def test_mistake_in_a_view_is_found(view: dict[str, Any], surface: Surface, said: str) -> None:
    assert [problem for problem in lint(view, surface) if said in problem]


def test_right_message_is_left_alone() -> None:
    text = "Decide by <!date^1795444200^{time}|14:30 UTC>, <@U12345>: <https://x.example/|portal> &lt;here&gt;"
    assert lint({"text": text, "blocks": [mrkdwn(text), actions(button(value="v"))]}, "message") == []


def test_right_modal_is_left_alone() -> None:
    assert lint({**MODAL, "blocks": [INPUT], "submit": plain("Go")}, "modal") == []


@pytest.mark.parametrize("kind, most", [("overflow", 5), ("radio_buttons", 10)])
def test_a_menu_has_few_short_choices_of_different_values(kind: str, most: int) -> None:
    def found(*options: tuple[str, str]) -> list[str]:
        made = [
            {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value} for text, value in options
        ]
        element = {"type": kind, "action_id": "a", "options": made}
        block = {"type": "actions", "block_id": "b", "elements": [element]}
        return lint({"text": "said", "blocks": [block]}, "message")

    assert found(*((f"t{n}", f"v{n}") for n in range(most))) == []
    assert found(*((f"t{n}", f"v{n}") for n in range(most + 1))) == [f"{kind} with {most + 1} choices"]
    assert found() == [f"{kind} with 0 choices"]
    assert found(("one", "v"), ("two", "v")) == ["value v is used 2 times"]
    assert len(found(("x" * 76, "v"))) == 1
    assert len(found(("x", "v" * 151))) == 1
