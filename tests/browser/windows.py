"""One person's browser: real cookies, nothing leaves this machine, and complaints are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from journeys.driver import Sandbox
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route

PATIENCE = 15_000  # milliseconds


@dataclass
class Window:
    """One person's browser with its own cookies; `complaints` are console errors and calls that left the machine."""

    sandbox: Sandbox
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(PATIENCE)
        self.context.route(re.compile(".*"), self._guard)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def look_as(self, user: str, page: Page | None = None) -> Page:
        page = page or self.context.new_page()
        page.goto(f"{self.sandbox.world_url}/?user={user}")
        return page

    def _guard(self, route: Route, request: Request) -> None:
        if urlsplit(request.url).hostname in ("127.0.0.1", "localhost"):
            route.continue_()
            return
        self.complaints.append(f"left the machine: {request.url}")
        route.abort()

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):
            self.complaints.append(line.text)


def forgive_status(window: Window, status: int) -> None:
    """The browser logs every page with an error status as a failed load; these were meant to be."""
    assert window.complaints
    window.complaints[:] = [line for line in window.complaints if f"status of {status}" not in line]
