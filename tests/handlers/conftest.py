"""One bot's listeners a test, over the real store on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from bolt_rig import BoltRig

from app.store.writer import Store


@pytest.fixture
def dialect() -> str:
    """The listeners do not care which database it is."""
    return "sqlite"


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[BoltRig]:
    rig = BoltRig(store)
    yield rig
    await rig.settled()
