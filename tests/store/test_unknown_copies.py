"""Copies that stand in Slack and not on our books: taken on when their token is a card's there, and never otherwise."""

from __future__ import annotations

import pytest
from build import NOW, a_request, seen
from people import CHANNEL

from app.ports import Card
from app.store.cards import StoredCards
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests

TS, OTHER = "1700000000.000100", "1700000000.000200"


@pytest.fixture
async def card(book: StoredRequests, outbox: StoredOutbox) -> Card:
    await book.remember([seen(a_request())], NOW)
    return (await outbox.unpainted(10))[0][0]


def fresh() -> str:
    return next(_TEXTS)


_TEXTS = (f"fresh-{number}" for number in range(1000))


async def test_a_card_that_stands_nowhere_yet_is_found_where_it_was_pressed(
    outbox: StoredOutbox, cards: StoredCards, card: Card
) -> None:
    await outbox.trying(card)
    assert await cards.adopt((CHANNEL, TS), card.token, fresh)
    found = await cards.by_place(CHANNEL, TS)
    assert found is not None
    assert (found.id, found.token) == (card.id, card.token)
    assert [behind.ts for behind, _ in await outbox.unpainted(10)] == [TS]


async def test_a_second_copy_is_painted_with_a_token_of_its_own(
    outbox: StoredOutbox, cards: StoredCards, card: Card
) -> None:
    await outbox.painted(card, TS, 1)
    assert await cards.adopt((CHANNEL, OTHER), card.token, fresh)
    ((copy, row),) = await outbox.unpainted(10)
    assert (copy.ts, copy.key) == (OTHER, row.key)
    assert copy.token not in (card.token, "")
    assert not await cards.adopt((CHANNEL, OTHER), card.token, fresh)


@pytest.mark.parametrize("channel, token", [(CHANNEL, "guessed"), ("C0ELSEWHERE", None)])
async def test_what_is_not_ours_is_not_taken_on(
    outbox: StoredOutbox, cards: StoredCards, card: Card, channel: str, token: str | None
) -> None:
    await outbox.painted(card, TS, 1)
    assert not await cards.adopt((channel, OTHER), token or card.token, fresh)
    assert await outbox.unpainted(10) == []


async def test_a_copy_we_know_stays_as_it_is(outbox: StoredOutbox, cards: StoredCards, card: Card) -> None:
    await outbox.painted(card, TS, 1)
    assert not await cards.adopt((CHANNEL, TS), card.token, fresh)
    assert await outbox.unpainted(10) == []
