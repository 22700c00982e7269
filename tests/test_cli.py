"""The command line: mistakes are sentences with exit code 2, never a traceback, and never a secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import cli
from app.domain.errors import BadSettings, Unavailable
from app.identity.keyring import Keyring

ROOT = Path(__file__).parent.parent
run = CliRunner().invoke


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine and no .env of this checkout reaches a test."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PIM_") or name == "PORT"]:
        monkeypatch.delenv(name)


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the program in this process as its entry point does; its exit code."""
    monkeypatch.setattr(sys, "argv", ["pim-approvals", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


# Keys


def test_a_new_key_is_one_the_keyring_takes() -> None:
    printed = run(cli.app, ["keys", "new"]).stdout
    assert re.fullmatch(r"k1:[A-Za-z0-9_-]{43}\n", printed)
    assert Keyring.parse(printed.strip()).names == ("k1",)


def test_a_new_key_takes_the_name_it_is_given_and_goes_in_front_of_an_old_one() -> None:
    old, new = run(cli.app, ["keys", "new"]).stdout.strip(), run(cli.app, ["keys", "new", "k2"]).stdout.strip()
    assert Keyring.parse(f"{new},{old}").names == ("k2", "k1")


def test_no_two_keys_are_alike() -> None:
    assert len({run(cli.app, ["keys", "new"]).stdout for _ in range(20)}) == 20


# The database


@pytest.mark.usefixtures("sound")
def test_the_database_is_brought_up_to_date_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIM_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/new.db")
    before = run(cli.app, ["db", "state"]).stdout.strip()
    upgraded = run(cli.app, ["db", "upgrade"])
    assert (upgraded.exit_code, upgraded.stdout) == (0, "The database is up to date.\n")
    assert (before, run(cli.app, ["db", "state"]).stdout.strip()) == ("empty", "current")


@pytest.mark.usefixtures("sound")
def test_upgrading_twice_does_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIM_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/new.db")
    assert [run(cli.app, ["db", "upgrade"]).exit_code for _ in range(2)] == [0, 0]


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    key = run(cli.app, ["keys", "new"]).stdout.strip()
    values = {
        "SLACK_BOT_TOKEN": "xoxb-canary",
        "SLACK_SIGNING_SECRET": "canary",
        "SLACK_CLIENT_ID": "123.456",
        "SLACK_CLIENT_SECRET": "canary",
        "APPROVERS_CHANNEL": "C0123456789",
        "TENANT_ID": "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00",
        "CLIENT_ID": "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00",
        "CLIENT_SECRET": "canary",
        "PUBLIC_URL": "https://pim.example.com",
        "KEYS": key,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PIM_{name}", value)


# What goes wrong


@pytest.mark.parametrize("command", [["serve"], ["db", "upgrade"], ["db", "state"]])
def test_missing_settings_end_it_with_one_sentence_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main(monkeypatch, *command) == cli.SETTINGS_WRONG
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert lines[0] == "PIM Approvals does not start:"
    assert "  - PIM_SLACK_BOT_TOKEN is missing." in lines
    assert all(line.startswith("  - PIM_") for line in lines[1:])
    assert told.out == ""


@pytest.mark.parametrize(
    "problem, code", [(BadSettings("PIM_X: [b]is[/b] wrong."), 2), (Unavailable("The database is gone."), 1)]
)
def test_a_failure_is_told_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: Exception, code: int
) -> None:
    def fail() -> None:
        raise problem

    monkeypatch.setattr(cli, "app", fail)
    assert main(monkeypatch) == code
    assert f"  - {problem}" in capsys.readouterr().err


@pytest.mark.usefixtures("sound")
def test_a_long_sentence_stays_on_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PIM_GRAPH_URL", "http://127.0.0.1:8765/graph")
    main(monkeypatch, "serve")
    (sentence,) = capsys.readouterr().err.splitlines()[1:]
    assert sentence.endswith("PIM_ENVIRONMENT=sandbox; in production the real service is used.")


def test_an_unknown_command_is_said_to_be_one() -> None:
    answer = run(cli.app, ["servve"])
    assert answer.exit_code == 2
    assert "No such command" in answer.stderr


def test_without_a_command_there_is_help() -> None:
    words = run(cli.app, []).output
    assert all(name in words for name in ("serve", "sandbox", "keys", "db"))


@pytest.fixture
def surroundings() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONPATH": str(ROOT)}


def test_as_a_process_wrong_settings_are_exit_code_2_and_sentences(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    wrong = {"PIM_SLACK_BOT_TOKEN": "xoxp-canary", "PIM_TENANT_ID": "contoso.com", "PIM_PUBLIC_URL": "http://x"}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        cwd=tmp_path,
        env=surroundings | wrong,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (cli.SETTINGS_WRONG, "")
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr
    assert ended.stderr.startswith("PIM Approvals does not start:\n")
    assert all(name in ended.stderr for name in (*wrong, "PIM_KEYS"))
