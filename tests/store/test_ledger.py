"""What an export asks beside the rows: how many there are, and Microsoft's name for the answer that counted."""

from __future__ import annotations

from datetime import timedelta

from build import NOW, a_request, an_intent, decided, seen

from app.domain.request import Status
from app.ports import Outcome, Query
from app.store.audit import AuditTrail
from app.store.ledger import StoredLedger
from app.store.request_book import StoredRequests
from app.store.writer import Store


async def test_requests_are_counted_in_a_time(book: StoredRequests, store: Store, trail: AuditTrail) -> None:
    for hours in range(4):
        await book.remember([seen(a_request(created=NOW + timedelta(hours=hours)))], NOW)
    ledger = StoredLedger(store, trail)
    assert await ledger.count(Query()) == 4
    assert await ledger.count(Query(since=NOW + timedelta(hours=1))) == 3
    assert await ledger.count(Query(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=3))) == 2


async def test_only_the_answer_that_counted_is_named(book: StoredRequests, store: Store, trail: AuditTrail) -> None:
    mine, refused, silent = a_request(), a_request(), a_request()
    await book.remember([seen(mine), seen(refused), seen(silent)], NOW)
    answered = an_intent(mine, answer="req-mine")
    await book.claim(answered)
    await book.settle(mine.key, Status.APPROVED, decided(), answered, NOW)
    not_taken = an_intent(refused, answer="req-refused")
    await book.claim(not_taken)
    await book.release(not_taken, Outcome.REFUSED, "no", NOW)
    keys = [request.key for request in (mine, refused, silent)]
    assert await StoredLedger(store, trail).answers(keys) == {mine.key: "req-mine"}
