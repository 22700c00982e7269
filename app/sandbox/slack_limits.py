"""What Slack refuses: Block Kit that breaks the rules, payloads too large, calls too fast.

Pure but for the counts that `Pace` keeps; it never answers a call itself.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.sandbox.slack_blocks import BLOCKS, IDENT, SURFACES, plain
from app.sandbox.slack_shapes import anything, fault, kind, record, string, truth, word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
POST_CHARACTERS = 40_000
UPDATE_CHARACTERS = 4_000
BLOCKS_CHARACTERS = 12_000
METADATA_BYTES = 16_384

_BLOCK = kind(BLOCKS)
_COMMON = {"type": word("modal", "home"), "blocks": anything}
_NAMES = {"callback_id": string(255, 0), "external_id": string(255, 0), "private_metadata": string(3000, 0)}
_MODAL = record(
    {**_COMMON, "title": plain(24)},
    {
        **_NAMES,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": truth,
        "notify_on_close": truth,
        "submit_disabled": truth,
    },
)
_HOME = record(_COMMON, _NAMES)


def check_blocks(blocks: object, surface: str, at: str = "/blocks") -> list[str]:
    """Slack's sentences about what is wrong with the blocks of a "message", "modal" or "home"."""
    if not isinstance(blocks, list):
        return [fault("must be an array", at)]
    return [
        *_count(blocks, MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS, at),
        *(line for index, block in enumerate(blocks) for line in _one(block, surface, f"{at}/{index}")),
        *_repeated_ids(blocks, at),
    ]


def check_view(view: object, *allowed: str) -> list[str]:
    """Slack's sentences about what is wrong with a view whose type must be among `allowed`."""
    if not isinstance(view, dict):
        return [fault("must be an object", "/view")]
    surface = view.get("type")
    if surface not in allowed:
        return [fault(f"must be a valid enum value: {', '.join(allowed)}", "/view/type")]
    shape = _MODAL if surface == "modal" else _HOME
    problems = list(shape(view, "/view"))
    if "blocks" in view:
        problems += check_blocks(view["blocks"], surface, "/view/blocks")
    return problems or list(_submit_with_input(view))


def is_view_too_large(view: object) -> bool:
    """Whether the view's JSON is over 250 KB."""
    return len(json.dumps(view, ensure_ascii=False).encode("utf-8", "surrogatepass")) > VIEW_BYTES


def are_blocks_too_long(blocks: list[dict[str, Any]]) -> bool:
    """Whether the texts of a message's blocks add up to more than Slack takes in one message.

    The sum is not in Slack's reference; its maintainers named 12,000 characters (bolt-js issue 2509).
    """
    return sum(len(text) for text in _texts(blocks)) > BLOCKS_CHARACTERS


def check_metadata(metadata: object) -> str:
    """Slack's error code for message metadata, or an empty string if it is sound."""
    shape = record({"event_type": IDENT, "event_payload": anything}, {})
    if not isinstance(metadata, dict) or list(shape(metadata, "/metadata")):
        return "invalid_metadata_format"
    if not isinstance(metadata["event_payload"], dict):
        return "invalid_metadata_schema"
    return "metadata_too_large" if len(json.dumps(metadata).encode()) > METADATA_BYTES else ""


@dataclass(slots=True)
class Pace:
    """Token buckets, one a key: so many calls a minute, so many at once."""

    levels: dict[str, tuple[float, datetime]] = field(default_factory=dict)

    def wait(self, key: str, per_minute: float, burst: int, now: datetime) -> int:
        """Take one call out of the bucket: 0 if there was one, else whole seconds until there is."""
        level, since = self.levels.get(key, (float(burst), now))
        refill = max(0.0, (now - since).total_seconds()) * per_minute / 60
        level = min(float(burst), level + refill)
        if level >= 1:
            self.levels[key] = (level - 1, now)
            return 0
        self.levels[key] = (level, now)
        return math.ceil((1 - level) * 60 / per_minute)


def _count(blocks: list[object], most: int, at: str) -> Iterator[str]:
    if len(blocks) > most:
        yield fault(f"no more than {most} items allowed", at)


def _one(block: object, surface: str, at: str) -> Iterator[str]:
    yield from _BLOCK(block, at)
    named = block.get("type") if isinstance(block, dict) else None
    if named in BLOCKS and named not in SURFACES[surface]:
        yield fault(f"block type {named} is not supported in a {surface}", f"{at}/type")


def _repeated_ids(blocks: list[Any], at: str) -> Iterator[str]:
    seen: set[object] = set()
    for index, block in enumerate(blocks):
        known = block.get("block_id") if isinstance(block, dict) else None
        if known is not None and known in seen:
            yield fault(f"`block_id` {known} already exists", f"{at}/{index}/block_id")
        seen.add(known)


def _submit_with_input(view: dict[str, Any]) -> Iterator[str]:
    has_input = any(block["type"] == "input" for block in view["blocks"])
    if view["type"] == "modal" and has_input and "submit" not in view:
        yield fault("missing required field: submit", "/view")


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for item in part:
            yield from _texts(item)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
