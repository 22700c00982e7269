"""History holds what ended while the bot was away, as soon as somebody asks Microsoft for it."""

from __future__ import annotations

import os
import subprocess
import sys

from journeys.driver import ROOT, Sandbox


def backfilled(sandbox: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    """`pim-approvals history backfill` in the bot's own surroundings."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIM_")} | sandbox.settings["env"]
    command = [sys.executable, "-m", "app", "history", "backfill", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours


def test_what_ended_while_the_bot_was_away_is_read_from_microsoft(own: Sandbox) -> None:
    own.bot("stop")
    approved = own.ask("rita", "License Administrator", age="PT40M")
    own.decide_in_portal(approved, "ben", "approve", "Agreed by phone")
    denied = own.ask("rita", "Guest Inviter", age="PT30M")
    own.decide_in_portal(denied, "ben", "deny", "No ticket")
    withdrawn = own.ask("rita", "Teams Administrator", age="PT20M")
    own.withdraw(withdrawn)
    done = backfilled(own)
    assert done.returncode == 0, done.stderr
    assert "entra: 3 ended requests read, 3 added or completed." in done.stdout
    own.bot("start")
    history = own.command("ann", "history").words
    assert "Approved by Ben Brook in the portal" in history
    assert "Agreed by phone" in history
    assert "Denied by Ben Brook in the portal" in history
    assert "No ticket" in history
    assert "Canceled: withdrawn by the requestor" in history
    assert "Entra roles since " in history
    assert "Agreed by phone" not in own.command("rob", "history").words
    assert [own.cards(request) for request in (approved, denied, withdrawn)] == [[], [], []]


def test_reading_it_again_adds_nothing(own: Sandbox) -> None:
    done = backfilled(own, "--days", "7")
    assert "entra: 3 ended requests read, 0 added or completed." in done.stdout
    assert "about 30 days" in done.stdout
