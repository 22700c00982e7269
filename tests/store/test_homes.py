"""Homes and offers as rows: a token is one person's, and only until the next drawing."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from build import NOW, a_request, seen
from people import TEAM, ann, ben, slack_of

from app.domain.row import RequestRow
from app.ports import Offer, OpenHome
from app.store.homes import StoredHomes
from app.store.request_book import StoredRequests
from app.store.writer import Store

ANN, BEN = slack_of(ann), slack_of(ben)


@pytest.fixture
def homes(store: Store) -> StoredHomes:
    numbers = itertools.count(1)
    return StoredHomes(store, lambda: f"token-{next(numbers)}")


@pytest.fixture
async def row(book: StoredRequests) -> RequestRow:
    request = a_request()
    await book.remember([seen(request)], NOW)
    row = await book.find(request.key)
    assert row is not None
    return row


async def test_a_token_stands_for_a_request_to_one_person_in_one_workspace(homes: StoredHomes, row: RequestRow) -> None:
    token = (await homes.offer(OpenHome(TEAM, ANN), [row]))[row.key]
    assert await homes.offered(TEAM, ANN, token) == Offer(row.key, row.request.digest)
    assert await homes.offered(TEAM, BEN, token) is None
    assert await homes.offered("T0OTHER001", ANN, token) is None
    assert await homes.offered(TEAM, ANN, "") is None


async def test_a_new_drawing_ends_the_tokens_of_the_one_before_and_of_nobody_else(
    homes: StoredHomes, row: RequestRow
) -> None:
    first = (await homes.offer(OpenHome(TEAM, ANN), [row]))[row.key]
    bens = (await homes.offer(OpenHome(TEAM, BEN), [row]))[row.key]
    second = (await homes.offer(OpenHome(TEAM, ANN), [row]))[row.key]
    assert await homes.offered(TEAM, ANN, first) is None
    assert await homes.offered(TEAM, ANN, second) is not None
    assert await homes.offered(TEAM, BEN, bens) is not None


async def test_a_list_and_a_home_void_each_others_tokens_never(homes: StoredHomes, row: RequestRow) -> None:
    home = (await homes.offer(OpenHome(TEAM, ANN), [row]))[row.key]
    lists = [(await homes.hand_out(TEAM, ANN, [row]))[row.key] for _ in range(2)]
    await homes.hand_out(TEAM, BEN, [])
    stands = [await homes.offered(TEAM, ANN, token) is not None for token in (home, *lists)]
    assert stands == [True, False, True]
    await homes.offer(OpenHome(TEAM, ANN), [])
    assert await homes.offered(TEAM, ANN, lists[1]) is not None


async def test_who_opened_theirs_lately_comes_first(homes: StoredHomes) -> None:
    await homes.opened(TEAM, ANN, NOW)
    await homes.opened(TEAM, BEN, NOW + timedelta(minutes=1))
    assert [home.user for home in await homes.recent(NOW, 10)] == [BEN, ANN]
    assert [home.user for home in await homes.recent(NOW, 1)] == [BEN]
    assert [home.user for home in await homes.recent(NOW + timedelta(seconds=1), 10)] == [BEN]
    await homes.opened(TEAM, ANN, NOW + timedelta(minutes=2))
    assert [home.user for home in await homes.recent(NOW, 10)] == [ANN, BEN]


async def test_what_a_home_shows_is_known_after_drawing_it(homes: StoredHomes) -> None:
    await homes.opened(TEAM, ANN, NOW)
    await homes.offer(OpenHome(TEAM, ANN, "fingerprint"), [])
    assert await homes.recent(NOW, 10) == [OpenHome(TEAM, ANN, "fingerprint")]
