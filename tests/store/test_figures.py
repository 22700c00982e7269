from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from build import NOW, a_key, a_link, a_notice, a_request, an_intent, decided, guid, seen
from people import ann, ben, slack_of
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import Kind, Status
from app.ports import Direct, Figures, LinkState, Topic
from app.store.directs import StoredDirects
from app.store.engine import open_engine
from app.store.figures import StoredFigures
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.writer import Store


async def test_an_empty_memory_has_nothing_to_count(store: Store) -> None:
    assert await StoredFigures(store).figures(NOW) == Figures()


async def test_open_requests_are_counted_by_desk_status_and_age(store: Store, book: StoredRequests) -> None:
    hours = {1: 0.5, 6: 6, 12: 11, 18: 18, 24: 24, None: 25}
    old = [a_request(created=NOW - timedelta(hours=age)) for age in hours.values()]
    azure, taken, ended = a_request(key=a_key(Kind.AZURE)), a_request(), a_request()
    await book.remember([seen(request) for request in (*old, azure, taken, ended)], NOW)
    await book.claim(an_intent(taken))
    await book.settle(ended.key, Status.DENIED, decided(), None, NOW)
    figures = await StoredFigures(store).figures(NOW)
    expected = {(Kind.ENTRA, Status.PENDING, hour): 1 for hour in hours}
    assert figures.open == {
        **expected,
        (Kind.AZURE, Status.PENDING, 1): 1,
        (Kind.ENTRA, Status.DECIDING, 1): 1,
    }
    assert figures.unsettled == 1


async def test_what_is_owed_is_counted(
    store: Store, book: StoredRequests, outbox: StoredOutbox, links: StoredLinks
) -> None:
    await book.remember([seen(a_request()), seen(a_request())], NOW)
    card, row = (await outbox.unpainted(10))[0]
    await outbox.painted(card, "1.1", row.version)
    await outbox.owe(a_notice(), "once", NOW)
    for person in (ann, ben):
        await links.save(a_link(person), "sealed", 1, NOW)
    await links.suspend(a_link(ben), "the test wants it", NOW)
    figures = await StoredFigures(store).figures(NOW)
    assert figures.unpainted == 1
    assert figures.unsent == len(await outbox.due_notices(NOW, 100))
    assert sum(figures.links.values()) == 2
    assert figures.links[LinkState.ACTIVE] >= 1


async def test_when_each_desk_was_seen_whole_is_told(store: Store) -> None:
    await StoredSights(store).seen(Kind.AZURE, NOW)
    assert (await StoredFigures(store).figures(NOW)).seen == {Kind.AZURE: NOW}


async def test_a_message_that_is_behind_is_owed_once_however_many_requests_it_shows(
    store: Store, book: StoredRequests
) -> None:
    directs = StoredDirects(store, guid)
    requests = [a_request(), a_request()]
    await book.remember([seen(request) for request in requests], NOW)
    for direct in (Direct(guid(), Topic.REMINDER, slack_of(ann)), Direct(guid(), Topic.REMINDER, slack_of(ben))):
        await directs.owe(direct, [request.key for request in requests], direct.id, NOW)
    assert (await StoredFigures(store).figures(NOW)).unsent == 2
    shown, gone = await directs.unpainted(10)
    await directs.painted(shown, "1.1")
    await directs.give_up(gone.direct, "the test wants it", NOW)
    assert (await StoredFigures(store).figures(NOW)).unsent == 0


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_no_count_reads_history(database_url: str) -> None:
    engine = open_engine(database_url)
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    store = Store(engine)
    await StoredFigures(store).figures(NOW)
    for statement, parameters in [told for told in asked if told[0].startswith("SELECT")]:
        plan = await store.read(partial(explained, statement, parameters))
        counted = ("requests", "cards", "notices", "intents", "direct_copies")
        walked = [detail for *_, detail in plan if detail.split()[1] in counted]
        assert all("INDEX" in detail for detail in walked), walked
    await store.aclose()


async def explained(statement: str, parameters: Any, connection: AsyncConnection) -> Any:  # noqa: ANN401 - rows
    return list(await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
