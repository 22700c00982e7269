"""Leases on the database's clock, and the fence around what their holder writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from build import NOW, a_request, seen

from app.domain.errors import Superseded
from app.ports import Notice
from app.store.engine import open_engine
from app.store.leases import StoredLeases
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.writer import Store

NAME = "rounds"


async def test_a_lease_has_one_holder_who_may_renew_it(leases: StoredLeases) -> None:
    epochs = await asyncio.gather(*(leases.hold(NAME, holder, 15) for holder in ("a", "b", "c")))
    assert sorted(epochs) == [0, 0, 1]
    holder = ("a", "b", "c")[epochs.index(1)]
    assert await leases.hold(NAME, holder, 15) == 1
    assert await leases.hold("something else", "d", 15) == 1


async def test_an_expired_lease_is_handed_over_and_the_epoch_grows(leases: StoredLeases) -> None:
    assert await leases.hold(NAME, "a", 15) == 1
    assert await leases.hold(NAME, "a", -1) == 1  # it ended a second ago
    assert await leases.hold(NAME, "b", 15) == 2
    assert await leases.hold(NAME, "a", 15) == 0


async def test_an_expired_lease_that_nobody_wanted_is_renewed_under_its_epoch(leases: StoredLeases) -> None:
    await leases.hold(NAME, "a", -1)
    assert await leases.hold(NAME, "a", 15) == 1


async def test_of_many_who_want_an_expired_lease_one_gets_it(leases: StoredLeases) -> None:
    await leases.hold(NAME, "a", -1)
    epochs = await asyncio.gather(*(leases.hold(NAME, holder, 15) for holder in ("b", "c", "d", "e")))
    assert sorted(epochs) == [0, 0, 0, 2]


async def test_a_lease_given_back_is_free_at_once(leases: StoredLeases) -> None:
    await leases.hold(NAME, "a", 15)
    await leases.hold(NAME, "a", 0)
    assert await leases.hold(NAME, "b", 15) == 2


async def test_behind_the_fence_the_holder_writes_and_whoever_lost_the_lease_does_not(
    leases: StoredLeases, book: StoredRequests, outbox: StoredOutbox
) -> None:
    old, new = a_request(), a_request(justification="asked later")
    epoch = await leases.hold(NAME, "a", 15)
    with leases.fence(NAME, epoch):
        await book.remember([seen(old)], NOW)
    await leases.hold(NAME, "a", -1)
    await leases.hold(NAME, "b", 15)
    [(card, _)] = await outbox.unpainted(10)
    with leases.fence(NAME, epoch):
        for stale in (
            book.remember([seen(new)], NOW),
            outbox.trying(card),
            outbox.owe(Notice("n", "fate"), "n", NOW),
        ):
            with pytest.raises(Superseded):
                await stale
    assert await book.find(new.key) is None
    assert await outbox.due_notices(NOW, 10) == []
    await book.remember([seen(new)], NOW)  # outside of the fence: a decision of a person, say


async def test_what_slack_shows_is_told_even_too_late(
    leases: StoredLeases, book: StoredRequests, outbox: StoredOutbox
) -> None:
    epoch = await leases.hold(NAME, "a", -1)
    await book.remember([seen(a_request())], NOW)
    [(card, row)] = await outbox.unpainted(10)
    await leases.hold(NAME, "b", 15)
    with leases.fence(NAME, epoch):
        assert await outbox.painted(card, "17.1", row.version)


async def test_the_copy_that_was_told_first_is_the_card(book: StoredRequests, outbox: StoredOutbox) -> None:
    await book.remember([seen(a_request())], NOW)
    [(card, row)] = await outbox.unpainted(10)
    told = [await outbox.painted(card, ts, row.version) for ts in ("17.1", "17.2", "17.1")]
    assert told == [True, False, True]
    assert await outbox.unpainted(10) == []


async def test_an_older_version_that_is_told_late_leaves_the_card_behind(
    book: StoredRequests, outbox: StoredOutbox
) -> None:
    await book.remember([seen(a_request())], NOW)
    [(card, row)] = await outbox.unpainted(10)
    await book.remember([seen(replace(row.request, justification="reads differently"))], NOW)
    await outbox.painted(card, "17.1", row.version + 1)
    assert await outbox.unpainted(10) == []
    await outbox.painted(card, "17.1", row.version)
    assert len(await outbox.unpainted(10)) == 1


async def test_a_notice_is_closed_once(outbox: StoredOutbox) -> None:
    notice = Notice("n", "fate")
    await outbox.owe(notice, "n", NOW)
    assert [await outbox.sent(notice, note, NOW) for note in ("delivered", "again")] == [True, False]


async def test_a_task_that_is_begun_behind_the_fence_stays_behind_it(
    leases: StoredLeases, book: StoredRequests
) -> None:
    epoch = await leases.hold(NAME, "a", -1)
    await leases.hold(NAME, "b", 15)
    with leases.fence(NAME, epoch):
        task = asyncio.create_task(book.remember([seen(a_request())], NOW))
    with pytest.raises(Superseded):
        await task


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_nobody_takes_over_in_the_middle_of_a_write_and_nobody_waits_for_it(database_url: str) -> None:
    here, there = Store(open_engine(database_url)), Store(open_engine(database_url))
    mine, theirs = StoredLeases(here), StoredLeases(there)
    epoch = await mine.hold(NAME, "a", -1)
    attempts: list[int] = []

    async def meanwhile(_connection: object) -> None:
        attempts.append(await theirs.hold(NAME, "b", 15))
        attempts.append(await mine.hold(NAME, "a", -1))  # renewing does not wait either

    with mine.fence(NAME, epoch):
        await here.fenced().write(meanwhile)
    attempts.append(await theirs.hold(NAME, "b", 15))
    assert attempts == [0, 1, 2]
    await here.aclose()
    await there.aclose()
