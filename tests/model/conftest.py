"""Towns on databases of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from model.town import Town

from app.store.writer import Store

pytest.register_assert_rewrite("model.model")  # what it finds is kept as words, with the values that were compared


@pytest.fixture
def dialect() -> str:
    """What the bot does about the others does not depend on its database."""
    return "sqlite"


@pytest.fixture
async def town(store: Store) -> AsyncIterator[Town]:
    """Ann and Ben have signed in; nobody has asked for anything."""
    town = Town(store)
    await town.link("ann", "ben")
    yield town
    await town.http.aclose()
