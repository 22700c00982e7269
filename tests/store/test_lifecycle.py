"""Doubts and courses as rows: what is repainted, what is due, and which state each may touch. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request, decided, seen
from people import CHANNEL, ann

from app.domain.lifecycle import Course, Doubt, Holding, HowEnded
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer
from app.ports import RequestBook
from app.store.audit import AuditTrail
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.sights import GAP, StoredSights
from app.store.writer import Store

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HELD = Holding(NOW, NOW + 2 * HOUR)


@pytest.fixture
def book(store: Store) -> StoredRequests:
    names = iter(f"id-{number}" for number in range(1000))
    return StoredRequests(store, AuditTrail(store, b"key"), Posting(CHANNEL, lambda: next(names), lambda: next(names)))


async def known(book: StoredRequests, **facts: object) -> ActivationRequest:
    request = a_request()
    await book.remember([seen(request, **facts)], NOW)
    return request


async def row(book: RequestBook, request: ActivationRequest) -> RequestRow:
    found = await book.find(request.key)
    assert found is not None
    return found


async def approved(book: StoredRequests) -> ActivationRequest:
    request = await known(book)
    await book.settle(request.key, Status.APPROVED, decided(ann), None, NOW)
    return request


async def test_all_of_pims_settings_come_back_as_they_went_in(book: StoredRequests) -> None:
    facts = PolicyFacts(True, False, HOUR, True, "c1", (ann, Person("x")), by_default=True)
    assert (await row(book, await known(book, policy=facts))).policy == facts
    nobody = PolicyFacts(approvers=())
    assert (await row(book, await known(book, policy=nobody))).policy == nobody
    assert (await row(book, await known(book))).policy == PolicyFacts()


async def test_a_doubt_that_shows_repaints_and_one_that_does_not_show_does_not(book: StoredRequests) -> None:
    request = await known(book)
    await book.doubted(request.key, Doubt(1))
    assert ((await row(book, request)).doubt, (await row(book, request)).version) == (Doubt(1), 1)
    await book.doubted(request.key, Doubt(1, uncheckable=True))
    assert ((await row(book, request)).doubt, (await row(book, request)).version) == (Doubt(1, uncheckable=True), 2)


async def test_doubted_requests_are_known_as_such_and_sure_again_when_listed(book: StoredRequests) -> None:
    request = await known(book)
    await book.doubted(request.key, Doubt(1))
    assert (await book.known(Kind.ENTRA))[request.key.id].doubted
    await book.remember([seen(request)], NOW)
    assert not (await book.known(Kind.ENTRA))[request.key.id].doubted


async def test_a_final_request_is_not_doubted(book: StoredRequests) -> None:
    request = await approved(book)
    before = await row(book, request)
    await book.doubted(request.key, Doubt(1, uncheckable=True))
    await book.staled(request.key, stale=True)
    assert await row(book, request) == before


async def test_a_request_without_an_open_step_gets_its_card_when_it_has_one(book: StoredRequests, store: Store) -> None:
    request = await known(book, stale=True)
    outbox = StoredOutbox(store)
    assert (await row(book, request)).stale
    assert await outbox.unpainted(10) == []
    assert [found.key for found in await book.incomplete(Kind.ENTRA, 10)] == [request.key]
    await book.staled(request.key, stale=False)
    ((card, shown),) = await outbox.unpainted(10)
    assert (card.key, card.digest, shown.stale) == (request.key, request.digest, False)
    await book.staled(request.key, stale=True)
    await book.staled(request.key, stale=False)
    assert len(await outbox.unpainted(10)) == 1


async def test_a_listing_that_did_not_look_leaves_a_stale_request_stale(book: StoredRequests) -> None:
    request = await known(book, stale=True)
    await book.remember([seen(request)], NOW)
    assert (await row(book, request)).stale


async def test_stale_requests_are_counted_and_not_listed(book: StoredRequests) -> None:
    auditor = Viewer(auditor=True)
    await known(book, stale=True)
    request = await known(book)
    assert [found.key for found in await book.waiting(auditor, 10)] == [request.key]
    counters = await book.counters(auditor, NOW)
    assert (counters.pending, counters.stale) == (1, 1)


async def test_an_approved_role_is_looked_at_at_once_and_then_when_it_is_due(book: StoredRequests) -> None:
    request = await approved(book)
    assert [found.key for found in await book.look_due(NOW, 10)] == [request.key]
    await book.followed(request.key, Course(HELD, NOW + MINUTE))
    assert await book.look_due(NOW, 10) == []
    assert [found.key for found in await book.look_due(NOW + MINUTE, 10)] == [request.key]
    await book.look_again(request.key, None)
    assert await book.look_due(NOW + HOUR, 10) == []


async def test_a_course_repaints_only_with_news(book: StoredRequests) -> None:
    request = await approved(book)
    await book.followed(request.key, Course(HELD, NOW + MINUTE))
    version = (await row(book, request)).version
    await book.followed(request.key, Course(Holding(HELD.activated, HELD.until, missed=1), NOW + 2 * MINUTE))
    after = await row(book, request)
    assert (after.version, after.holding.missed) == (version, 1)
    ended = Holding(HELD.activated, HELD.until, NOW + HOUR, HowEnded.EARLY)
    await book.followed(request.key, Course(ended))
    after = await row(book, request)
    assert (after.version, after.holding) == (version + 1, ended)


async def test_an_end_nobody_could_read_may_be_learned_once_and_then_stays(book: StoredRequests) -> None:
    request = await known(book)
    assert await book.settle(request.key, Status.UNKNOWN, decided(None), None, NOW)
    assert not await book.settle(request.key, Status.UNKNOWN, decided(None), None, NOW)
    assert await book.settle(request.key, Status.DENIED, decided(ann), None, NOW)
    assert not await book.settle(request.key, Status.APPROVED, decided(ann), None, NOW)
    assert (await row(book, request)).status is Status.DENIED


async def test_overdue_are_the_pending_ones_older_than_a_day(book: StoredRequests) -> None:
    request = await known(book)
    end = request.expires
    assert await book.overdue(Kind.ENTRA, end - timedelta(seconds=1)) == []
    assert [found.key for found in await book.overdue(Kind.ENTRA, end)] == [request.key]
    assert await book.overdue(Kind.AZURE, end) == []


# --- what history covers ---


async def test_history_is_complete_since_the_first_whole_look(store: Store) -> None:
    sights = StoredSights(store)
    await sights.seen(Kind.ENTRA, NOW)
    await sights.seen(Kind.ENTRA, NOW + 2 * MINUTE)
    (coverage,) = await sights.coverage()
    assert (coverage.kind, coverage.since, coverage.gaps) == (Kind.ENTRA, NOW, ())


async def test_ten_minutes_without_a_look_are_a_gap(store: Store) -> None:
    await StoredSights(store).seen(Kind.ENTRA, NOW)
    await StoredSights(store).seen(Kind.ENTRA, NOW + GAP - timedelta(seconds=1))
    await StoredSights(store).seen(Kind.ENTRA, NOW + HOUR)
    (coverage,) = await StoredSights(store).coverage()
    assert [(gap.began, gap.ended) for gap in coverage.gaps] == [(NOW + GAP - timedelta(seconds=1), NOW + HOUR)]


async def test_reading_what_microsoft_keeps_moves_the_beginning_and_closes_gaps(store: Store) -> None:
    sights = StoredSights(store)
    for at in (NOW, NOW + HOUR, NOW + 3 * HOUR):
        await StoredSights(store).seen(Kind.ENTRA, at)
    await sights.filled(Kind.ENTRA, NOW + 2 * HOUR, NOW + 4 * HOUR)
    (coverage,) = await sights.coverage()
    assert [(gap.began, gap.ended) for gap in coverage.gaps] == [(NOW, NOW + HOUR), (NOW + HOUR, NOW + 2 * HOUR)]
    await sights.filled(Kind.ENTRA, NOW - 30 * 24 * HOUR, NOW + 4 * HOUR)
    (coverage,) = await sights.coverage()
    assert (coverage.since, coverage.gaps) == (NOW - 30 * 24 * HOUR, ())


async def test_an_outage_begins_once_and_is_known_to_every_process_until_it_is_over(store: Store) -> None:
    for at in (NOW, NOW + HOUR):
        await StoredSights(store).out(Kind.ENTRA, at)
    assert await StoredSights(store).out_since(Kind.ENTRA) == NOW
    assert await StoredSights(store).out_since(Kind.AZURE) is None
    await StoredSights(store).back(Kind.ENTRA)
    assert await StoredSights(store).out_since(Kind.ENTRA) is None
