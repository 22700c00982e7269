from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from build import NOW, a_modal, a_notice, a_request, decided, seen
from people import CHANNEL, ann, ben
from sqlalchemy.exc import IntegrityError

from app.domain.request import ActivationRequest, Status
from app.domain.risk import Level, Risk
from app.ports import Card
from app.store.cards import StoredCards
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests

Rows = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
async def card(book: StoredRequests, outbox: StoredOutbox) -> Card:
    """The card of a new request, not posted yet."""
    await book.remember([seen(a_request())], NOW)
    return await first_behind(outbox)


async def first_behind(outbox: StoredOutbox) -> Card:
    return (await outbox.unpainted(10))[0][0]


async def test_a_painted_card_is_found_at_its_place_and_is_behind_no_more(
    outbox: StoredOutbox, cards: StoredCards, card: Card
) -> None:
    await outbox.trying(card)
    await outbox.painted(card, "1700.1", 1)
    found = await cards.by_place(CHANNEL, "1700.1")
    assert found is not None
    assert (found.id, found.key, found.token, found.painted, found.tried) == (card.id, card.key, card.token, 1, True)
    assert await outbox.unpainted(10) == []


async def test_a_card_without_a_place_is_at_no_place(cards: StoredCards, card: Card) -> None:
    assert card.ts == ""
    assert await cards.by_place(CHANNEL, "") is None
    assert await cards.by_place(CHANNEL, "1700.1") is None


async def test_a_tried_post_is_remembered(outbox: StoredOutbox, card: Card) -> None:
    await outbox.trying(card)
    assert (await first_behind(outbox)).tried


async def test_painting_an_older_version_leaves_the_card_behind(
    book: StoredRequests, outbox: StoredOutbox, card: Card
) -> None:
    await book.settle(card.key, Status.DENIED, decided(), None, NOW)
    await outbox.painted(card, "1700.1", 1)
    [(behind, row)] = await outbox.unpainted(10)
    assert (behind.ts, row.status) == ("1700.1", Status.DENIED)


async def test_a_post_of_unknown_fate_is_looked_for_although_its_request_ended(
    book: StoredRequests, outbox: StoredOutbox, card: Card
) -> None:
    await outbox.trying(card)
    await book.settle(card.key, Status.EXPIRED, decided(None), None, NOW)
    assert (await first_behind(outbox)).tried


async def test_a_post_that_began_while_its_request_ended_is_looked_for_too(
    book: StoredRequests, outbox: StoredOutbox, card: Card
) -> None:
    await book.settle(card.key, Status.EXPIRED, decided(None), None, NOW)
    await outbox.trying(card)  # the notifier had read the row before
    assert (await first_behind(outbox)).id == card.id


async def test_buttons_go_first_then_edits_then_posts_riskiest_and_oldest_first(
    book: StoredRequests, outbox: StoredOutbox
) -> None:
    levels = {"small": Level.LOW, "late": Level.HIGH, "soon": Level.HIGH, "edit": Level.LOW, "ended": Level.LOW}
    made = {name: a_request(created=NOW - timedelta(hours=4 if name == "soon" else 1)) for name in levels}
    await book.remember([seen(made[name], risk=Risk(level)) for name, level in levels.items()], NOW)
    for card, row in await outbox.unpainted(10):
        if row.request in (made["edit"], made["ended"]):
            await outbox.painted(card, f"ts of {card.id}", 0)
    await book.settle(made["ended"].key, Status.DENIED, decided(), None, NOW)
    order = [row.key for _, row in await outbox.unpainted(10)]
    assert order == [made[name].key for name in ("ended", "edit", "soon", "late", "small")]
    assert [row.key for _, row in await outbox.unpainted(2)] == order[:4]  # two edits, two posts


async def test_a_lost_card_of_an_open_request_is_posted_again_with_a_new_token(
    outbox: StoredOutbox, cards: StoredCards, card: Card
) -> None:
    await outbox.painted(card, "1700.1", 1)
    posted = await cards.by_place(CHANNEL, "1700.1")
    assert posted is not None
    await outbox.lost(posted, "a new token")
    again = await first_behind(outbox)
    assert (again.id, again.ts, again.token, again.tried) == (card.id, "", "a new token", False)
    assert await cards.by_place(CHANNEL, "1700.1") is None


async def test_losing_a_card_twice_does_not_touch_its_successor(
    outbox: StoredOutbox, cards: StoredCards, card: Card
) -> None:
    await outbox.painted(card, "1700.1", 1)
    posted = await cards.by_place(CHANNEL, "1700.1")
    assert posted is not None
    await outbox.lost(posted, "second")
    await outbox.painted(await first_behind(outbox), "1700.2", 1)
    await outbox.lost(posted, "third")
    found = await cards.by_place(CHANNEL, "1700.2")
    assert found is not None
    assert found.token == "second"
    assert await outbox.unpainted(10) == []


async def test_a_lost_card_of_a_final_request_is_not_posted_again(
    book: StoredRequests, outbox: StoredOutbox, cards: StoredCards, card: Card, rows: Rows
) -> None:
    await outbox.painted(card, "1700.1", 1)
    await book.settle(card.key, Status.DENIED, decided(), None, NOW)
    posted = await cards.by_place(CHANNEL, "1700.1")
    assert posted is not None
    await outbox.lost(posted, "new")
    assert await outbox.unpainted(10) == []
    assert await rows("SELECT id FROM cards WHERE painted < wanted") == []
    assert await cards.by_place(CHANNEL, "1700.1") is None


