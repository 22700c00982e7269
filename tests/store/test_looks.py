"""Looking and fuses as rows: shown on the card, over by themselves, and never in anybody's way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request, an_intent, decided, seen
from people import ann, ben

from app.domain.request import ActivationRequest, Status
from app.store.looks import StoredLooks
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.writer import Store

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def looks(store: Store) -> StoredLooks:
    return StoredLooks(store)


@pytest.fixture
async def request_(book: StoredRequests, outbox: StoredOutbox) -> ActivationRequest:
    """A pending request with a painted card."""
    request = a_request(created=NOW)
    await book.remember([seen(request)], NOW)
    await paint(outbox)
    return request


async def paint(outbox: StoredOutbox) -> None:
    for card, row in await outbox.unpainted(10):
        await outbox.painted(card, card.ts or "1700000000.000100", row.version)


async def behind(outbox: StoredOutbox) -> int:
    return len(await outbox.unpainted(10))


async def looking(book: StoredRequests, request: ActivationRequest) -> list[str]:
    row = await book.find(request.key)
    assert row is not None
    return [look.person.name for look in row.looking]


async def test_who_looks_is_on_the_card_until_it_lapses(
    looks: StoredLooks, book: StoredRequests, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    assert await looks.look(request_.key, ann, NOW, NOW + TEN_MINUTES)
    assert await looks.look(request_.key, ben, NOW + timedelta(seconds=1), NOW + 2 * TEN_MINUTES)
    assert await looking(book, request_) == [ann.name, ben.name]
    assert await behind(outbox) == 1
    await paint(outbox)
    assert await looks.lapse(NOW + TEN_MINUTES) == 1
    assert await looking(book, request_) == [ben.name]
    assert await behind(outbox) == 1


async def test_saying_it_again_begins_anew(
    looks: StoredLooks, book: StoredRequests, request_: ActivationRequest
) -> None:
    await looks.look(request_.key, ann, NOW, NOW + TEN_MINUTES)
    await looks.look(request_.key, ann, NOW + TEN_MINUTES, NOW + 2 * TEN_MINUTES)
    assert await looks.lapse(NOW + TEN_MINUTES) == 0
    assert await looking(book, request_) == [ann.name]


async def test_nobody_looks_at_what_is_not_pending(
    looks: StoredLooks, book: StoredRequests, request_: ActivationRequest
) -> None:
    await book.settle(request_.key, Status.DENIED, decided(), None, NOW)
    assert not await looks.look(request_.key, ann, NOW, NOW + TEN_MINUTES)


async def test_looking_blocks_nobody(looks: StoredLooks, book: StoredRequests, request_: ActivationRequest) -> None:
    await looks.look(request_.key, ann, NOW, NOW + TEN_MINUTES)
    assert await book.claim(an_intent(request_, ben)) is not None


async def test_a_card_is_behind_once_at_each_threshold_and_never_between(
    looks: StoredLooks, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    repainted = []
    for minutes in range(0, 25 * 60, 5):
        now = NOW + timedelta(minutes=minutes)
        if await looks.burn(now):
            repainted.append(request_.expires - now)
            assert await behind(outbox) == 1
            await paint(outbox)
    assert repainted == [timedelta(hours=4), timedelta(hours=1), timedelta(minutes=15), timedelta(0)]


async def test_the_fuse_of_an_ended_request_is_out(
    looks: StoredLooks, book: StoredRequests, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    await book.settle(request_.key, Status.DENIED, decided(), None, NOW)
    await paint(outbox)
    assert await looks.burn(NOW + timedelta(hours=21)) == 0
    assert await behind(outbox) == 0


async def test_an_extension_has_no_fuse(looks: StoredLooks, book: StoredRequests) -> None:
    await book.remember([seen(a_request(created=NOW, action="selfExtend"))], NOW)
    assert await looks.burn(NOW + timedelta(days=3)) == 0
