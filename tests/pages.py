"""The project's pages as data: what they show as code, and which calls of the program are among it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer.main

from app import cli

ROOT = Path(__file__).parent.parent
PAGES = [
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md"))
    if path.exists()
]
HINTS = [*PAGES, ROOT / "Procfile", ROOT / ".env.example", ROOT / ".ci" / "run"]


def command_lines() -> set[str]:
    """Every way to call the program: `serve`, `keys new`, ..."""
    found: set[str] = set()

    def walk(group: Any, before: str) -> None:  # noqa: ANN401 - click's own classes
        for name, command in group.commands.items():
            found.add(f"{before}{name}")
            if hasattr(command, "commands"):
                walk(command, f"{before}{name} ")

    walk(typer.main.get_command(cli.app), "")
    return found


def code_of(page: Path) -> str:
    """What a page shows as code; the whole of a file that is no page."""
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".md":
        return text
    fences = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fences, *re.findall(r"`([^`\n]+)`", rest)])


def mistakes_in(line: str) -> list[str]:
    """What is wrong with a call as a page shows it: words that are no command, options that it does not take."""
    group, words = typer.main.get_command(cli.app), line.split()
    while words and hasattr(group, "commands") and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    if hasattr(group, "commands") and words and not words[0].startswith("-"):
        return [words[0]]
    known = {name for parameter in group.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    options = [re.split(r"[=\]]", word.lstrip("["))[0] for word in words if word.lstrip("[").startswith("--")]
    return [option for option in options if option not in known]


CALL = re.compile(r"(?:pim-approvals|python -m app) ((?:[a-z\[-][^\s#`|>&;]*|\S+)(?: [^\s#`|>&;]+)*)")


def commands_on(page: Path) -> set[tuple[str, ...]]:
    """The commands that a page shows, without their arguments."""
    everything = command_lines()
    known = {line for line in everything if not any(other.startswith(f"{line} ") for other in everything)}
    calls = [call.split() for call in CALL.findall(code_of(page))]
    return {tuple(words[:n]) for words in calls for n in (2, 1) if " ".join(words[:n]) in known}
