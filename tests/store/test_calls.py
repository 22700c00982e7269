"""Steps about waiting requests: each taken once, with what it owes in the same transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request, decided, seen
from people import CHANNEL

from app.domain.arrival import Step
from app.domain.levels import Level
from app.domain.request import ActivationRequest, Status
from app.domain.risk import Risk
from app.store.calls import StoredCalls
from app.store.cards import StoredCards
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.writer import Store

ANN, BEN = "U0ANN00001", "U0BEN00001"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def calls(store: Store) -> StoredCalls:
    numbers = iter(range(1, 1000))
    return StoredCalls(store, Posting(CHANNEL, lambda: f"call-token-{next(numbers)}", lambda: f"call-{next(numbers)}"))


@pytest.fixture
async def request_(book: StoredRequests) -> ActivationRequest:
    return await remembered(book, Level.CRITICAL)


async def remembered(book: StoredRequests, level: Level, hours_ago: int = 0) -> ActivationRequest:
    request = a_request(created=NOW - timedelta(hours=hours_ago))
    await book.remember([seen(request, risk=Risk(level))], NOW)
    return request


async def due(calls: StoredCalls, step: Step = Step.NUDGE, least: Level = Level.LOW) -> list[str]:
    return [one.row.key.id for one in await calls.due(step, NOW, LATER, least=least, limit=10)]


async def test_the_riskiest_and_oldest_come_first(book: StoredRequests, calls: StoredCalls) -> None:
    low = await remembered(book, Level.LOW, hours_ago=9)
    late, early = await remembered(book, Level.HIGH), await remembered(book, Level.HIGH, hours_ago=3)
    assert await due(calls) == [early.key.id, late.key.id, low.key.id]
    assert await due(calls, least=Level.HIGH) == [early.key.id, late.key.id]
    assert len(await calls.due(Step.NUDGE, NOW, LATER, least=Level.LOW, limit=1)) == 1


async def test_what_was_seen_too_lately_is_not_due(calls: StoredCalls, request_: ActivationRequest) -> None:
    before = await calls.due(Step.NUDGE, NOW - timedelta(seconds=1), LATER, least=Level.LOW, limit=10)
    assert (before, await due(calls)) == ([], [request_.key.id])


async def test_a_call_is_a_card_for_each_and_is_made_once(
    calls: StoredCalls, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    for _ in range(2):
        await calls.call(request_.key, Step.ARRIVAL, (ANN, BEN), NOW)
    cards = [card for card, _ in await outbox.unpainted(10)]
    assert sorted((card.channel, card.occasion) for card in cards) == [
        (CHANNEL, ""),
        (ANN, "arrival"),
        (BEN, "arrival"),
    ]
    assert {card.digest for card in cards} == {request_.digest}
    assert len({card.token for card in cards}) == 3
    assert await due(calls, Step.ARRIVAL) == []
    assert await due(calls, Step.NUDGE) == [request_.key.id]


async def test_nobody_is_called_to_what_is_over(
    book: StoredRequests, calls: StoredCalls, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    await book.settle(request_.key, Status.DENIED, decided(), None, NOW)
    await calls.call(request_.key, Step.ARRIVAL, (ANN,), NOW)
    assert [card.channel for card, _ in await outbox.unpainted(10) if card.occasion] == []
    assert await due(calls) == []


async def test_a_step_that_failed_comes_again_in_its_time(calls: StoredCalls, request_: ActivationRequest) -> None:
    for tries in (1, 2):
        await calls.postpone(request_.key, Step.ESCALATION, LATER)
        (one,) = await calls.due(Step.ESCALATION, NOW, LATER, least=Level.LOW, limit=10)
        assert (one.tries, one.seen) == (tries, NOW)
    assert await calls.due(Step.ESCALATION, NOW, NOW, least=Level.LOW, limit=10) == []
    await calls.close(request_.key, Step.ESCALATION, "delivered", NOW)
    assert await due(calls, Step.ESCALATION) == []


async def test_a_message_that_cannot_be_delivered_is_off_the_books(
    calls: StoredCalls, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    await calls.call(request_.key, Step.ARRIVAL, (ANN,), NOW)
    for card, _ in await outbox.unpainted(10):
        await outbox.abandon(card)
    assert [card.channel for card, _ in await outbox.unpainted(10)] == [CHANNEL]


async def test_the_place_of_a_request_is_its_channel_never_somebodys_own_message(
    calls: StoredCalls, outbox: StoredOutbox, cards: StoredCards, request_: ActivationRequest
) -> None:
    await calls.call(request_.key, Step.ARRIVAL, (ANN,), NOW)
    for card, _ in await outbox.unpainted(10):
        await outbox.painted(card, f"1700.{len(card.channel)}", 1)
    assert (await cards.places([request_.key]))[request_.key][0] == CHANNEL


async def test_moving_house_leaves_peoples_own_messages_where_they_are(
    calls: StoredCalls, outbox: StoredOutbox, request_: ActivationRequest
) -> None:
    await calls.call(request_.key, Step.ARRIVAL, (ANN,), NOW)
    await outbox.rehome(lambda _: "C0NEWHOME1")
    assert sorted(card.channel for card, _ in await outbox.unpainted(10)) == ["C0NEWHOME1", ANN]
