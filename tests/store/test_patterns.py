"""A person's past, read by its index, and the circumstances of a judgement, kept with the row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from build import EXCHANGE, NOW, REPORTS_READER, a_key, a_request, an_intent, decided, seen
from hypothesis import given
from hypothesis import strategies as st
from people import ben, rita, rob
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.pattern import Held, Hours, Past, PastRequest, Pattern, Resubmission, Use
from app.domain.request import Kind, Person, RequestKey, Role, Status, Ticket
from app.domain.risk import Level, Risk
from app.store.engine import open_engine
from app.store.past import past
from app.store.patterns import earlier_json, pattern_json, read_earlier, read_pattern
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.writer import Store

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]
Change = Callable[[str], Awaitable[None]]
HOUR = timedelta(hours=1)
HABITS = Pattern(
    uses=4,
    last=(Use(NOW - HOUR, 2 * HOUR), Use(NOW - 2 * HOUR)),
    typical=timedelta(minutes=90),
    hours=Hours(22, 2),
    denials=2,
    counted=1,
    active=(Held("Reports Reader", "Whole directory", NOW + HOUR),),
    since=NOW - timedelta(days=40),
)
EARLIER = Resubmission(
    RequestKey(Kind.AZURE, "x"), Status.EXPIRED, NOW - HOUR, "Ben Bauer", "too \N{SNOWMAN} long", ("8 h → 2 h",)
)


# --- a person's past ---


async def test_nobody_has_no_past(book: StoredRequests) -> None:
    assert await book.past(rob.id, NOW, 10) == Past()


async def test_the_past_is_one_persons_newest_first_with_all_that_habits_need(book: StoredRequests) -> None:
    denied = a_request(created=NOW - 5 * HOUR, ticket=Ticket("CHG-1", "Jira"), justification="Mail", duration=8 * HOUR)
    pending = a_request(created=NOW - HOUR, key=a_key(Kind.GROUP), duration=None, duration_text="P1M")
    await book.remember(
        [seen(one) for one in (denied, pending, a_request(requestor=rita, created=NOW - 9 * HOUR))], NOW
    )
    await book.settle(denied.key, Status.DENIED, decided(ben, comment="too long"), None, NOW)
    found = await book.past(rob.id, NOW, 10)
    assert found.since == {}
    assert found.requests == (
        PastRequest(
            pending.key,
            Role(EXCHANGE.id, EXCHANGE.name),
            pending.scope,
            pending.created,
            Status.PENDING,
            duration_text="P1M",
            ticket=pending.ticket,
            justification=pending.justification,
        ),
        PastRequest(
            denied.key,
            Role(EXCHANGE.id, EXCHANGE.name),
            denied.scope,
            denied.created,
            Status.DENIED,
            duration=8 * HOUR,
            duration_text="PT2H",
            decided_at=NOW,
            by="Ben Bauer",
            comment="too long",
            ticket=Ticket("CHG-1", "Jira"),
            justification="Mail",
        ),
    )


async def test_the_past_ends_before_the_moment_asked_about(book: StoredRequests) -> None:
    request = a_request(created=NOW)
    await book.remember([seen(request)], NOW)
    assert (await book.past(rob.id, NOW, 10)).requests == ()
    assert len((await book.past(rob.id, NOW + timedelta(microseconds=1), 10)).requests) == 1


async def test_the_past_is_whole_since_each_desk_was_seen_or_its_history_read(
    book: StoredRequests, store: Store
) -> None:
    sights = StoredSights(store)
    await sights.seen(Kind.ENTRA, NOW - 2 * HOUR)
    await sights.filled(Kind.AZURE, NOW - 9 * HOUR, NOW)
    found = await book.past(rob.id, NOW, 3)
    assert found.since == {Kind.ENTRA: NOW - 2 * HOUR, Kind.AZURE: NOW - 9 * HOUR}


async def test_a_past_that_was_cut_off_is_whole_only_since_its_last_row(book: StoredRequests, store: Store) -> None:
    await StoredSights(store).filled(Kind.ENTRA, NOW - 30 * HOUR, NOW)
    requests = [a_request(created=NOW - hours * HOUR) for hours in range(1, 6)]
    await book.remember([seen(one) for one in requests], NOW)
    found = await book.past(rob.id, NOW, 3)
    assert [one.created for one in found.requests] == [NOW - hours * HOUR for hours in (1, 2, 3)]
    assert found.since == {Kind.ENTRA: NOW - 3 * HOUR}


async def test_the_past_is_one_walk_along_its_index(database_url: str, dialect: str) -> None:
    engine = open_engine(database_url)
    asked: list[tuple[str, Any]] = []
    event.listen(
        getattr(engine, "sync_engine", engine), "before_cursor_execute", lambda *told: asked.append((told[2], told[3]))
    )
    store = Store(engine)

    async def explain(connection: AsyncConnection) -> str:
        await past(connection, "x", NOW, 10)
        statement, parameters = next(told for told in asked if told[0].startswith("SELECT"))
        if dialect == "postgresql":  # whose planner would read a table of no rows as a whole
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            await connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        word = "EXPLAIN" if dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        return "\n".join(map(str, await connection.exec_driver_sql(f"{word} {statement}", parameters)))

    plan = await store.read(explain)
    await store.aclose()
    assert "requests_by_requestor" in plan
    assert "Sort" not in plan
    assert "ORDER BY" not in plan


# --- what was known then ---


async def test_the_circumstances_of_a_judgement_come_back_with_the_row(book: StoredRequests) -> None:
    request = a_request()
    risk = Risk(Level.HIGH, ("a", "b"), 7, ("role_high", "long"))
    await book.remember([seen(request, risk=risk, pattern=HABITS, earlier=EARLIER)], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert (row.risk, row.pattern, row.earlier) == (risk, HABITS, EARLIER)


async def test_nothing_known_comes_back_as_nothing(book: StoredRequests, rows: Rows) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert (row.pattern, row.earlier) == (None, None)
    assert await rows("SELECT id FROM requests WHERE pattern IS NULL AND earlier IS NULL") != []


async def test_habits_that_change_no_judgement_repaint_no_card(book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request, pattern=HABITS)], NOW)
    await book.remember([seen(request, pattern=Pattern(), earlier=EARLIER)], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert (row.version, row.pattern, row.earlier) == (1, HABITS, None)


async def test_a_new_judgement_brings_its_own_circumstances(book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request, pattern=HABITS)], NOW)
    await book.remember([seen(request, risk=Risk(Level.LOW, ("x",)), pattern=Pattern(uses=1))], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert (row.version, row.pattern) == (2, Pattern(uses=1))


async def test_the_same_reading_twice_is_no_change_whatever_the_names_hold(book: StoredRequests) -> None:
    odd = "\x00\ud800\N{SNOWMAN}"
    habits = Pattern(active=(Held(odd, odd, NOW),))
    request = a_request(role=Role(REPORTS_READER.id, odd), requestor=Person(rob.id, odd))
    again = Resubmission(request.key, Status.DENIED, NOW, odd, odd, (odd,))
    for _ in range(2):
        await book.remember([seen(request, pattern=habits, earlier=again)], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert row.version == 1
    assert row.earlier is not None
    assert row.earlier.reason == "\N{REPLACEMENT CHARACTER}" * 2 + "\N{SNOWMAN}"


async def test_a_claim_and_an_ending_keep_them(book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request, pattern=HABITS, earlier=EARLIER)], NOW)
    claimed = await book.claim(an_intent(request))
    assert claimed is not None
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    row = await book.find(request.key)
    assert row is not None
    assert (claimed.pattern, row.pattern, row.earlier) == (HABITS, HABITS, EARLIER)


async def test_a_row_of_an_older_version_has_no_circumstances(book: StoredRequests, change: Change) -> None:
    request = a_request()
    await book.remember([seen(request, pattern=HABITS)], NOW)
    await change("UPDATE requests SET risk_fired = '[]', pattern = NULL, earlier = NULL, risk_rules = 1")
    row = await book.find(request.key)
    assert row is not None
    assert (row.risk.rules, row.risk.fired, row.pattern) == (1, (), None)


MOMENTS = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(lambda span: NOW + span)
LENGTHS = st.none() | st.integers(0, 10**9).map(lambda us: timedelta(microseconds=us))
PATTERNS = st.builds(
    Pattern,
    uses=st.integers(0, 200),
    last=st.lists(st.builds(Use, MOMENTS, LENGTHS), max_size=3).map(tuple),
    typical=LENGTHS,
    hours=st.none() | st.builds(Hours, st.integers(0, 23), st.integers(0, 23)),
    denials=st.integers(0, 9),
    counted=st.integers(0, 9),
    active=st.lists(st.builds(Held, st.text("ab "), st.text("ab "), MOMENTS), max_size=3).map(tuple),
    since=st.none() | MOMENTS,
)


@given(PATTERNS)
def test_any_habits_survive_being_stored(habits: Pattern) -> None:
    assert read_pattern(pattern_json(habits)) == habits
    assert read_pattern(pattern_json(None)) is None
    assert read_earlier(earlier_json(EARLIER)) == EARLIER
    assert read_earlier(earlier_json(None)) is None
