"""`pim-approvals check`: one line a finding, and an exit code that a deployment can go by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from surroundings import GUID, surround
from typer.testing import CliRunner, Result

from app import cli

SETTINGS_FINE = "ok     settings: every PIM_* variable reads as it should"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sound settings; nothing else of this machine reaches a test."""
    surround(monkeypatch, tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["check", "--offline", *words])


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PIM_POLICY_FILE", "policy.toml")
    return tmp_path / "policy.toml"


def test_sound_settings_without_a_policy_are_two_good_lines() -> None:
    answer = run()
    assert answer.exit_code == 0
    assert answer.stdout.splitlines() == [
        SETTINGS_FINE,
        "ok     policy: no PIM_POLICY_FILE, so everything has its default",
    ]


def test_every_wrong_setting_is_a_line_and_the_exit_code_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIM_TENANT_ID", "acme")
    monkeypatch.delenv("PIM_KEYS")
    answer = run()
    assert answer.exit_code == 1
    first, second = answer.stdout.splitlines()
    assert first.startswith("wrong  settings: PIM_TENANT_ID: must be a GUID")
    assert second == "wrong  settings: PIM_KEYS is missing."
    assert "canary" not in answer.output


def test_every_mistake_in_the_policy_is_a_line_beside_those_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, policy: Path
) -> None:
    monkeypatch.setenv("PIM_PORT", "0")
    policy.write_text("[risk.weights]\ntickets = 1\n[risk.tickets]\nJira = '(a+)+'\n", encoding="utf-8")
    answer = run()
    assert answer.exit_code == 1
    grades, abouts, names = zip(*(line.split()[:3] for line in answer.stdout.splitlines()), strict=True)
    assert (set(grades), set(abouts)) == ({"wrong"}, {"settings:"})
    assert sorted(names) == ["PIM_POLICY_FILE:", "PIM_POLICY_FILE:", "PIM_PORT:"]


def test_a_policy_without_surprises_is_one_good_line(policy: Path) -> None:
    policy.write_text('[risk.levels]\n"Global Administrator" = "critical"\n', encoding="utf-8")
    assert run().stdout.splitlines() == [SETTINGS_FINE, "ok     policy: policy.toml reads as it should"]


def test_what_makes_judgement_milder_or_doubtful_is_noted_and_is_no_failure(policy: Path) -> None:
    policy.write_text(
        f'[risk.levels]\n"Global Administrator" = "low"\n"Exchange Administrator" = "medium"\n'
        f'[risk.groups]\n"db-admins" = "high"\n"{GUID}" = "high"\n[risk.weights]\nguest = 0\nlong = 2\n',
        encoding="utf-8",
    )
    answer = run()
    assert answer.exit_code == 0
    assert answer.stdout.splitlines()[2:] == [
        "note   policy: guest weighs 0 and is switched off",
        "note   policy: Global Administrator is lowered from Critical to Low",
        "note   policy: Exchange Administrator is lowered from High to Medium",
        "note   policy: group 'db-admins' goes by its name, which its owners may change",
    ]


def test_a_program_reads_the_same_as_json() -> None:
    first, second = json.loads(run("--json").stdout)
    assert first == {
        "grade": "ok",
        "about": "settings",
        "finding": "every PIM_* variable reads as it should",
        "fix": "",
    }
    assert second["about"] == "policy"
