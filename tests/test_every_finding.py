"""Every finding that `pim-approvals check` can come to is shown by a test; a new one without a test fails here."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("cli/check.py", "doctor.py", "domain/findings.py", "main/doctor.py", "notifier/examining.py")

_CLI, _DOMAIN, _DOCTOR = "test_cli_check.py", "domain/test_findings.py", "use_cases/test_doctor.py"
_SLACK, _DIAGNOSIS = "notifier/test_examining.py", "test_diagnosis.py"
_EACH_SETTING = f"{_DOMAIN}::test_each_weak_setting_is_a_finding_with_a_way_to_mend_it"
_PERMISSIONS = f"{_DOCTOR}::test_each_missing_permission_is_named"

# Where a finding is made, by function and in order, and the test that would fail without it; paths are below tests/.
SHOWN: dict[str, list[str]] = {
    "cli/check.py::findings": [
        f"{_CLI}::test_every_wrong_setting_is_a_line_and_the_exit_code_is_1",
        f"{_CLI}::test_sound_settings_without_a_policy_are_two_good_lines",
    ],
    "cli/check.py::policy_file": [
        f"{_CLI}::test_sound_settings_without_a_policy_are_two_good_lines",
        f"{_CLI}::test_a_policy_without_surprises_is_one_good_line",
    ],
    "cli/check.py::_switched_off": [f"{_CLI}::test_what_makes_judgement_milder_or_doubtful_is_noted_and_is_no_failure"],
    "cli/check.py::_lowered": [f"{_CLI}::test_what_makes_judgement_milder_or_doubtful_is_noted_and_is_no_failure"],
    "cli/check.py::_groups_by_name": [
        f"{_CLI}::test_what_makes_judgement_milder_or_doubtful_is_noted_and_is_no_failure"
    ],
    "doctor.py::_credential": [
        f"{_DOCTOR}::test_a_credential_that_is_refused_is_said_first",
        f"{_DOCTOR}::test_where_all_is_well_every_line_says_so",
    ],
    "doctor.py::_desk": [f"{_DOCTOR}::test_in_approvers_mode_nobody_signed_in_is_said"],
    "doctor.py::_listed": [f"{_DOCTOR}::test_a_list_that_came_only_in_part_is_noted"],
    "doctor.py::_audit_log": [_PERMISSIONS, f"{_DOCTOR}::test_where_all_is_well_every_line_says_so"],
    "doctor.py::_roles": [f"{_DOCTOR}::test_without_any_request_there_is_nothing_to_say_of_roles"],
    "domain/findings.py::refused": [
        f"{_DOMAIN}::test_a_missing_licence_is_no_missing_permission",
        f"{_DOMAIN}::test_an_outage_is_no_missing_permission",
        f"{_DOMAIN}::test_a_refusal_names_the_permission_it_most_likely_lacks",
    ],
    "domain/findings.py::lacking_scopes": [f"{_DOMAIN}::test_the_undocumented_permission_is_looked_for"],
    "domain/findings.py::settings_findings": [_EACH_SETTING] * 3,
    "domain/findings.py::_approver_findings": [_EACH_SETTING] * 3,
    "domain/findings.py::reach_findings": [f"{_DOMAIN}::test_approvers_out_of_reach_are_named_once"] * 2,
    "main/doctor.py::diagnose": [
        f"{_DIAGNOSIS}::test_a_database_that_does_not_open_is_wrong_and_ends_it",
        f"{_DIAGNOSIS}::test_a_session_that_no_key_opens_is_wrong",
    ],
    "notifier/examining.py::examine": [
        f"{_SLACK}::test_a_token_that_slack_refuses_ends_the_examination",
        f"{_SLACK}::test_an_outage_of_slack_is_no_wrong_token",
        f"{_SLACK}::test_a_bot_that_has_its_place_is_told_so_line_by_line",
        f"{_SLACK}::test_each_missing_scope_is_a_line_with_a_way_to_mend_it",
    ],
    "notifier/examining.py::_channel": [
        f"{_SLACK}::test_a_channel_that_cannot_be_looked_at_is_not_called_unfit",
        f"{_SLACK}::test_an_unfit_channel_is_wrong",
        f"{_SLACK}::test_a_bot_that_has_its_place_is_told_so_line_by_line",
    ],
}


def made_in(path: Path) -> Counter[str]:
    """How many findings each function of a module makes."""
    found: Counter[str] = Counter()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
            found[function.name] += sum(isinstance(name, ast.Name) and name.id == "Finding" for name in calls)
    return +found


def test_every_finding_is_shown_by_a_test() -> None:
    made = {f"{room}::{name}": count for room in ROOMS for name, count in made_in(ROOT / "app" / room).items()}
    assert {where: len(tests) for where, tests in SHOWN.items()} == made


def test_no_other_module_makes_findings() -> None:
    others = [path for path in (ROOT / "app").rglob("*.py") if str(path.relative_to(ROOT / "app")) not in ROOMS]
    told = [path for path in others if "app.domain.findings" in path.read_text(encoding="utf-8")]
    assert [path.name for path in told if made_in(path)] == []


@pytest.mark.parametrize("test", sorted({test for tests in SHOWN.values() for test in tests}))
def test_what_shows_it_exists(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
