"""One person's browser: real cookies, nothing leaves this machine, and complaints are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from journeys.driver import Sandbox
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Route, ViewportSize

PATIENCE = 15_000  # milliseconds
PHONE: ViewportSize = {"width": 390, "height": 844}


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
        """The workspace as somebody sees it, without the modals that other tests left on their screen."""
        page = page or self.context.new_page()
        page.goto(f"{self.sandbox.world_url}/?user={user}")
        while page.locator("#modal[open]").count():
            page.keyboard.press("Escape")
            page.locator("#modal").wait_for(state="hidden")
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


def message(page: Page, words: str) -> Locator:
    """The last message of the place on the screen that says so."""
    return page.locator("article.message").filter(has_text=words).last


def through_slack(page: Page, name: str) -> None:
    page.get_by_role("button", name="Continue with Slack").click()
    page.get_by_role("button", name=name).click()


def through_microsoft(page: Page, name: str) -> None:
    page.get_by_role("button", name="Continue with Microsoft").click()
    page.get_by_role("button", name=re.compile(f"^{name}\\s")).click()


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
