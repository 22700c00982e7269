"""The guides can be followed: settings, permissions, scopes and commands on them are the real ones, and none lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pages import ROOT, commands_on

from app.settings import Settings

INSTALL, OPERATE, REVIEW = (ROOT / "docs" / f"{name}.md" for name in ("install", "operate", "security-review"))


def test_the_installation_page_tells_every_setting() -> None:
    named = set(re.findall(r"`(PIM_[A-Z_]*[A-Z])", INSTALL.read_text(encoding="utf-8")))
    assert named >= {f"PIM_{name.upper()}" for name in Settings.model_fields}


def test_the_defaults_on_the_installation_page_are_the_real_ones() -> None:
    rows = re.findall(r"^\| `(PIM_\w+)` \| `?([^|`]*)`? \|", INSTALL.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: default for name, default in rows if default and " " not in default and default not in NO_DEFAULT}
    real = {f"PIM_{name.upper()}": str(field.default) for name, field in Settings.model_fields.items()}
    assert len(told) > 4
    assert {name: real[name] for name in told} == told


NO_DEFAULT = {"needed", "none", "PIM_CLIENT_ID"}


def test_what_the_installation_page_says_is_needed_is_just_that() -> None:
    rows = re.findall(r"^\| (`PIM_[^|]*) \| needed \|", INSTALL.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"PIM_\w+", row)}
    assert told == {f"PIM_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}


# Permissions


PERMISSION = re.compile(r"`((?:[A-Z][A-Za-z]+\.(?:Read|ReadWrite)[A-Za-z.]*)|user_impersonation)`")


def test_the_security_review_explains_every_permission_of_the_installation_page_and_no_other() -> None:
    asked, explained = (set(PERMISSION.findall(page.read_text(encoding="utf-8"))) for page in (INSTALL, REVIEW))
    assert explained == asked
    assert {"User.Read", "user_impersonation"} < asked


def test_the_security_review_names_each_module_that_sends_a_change() -> None:
    sending = {
        path.name for path in (ROOT / "app" / "graph").glob("*.py") if "Change(" in path.read_text(encoding="utf-8")
    }
    (told,) = re.findall(r"the code that sends changes is ([^;]*?), and no other", REVIEW.read_text(encoding="utf-8"))
    assert {name.rsplit("/")[-1] for name in re.findall(r"`([^`]*)`", told)} == sending


def test_the_installation_page_gives_a_reason_for_each_scope_of_slack() -> None:
    table = INSTALL.read_text(encoding="utf-8").split("| scope | why |", 1)[1].split("\n\n", 1)[0]
    told = {scope for row in table.splitlines()[1:] for scope in re.findall(r"`([a-z:.]+)`", row)}
    asked = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))["oauth_config"]["scopes"]
    assert told == {*asked["bot"], *asked["user"]}


# Commands


TESTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in (ROOT / "tests").rglob("test_*.py")
    if path != Path(__file__)
}


def tried(words: tuple[str, ...]) -> bool:
    """Whether a test calls it, as `"keys", "new"`, or as `"status"` where all tests of `keys` stand."""
    group, last = words[0], words[-1]
    return any(", ".join(f'"{word}"' for word in words) in text for text in TESTS.values()) or (
        f'"{last}"' in TESTS.get(f"test_cli_{group}.py", "")
    )


@pytest.mark.parametrize("page", [INSTALL, OPERATE], ids=lambda page: page.name)
def test_every_command_of_a_guide_is_run_by_a_test(page: Path) -> None:
    told = commands_on(page)
    assert len(told) > 4
    assert [words for words in told if not tried(words)] == []


def test_a_command_that_no_test_runs_would_be_seen() -> None:
    assert not tried(("keys", "polish"))
