"""One running sandbox, one Chromium, and for each test a fresh window that must end without complaints."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from browser.shared import Shared
from browser.windows import Window
from journeys.driver import Sandbox
from playwright.sync_api import Browser

HERE = Path(__file__).parent
SHARED = Shared()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """After the folder's last test everything ends: Playwright's loop must not meet those of other tests."""
    yield
    if item.path.parent == HERE and (nextitem is None or nextitem.path.parent != HERE):
        SHARED.close()


@pytest.fixture
def sandbox() -> Sandbox:
    return SHARED.sandbox()


@pytest.fixture
def chromium() -> Browser:
    return SHARED.chromium()


@pytest.fixture
def window(chromium: Browser, sandbox: Sandbox) -> Iterator[Window]:
    with chromium.new_context() as context:
        window = Window(sandbox, context)
        yield window
    assert window.complaints == []


@pytest.fixture
def other(chromium: Browser, sandbox: Sandbox) -> Iterator[Window]:
    """Somebody else's browser."""
    with chromium.new_context() as context:
        yield Window(sandbox, context)
