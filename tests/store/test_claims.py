from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from build import NOW, a_request, an_intent, decided, seen
from people import CHANNEL, ann, ben, rob

from app.domain.request import ActivationRequest, Person, Status, Verdict, Where
from app.domain.row import RequestRow
from app.ports import Intent, Outcome
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
async def request_(book: StoredRequests) -> ActivationRequest:
    request = a_request()
    await book.remember([seen(request)], NOW)
    return request


@pytest.fixture
async def intent(book: StoredRequests, request_: ActivationRequest) -> Intent:
    """Ann's, claimed and about to be sent."""
    intent = an_intent(request_)
    await book.claim(intent)
    return await book.sending(intent)


async def status_of(book: StoredRequests, request: ActivationRequest) -> RequestRow:
    row = await book.find(request.key)
    assert row is not None
    return row


async def outcome_of(rows: Rows, intent: Intent) -> str:
    [outcome] = [row["outcome"] for row in await rows("SELECT id, outcome FROM intents") if row["id"] == intent.id]
    return str(outcome)


async def test_a_claim_names_who_is_deciding(book: StoredRequests, request_: ActivationRequest) -> None:
    row = await book.claim(an_intent(request_))
    assert row is not None
    assert (row.status, row.deciding, row.version) == (Status.DECIDING, ann, 2)
    assert row == await book.find(request_.key)


async def test_of_two_claims_at_once_one_wins(book: StoredRequests, request_: ActivationRequest, rows: Rows) -> None:
    claims = await asyncio.gather(*(book.claim(an_intent(request_, person)) for person in (ann, ben, ann, ben, ann)))
    assert len([row for row in claims if row is not None]) == 1
    assert len(await rows("SELECT * FROM intents")) == 1


async def test_what_changed_since_it_was_shown_cannot_be_claimed(
    book: StoredRequests, request_: ActivationRequest
) -> None:
    assert await book.claim(an_intent(request_, digest="what an older card showed")) is None
    assert (await status_of(book, request_)).status is Status.PENDING


async def test_an_intent_is_written_down_with_everything_it_needs_to_be_resumed(
    book: StoredRequests, request_: ActivationRequest
) -> None:
    intent = an_intent(request_, verdict=Verdict.DENY, justification="No ticket", view_id="V1", where=Where.API)
    await book.claim(intent)
    assert await book.unsettled() == [intent]


async def test_every_send_is_counted(book: StoredRequests, intent: Intent) -> None:
    assert (intent.sent, intent.outcome) == (1, Outcome.SENDING)
    await book.mark(intent, Outcome.UNKNOWN)
    [left] = await book.unsettled()
    assert (left.sent, left.outcome) == (1, Outcome.UNKNOWN)
    assert (await book.sending(left)).sent == 2


async def test_what_was_settled_meanwhile_must_not_be_sent(book: StoredRequests, request_: ActivationRequest) -> None:
    intent = an_intent(request_)
    await book.claim(intent)
    await book.settle(request_.key, Status.DENIED, decided(ben), None, NOW)
    told = await book.sending(intent)
    assert (told.outcome, told.sent) == (Outcome.THEIRS, 0)


async def test_releasing_brings_the_buttons_back(
    book: StoredRequests, request_: ActivationRequest, intent: Intent, rows: Rows
) -> None:
    await book.release(intent, Outcome.NOT_TAKEN, "Microsoft could not be reached", NOW)
    row = await status_of(book, request_)
    assert (row.status, row.deciding, row.version) == (Status.PENDING, None, 3)
    assert await outcome_of(rows, intent) == "not_taken"
    assert [audit["what"] for audit in await rows("SELECT * FROM audit")] == ["released"]
    assert await book.claim(an_intent(request_, ben)) is not None


async def test_a_late_release_does_not_take_the_next_claim_away(
    book: StoredRequests, request_: ActivationRequest, intent: Intent
) -> None:
    await book.release(intent, Outcome.NOT_TAKEN, "", NOW)
    await book.claim(an_intent(request_, ben))
    await book.release(intent, Outcome.NOT_TAKEN, "", NOW)
    assert (await status_of(book, request_)).deciding == ben


