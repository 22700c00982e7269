"""What the bot's drawings are made of, read from their source: every block, element and kind of text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from slack_sdk.models import blocks as slack

BLOCKS = Path(__file__).parents[2] / "blocks"
ROOTS = ("slack",)  # the name under which the drawings import Slack's models


def types_sent() -> set[str]:
    """The `type` of every class of Slack's models that a drawing names."""
    found = (named for file in BLOCKS.glob("*.py") for named in _named(ast.parse(file.read_text(encoding="utf-8"))))
    return {str(kind.type) for kind in found if isinstance(getattr(kind, "type", None), str)}


def _named(tree: ast.Module) -> Iterator[type]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from _resolved(ast.unparse(node).split("."))
        if isinstance(node, ast.ImportFrom) and node.module == "slack_sdk.models.blocks":
            yield from (getattr(slack, alias.name) for alias in node.names)


def _resolved(path: list[str]) -> Iterator[type]:
    if path[0] not in ROOTS:
        return
    thing: object = slack
    for name in path[1:]:
        thing = getattr(thing, name, None)
    if isinstance(thing, type):
        yield thing
