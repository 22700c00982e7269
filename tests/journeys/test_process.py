"""The bot as a process: wrong settings end it with sentences, a stop is orderly and hands the rounds over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
from journeys.driver import ROOT, Sandbox, environment, until

SERVE = [sys.executable, "-m", "app", "serve"]
SOON = 9.0  # seconds, well below the 15 that an abandoned lease lasts


def test_missing_and_wrong_settings_end_it_with_a_sentence_each(tmp_path: Path) -> None:
    env = environment(tenant_id="contoso", public_url="http://bot.example", keys="k1:short")
    done = served(tmp_path, {**env, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "PIM_SLACK_BOT_TOKEN is missing." in done.stderr
    assert all(name in done.stderr for name in ("PIM_TENANT_ID", "PIM_KEYS", "PIM_PUBLIC_URL"))
    assert "Traceback" not in done.stderr + done.stdout
    assert "short" not in done.stderr


def test_a_database_nobody_upgraded_is_said_so(shared: Sandbox, postgres_server: object) -> None:
    url = postgres_server.url(postgres_server.create())
    env = {**environment(), **shared.settings["env"], "PIM_DATABASE_URL": url}
    done = served(ROOT, env)
    assert (done.returncode, "pim-approvals db upgrade" in done.stderr) == (2, True)


def test_a_stop_is_orderly_and_the_next_process_goes_on_at_once(shared: Sandbox, tmp_path: Path) -> None:
    shared.bot("stop")
    since = shared.get("log")[-1]["n"]
    with (tmp_path / "log").open("wb") as log:
        env = {**environment(), **shared.settings["env"]}
        child = subprocess.Popen(SERVE, cwd=ROOT, env=env, stdout=log, stderr=log)  # noqa: S603 - ours
        until(lambda: polled(shared, since) and healthy(shared), what="the bot polls")
        child.terminate()
        assert child.wait(timeout=20) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    shared.bot("start")
    since = shared.get("log")[-1]["n"]
    shared.until(lambda: polled(shared, since), "a poll by the next process", SOON)


def served(folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(SERVE, cwd=folder, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def polled(sandbox: Sandbox, since: int) -> bool:
    return bool(sandbox.calls("graph", "GET", "ScheduleRequests", since))


def healthy(sandbox: Sandbox) -> bool:
    try:
        return sandbox.ready()["status"] == "ok"
    except httpx.TransportError:
        return False