async def test_a_late_release_does_not_reopen_a_final_request(
    book: StoredRequests, request_: ActivationRequest, intent: Intent, rows: Rows
) -> None:
    await book.settle(request_.key, Status.APPROVED, decided(ann), intent, NOW)
    await book.release(intent, Outcome.NOT_TAKEN, "", NOW)
    assert (await status_of(book, request_)).status is Status.APPROVED
    assert await outcome_of(rows, intent) == "mine"


async def test_settling_writes_status_audit_and_one_notice_together(
    book: StoredRequests, request_: ActivationRequest, intent: Intent, outbox: StoredOutbox, rows: Rows
) -> None:
    ending = decided(ann, comment="Ticket checked")
    assert await book.settle(request_.key, Status.APPROVED, ending, intent, NOW)
    row = await status_of(book, request_)
    assert (row.status, row.decided, row.deciding, row.version) == (Status.APPROVED, ending, None, 3)
    [notice] = await outbox.due_notices(NOW, 10)
    assert (notice.topic, notice.key, notice.to_entra) == ("outcome", request_.key, rob.id)
    [audit] = await rows("SELECT * FROM audit")
    assert (audit["what"], audit["who"], audit["request_id"]) == ("approved", ann.id, request_.key.id)
    assert "Ticket checked" in audit["facts"]
    assert await book.unsettled() == []


async def test_settling_twice_counts_once(
    book: StoredRequests, request_: ActivationRequest, intent: Intent, rows: Rows
) -> None:
    endings = [(Status.APPROVED, decided(ann), intent), (Status.DENIED, decided(ben), None)] * 2
    told = await asyncio.gather(*(book.settle(request_.key, *ending, NOW) for ending in endings))
    assert sorted(told) == [False, False, False, True]
    assert len(await rows("SELECT * FROM audit")) == 1
    assert len(await rows("SELECT * FROM notices")) == 1


@pytest.mark.parametrize(
    "status, by, expected",
    [
        (Status.APPROVED, ann, Outcome.MINE),
        (Status.APPROVED, replace(ann, id=ann.id.upper()), Outcome.MINE),
        (Status.APPROVED, ben, Outcome.THEIRS),
        (Status.APPROVED, None, Outcome.THEIRS),
        (Status.DENIED, ann, Outcome.THEIRS),
        (Status.CANCELED, rob, Outcome.THEIRS),
        (Status.EXPIRED, None, Outcome.THEIRS),
    ],
)
async def test_an_intent_is_mine_only_if_microsoft_names_me_with_my_verdict(
    book: StoredRequests, intent: Intent, rows: Rows, status: Status, by: Person | None, expected: Outcome
) -> None:
    await book.settle(intent.key, status, decided(by, where=Where.OUTSIDE), None, NOW)
    assert await outcome_of(rows, intent) == expected
    row = await book.find(intent.key)
    assert row is not None
    assert row.decided is not None
    assert row.decided.where is (Where.SLACK if expected is Outcome.MINE else Where.OUTSIDE)


async def test_a_final_request_that_was_never_posted_gets_no_card(
    book: StoredRequests, request_: ActivationRequest, outbox: StoredOutbox, rows: Rows
) -> None:
    await book.settle(request_.key, Status.CANCELED, decided(rob), None, NOW)
    assert await outbox.unpainted(10) == []
    assert await rows("SELECT id FROM cards WHERE painted < wanted") == []  # or the list of what is behind would grow
    row = await status_of(book, request_)
    assert row.channels == {CHANNEL}  # who could have read the card may still read the history


async def test_every_change_of_status_repaints(
    book: StoredRequests, request_: ActivationRequest, outbox: StoredOutbox
) -> None:
    async def behind() -> list[Status]:
        left = await outbox.unpainted(10)
        for card, row in left:
            await outbox.painted(card, "1.1", row.version)
        return [row.status for _, row in left]

    assert await behind() == [Status.PENDING]
    intent = an_intent(request_)
    await book.claim(intent)
    assert await behind() == [Status.DECIDING]
    await book.release(intent, Outcome.REFUSED, "", NOW)
    assert await behind() == [Status.PENDING]
    await book.settle(request_.key, Status.EXPIRED, decided(None), None, NOW)
    assert await behind() == [Status.EXPIRED]
    assert await behind() == []
