"""A key removed while sessions are under it: the bot says so, decides nothing for them, and forgets nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from journeys.driver import ROOT, Sandbox, running

OTHER = "k2:" + "A" * 43


def keys(env: dict[str, str], command: str, ring: str) -> subprocess.CompletedProcess[str]:
    """Run `pim-approvals keys` with a bot's settings and this ring."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIM_")}
    arguments = [sys.executable, "-m", "app", "keys", command]
    both = own | env | {"PIM_KEYS": ring}
    return subprocess.run(arguments, cwd=ROOT, env=both, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def test_a_key_removed_too_early_is_said_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    with running(tmp_path) as sandbox:
        sandbox.signed_in("ann", "ben")
        env = dict(sandbox.settings["env"])
        told = keys(env, "status", OTHER)
        assert told.returncode == 1
        assert "k1: NOT in PIM_KEYS; 2 sign-ins." in told.stdout
        assert "Ann Alder" in told.stdout
    with running(tmp_path, keys=OTHER) as sandbox:
        assert_said(sandbox)
        form = sandbox.form("ann", sandbox.posted(sandbox.ask()))
        sandbox.submit("ann", form, "Go ahead")
        assert "Your Microsoft session is over" in sandbox.outcome("ann")
    both = f"{OTHER},{env['PIM_KEYS']}"
    assert keys(env, "rotate", both).stdout == "2 sign-ins encrypted anew, 0 already right.\n"
    assert keys(env, "status", OTHER).returncode == 0


def assert_said(sandbox: Sandbox) -> None:
    sandbox.until_note("PIM_KEYS lacks k1, so 2 people's stored sessions cannot be opened")
    assert "Ann" not in str(sandbox.ready())
    assert "PIM_KEYS lacks k1" in sandbox.log.read_text(encoding="utf-8")
