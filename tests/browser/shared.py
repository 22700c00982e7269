"""One sandbox and one Chromium for the whole folder: both take seconds to start. Tests bring requests of their own."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from browser.windows import PATIENCE
from browsing import launch_options
from journeys.driver import Sandbox, running
from playwright.sync_api import Browser, expect, sync_playwright

POLICY = Path(__file__).parents[1] / "data" / "sign_in_in_a_browser.toml"


@dataclass
class Shared:
    """Started when first asked for, ended by `close`; `close` fails if the bot's log holds a traceback."""

    stack: ExitStack = field(default_factory=ExitStack)
    running: tuple[Sandbox, Browser] | None = None

    def sandbox(self) -> Sandbox:
        return self._started()[0]

    def chromium(self) -> Browser:
        return self._started()[1]

    def close(self) -> None:
        self.running = None
        self.stack.close()

    def _started(self) -> tuple[Sandbox, Browser]:
        if self.running is None:
            options = launch_options()
            expect.set_options(timeout=PATIENCE)
            folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            sandbox = self.stack.enter_context(running(folder, policy_file=str(POLICY)))
            playwright = self.stack.enter_context(sync_playwright())
            chromium = playwright.chromium.launch(**options)
            self.stack.callback(chromium.close)
            self.running = (sandbox, chromium)
        return self.running
