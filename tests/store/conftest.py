"""The store's rooms, each on this test's own database. `rows` looks behind the curtain, with plain SQL."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from people import CHANNEL
from sqlalchemy import text

from app.store.audit import AuditTrail
from app.store.cards import StoredCards
from app.store.flows import StoredFlows
from app.store.inbox import StoredInbox
from app.store.leases import StoredLeases
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.writer import Store

CHAIN_KEY = b"a key that is not in the database"

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]
Change = Callable[[str], Awaitable[None]]


def a_posting(channel: str = CHANNEL) -> Posting:
    """Tokens and ids in order, so that a test can see which one is the newest."""
    numbers = itertools.count(1)
    return Posting(channel, lambda: f"token-{next(numbers)}", lambda: f"id-{next(numbers)}")


@pytest.fixture
def rows(store: Store) -> Rows:
    async def look(sql: str) -> list[dict[str, Any]]:
        found = await store.read(lambda connection: connection.execute(text(sql)))
        return [dict(row) for row in found.mappings()]

    return look


@pytest.fixture
def change(store: Store) -> Change:
    async def run(sql: str) -> None:
        await store.write(lambda connection: connection.execute(text(sql)))

    return run


@pytest.fixture
def trail(store: Store) -> AuditTrail:
    return AuditTrail(store, CHAIN_KEY)


@pytest.fixture
def book(store: Store, trail: AuditTrail) -> StoredRequests:
    return StoredRequests(store, trail, a_posting())


@pytest.fixture
def cards(store: Store) -> StoredCards:
    return StoredCards(store)


@pytest.fixture
def outbox(store: Store) -> StoredOutbox:
    return StoredOutbox(store)


@pytest.fixture
def links(store: Store, trail: AuditTrail) -> StoredLinks:
    numbers = itertools.count(1)
    return StoredLinks(store, trail, lambda: f"receipt-{next(numbers)}")


@pytest.fixture
def flows(store: Store) -> StoredFlows:
    return StoredFlows(store)


@pytest.fixture
def inbox(store: Store) -> StoredInbox:
    return StoredInbox(store)


@pytest.fixture
def leases(store: Store) -> StoredLeases:
    return StoredLeases(store)
