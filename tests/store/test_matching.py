"""Who a requestor is in Slack: asked for while unknown, at most hourly, and a repaint when it is news."""

from __future__ import annotations

from datetime import timedelta

from build import NOW, a_request, decided, seen

from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Status
from app.ports import Topic
from app.store.directs import StoredDirects
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.writer import Store

HOUR = timedelta(hours=1)
BY_MAIL = Match(How.BY_MAIL, "U0ROB00001")


async def known(book: StoredRequests, **over: object) -> ActivationRequest:
    request = a_request(**over)
    await book.remember([seen(request)], NOW)
    return request


async def unmatched(book: StoredRequests, before: timedelta = -HOUR) -> list[str]:
    return [row.key.id for row in await book.unmatched(NOW + before, 10)]


async def test_a_new_request_is_to_be_asked_for_at_once(book: StoredRequests) -> None:
    request = await known(book)
    assert await unmatched(book) == [request.key.id]


async def test_what_was_found_is_read_with_the_row_and_not_asked_again(book: StoredRequests) -> None:
    request = await known(book)
    found = Match(How.BY_ALIAS, "U0ROB00001", "rob@acme.example")
    await book.matched(request.key, found, NOW)
    row = await book.find(request.key)
    assert row is not None
    assert row.match == found
    assert await unmatched(book, HOUR) == []


async def test_what_nobody_could_tell_is_asked_again_after_an_hour(book: StoredRequests) -> None:
    request = await known(book)
    await book.matched(request.key, Match(), NOW)
    assert await unmatched(book) == []
    assert await unmatched(book, timedelta(seconds=1)) == [request.key.id]


async def test_news_makes_the_card_behind_and_no_news_does_not(book: StoredRequests, outbox: StoredOutbox) -> None:
    request = await known(book)
    await book.matched(request.key, BY_MAIL, NOW)
    ((card, row),) = await outbox.unpainted(10)
    assert row.version == 2
    await outbox.painted(card, "17.1", row.version)
    await book.matched(request.key, BY_MAIL, NOW)
    assert await outbox.unpainted(10) == []


async def test_what_has_ended_is_left_alone(book: StoredRequests) -> None:
    request = await known(book)
    await book.settle(request.key, Status.CANCELED, decided(None), None, NOW)
    assert await unmatched(book) == []
    await book.matched(request.key, BY_MAIL, NOW)
    row = await book.find(request.key)
    assert row is not None
    assert row.match == Match()


async def test_a_request_that_reads_differently_keeps_its_match(book: StoredRequests) -> None:
    request = await known(book)
    await book.matched(request.key, BY_MAIL, NOW)
    changed = a_request(key=request.key, justification="Another reason altogether")
    await book.remember([seen(changed)], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert row.match == BY_MAIL


async def test_the_oldest_come_first_and_no_more_than_asked_for(book: StoredRequests) -> None:
    ids = [(await known(book, created=NOW - timedelta(minutes=age))).key.id for age in (3, 2, 1)]
    assert [row.key.id for row in await book.unmatched(NOW, 2)] == ids[:2]


async def test_whoever_is_found_is_owed_one_message_for_the_request(book: StoredRequests, store: Store) -> None:
    directs = StoredDirects(store, lambda: "never")
    request = await known(book)
    await book.matched(request.key, Match(), NOW)
    assert await directs.unpainted(10) == []
    for match in (BY_MAIL, BY_MAIL, Match(How.SIGNED_IN, "U0ROB00002")):
        await book.matched(request.key, match, NOW + HOUR)
    (letter,) = await directs.unpainted(10)
    assert (letter.direct.topic, letter.direct.slack_user) == (Topic.OWN, "U0ROB00001")
    assert letter.direct.facts == {"seen": NOW.isoformat()}
    assert [entry.row.key for entry in letter.entries] == [request.key]


async def test_nobody_is_owed_a_message_about_what_ended_before_they_were_found(
    book: StoredRequests, store: Store
) -> None:
    request = await known(book)
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    await book.matched(request.key, BY_MAIL, NOW)
    assert await StoredDirects(store, lambda: "never").unpainted(10) == []
