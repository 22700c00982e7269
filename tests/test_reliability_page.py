"""The page of promises names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def names(path: str) -> set[str]:
    """Every test of a file, one in a class with its class before it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    within = {
        f"{node.name}::{test.name}"
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for test in node.body
        if isinstance(test, functions)
    }
    return within | {node.name for node in tree.body if isinstance(node, functions)}


def test_every_test_of_the_page_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", PAGE)
    assert named
    assert [f"{path}::{test}" for path, test in named if test not in names(path)] == []


def test_no_promise_is_without_a_test() -> None:
    section = PAGE.partition("## Promises")[2].partition("\n## ")[0]
    promises = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert promises
    assert [row for row in promises if "`tests/" not in row] == []
