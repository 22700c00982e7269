"""One house a test, on SQLite: that the store means the same on both databases is the store's own tests' business."""

from __future__ import annotations

import pytest
from use_cases.house import House

from app.store.writer import Store


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def house(store: Store) -> House:
    """The watcher lists as the application."""
    return House(store)


@pytest.fixture
def shared_house(store: Store) -> House:
    """The watcher lists as the signed-in approvers."""
    return House(store, as_application=False)
