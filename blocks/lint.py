"""Slack's limits as a check over finished payloads. It mends nothing and shares no code with the builders.

Lengths are code points. Slack itself answers most of these mistakes with `invalid_blocks` or `invalid_arguments`;
unread fallback texts, mentions out of place and hidden characters it would let pass.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, Literal

Surface = Literal["message", "modal", "home"]
Node = dict[str, Any]


def lint(payload: Mapping[str, Any], surface: Surface) -> list[str]:
    """What Slack would refuse, or readers would suffer from, one sentence each; empty when all is well.

    `payload` is a view, or the arguments of a message (`text`, `blocks`).
    """
    blocks: list[Node] = payload.get("blocks") or []
    nodes = list(_nodes(dict(payload)))
    own = _message(payload, blocks) if surface == "message" else _view(payload, blocks, surface)
    return [*own, *_block_list(blocks, surface), *chain.from_iterable(_node(node) for node in nodes)]


def _message(payload: Mapping[str, Any], blocks: list[Node]) -> Iterator[str]:
    text = payload.get("text") or ""
    if not text.strip():
        yield "text is empty: screen readers and notifications would say nothing"
    if len(text) > _UPDATE_TEXT:
        yield f"text has {len(text)} characters, chat.update takes {_UPDATE_TEXT}"
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > _MESSAGE_BLOCKS:
        yield f"blocks are longer than {_MESSAGE_BLOCKS} characters: msg_blocks_too_long"
    yield from _tokens(text)


def _view(payload: Mapping[str, Any], blocks: list[Node], surface: Surface) -> Iterator[str]:
    if payload.get("type") != surface:
        yield f"a {surface} view says it is {payload.get('type')}"
    if surface == "modal" and not payload.get("title"):
        yield "a modal needs a title"
    if surface == "home" and (payload.get("submit") or payload.get("close")):
        yield "Home has neither submit nor close"
    if any(block.get("type") == "input" for block in blocks) and not payload.get("submit"):
        yield "an input block needs a submit button"
    if len(json.dumps(payload, ensure_ascii=False).encode()) > _VIEW_BYTES:
        yield "view_too_large"


def _block_list(blocks: list[Node], surface: Surface) -> Iterator[str]:
    if len(blocks) > _BLOCKS[surface] or (surface != "message" and not blocks):
        yield f"{len(blocks)} blocks on a {surface}"
    for block in blocks:
        if block.get("type") not in _SAFE_BLOCKS:
            yield f"block type {block.get('type')} is not safe on every surface"
        if block.get("type") == "actions" and not block.get("block_id"):
            yield "an actions block needs an id of ours: clicks from other blocks are not believed"
    yield from _repeated("block_id", blocks)


def _node(node: Node) -> Iterator[str]:
    kind = str(node.get("type"))
    for field, value in node.items():
        limit = _LIMITS.get((kind, field)) or _LIMITS.get(("*", field))
        if limit is not None and _size(value) > limit:
            yield f"{kind}.{field} is {_size(value)} long, the limit is {limit}"
        if isinstance(value, str) and _HIDDEN.search(value):
            yield f"{kind}.{field} holds a hidden character"
    yield from _checks(kind, node)


def _checks(kind: str, node: Node) -> Iterator[str]:
    if kind in ("plain_text", "mrkdwn", "text"):
        yield from _text(kind, node)
    if kind in ("button", "header") and (node.get("text") or {}).get("type") != "plain_text":
        yield f"{kind}.text must be plain_text"
    if kind == "broadcast":
        yield "a broadcast wakes everybody"
    yield from _menu(kind, node["options"]) if kind in _MOST_CHOICES else ()
    yield from _row(node["elements"]) if kind == "actions" else ()


def _text(kind: str, node: Node) -> Iterator[str]:
    if not node.get("text"):
        yield f"a {kind} without text"
    if kind == "mrkdwn":
        yield from _tokens(node.get("text") or "")
    if kind == "plain_text" and node.get("emoji") is not False:
        yield "plain_text must say emoji: false"


def _row(elements: list[Node]) -> Iterator[str]:
    yield from _repeated("action_id", elements)
    if sum(element.get("style") == "primary" for element in elements) > 1:
        yield "more than one primary button"


def _menu(kind: str, options: list[Node]) -> Iterator[str]:
    if not 1 <= len(options) <= _MOST_CHOICES[kind]:
        yield f"{kind} with {len(options)} choices"
    yield from _repeated("value", options)
    for option in options:
        if len(option["text"]["text"]) > _LIMITS["button", "text"] or len(option["value"]) > _OPTION_VALUE:
            yield f"the choice {option['text']['text'][:40]!r} is too long"


def _tokens(text: str) -> Iterator[str]:
    """Everything in angle brackets that is not one of our own dates, people or links."""
    for match in re.finditer(r"<[^<>]*>?", text):
        if not _OWN_TOKEN.fullmatch(match.group()):
            yield f"mrkdwn holds {match.group()[:40]!r}"


def _repeated(field: str, nodes: Iterable[Node]) -> Iterator[str]:
    counted = Counter(node[field] for node in nodes if field in node)
    yield from (f"{field} {value} is used {times} times" for value, times in counted.items() if times > 1)


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, dict):
        yield value
        yield from chain.from_iterable(_nodes(inner) for inner in value.values())
    if isinstance(value, list):
        yield from chain.from_iterable(_nodes(inner) for inner in value)


def _size(value: object) -> int:
    if isinstance(value, dict):
        return len(value.get("text") or "")
    return len(value) if isinstance(value, (str, list)) else int(str(value or 0))


_BLOCKS: Final = {"message": 50, "modal": 100, "home": 100}
_SAFE_BLOCKS: Final = frozenset(
    {"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}
)
_UPDATE_TEXT: Final = 4000
_MOST_CHOICES: Final = {"overflow": 5, "radio_buttons": 10}
_OPTION_VALUE: Final = 150
_MESSAGE_BLOCKS: Final = 13_000  # undocumented; users meet msg_blocks_too_long a little above
_VIEW_BYTES: Final = 250_000
_LIMITS: Final = {
    ("*", "block_id"): 255,
    ("*", "action_id"): 255,
    ("*", "callback_id"): 255,
    ("*", "private_metadata"): 3000,
    ("header", "text"): 150,
    ("section", "text"): 3000,
    ("section", "fields"): 10,
    ("context", "elements"): 10,
    ("actions", "elements"): 25,
    ("button", "text"): 75,
    ("button", "accessibility_label"): 75,
    ("button", "value"): 2000,
    ("button", "url"): 3000,
    ("input", "label"): 2000,
    ("input", "hint"): 2000,
    ("plain_text_input", "placeholder"): 150,
    ("plain_text_input", "min_length"): 3000,
    ("plain_text_input", "max_length"): 3000,
    ("plain_text", "text"): 3000,
    ("mrkdwn", "text"): 3000,
    ("text", "text"): 3000,
    ("modal", "title"): 24,
    ("modal", "submit"): 24,
    ("modal", "close"): 24,
}
_OWN_TOKEN: Final = re.compile(
    r"<!date\^\d+\^[^^|<>]+\|[^|<>]+>|<@[UW][A-Z0-9]{2,}>|<https?://[^|<>\s]+\|[^|<>]+>", re.ASCII
)
# Controls but line breaks, lone surrogates, bidirectional and zero-width characters, tags.
_HIDDEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e01ef]"
)
