"""A sandbox and a Chromium for each module, and a fresh window for each test that must end without complaints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.windows import PATIENCE, Window
from browsing import launch_options
from journeys.driver import Sandbox, running
from playwright.sync_api import Browser, expect, sync_playwright


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("browser")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    options = launch_options()
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser, sandbox: Sandbox) -> Iterator[Window]:
    with chromium.new_context() as context:
        window = Window(sandbox, context)
        yield window
    assert window.complaints == []
