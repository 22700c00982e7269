from __future__ import annotations

import base64
import itertools
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from build import EXCHANGE, NOW, REPORTS_READER, a_key, a_request, decided, seen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import CHANNEL, ann, ben, rita, rob
from sqlalchemy import delete, event

from app.domain.request import Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer, may_see
from app.ports import Counters, Query
from app.store import history, tables
from app.store.audit import AuditTrail
from app.store.engine import open_engine
from app.store.history import counters, page
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.writer import Store

AUDITOR = Viewer(auditor=True)
PEOPLE = (ann, ben, rob)
CHANNELS = ("C0HERE", "C0THERE")
ROLES = (EXCHANGE, REPORTS_READER)


@dataclass(frozen=True)
class Sketch:
    """One request of a small random world."""

    kind: Kind
    minutes: int
    requestor: int
    creator: int
    channel: int
    approvers: frozenset[int]
    ended: Status | None
    decider: int | None
    role: int


sketches = st.builds(
    Sketch,
    kind=st.sampled_from(Kind),
    minutes=st.integers(0, 2),
    requestor=st.integers(0, 2),
    creator=st.integers(0, 2),
    channel=st.integers(0, 1),
    approvers=st.frozensets(st.integers(0, 2), max_size=2),
    ended=st.sampled_from([None, Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.CANCELED]),
    decider=st.sampled_from([None, 0, 1, 2]),
    role=st.integers(0, 1),
)
viewers = st.builds(
    Viewer,
    oid=st.sampled_from([None, *(person.id for person in PEOPLE)]),
    channels=st.frozensets(st.sampled_from([*CHANNELS, "C0ELSEWHERE"]), max_size=2),
    auditor=st.sampled_from([False, False, False, True]),
)
queries = st.builds(
    Query,
    statuses=st.frozensets(st.sampled_from([Status.PENDING, Status.APPROVED, Status.EXPIRED]), max_size=2),
    requestor=st.sampled_from(["", "", rob.id]),
    kinds=st.frozensets(st.sampled_from(Kind), max_size=2),
    decided_by=st.sampled_from(["", "", ann.id]),
    role=st.sampled_from(["", "", ROLES[0].id, ROLES[0].id.upper(), ROLES[1].name]),
    since=st.sampled_from([None, None, NOW - timedelta(minutes=1)]),
    until=st.sampled_from([None, None, NOW - timedelta(minutes=1), NOW]),
    oldest_first=st.booleans(),
    limit=st.integers(1, 3),
)
one_world_after_another = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class World:
    """Fills the store with sketches and reads it back whole."""

    store: Store
    trail: AuditTrail

    def book(self, channel: str = CHANNEL) -> StoredRequests:
        numbers = itertools.count()
        posting = Posting(channel, lambda: f"{channel}-t{next(numbers)}", lambda: f"{channel}-{next(numbers)}")
        return StoredRequests(self.store, self.trail, posting)

    async def make(self, drawn: list[Sketch]) -> list[RequestRow]:
        """Every row of the new world, newest first."""
        await self._clear()
        books = [self.book(channel) for channel in CHANNELS]
        for one in drawn:
            await self._add(books[one.channel], one)
        everything = (await books[0].page(AUDITOR, Query(limit=1000))).rows
        assert len(everything) == len(drawn)
        return sorted(everything, key=_newest, reverse=True)

    async def _add(self, book: StoredRequests, one: Sketch) -> None:
        request = a_request(
            key=a_key(one.kind),
            created=NOW - timedelta(minutes=one.minutes),
            requestor=PEOPLE[one.requestor],
            created_by=PEOPLE[one.creator].id,
            role=ROLES[one.role],
        )
        await book.remember([seen(request, approvers=[PEOPLE[n] for n in one.approvers])], NOW)
        if one.ended is not None:
            by = None if one.decider is None else PEOPLE[one.decider]
            await book.settle(request.key, one.ended, decided(by), None, NOW)

    async def _clear(self) -> None:
        for table in (tables.notices, tables.cards, tables.sightings, tables.requests):
            await self.store.write(lambda connection, table=table: connection.execute(delete(table)))


def _newest(row: RequestRow) -> tuple[Any, ...]:
    return row.request.created, row.key.kind.value, row.key.id


def _asked_for(row: RequestRow, query: Query) -> bool:
    decider = row.decided.by.id if row.decided is not None and row.decided.by is not None else ""
    role = row.request.role
    return (
        (not query.statuses or row.status in query.statuses)
        and (not query.kinds or row.key.kind in query.kinds)
        and query.requestor in ("", row.request.requestor.id)
        and query.decided_by in ("", decider)
        and query.role.lower() in ("", role.id, role.name.lower())
        and (query.since is None or row.request.created >= query.since)
        and (query.until is None or row.request.created < query.until)
    )


