"""The watch over secrets bites: each of many leaks fails the test that leaks, and nothing else is troubled by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from security import canaries

HERE = Path(__file__).parent
TESTS, ROOT = HERE.parent, HERE.parents[1]
# Redaction and the watch itself are tested with secrets; a shell that runs the page's examples says what it sends.
HOT = {"security/test_redaction.py", "security/leaks.py", "journeys/test_api.py"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every test of `leaks.py` in a process of its own, with what was said of it; empty: it passed."""
    report = tmp_path_factory.mktemp("leaks") / "report.xml"
    path = os.pathsep.join((str(ROOT), str(TESTS)))
    plugins = ["-p", "security.canaries", "-p", "no:cacheprovider", "--confcutdir", str(HERE), "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, f"--junitxml={report}", str(HERE / "leaks.py")]
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - ours
    said, _ = done.communicate(timeout=100)
    assert done.returncode == 1, said.decode()
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own report
        troubles = [*case.iter("failure"), *case.iter("error")]
        found[str(case.get("name"))] = "\n".join(trouble.text or "" for trouble in troubles)
    return found


def test_every_leak_fails_the_test_that_leaks(outcomes: dict[str, str]) -> None:
    leaks = {name: said for name, said in outcomes.items() if name.startswith("test_leak")}
    assert len(leaks) == 17
    assert [name for name, said in leaks.items() if "A secret was seen where none may be." not in said] == []


def test_what_is_no_leak_passes(outcomes: dict[str, str]) -> None:
    innocent = {name: said for name, said in outcomes.items() if name.startswith("test_innocent")}
    assert len(innocent) == 5
    assert [name for name, said in innocent.items() if said] == []


def test_a_report_says_where_and_repeats_no_secret(outcomes: dict[str, str]) -> None:
    said = outcomes["test_leak_in_the_log_of_a_process"]
    assert "the file bot.log: canary…" in said
    assert "x" * 60 not in "".join(outcomes.values())
    assert "Z" * 43 not in "".join(outcomes.values())


def test_only_tests_that_need_a_secret_in_sight_are_exempt() -> None:
    marked = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if "pytest.mark.hot" in path.read_text()}
    assert marked - {"security/test_canaries.py"} <= HOT


def test_the_whole_suite_runs_under_the_watch(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.has_plugin("canaries")


@pytest.mark.parametrize(
    "text",
    ["xoxb-1234-5678", "xapp-1-A0-canar", "eyJhbGciOiJub25l.eyJzdWIiOiJhbm4i.c2lnbmF0dXJl", "1.A" + "b" * 50, "canary"],
)
def test_every_shape_is_known_in_the_middle_of_anything(text: str) -> None:
    assert canaries.seen_in(f'{{"a": ["{text}"]}}')
    assert canaries.seen_in("nothing of the sort: xox, eyJ, 1.A, xapp-") == []


def test_the_sandboxes_secrets_are_known_in_every_spelling() -> None:
    assert canaries.seen_in("client_secret=sandbox~microsoft~client~secret")
    odd = canaries.secret('a "secret" + more')
    for written in (odd, quote(odd, safe=""), quote_plus(odd), json.dumps(odd)):
        assert canaries.seen_in(f"x={written}&y=1")
