"""The shape of the code: floors, sizes, docstrings, and that importing a module does nothing."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "handlers", "blocks")
LONGEST_MODULE, LONGEST_FUNCTION = 350, 60  # lines; lines of code
# Entry points and what Alembic runs by itself do something when they are imported.
RUN_WHEN_IMPORTED = ("app/__main__.py", "app/store/migrations/")
FLOORS = "floors"


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


OURS = modules(*PACKAGES)
ALL = [*OURS, *modules("tests", "bench", "tools")]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The full names of what a module imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_is_code_to_look_at() -> None:
    assert {name_of(path) for path in OURS} > {"app/main/__init__.py", "handlers/place.py", "blocks/card.py"}


# Floors


def test_no_floor_imports_what_stands_above_or_beside_it() -> None:
    # In a process of its own, because it sets up logging and thereby silences ours.
    linter = [sys.executable, "-c", "import importlinter.cli as c; c.lint_imports_command()", "--no-cache"]
    done = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout


def contracts() -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return found


def test_every_room_stands_on_a_floor() -> None:
    (floors,) = [contract for contract in contracts() if contract["name"] == FLOORS]
    assert isinstance(floors["layers"], list)
    named = {room.strip() for layer in floors["layers"] for room in layer.split("|")}
    rooms = {f"app.{path.stem}" for path in (ROOT / "app").iterdir() if path.suffix == ".py" or path.is_dir()}
    aside = {"app.__init__", "app.__main__", "app.__pycache__", "app.sandbox"}
    assert rooms - aside <= named | {"app.api"}
    assert named - {"handlers", "blocks"} == {room for room in named if room in rooms}


def test_only_blocks_draws_with_slacks_models() -> None:
    drawing = {
        path.relative_to(ROOT).parts[0]
        for path in OURS
        if any(name.startswith("slack_sdk.models") for name in imported(path))
    }
    assert drawing == {"blocks"}


def test_the_blocks_speak_to_nobody() -> None:
    used = {name for path in modules("blocks") for name in imported(path) if name.startswith("slack_sdk")}
    assert {name for name in used if not name.startswith("slack_sdk.models")} == set()


def test_nothing_waits_or_looks_at_the_clock_in_the_domain_and_the_blocks() -> None:
    calls = {
        f"{name_of(path)}: {ast.unparse(node.func)}"
        for path in modules("app/domain", "blocks")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"datetime.now", "datetime.utcnow", "time.time"}
    }
    assert calls == set()


# Size and words


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


def code_lines(path: Path) -> set[int]:
    """The numbers of the lines that hold code: no blanks, no comments, no docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    found = {line for t in tokens if t.type not in silent for line in range(t.start[0], t.end[0] + 1)}
    words = [node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)]
    texts = [node for node in words if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return found - {line for text in texts for line in range(text.lineno, (text.end_lineno or 0) + 1)}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function with its lines of code."""
    lines = code_lines(path)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, len(lines & set(range(node.lineno, (node.end_lineno or 0) + 1)))


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_a_function_is_short_enough_to_read(path: Path) -> None:
    assert [name for name, length in functions(path) if length > LONGEST_FUNCTION] == []


@pytest.mark.parametrize("path", [*OURS, *modules("bench", "tools")], ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path))


# Importing does nothing

WATCH = """
import importlib, json, sys, threading, logging

names = json.loads(sys.argv[1])
handlers = list(logging.root.handlers)
for name in names:
    importlib.import_module(name)
ours = [name for name in sys.modules if name.split(".")[0] in ("app", "handlers", "blocks")]
for name in ours:
    del sys.modules[name]

LOUD = ("socket.", "subprocess.", "os.system", "os.fork", "os.exec", "os.posix_spawn", "os.mkdir", "os.remove",
        "os.rename", "shutil.", "tempfile.", "sqlite3.", "webbrowser.", "urllib.Request")
seen = []

def hook(event, args):
    if event.startswith(LOUD):
        seen.append(event)
    elif event == "open" and not str(args[0]).endswith((".py", ".pyc")):
        seen.append(f"open {args[0]} {args[1]}")

threading.Thread.start = lambda thread: seen.append("a thread")
sys.addaudithook(hook)
for name in names:
    importlib.import_module(name)
said = list(seen)
if logging.root.handlers != handlers:
    said.append("a log handler")
print(json.dumps(said))
"""


def importable() -> list[str]:
    paths = [name_of(path) for path in OURS]
    kept = [path for path in paths if not path.startswith(RUN_WHEN_IMPORTED)]
    return [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in kept]


def loud_events(names: list[str], folder: Path) -> list[str]:
    """What happens in a fresh process while these modules are imported, their libraries being there already."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-B", "-c", WATCH, json.dumps(names)],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_importing_every_module_opens_starts_and_writes_nothing() -> None:
    assert loud_events(importable(), ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "import socket; socket.socket().close()",
        "import threading; threading.Thread(target=print).start()",
        "open('/dev/null')",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
        "import logging; logging.basicConfig()",
    ],
)
def test_a_module_that_does_something_would_be_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "loud.py").write_text(line, encoding="utf-8")
    assert loud_events(["app.loud"], tmp_path)
