from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from build import NOW, a_request, seen
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from app.domain.request import PolicyFacts, Role, Scope, Ticket
from app.domain.risk import Level, Risk
from app.store.request_book import StoredRequests
from app.store.tables import sign_in_flows as flows
from app.store.writer import Store


async def keep(store: Store, moment: datetime) -> datetime:
    row = {"token_hash": moment.isoformat(), "sealed": "", "expires": moment}
    await store.write(lambda connection: connection.execute(insert(flows).values(**row)))
    found: datetime = await store.read(lambda connection: connection.scalar(select(flows.c.expires)))
    return found


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        NOW.replace(microsecond=123456),
        datetime(2026, 7, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
async def test_a_moment_comes_back_as_the_same_moment_in_utc(store: Store, moment: datetime) -> None:
    found = await keep(store, moment)
    assert found == moment
    assert found.tzinfo is UTC


async def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="aware UTC"):
        await keep(store, NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"role": Role("r", "", None), "scope": Scope("/subscriptions/x", "prod"), "ticket": Ticket()},
        {"role": Role("r", "custom", built_in=False), "duration": None, "duration_text": "P1M"},
        {"start": NOW + timedelta(hours=1), "duration": timedelta(seconds=1, microseconds=5)},
        {"justification": "<!channel> 'quoted' \"too\" %s :name ; -- \u202e \N{PILE OF POO}" * 200},
    ],
)
async def test_a_request_comes_back_as_it_was(book: StoredRequests, over: dict[str, object]) -> None:
    request = a_request(**over)
    risk = Risk(Level.CRITICAL, ("first", "second"), rules=7)
    policy = PolicyFacts(comment_required=True, longest=timedelta(hours=8))
    await book.remember([seen(request, risk=risk, policy=policy)], NOW)
    row = await book.find(request.key)
    assert row is not None
    assert (row.request, row.risk, row.policy, row.version) == (request, risk, policy, 1)
    assert row.request.digest == request.digest


async def test_characters_no_database_holds_do_not_stop_the_others(book: StoredRequests) -> None:
    odd, plain = a_request(justification="a\x00b\ud800c"), a_request()
    await book.remember([seen(odd), seen(plain)], NOW)
    row = await book.find(odd.key)
    assert row is not None
    assert row.request.justification == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert await book.find(plain.key) is not None
    await book.remember([seen(odd)], NOW)
    again = await book.find(odd.key)
    assert again == row
