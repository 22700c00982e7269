"""Nothing stored can become code: no pickle or its kin anywhere, and no scheduler that keeps its jobs in a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DANGEROUS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle", "yaml"}
SOURCES = sorted(path for room in ("app", "handlers", "blocks") for path in (ROOT / room).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_unpickles(path: Path) -> None:
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    assert {name.partition(".")[0] for name in names} & DANGEROUS == set()
    assert not any(name.startswith("apscheduler.jobstores") for name in names)


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 100
