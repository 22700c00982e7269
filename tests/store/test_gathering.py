"""Small writes of one kind: gathered into one statement, each with an answer of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Unavailable
from app.store import gathering
from app.store.gathering import Gathering
from app.store.writer import Store


class Batches:
    """Notes what came together, and answers each row with its double."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    async def many(self, _connection: AsyncConnection, rows: Sequence[int]) -> Sequence[int]:
        self.seen.append(list(rows))
        if 13 in rows:
            raise LookupError
        return [2 * row for row in rows]


async def test_what_waits_together_is_written_together_and_answered_one_by_one(store: Store) -> None:
    batches = Batches()
    gathered = Gathering(store, batches.many)
    assert await asyncio.gather(*(gathered.add(row) for row in range(5))) == [0, 2, 4, 6, 8]
    assert batches.seen == [[0, 1, 2, 3, 4]]


async def test_no_batch_grows_without_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST", 2)
    batches = Batches()
    gathered = Gathering(store, batches.many)
    await asyncio.gather(*(gathered.add(row) for row in range(5)))
    assert [len(batch) for batch in batches.seen] == [2, 2, 1]


async def test_a_failure_is_told_to_everybody_in_it_and_the_next_batch_goes_on(store: Store) -> None:
    gathered = Gathering(store, Batches().many)
    results = await asyncio.gather(gathered.add(1), gathered.add(13), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError, LookupError]
    assert await gathered.add(2) == 4


async def test_who_stopped_waiting_hurts_nobody(store: Store) -> None:
    gathered = Gathering(store, Batches().many)
    impatient = asyncio.create_task(gathered.add(1))
    patient = asyncio.create_task(gathered.add(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 4


async def test_a_task_that_is_cancelled_leaves_nobody_waiting(store: Store) -> None:
    async def be_cancelled(_connection: AsyncConnection, _rows: Sequence[int]) -> Sequence[int]:
        raise asyncio.CancelledError

    gathered = Gathering(store, be_cancelled)
    with pytest.raises(Unavailable):
        await gathered.add(1)
