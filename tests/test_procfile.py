"""The Procfile under a process runner: the platform's port, every address, and the signal that reaches the bot itself.

What the bot does with the signal stands in journeys/test_process.py; here a double of the command says what it got.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

ROOT = Path(__file__).parent.parent
DOUBLE = f"""#!{sys.executable} -ISs
import os, signal, sys
print("called with", *sys.argv[1:], flush=True)
if sys.argv[1:] == ["serve"]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening on", os.environ["PIM_HOST"], os.environ["PORT"], flush=True)
    signal.pause()
"""
STARTED = "listening on"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What the process runner says while it runs these processes of our Procfile; ended once one listens."""
    command = tmp_path / "pim-approvals"
    command.write_text(DOUBLE, encoding="utf-8")
    command.chmod(0o755)
    around = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}

    def started(*words: str) -> str:
        runner = [sys.executable, "-m", "honcho", "--no-colour", "--env", os.devnull, "--app-root", str(ROOT), "start"]
        said = []
        with subprocess.Popen([*runner, *words], env=around, stdout=PIPE, stderr=STDOUT, text=True) as running:  # noqa: S603 - ours
            assert running.stdout is not None
            for line in running.stdout:
                said.append(line)
                if STARTED in line:
                    running.terminate()
        return "".join(said)

    return started


def test_a_release_prepares_the_database_and_ends(run: Run) -> None:
    said = run("release")
    assert "called with db upgrade" in said
    assert "release.1 stopped (rc=0)" in said


def test_the_web_process_listens_where_the_platform_says_and_is_asked_to_end_itself(run: Run) -> None:
    said = run("--port", "5123", "web")
    assert f"{STARTED} 0.0.0.0 5123" in said
    assert "sending SIGTERM to web.1" in said
    assert "web.1 stopped (rc=0)" in said  # a shell in between would have taken the signal, and its own way out