async def test_two_cards_cannot_stand_at_the_same_place(book: StoredRequests, outbox: StoredOutbox) -> None:
    await book.remember([seen(a_request()), seen(a_request())], NOW)
    [(one, _), (other, _)] = await outbox.unpainted(10)
    await outbox.painted(one, "1700.1", 1)
    with pytest.raises(IntegrityError):
        await outbox.painted(other, "1700.1", 1)


async def test_a_modal_is_found_by_its_token_alone(book: StoredRequests, cards: StoredCards) -> None:
    request: ActivationRequest = a_request()
    await book.remember([seen(request)], NOW)
    modal = a_modal(request)
    await cards.open_modal(modal, NOW)
    assert await cards.modal(modal.token) == modal
    assert await cards.modal("guessed") is None


async def test_a_notice_is_owed_once_and_delivered_once(outbox: StoredOutbox) -> None:
    request = a_request()
    notice = a_notice("outcome", key=request.key, to_slack="", to_entra=ann.id, facts={"refused": "Ünï"})
    assert await outbox.owe(notice, "once", NOW)
    assert not await outbox.owe(a_notice(), "once", NOW)
    assert await outbox.due_notices(NOW, 10) == [notice]
    await outbox.trying_notice(notice)
    assert (await outbox.due_notices(NOW, 10))[0].tried
    await outbox.sent(notice, "delivered", NOW)
    assert await outbox.due_notices(NOW, 10) == []
    assert not await outbox.owe(a_notice(), "once", NOW)


async def test_notices_are_delivered_oldest_first_and_not_before_their_time(outbox: StoredOutbox) -> None:
    late, early, future = a_notice(), a_notice(to_slack="U0BEN00001"), a_notice()
    await outbox.owe(late, "b", NOW)
    await outbox.owe(early, "a", NOW - timedelta(minutes=1))
    await outbox.owe(future, "c", NOW + timedelta(minutes=1))
    assert await outbox.due_notices(NOW, 10) == [early, late]
    assert await outbox.due_notices(NOW, 1) == [early]


async def test_one_persons_row_comes_with_its_card(book: StoredRequests, outbox: StoredOutbox, card: Card) -> None:
    [(_, row)] = await outbox.unpainted(10)
    assert row == await book.find(card.key)
    assert row.approvers == frozenset()
    await book.remember([seen(row.request, approvers=[ben])], NOW)
    assert (await outbox.unpainted(10))[0][1].approvers == {ben.id}


async def test_a_crowd_is_what_waits_for_its_first_post(book: StoredRequests, outbox: StoredOutbox, card: Card) -> None:
    more = [a_request() for _ in range(3)]
    await book.remember([seen(request) for request in more], NOW)
    assert await outbox.crowds() == {CHANNEL: 4}
    await outbox.trying(card)
    await book.settle(more[0].key, Status.DENIED, decided(), None, NOW)
    assert await outbox.crowds() == {CHANNEL: 2}


async def test_every_channel_has_its_own_share(book: StoredRequests, outbox: StoredOutbox) -> None:
    made = [a_request() for _ in range(4)]
    await book.remember([seen(request) for request in made], NOW)
    for card, _ in (await outbox.unpainted(10))[:2]:
        await outbox.move(card, "C0ANOTHER1")
    channels = [card.channel for card, _ in await outbox.unpainted(1)]
    assert sorted(channels) == ["C0ANOTHER1", CHANNEL]


async def test_cards_never_tried_follow_the_operator_to_another_channel(outbox: StoredOutbox, card: Card) -> None:
    await outbox.rehome(lambda _: "C0NEWHOME1")
    assert (await first_behind(outbox)).channel == "C0NEWHOME1"
    assert card.channel == CHANNEL


async def test_a_card_that_may_stand_somewhere_stays_there(outbox: StoredOutbox, card: Card) -> None:
    await outbox.trying(card)
    await outbox.rehome(lambda _: "C0NEWHOME1")
    await outbox.move(card, "C0NEWHOME1")
    assert (await first_behind(outbox)).channel == CHANNEL


async def test_who_reads_a_dead_channel_no_more_gets_the_card_at_home(
    book: StoredRequests, outbox: StoredOutbox, cards: StoredCards, card: Card
) -> None:
    await outbox.painted(card, "1700.1", 1)
    await outbox.evacuate(CHANNEL, "C0HOME0001", iter(("new id", "new token")).__next__)
    await outbox.evacuate(CHANNEL, "C0HOME0001", iter(()).__next__)  # once is enough
    copy = await first_behind(outbox)
    assert (copy.id, copy.token, copy.key, copy.channel, copy.ts) == ("new id", "new token", card.key, "C0HOME0001", "")
    assert await cards.by_place(CHANNEL, "1700.1") is not None
    await outbox.painted(copy, "1700.2", 1)
    await book.settle(card.key, Status.DENIED, decided(), None, NOW)
    assert {behind.channel for behind, _ in await outbox.unpainted(10)} == {CHANNEL, "C0HOME0001"}


async def test_what_ended_or_was_never_posted_needs_no_second_card(
    book: StoredRequests, outbox: StoredOutbox, card: Card
) -> None:
    await outbox.evacuate(CHANNEL, "C0HOME0001", iter(()).__next__)
    await outbox.painted(card, "1700.1", 1)
    await book.settle(card.key, Status.DENIED, decided(), None, NOW)
    await outbox.evacuate(CHANNEL, "C0HOME0001", iter(()).__next__)
