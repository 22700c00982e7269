"""What must outlive a power cut is flushed: decisions, their ends, and whatever closes a door. Clicks are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from build import NOW, a_link, a_request, an_intent, decided, seen
from store.conftest import a_posting

from app.domain.request import Status
from app.ports import PAUSE, Outcome, Switch
from app.store.audit import AuditTrail
from app.store.engine import open_engine
from app.store.flows import StoredFlows
from app.store.inbox import StoredInbox
from app.store.links import StoredLinks
from app.store.outages import Work
from app.store.request_book import StoredRequests
from app.store.switches import StoredSwitches
from app.store.waiting import StoredFreezes, StoredWaiting
from app.store.writer import Store


class FlushNotingStore(Store):
    """Notes which writes must outlive a power cut."""

    def __init__(self, url: str) -> None:
        super().__init__(open_engine(url))
        self.flushed: list[bool] = []

    async def write(self, work: Work[Any], *, flush: bool = False) -> Any:  # noqa: ANN401 - whatever the work gives
        self.flushed.append(flush)
        return await super().write(work, flush=flush)


@pytest.fixture
async def noting(database_url: str) -> AsyncIterator[FlushNotingStore]:
    store = FlushNotingStore(database_url)
    yield store
    await store.aclose()


async def test_a_decision_is_on_the_disk_before_it_leaves_and_so_is_its_end(
    noting: FlushNotingStore, trail: AuditTrail
) -> None:
    book, request = StoredRequests(noting, trail, a_posting()), a_request()
    await book.remember([seen(request)], NOW)
    noting.flushed.clear()
    intent = an_intent(request)
    await book.claim(intent)
    await book.sending(intent)
    await book.release(intent, Outcome.NOT_TAKEN, "did not arrive", NOW)
    await book.settle(request.key, Status.APPROVED, decided(), None, NOW)
    assert noting.flushed == [True] * 4


async def test_a_door_that_was_closed_stays_closed(noting: FlushNotingStore, trail: AuditTrail) -> None:
    links, link = StoredLinks(noting, trail, lambda: "id"), a_link()
    await StoredFlows(noting).take("a one-time token", NOW)
    await links.suspend(link, "over", NOW)
    await links.remove(link, NOW)
    await StoredFreezes(noting, trail).freeze(link, NOW)
    await StoredWaiting(noting).take("a waiting decision", NOW)
    await StoredSwitches(noting, trail).turn(Switch(PAUSE, on=True, reason="", by="os:ops", at=NOW), None)
    assert noting.flushed == [True] * 6


async def test_a_click_does_not_wait_for_the_disk(noting: FlushNotingStore) -> None:
    inbox = StoredInbox(noting)
    await inbox.take("key", "action", "U1", NOW)
    await inbox.close("key", "opened", NOW)
    assert noting.flushed == [False, False]