async def _all_pages(book: StoredRequests, viewer: Viewer, query: Query) -> list[RequestRow]:
    shown: list[RequestRow] = []
    for _ in range(20):  # more pages than any world here has
        found = await book.page(viewer, query)
        shown += found.rows
        if not found.next:
            return shown
        assert len(found.rows) == query.limit  # a short page would mean that SQL found what the rule forbids
        query = replace(query, after=found.next)
    raise AssertionError("the pages have no end")


@pytest.fixture
def world(store: Store, trail: AuditTrail) -> World:
    return World(store, trail)


@one_world_after_another
@given(drawn=st.lists(sketches, max_size=7), viewer=viewers, query=queries)
async def test_pages_hold_exactly_what_may_be_seen_once_and_in_order(
    world: World, drawn: list[Sketch], viewer: Viewer, query: Query
) -> None:
    everything = await world.make(drawn)
    expected = [row.key for row in everything if may_see(viewer, row) and _asked_for(row, query)]
    ordered = expected[::-1] if query.oldest_first else expected
    assert [row.key for row in await _all_pages(world.book(), viewer, query)] == ordered


@one_world_after_another
@given(drawn=st.lists(sketches, max_size=7), viewer=viewers, query=queries)
async def test_the_way_through_history_does_not_change_what_is_found(
    world: World, drawn: list[Sketch], viewer: Viewer, query: Query
) -> None:
    await world.make(drawn)
    many, few = [await world.store.read(lambda connection, n=n: page(connection, viewer, query, n)) for n in (1, 5000)]
    assert many == few


@one_world_after_another
@given(drawn=st.lists(sketches, max_size=7), viewer=viewers)
async def test_counters_and_waiting_follow_the_same_rule(world: World, drawn: list[Sketch], viewer: Viewer) -> None:
    visible = [row for row in await world.make(drawn) if may_see(viewer, row)]
    by_status = {status: sum(row.status is status for row in visible) for status in Status}
    expected = Counters(*(by_status[Status[name]] for name in ("PENDING", "APPROVED", "DENIED", "EXPIRED")))
    assert await world.book().counters(viewer, NOW) == expected
    waiting = [row.key for row in await world.book().waiting(viewer, 100)]
    assert waiting == [row.key for row in reversed(visible) if row.status is Status.PENDING]


async def test_a_row_that_arrives_between_two_pages_moves_nothing(book: StoredRequests) -> None:
    old = [a_request(created=NOW - timedelta(minutes=minutes)) for minutes in range(1, 5)]
    await book.remember([seen(request) for request in old], NOW)
    first = await book.page(AUDITOR, Query(limit=2))
    await book.remember([seen(a_request(created=NOW))], NOW)
    second = await book.page(AUDITOR, Query(limit=2, after=first.next))
    assert [row.key for row in (*first.rows, *second.rows)] == [request.key for request in old]
    assert second.next == ""


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "ünreadable",
        "=",
        "A" * 100_000,
        _encoded(["2026-11-23T09:00:00+00:00", "entra"]),
        _encoded(["2026-11-23T09:00:00+00:00", "pizza", "x"]),
        _encoded(["2026-11-23T09:00:00+00:00", "entra", "a\x00b"]),
        _encoded(["2026-11-23T09:00:00+00:00", "entra", "a\ud800b"]),
        _encoded(["0001-01-01T00:00:00+14:00", "entra", "x"]),
        _encoded([1, 2, 3]),
        _encoded({"requested": 1, "kind": 2, "id": 3}),
        _encoded([[[]]] * 3),
        "W1tb" * 90,
    ],
)
async def test_an_unreadable_cursor_means_the_first_page(book: StoredRequests, cursor: str) -> None:
    await book.remember([seen(a_request())], NOW)
    assert len((await book.page(AUDITOR, Query(after=cursor))).rows) == 1


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "a\x00b", "\ud800"])
@pytest.mark.parametrize("viewer", [AUDITOR, Viewer(rob.id)])
async def test_filters_are_values_never_sql(book: StoredRequests, viewer: Viewer, text: str) -> None:
    await book.remember([seen(a_request())], NOW)
    for query in (Query(requestor=text), Query(decided_by=text), Query(role=text), Query(requestor=rob.id, role=text)):
        assert (await book.page(viewer, query)).rows == ()
    assert len((await book.page(viewer, Query(requestor=rob.id))).rows) == 1


async def test_a_request_is_found_by_its_id_whatever_its_desk(book: StoredRequests) -> None:
    made = [a_request(key=a_key(kind)) for kind in Kind]
    await book.remember([seen(request) for request in made], NOW)
    for request in made:
        row = await book.find_id(request.key.id)
        assert row is not None
        assert row.key == request.key
    assert await book.find_id(a_key().id) is None


async def test_what_nobody_can_decide_is_left_out_when_asked(book: StoredRequests) -> None:
    stale, live = a_request(), a_request()
    await book.remember([seen(stale), seen(live)], NOW)
    await book.staled(stale.key, stale=True)
    for viewer in (AUDITOR, Viewer(rob.id), Viewer(channels=frozenset({CHANNEL}))):
        found = await book.page(viewer, Query(decidable=True))
        assert [row.key for row in found.rows] == [live.key]


