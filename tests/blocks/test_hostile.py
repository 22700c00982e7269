"""Everything the builders emit, linted, with ordinary and with hostile text in every foreign field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.request import Status
from blocks.lint import lint
from tests.blocks import samples

CORPUS = [
    "<!channel> <!here> <!everyone>",
    "<@U012ABCDEF> <!subteam^S0123>",
    "<https://evil.example|Approve here>",
    "<!date^0^{date}|soon>",
    "&lt;!channel&gt;",
    "*Approved by the CISO* _really_ ~no~ `code`",
    "fine\n*Risk:* Low\n> quoted",
    "pay\u202eroll\u202c \u2066isolated\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "tag\U000e0041\U000e0042\U000e007f",
    "nul\x00 esc\x1b[31m bell\x07",
    "lone \ud800 surrogates \udfff",
    "zalgo " + "e\u0301\u0302\u0303\u0304\u0305\u0306" * 50,
    ":white_check_mark: approved",
    ":skin-tone-2::+1: :ok_hand:",
    "Gl\u043ebal Re\u0430der \u0391nn",
    "\uff27lobal \U0001d400dministrator",
    "https://gr\u0430ph.microsoft.com/approve javascript:alert(1)",
    "[Approve](https://evil.example) <mailto:ciso@contoso.example|CISO>",
    "<#C0123456789|general> @channel @here #general",
    "\u05d0\u05d1\u05d2 \u061c\u0627\u0644\u200f",
    "line\u2028separator\u2029paragraph\u0085next\x0bvertical",
    "blank\u3164\u2800\u115f\u00ad\u180e\u034f\ufe0f",
    "\U000f0000 private \ue000 \U0010ffff",
    "```\ncode\n``` > quote\n* list",
    "<" * 5000,
    "&" * 5000,
    "\u202e" * 5000,
    '"\\' * 2500,
    "line\n" * 2000,
    "",
    " ",
]
HOSTILE = st.one_of(st.sampled_from(CORPUS), st.text(st.characters(), max_size=60)).flatmap(
    lambda text: st.integers(1, 3).map(lambda times: text * times)
)


def strings(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, key)
    elif isinstance(value, str):
        yield key, value


def mrkdwn(payload: dict[str, Any]) -> list[str]:
    """What Slack would parse: mrkdwn objects, and a message's own text."""
    found = [payload["text"]] if isinstance(payload.get("text"), str) else []
    stack: list[Any] = [payload.get("blocks")]
    while stack:
        node = stack.pop()
        if isinstance(node, dict) and node.get("type") == "mrkdwn":
            found.append(node["text"])
        stack += node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return found


def check(emitted: samples.Emitted) -> None:
    name, surface, payload = emitted
    assert lint(payload, surface) == [], name
    json.dumps(payload, ensure_ascii=False).encode()


@pytest.mark.parametrize("state", samples.every_state())
def test_everything_ordinary_is_within_slacks_limits(state: str) -> None:
    for emitted in samples.everything(samples.every_state()[state]):
        check(emitted)


def test_everything_fixed_is_within_slacks_limits() -> None:
    for emitted in samples.fixed():
        check(emitted)


@pytest.mark.parametrize("text", CORPUS)
@pytest.mark.parametrize("status", [Status.PENDING, Status.DECIDING, Status.DENIED])
def test_hostile_text_stays_within_slacks_limits(text: str, status: Status) -> None:
    for emitted in samples.everything(samples.hostile(text, status)):
        check(emitted)


@settings(max_examples=25, deadline=None)
@given(HOSTILE, st.sampled_from(Status))
def test_any_text_stays_within_slacks_limits(text: str, status: Status) -> None:
    for emitted in samples.everything(samples.hostile(text, status)):
        check(emitted)


@pytest.mark.parametrize("status", Status)
def test_no_foreign_word_enters_a_mrkdwn_object(status: Status) -> None:
    for _name, surface, payload in samples.everything(samples.hostile("forEIGN", status)):
        parsed = mrkdwn(payload)
        if surface == "message":
            parsed.remove(payload["text"])
        assert not [text for text in parsed if "forEIGN" in text]


@pytest.mark.parametrize("text", CORPUS[:4])
def test_no_foreign_token_survives_in_a_fallback_text(text: str) -> None:
    for _name, _surface, payload in samples.everything(samples.hostile(text)):
        assert not [said for said in mrkdwn(payload) if text in said or "<!channel" in said or "<@" in said]


def test_foreign_text_stands_in_plain_and_rich_text_only() -> None:
    for name, _surface, payload in samples.everything(samples.hostile("forEIGN")):
        keys = {key for key, value in strings(payload) if "forEIGN" in value}
        assert keys <= {"text", "accessibility_label"}, name
