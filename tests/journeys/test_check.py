"""`pim-approvals check` beside a running bot: what is well, what is missing, and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from journeys.driver import ROOT, Sandbox


def check(sandbox: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIM_")} | sandbox.settings["env"]
    command = [sys.executable, "-m", "app", "check", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours


def read(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(check(sandbox, "--json").stdout)
    return found


def test_the_sandbox_is_well_but_for_what_its_tenant_lacks(shared: Sandbox) -> None:
    done = check(shared)
    assert done.returncode == 0, done.stdout
    assert "ok     slack: the bot token is accepted" in done.stdout
    assert "ok     microsoft: the bot's own credential is accepted" in done.stdout
    assert "ok     audit log: Microsoft's audit log can be read" in done.stdout
    assert "is private, ours alone, and has the bot in it" in done.stdout
    assert "Cleo Clay may approve and is not in Slack" in done.stdout
    assert "asks for no ticket number" in done.stdout


def test_a_refused_list_is_wrong_and_names_the_permission(own: Sandbox) -> None:
    body = {"error": {"code": "UnknownError", "message": json.dumps({"errorCode": "PermissionScopeNotGranted"})}}
    own.fault("graph", "roleAssignmentScheduleRequests$", status=403, body=body)
    done = check(own)
    assert done.returncode == 1
    assert "mend: needs the application permission RoleAssignmentSchedule.ReadWrite.Directory" in done.stdout


def test_a_tenant_without_the_licence_is_told_so(own: Sandbox) -> None:
    body = {"error": {"code": "AadPremiumLicenseRequired", "message": "The tenant needs an AAD Premium 2 license."}}
    own.fault("graph", "roleAssignmentScheduleRequests$", status=400, body=body)
    assert any("Entra ID P2" in line["fix"] for line in read(own))


def test_a_bot_token_that_is_refused_is_wrong(own: Sandbox) -> None:
    own.fault("slack", "auth.test", status=200, body={"ok": False, "error": "token_revoked"})
    (line,) = [line for line in read(own) if line["about"] == "slack"]
    assert (line["grade"], "PIM_SLACK_BOT_TOKEN" in line["fix"]) == ("wrong", True)
