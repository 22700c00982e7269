"""Withdrawals as rows: one call at a time for a request, each step audited with what it writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_request, an_intent, decided, seen
from people import TENANT, rob, slack_of

from app.domain.request import RequestKey, Status
from app.ports import Withdrawal
from app.store.audit import AuditTrail
from app.store.request_book import StoredRequests
from app.store.withdrawals import StoredWithdrawals
from app.store.writer import Store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def withdrawals(store: Store, trail: AuditTrail) -> StoredWithdrawals:
    return StoredWithdrawals(store, trail)


async def asked(book: StoredRequests) -> Withdrawal:
    request = a_request()
    await book.remember([seen(request)], NOW)
    return Withdrawal(request.key, rob, TENANT, slack_of(rob), NOW)


async def audited(trail: AuditTrail, key: RequestKey) -> list[tuple[str, str]]:
    return [(row.what, row.who) for row in await trail.rows(0, 100) if row.request_id == key.id]


async def test_one_call_at_a_time_until_it_lapses(
    withdrawals: StoredWithdrawals, book: StoredRequests, trail: AuditTrail
) -> None:
    first = await asked(book)
    assert await withdrawals.begin(first, NOW + 2 * MINUTE)
    assert not await withdrawals.begin(replace(first, at=NOW + MINUTE), NOW + 3 * MINUTE)
    assert await withdrawals.begin(replace(first, at=NOW + 2 * MINUTE), NOW + 4 * MINUTE)
    assert await audited(trail, first.key) == [("withdrawing", rob.id)] * 2
    assert await trail.verify() is None


async def test_two_at_once_are_one_call(
    withdrawals: StoredWithdrawals, book: StoredRequests, trail: AuditTrail
) -> None:
    one = await asked(book)
    took = await asyncio.gather(*(withdrawals.begin(one, NOW + MINUTE) for _ in range(5)))
    assert sum(took) == 1
    assert len(await audited(trail, one.key)) == 1


async def test_what_microsoft_did_not_take_is_free_at_once(
    withdrawals: StoredWithdrawals, book: StoredRequests, trail: AuditTrail
) -> None:
    one = await asked(book)
    assert await withdrawals.begin(one, NOW + 2 * MINUTE)
    await withdrawals.refused(one, "Microsoft refused", NOW + MINUTE)
    assert await withdrawals.begin(replace(one, at=NOW + MINUTE), NOW + 3 * MINUTE)
    assert await audited(trail, one.key) == [(what, rob.id) for what in ("withdrawing", "not_withdrawn", "withdrawing")]


async def test_a_refusal_that_is_told_late_frees_no_later_call(
    withdrawals: StoredWithdrawals, book: StoredRequests
) -> None:
    one = await asked(book)
    later = replace(one, at=NOW + 2 * MINUTE)
    assert await withdrawals.begin(one, later.at)
    assert await withdrawals.begin(later, NOW + 4 * MINUTE)
    await withdrawals.refused(one, "too late", NOW + 2 * MINUTE)
    assert not await withdrawals.begin(replace(one, at=NOW + 3 * MINUTE), NOW + 5 * MINUTE)


@pytest.mark.parametrize("how", ["deciding", "ended", "unknown"])
async def test_only_what_waits_is_withdrawn(withdrawals: StoredWithdrawals, book: StoredRequests, how: str) -> None:
    one = await asked(book)
    row = await book.find(one.key)
    assert row is not None
    if how == "deciding":
        await book.claim(an_intent(row.request))
    elif how == "ended":
        await book.settle(one.key, Status.DENIED, decided(), None, NOW)
    else:
        one = replace(one, key=RequestKey(one.key.kind, "nobody's"))
    assert not await withdrawals.begin(one, NOW + MINUTE)