async def test_somebody_without_any_tie_sees_nothing(book: StoredRequests) -> None:
    await book.remember([seen(a_request())], NOW)
    for stranger in (Viewer(), Viewer(rita.id), Viewer(channels=frozenset({"C0ELSEWHERE"}))):
        assert (await book.page(stranger, Query())).rows == ()
        assert await book.waiting(stranger, 10) == []
        assert await book.counters(stranger, NOW) == Counters()


async def test_counters_look_back_seven_days(book: StoredRequests) -> None:
    keys: list[RequestKey] = []
    for days in (1, 6, 8):
        request = a_request(created=NOW - timedelta(days=days))
        await book.remember([seen(request)], NOW)
        await book.settle(request.key, Status.APPROVED, decided(at=NOW - timedelta(days=days)), None, NOW)
        keys.append(request.key)
    assert (await book.counters(AUDITOR, NOW)).approved == 2
    assert len((await book.page(AUDITOR, Query())).rows) == 3


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("viewer", [AUDITOR, Viewer(ann.id, frozenset(CHANNELS))])
@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(requestor="x"),
        Query(decided_by="x"),
        Query(statuses=frozenset({Status.DENIED})),
        Query(statuses=frozenset({Status.DENIED, Status.EXPIRED}), kinds=frozenset({Kind.AZURE})),
        Query(kinds=frozenset({Kind.AZURE, Kind.GROUP}), since=NOW, until=NOW),
        Query(role="Reports Reader", oldest_first=True),
        Query(role=EXCHANGE.id, statuses=frozenset({Status.DENIED})),
    ],
)
@pytest.mark.parametrize("many", [0, 5000])  # as if everything were long, and as if nothing were
async def test_a_page_of_history_is_an_index_walk(database_url: str, viewer: Viewer, query: Query, many: int) -> None:
    engine = open_engine(database_url)
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    store = Store(engine)
    await store.read(lambda connection: page(connection, viewer, query, many))
    statement, parameters = next(told for told in asked if " JOIN (" in told[0])
    explain = f"EXPLAIN QUERY PLAN {statement}"
    plan = list(await store.read(lambda connection: connection.exec_driver_sql(explain, parameters)))
    await store.aclose()
    walked = [detail for *_, detail in plan if detail.split()[1] in ("requests", "cards", "sightings")]
    assert walked
    assert all("INDEX" in detail for detail in walked)
    # The one sort is of the few rows that are shown, at the root of the plan.
    assert [parent for _, parent, _, detail in plan if "ORDER BY" in detail] == [0]


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_is_unpainted_is_found_without_reading_every_card(store: Store) -> None:
    explain = "EXPLAIN QUERY PLAN SELECT * FROM cards WHERE painted < wanted"
    plan = list(await store.read(lambda connection: connection.exec_driver_sql(explain)))
    assert "cards_unpainted" in plan[0][-1]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("viewer", [AUDITOR, Viewer(ann.id, frozenset(CHANNELS)), Viewer(rob.id)])
async def test_the_overview_counts_a_week_without_reading_a_row(database_url: str, viewer: Viewer) -> None:
    engine = open_engine(database_url)
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    store = Store(engine)
    await store.read(lambda connection: counters(connection, viewer, NOW))
    statement, parameters = next(told for told in asked if "decided_at >=" in told[0])
    explain = f"EXPLAIN QUERY PLAN {statement}"
    plan = list(await store.read(lambda connection: connection.exec_driver_sql(explain, parameters)))
    await store.aclose()
    assert "COVERING INDEX requests_ended" in plan[0][-1]
    assert all("COVERING INDEX" in detail for *_, detail in plan if detail.startswith("SEARCH"))


class Asking:
    """How often a walk is asked whether it is long."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, *_: object) -> bool:
        self.times += 1
        return True


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "viewer, query, times",
    [
        (Viewer(channels=frozenset(CHANNELS)), Query(kinds=frozenset({Kind.AZURE, Kind.GROUP})), 0),
        (Viewer(ann.id), Query(kinds=frozenset({Kind.AZURE})), 0),
        (Viewer(channels=frozenset(CHANNELS)), Query(statuses=frozenset({Status.DENIED})), 2),
        # Requestor and creator are asked, decisions have an index for the word, sightings are asked.
        (Viewer(ann.id), Query(statuses=frozenset({Status.EXPIRED})), 3),
    ],
)
async def test_what_an_index_knows_is_looked_for_in_ones_own_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch, viewer: Viewer, query: Query, times: int
) -> None:
    """Walking everything of a desk for somebody who has nothing of it took a second over a million requests."""
    asking = Asking()
    monkeypatch.setattr(history, "_has", asking)
    await store.read(lambda connection: page(connection, viewer, query))
    assert asking.times == times
