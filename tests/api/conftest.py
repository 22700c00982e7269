"""The API over one house on SQLite: that the store means the same on both databases is the store's tests' business."""

from __future__ import annotations

import pytest
from api_rig import ApiRig
from use_cases.house import House

from app.store.writer import Store


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


@pytest.fixture
def api(house: House) -> ApiRig:
    return ApiRig(house)
