from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from build import NOW, a_key, a_request, an_intent, decided, seen
from people import CHANNEL, ann, ben, rita

from app.domain.request import ActivationRequest, Kind, PolicyFacts, Status
from app.domain.risk import Level, Risk
from app.domain.routes import Route
from app.domain.row import RequestRow
from app.ports import Card
from app.store.audit import AuditTrail
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.writer import Store

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]


async def known_row(book: StoredRequests, request: ActivationRequest) -> RequestRow:
    row = await book.find(request.key)
    assert row is not None
    return row


async def only_card(outbox: StoredOutbox) -> Card:
    [(card, _)] = await outbox.unpainted(10)
    return card


async def test_a_route_says_where_the_card_goes(store: Store, trail: AuditTrail, outbox: StoredOutbox) -> None:
    routes = (Route("C0CRITICAL", levels=frozenset({Level.CRITICAL})),)
    book = StoredRequests(
        store, trail, Posting(CHANNEL, iter(("t1", "t2")).__next__, iter(("c1", "c2")).__next__, routes)
    )
    levels = (Level.CRITICAL, Level.HIGH)
    await book.remember([seen(a_request(), risk=Risk(level)) for level in levels], NOW)
    assert {row.risk.level: card.channel for card, row in await outbox.unpainted(10)} == {
        Level.CRITICAL: "C0CRITICAL",
        Level.HIGH: CHANNEL,
    }


async def test_a_new_request_is_pending_with_a_card_to_post(book: StoredRequests, outbox: StoredOutbox) -> None:
    request = a_request()
    await book.remember([seen(request, approvers=[ann])], NOW)
    row, card = await known_row(book, request), await only_card(outbox)
    assert (row.status, row.version, row.approvers, row.channels) == (Status.PENDING, 1, {ann.id}, {CHANNEL})
    assert (card.key, card.channel, card.ts, card.digest, card.tried) == (
        request.key,
        CHANNEL,
        "",
        request.digest,
        False,
    )


async def test_remembering_twice_changes_nothing(book: StoredRequests, rows: Rows) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    before = await rows("SELECT * FROM cards")
    await book.remember([seen(request), seen(request)], NOW + timedelta(minutes=1))
    assert (await known_row(book, request)).version == 1
    assert await rows("SELECT * FROM cards") == before


async def test_the_same_id_on_two_desks_is_two_requests(book: StoredRequests) -> None:
    entra = a_request(justification="of the first desk")
    group = a_request(key=type(entra.key)(Kind.GROUP, entra.key.id), justification="of the second desk")
    await book.remember([seen(entra), seen(group)], NOW)
    assert (await known_row(book, entra)).request == entra
    assert (await known_row(book, group)).request == group


async def test_a_changed_digest_voids_the_tokens_of_its_cards(book: StoredRequests, outbox: StoredOutbox) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    old = await only_card(outbox)
    await outbox.painted(old, "1.1", 1)
    changed = a_request(key=request.key, justification="Something else entirely, please")
    await book.remember([seen(changed)], NOW)
    row, card = await known_row(book, request), await only_card(outbox)
    assert (row.version, row.request.justification) == (2, changed.justification)
    assert (card.ts, card.digest) == ("1.1", changed.digest)
    assert card.token != old.token


@pytest.mark.parametrize(
    "over", [{"risk": Risk(Level.CRITICAL, ("worse",))}, {"policy": PolicyFacts(comment_required=False)}]
)
async def test_a_new_reading_of_the_same_request_repaints_but_keeps_the_token(
    book: StoredRequests, outbox: StoredOutbox, over: dict[str, object]
) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    old = await only_card(outbox)
    await outbox.painted(old, "1.1", 1)
    await book.remember([seen(request, **over)], NOW)
    assert (await known_row(book, request)).version == 2
    assert (await only_card(outbox)).token == old.token


async def test_more_approvers_are_noted_without_repainting(book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request, approvers=[ann])], NOW)
    await book.remember([seen(request, approvers=[ben])], NOW)
    row = await known_row(book, request)
    assert (row.version, row.approvers) == (1, {ann.id, ben.id})
    assert (await book.known(Kind.ENTRA))[request.key.id].approvers == {ann.id, ben.id}


async def test_a_request_being_decided_is_left_alone(book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    await book.claim(an_intent(request))
    await book.remember([seen(a_request(key=request.key, justification="Changed meanwhile, by a lagging list"))], NOW)
    row = await known_row(book, request)
    assert (row.status, row.version, row.request) == (Status.DECIDING, 2, request)


async def test_final_stays_final_when_a_lagging_list_still_shows_it(book: StoredRequests, rows: Rows) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    before = await known_row(book, request)
    await book.remember([seen(request, approvers=[ben])], NOW)
    assert await known_row(book, request) == before
    assert len(await rows("SELECT * FROM cards")) == 1


async def test_when_it_was_made_is_never_rewritten(book: StoredRequests) -> None:
    request = a_request()
    await book.remember([seen(request)], NOW)
    await book.remember([seen(a_request(key=request.key, created=NOW))], NOW)
    assert (await known_row(book, request)).request.created == request.created


async def test_a_flood_is_remembered_in_one_go(book: StoredRequests) -> None:
    flood = [a_request(key=a_key(Kind.AZURE), requestor=rita) for _ in range(1201)]
    await book.remember([seen(request, approvers=[ann]) for request in flood], NOW)
    known = await book.known(Kind.AZURE)
    assert known.keys() == {request.key.id for request in flood}
    assert all(one.approvers == {ann.id} for one in known.values())
    assert len(await book.open_rows()) == 1201


async def test_open_rows_are_the_oldest_first_and_no_final_ones(book: StoredRequests) -> None:
    young, old, ended = (a_request(created=NOW - timedelta(hours=hours)) for hours in (1, 3, 2))
    await book.remember([seen(young), seen(old), seen(ended)], NOW)
    await book.settle(ended.key, Status.EXPIRED, decided(None), None, NOW)
    await book.claim(an_intent(young))
    assert [row.key for row in await book.open_rows()] == [old.key, young.key]
    assert (await book.known(Kind.ENTRA)).keys() == {old.key.id, young.key.id}
    assert await book.known(Kind.GROUP) == {}


async def test_an_unknown_request_is_not_found(book: StoredRequests) -> None:
    assert await book.find(a_key()) is None
    assert await book.settle(a_key(), Status.EXPIRED, decided(None), None, NOW) is False
