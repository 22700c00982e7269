"""Waiting decisions and freezes as rows: taken once, ended on time, shown on the card, wiped by a freeze."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from build import NOW, a_link, a_request, an_intent, decided, guid, seen
from people import TEAM, TENANT, ann, ben, slack_of

from app.domain.request import ActivationRequest, Person, Status, Verdict
from app.ports import Link, LinkState, Outcome, WaitingDecision
from app.store.audit import AuditTrail
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.waiting import StoredFreezes, StoredWaiting
from app.store.writer import Store

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def waiting(store: Store) -> StoredWaiting:
    return StoredWaiting(store)


@pytest.fixture
def freezes(store: Store, trail: AuditTrail) -> StoredFreezes:
    return StoredFreezes(store, trail)


@pytest.fixture
async def request_(book: StoredRequests, outbox: StoredOutbox) -> ActivationRequest:
    """A pending request with a painted card."""
    request = a_request()
    await book.remember([seen(request)], NOW)
    await paint(outbox)
    return request


async def paint(outbox: StoredOutbox) -> None:
    for card, row in await outbox.unpainted(10):
        await outbox.painted(card, card.ts or "1700000000.000100", row.version)


async def verifying(book: StoredRequests, request: ActivationRequest) -> Person | None:
    row = await book.find(request.key)
    assert row is not None
    return row.verifying


def a_waiting(request: ActivationRequest, person: Person = ann, **over: object) -> WaitingDecision:
    facts: dict[str, Any] = {
        "id": guid(),
        "key": request.key,
        "verdict": Verdict.DENY,
        "comment": "Not \x00 today",
        "digest": request.digest,
        "team": TEAM,
        "slack_user": slack_of(person),
        "tenant": TENANT,
        "person": person,
        "asked_at": NOW,
        "expires": NOW + TEN_MINUTES,
        **over,
    }
    return WaitingDecision(**facts)


async def test_what_is_put_is_found_and_taken(waiting: StoredWaiting, request_: ActivationRequest) -> None:
    decision = a_waiting(request_)
    assert await waiting.put(decision)
    expected = replace(decision, comment="Not \N{REPLACEMENT CHARACTER} today")
    assert await waiting.find(decision.id, NOW) == expected
    assert await waiting.take(decision.id, NOW) == expected


async def test_of_many_who_take_it_one_gets_it(waiting: StoredWaiting, request_: ActivationRequest) -> None:
    decision = a_waiting(request_, comment="")
    await waiting.put(decision)
    taken = await asyncio.gather(*(waiting.take(decision.id, NOW) for _ in range(5)))
    assert sorted(taken, key=str) == [None] * 4 + [decision]
    assert await waiting.find(decision.id, NOW) is None


async def test_it_lives_ten_minutes(waiting: StoredWaiting, request_: ActivationRequest) -> None:
    decision = a_waiting(request_)
    await waiting.put(decision)
    assert await waiting.find(decision.id, NOW + TEN_MINUTES - timedelta(seconds=1))
    assert await waiting.find(decision.id, NOW + TEN_MINUTES) is None
    assert await waiting.take(decision.id, NOW + TEN_MINUTES) is None


async def test_an_unknown_one_is_none(waiting: StoredWaiting) -> None:
    assert await waiting.take("made up", NOW) is None


async def test_it_holds_no_claim(waiting: StoredWaiting, book: StoredRequests, request_: ActivationRequest) -> None:
    await waiting.put(a_waiting(request_))
    row = await book.find(request_.key)
    assert row is not None
    assert (row.status, row.deciding) == (Status.PENDING, None)
    assert await book.claim(an_intent(request_, ben)) is not None


async def test_each_coming_and_going_repaints_the_card(
    waiting: StoredWaiting, outbox: StoredOutbox, book: StoredRequests, request_: ActivationRequest
) -> None:
    decision = a_waiting(request_)
    for act, who in ((waiting.put(decision), ann), (waiting.take(decision.id, NOW), None)):
        assert await outbox.unpainted(10) == []
        await act
        ((_, row),) = await outbox.unpainted(10)
        assert (row.key, row.verifying) == (request_.key, who)
        await paint(outbox)
    assert await verifying(book, request_) is None


async def test_what_is_too_old_ends_and_repaints(
    waiting: StoredWaiting, outbox: StoredOutbox, book: StoredRequests, request_: ActivationRequest
) -> None:
    await waiting.put(a_waiting(request_))
    await waiting.put(a_waiting(request_, ben, expires=NOW + 2 * TEN_MINUTES))
    await paint(outbox)
    assert await waiting.expire(NOW + TEN_MINUTES) == 1
    assert await verifying(book, request_) == ben
    assert len(await outbox.unpainted(10)) == 1
    assert await waiting.expire(NOW + TEN_MINUTES) == 0


async def test_a_persons_newer_one_replaces_the_older(
    waiting: StoredWaiting, book: StoredRequests, request_: ActivationRequest
) -> None:
    first, second, other = a_waiting(request_), a_waiting(request_), a_waiting(request_, ben)
    for decision in (first, other, second):
        assert await waiting.put(decision)
    assert await waiting.find(first.id, NOW) is None
    assert await waiting.find(other.id, NOW) is not None
    assert await waiting.take(second.id, NOW) is not None
    assert await verifying(book, request_) == ben


async def test_on_a_request_that_is_not_pending_nothing_waits(
    waiting: StoredWaiting, book: StoredRequests, request_: ActivationRequest
) -> None:
    intent = an_intent(request_, ben)
    await book.claim(intent)
    assert not await waiting.put(a_waiting(request_))
    await book.release(intent, Outcome.REFUSED, "no", NOW)
    assert await waiting.put(a_waiting(request_))
    await book.settle(request_.key, Status.APPROVED, decided(ben), None, NOW)
    assert not await waiting.put(a_waiting(request_, ben))
    assert await verifying(book, request_) is None


async def test_opposite_orders_at_once_do_not_lock_each_other_out(
    waiting: StoredWaiting, request_: ActivationRequest
) -> None:
    first = a_waiting(request_)
    await waiting.put(first)
    acts = (waiting.put(a_waiting(request_)), waiting.take(first.id, NOW), waiting.expire(NOW + TEN_MINUTES))
    await asyncio.wait_for(asyncio.gather(*acts, *(waiting.put(a_waiting(request_)) for _ in range(5))), 30)


# --- freezing ---


async def link_of(links: StoredLinks, person: Person = ann) -> Link:
    link = await links.by_entra(TENANT, person.id)
    assert link is not None
    return link


async def test_a_freeze_wipes_tokens_and_what_waits(
    links: StoredLinks, waiting: StoredWaiting, freezes: StoredFreezes, request_: ActivationRequest, rows: Rows
) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    await links.save(a_link(ben), "ben's", 1, NOW)
    mine, other = a_waiting(request_), a_waiting(request_, ben)
    await waiting.put(mine)
    await waiting.put(other)
    assert await freezes.freeze(await link_of(links), NOW)
    frozen = await link_of(links)
    assert (frozen.state, frozen.generation) == (LinkState.FROZEN, 2)
    assert [row["sealed"] for row in await rows("SELECT sealed FROM links ORDER BY person_name")] == [None, "ben's"]
    assert [row["id"] for row in await rows("SELECT id FROM waiting_decisions")] == [other.id]
    assert [link.person for link in await links.active()] == [ben]


async def test_a_freeze_happens_once_and_is_written_down(
    links: StoredLinks, freezes: StoredFreezes, trail: AuditTrail
) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    link = await link_of(links)
    assert sorted(await asyncio.gather(*(freezes.freeze(link, NOW) for _ in range(3)))) == [False, False, True]
    _, entry = await trail.rows(0, 10)
    assert (entry.what, entry.who, entry.request_id) == ("link_frozen", ann.id, "")
    assert json.loads(entry.facts)["slack_user"] == slack_of(ann)
    assert await trail.verify() is None


async def test_a_freeze_stops_the_newest_sign_in_too(links: StoredLinks, freezes: StoredFreezes) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    old = await link_of(links)
    await links.save(old, "sealed again", 1, NOW)
    assert await freezes.freeze(old, NOW)
    assert (await link_of(links)).state is LinkState.FROZEN


async def test_neither_a_refresh_nor_an_end_of_session_thaws(links: StoredLinks, freezes: StoredFreezes) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    link = await link_of(links)
    cache = await links.load_cache(link.id)
    assert cache is not None
    await freezes.freeze(link, NOW)
    assert not await links.save_cache(cache, "refreshed")
    assert not await links.suspend(link, "over", NOW)
    assert not await links.suspend(await link_of(links), "over", NOW)
    assert (await link_of(links)).state is LinkState.FROZEN
    assert await links.load_cache(link.id) is None


async def test_only_a_sign_in_that_began_after_the_freeze_ends_it(links: StoredLinks, freezes: StoredFreezes) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    before = await link_of(links)
    await freezes.freeze(before, NOW)
    under_way = replace(before, generation=before.generation + 1)
    assert not await links.save(under_way, "too early", 1, NOW)
    frozen = await link_of(links)
    assert await links.save(replace(frozen, state=LinkState.ACTIVE, generation=frozen.generation + 1), "new", 1, NOW)
    assert (await link_of(links)).state is LinkState.ACTIVE


# --- what is remembered of links ---


async def test_every_pair_is_remembered_for_ever(links: StoredLinks, rows: Rows) -> None:
    first = a_link(ann)
    await links.save(first, "sealed", 1, NOW)
    later = NOW + timedelta(days=3)
    await links.save(replace(first, signed_in_at=later), "sealed", 1, NOW)
    await links.remove(first, NOW)
    (row,) = await rows("SELECT * FROM link_history")
    assert (row["team"], row["slack_user"], row["tenant"], row["oid"]) == (TEAM, slack_of(ann), TENANT, ann.id)
    assert str(row["first_at"])[:10] != str(row["last_at"])[:10]
    assert (await links.kin(TEAM, slack_of(ann))).oids == {ann.id}


async def test_a_refused_link_leaves_no_trace(links: StoredLinks, rows: Rows) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    assert not await links.save(a_link(ben, slack_user=slack_of(ann)), "sealed", 1, NOW)
    assert len(await rows("SELECT * FROM link_history")) == 1


async def test_an_ended_session_is_told_once(links: StoredLinks, outbox: StoredOutbox) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    link = await link_of(links)
    await asyncio.gather(*(links.suspend(link, "over", NOW) for _ in range(5)))
    _, notice = await outbox.due_notices(NOW, 10)
    assert (notice.topic, notice.to_slack) == ("suspended", slack_of(ann))
    await links.save(link, "sealed anew", 1, NOW)
    await links.suspend(await link_of(links), "over", NOW)
    topics = [one.topic for one in await outbox.due_notices(NOW, 10)]
    assert sorted(topics) == ["linked", "linked", "suspended", "suspended"]
