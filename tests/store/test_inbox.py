from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from build import NOW, a_request, an_intent, seen
from people import TENANT, ann, ben, rob, slack_of

from app.ports import Earlier, Outcome, Withdrawal
from app.store.audit import AuditTrail
from app.store.inbox import StoredInbox
from app.store.request_book import StoredRequests
from app.store.withdrawals import StoredWithdrawals
from app.store.writer import Store

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]
ANN, BEN, ROB = slack_of(ann), slack_of(ben), slack_of(rob)


@pytest.fixture
def withdrawals(store: Store, trail: AuditTrail) -> StoredWithdrawals:
    return StoredWithdrawals(store, trail)


async def test_a_replayed_delivery_is_taken_once(inbox: StoredInbox) -> None:
    taken = await asyncio.gather(*(inbox.take("T1:U1:1.1:pim_approve", "action", ANN, NOW) for _ in range(50)))
    assert taken.count(True) == 1


async def test_each_of_a_burst_gets_an_answer_of_its_own(inbox: StoredInbox) -> None:
    await inbox.take("old", "action", ANN, NOW)
    burst = ("new", "old", "twice", "twice", "another")
    taken = await asyncio.gather(*(inbox.take(key, "action", ANN, NOW) for key in burst))
    assert taken == [True, False, True, False, True]


async def test_a_burst_is_closed_with_the_outcome_of_each(inbox: StoredInbox, rows: Rows) -> None:
    await asyncio.gather(*(inbox.take(key, "action", ANN, NOW) for key in "abc"))
    await asyncio.gather(*(inbox.close(key, f"outcome of {key}", NOW) for key in "ca"))
    found = await rows("SELECT outcome FROM inbox ORDER BY key")
    assert [row["outcome"] for row in found] == ["outcome of a", None, "outcome of c"]


async def test_a_closed_delivery_is_not_taken_again(inbox: StoredInbox, rows: Rows) -> None:
    await inbox.take("key", "action", ANN, NOW)
    await inbox.close("key", "opened", NOW)
    await inbox.close("key", "something else", NOW)
    assert not await inbox.take("key", "action", ANN, NOW)
    assert [row["outcome"] for row in await rows("SELECT * FROM inbox")] == ["opened"]


async def test_after_a_crash_everybody_hears_once_and_only_once(inbox: StoredInbox) -> None:
    for key, user in (("1", BEN), ("2", ANN), ("3", ANN), ("4", "")):
        await inbox.take(key, "action", user, NOW)
    await inbox.take("answered", "action", ROB, NOW)
    await inbox.close("answered", "opened", NOW)
    assert await inbox.abandon(NOW, NOW) == [ANN, BEN]
    assert await inbox.abandon(NOW, NOW) == []


@pytest.mark.parametrize(
    "outcome, told",
    [
        (Outcome.SENDING, []),
        (Outcome.UNKNOWN, []),
        (Outcome.MINE, []),
        (Outcome.REFUSED, [ANN]),
        (Outcome.NOT_TAKEN, [ANN]),
    ],
)
async def test_who_may_have_decided_something_is_not_told_that_nothing_was_changed(
    inbox: StoredInbox, book: StoredRequests, outcome: Outcome, told: list[str]
) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    await inbox.take("submission", "view_submission", ANN, NOW)
    intent = an_intent(request, at=NOW + timedelta(seconds=1))
    await book.claim(intent)
    await book.mark(intent, outcome)
    assert await inbox.abandon(NOW, NOW) == told


async def withdrawing(withdrawals: StoredWithdrawals, book: StoredRequests, at: datetime) -> Withdrawal:
    """Rob's call, on its way since then."""
    request = a_request()
    await book.remember([seen(request)], NOW)
    call = Withdrawal(request.key, rob, TENANT, ROB, at)
    assert await withdrawals.begin(call, at + timedelta(minutes=2))
    return call


@pytest.mark.parametrize("minutes", [1, 10])
async def test_who_may_have_withdrawn_something_is_not_told_that_nothing_was_changed(
    withdrawals: StoredWithdrawals, inbox: StoredInbox, book: StoredRequests, minutes: int
) -> None:
    await inbox.take("press", "action", ROB, NOW)
    await withdrawing(withdrawals, book, NOW + timedelta(seconds=1))
    assert await inbox.abandon(NOW, NOW + timedelta(minutes=minutes)) == []


async def test_whose_withdrawal_microsoft_refused_is_told_that_nothing_was_changed(
    withdrawals: StoredWithdrawals, inbox: StoredInbox, book: StoredRequests
) -> None:
    await inbox.take("press", "action", ROB, NOW)
    call = await withdrawing(withdrawals, book, NOW + timedelta(seconds=1))
    await withdrawals.refused(call, "Microsoft refused", NOW + timedelta(seconds=5))
    assert await inbox.abandon(NOW, NOW + timedelta(minutes=1)) == [ROB]


async def test_an_older_withdrawal_does_not_silence_a_newer_click(
    withdrawals: StoredWithdrawals, inbox: StoredInbox, book: StoredRequests
) -> None:
    await withdrawing(withdrawals, book, NOW - timedelta(minutes=1))
    await inbox.take("click", "action", ROB, NOW)
    assert await inbox.abandon(NOW, NOW) == [ROB]


async def test_an_older_decision_does_not_silence_a_newer_click(inbox: StoredInbox, book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    await book.claim(an_intent(request, at=NOW - timedelta(minutes=1)))
    await inbox.take("click", "action", ANN, NOW)
    assert await inbox.abandon(NOW, NOW) == [ANN]


async def test_what_was_taken_before_says_what_it_was_and_how_it_ended(inbox: StoredInbox) -> None:
    await inbox.take("api:1", "a fingerprint", "", NOW)
    assert await inbox.earlier("api:1") == Earlier("a fingerprint", "")
    await inbox.close("api:1", "done", NOW)
    assert await inbox.earlier("api:1") == Earlier("a fingerprint", "done")
    assert await inbox.earlier("api:2") is None


async def test_what_is_forgotten_may_come_again_and_what_was_answered_is_not_forgotten(inbox: StoredInbox) -> None:
    await inbox.take("api:1", "a fingerprint", "", NOW)
    await inbox.forget("api:1")
    assert await inbox.take("api:1", "another", "", NOW)
    await inbox.close("api:1", "done", NOW)
    await inbox.forget("api:1")
    assert await inbox.earlier("api:1") == Earlier("another", "done")
