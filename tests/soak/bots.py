"""Bots of our own in a running sandbox: started by the test, ended by their own process ids, several if need be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from journeys.driver import ROOT, START_SECONDS, Sandbox, tail, until

STOP_SECONDS = 30.0


@dataclass
class OwnBot:
    """One bot process in the place of the sandbox's own. `settings` go on top of the sandbox's environment."""

    sandbox: Sandbox
    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.data / "bot.log"

    @property
    def url(self) -> str:
        port = self.settings.get("PIM_PORT")
        return f"http://127.0.0.1:{port}" if port else str(self.sandbox.settings["bot_url"])

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    def start(self, **more: str) -> None:
        """Start it; it may not answer yet."""
        self.data.mkdir(exist_ok=True)
        outer = {name: value for name, value in os.environ.items() if not name.startswith("PIM_")}
        env = {**outer, **self.sandbox.settings["env"], **self.settings, **more, "PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"], cwd=self.data, env=env, stdout=out, stderr=out
            )

    def serving(self) -> None:
        """Wait until it answers."""

        def answers() -> bool:
            assert self.child is not None
            assert self.child.poll() is None, f"the bot ended at once:\n{tail(self.log)}"
            try:
                return self.sandbox.http.get(f"{self.url}/healthz").is_success
            except httpx.TransportError:
                return False

        until(answers, START_SECONDS, f"the bot at {self.url}")

    def died(self) -> int:
        """Wait until it is gone; its return code."""
        assert self.child is not None
        try:
            return self.child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the bot did not end:\n{tail(self.log)}") from None

    def stop(self) -> int | None:
        """SIGTERM, unless it is gone already; its return code."""
        if self.child is None or self.child.poll() is not None:
            return None
        self.child.terminate()
        return self.died()

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


@contextmanager
def own_bot(sandbox: Sandbox, data: Path, **settings: str) -> Iterator[OwnBot]:
    """A bot that is gone in the end, whatever happened."""
    bot = OwnBot(sandbox, data, settings)
    try:
        yield bot
    finally:
        bot.kill()
