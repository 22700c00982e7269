"""The notifier before the emulated Slack, over the real store on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from notifier.rig import Rig
from slack_server import Clock, slack_server

from app.store.writer import Store


@pytest.fixture
def dialect() -> str:
    """The notifier does not care which database it is."""
    return "sqlite"


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    clock = Clock()
    async with slack_server(clock) as slack, aiohttp.ClientSession() as session:
        yield Rig(slack, store, session, clock)
