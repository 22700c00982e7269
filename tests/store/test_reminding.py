"""Reminders as rows: each threshold once for each person, several in one message, and what is to be looked at when."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from build import NOW, a_notice, a_request, an_intent, decided, seen
from people import TEAM, ann, ben, slack_of

from app.domain.last_calls import LastCall
from app.domain.lifecycle import Course, Holding
from app.domain.preferences import Preference
from app.domain.reminding import Until
from app.domain.request import ActivationRequest, RequestKey, Status
from app.ports import Outcome, Reminder, Watched
from app.store.directs import StoredDirects
from app.store.outbox import StoredOutbox
from app.store.preferences import StoredPreferences
from app.store.reminding import StoredReminding
from app.store.request_book import StoredRequests
from app.store.writer import Store

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ANN = slack_of(ann)


@pytest.fixture
def reminding(store: Store) -> StoredReminding:
    numbers = itertools.count(1)
    return StoredReminding(store, lambda: f"text-{next(numbers)}")


@pytest.fixture
def directs(store: Store) -> StoredDirects:
    return StoredDirects(store, lambda: "never")


async def asked(book: StoredRequests, **over: object) -> ActivationRequest:
    request = a_request(**over)
    await book.remember([seen(request)], NOW)
    return request


def before(request: ActivationRequest, span: timedelta = HOUR) -> Reminder:
    return Reminder(request.key, Until.EXPIRY, span)


async def messages(directs: StoredDirects) -> list[tuple[str, list[RequestKey]]]:
    """Who is owed which requests, message by message."""
    letters = await directs.unpainted(20)
    return [(one.direct.slack_user, [entry.row.key for entry in one.entries]) for one in letters]


async def due(reminding: StoredReminding, later: timedelta = timedelta(0)) -> Sequence[Watched]:
    return await reminding.due(NOW + later, 20)


async def test_what_is_due_for_one_person_is_one_message(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    one, two = await asked(book, created=NOW - 2 * MINUTE), await asked(book)
    assert await reminding.remind(ANN, [before(one), before(two)], NOW, NOW)
    assert await messages(directs) == [(ANN, [two.key, one.key])]


async def test_a_threshold_is_told_once_to_each_person(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    request = await asked(book)
    assert await reminding.remind(ANN, [before(request)], NOW, NOW)
    assert not await reminding.remind(ANN, [before(request)], NOW + HOUR, NOW + HOUR)
    assert await reminding.remind(slack_of(ben), [before(request)], NOW, NOW)
    assert len(await messages(directs)) == 2


async def test_two_rounds_at_once_tell_it_once(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    request = await asked(book)
    told = await asyncio.gather(*(reminding.remind(ANN, [before(request)], NOW, NOW) for _ in range(3)))
    assert sorted(told) == [False, False, True]
    assert len(await messages(directs)) == 1


async def test_what_falls_due_within_minutes_joins_the_message_before(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    one, two, three = [await asked(book) for _ in range(3)]
    await reminding.remind(ANN, [before(one)], NOW, NOW - 5 * MINUTE)
    await reminding.remind(ANN, [before(two)], NOW + 5 * MINUTE, NOW)
    await reminding.remind(ANN, [before(three)], NOW + 6 * MINUTE, NOW + MINUTE)
    assert sorted(len(keys) for _, keys in await messages(directs)) == [1, 2]


async def test_a_message_with_nothing_left_to_decide_is_not_joined(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    one, two = await asked(book), await asked(book)
    await reminding.remind(ANN, [before(one)], NOW, NOW)
    await book.settle(one.key, Status.DENIED, decided(), None, NOW)
    await reminding.remind(ANN, [before(two)], NOW, NOW)
    assert len(await messages(directs)) == 2


async def test_a_message_nobody_can_get_is_not_joined(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    one, two = await asked(book), await asked(book)
    await reminding.remind(ANN, [before(one)], NOW, NOW)
    (letter,) = await directs.unpainted(9)
    await directs.give_up(letter.direct, "not delivered: user_disabled", NOW)
    await reminding.remind(ANN, [before(two)], NOW, NOW)
    assert await messages(directs) == [(ANN, [two.key])]


async def test_a_later_threshold_is_a_message_of_its_own(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    request = await asked(book)
    await reminding.remind(ANN, [before(request, HOUR)], NOW, NOW)
    await reminding.remind(ANN, [before(request, 15 * MINUTE)], NOW + 45 * MINUTE, NOW + 40 * MINUTE)
    assert len(await messages(directs)) == 2


async def test_nothing_is_said_about_what_ended_meanwhile(
    reminding: StoredReminding, directs: StoredDirects, book: StoredRequests
) -> None:
    request = await asked(book)
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    await reminding.remind(ANN, [before(request)], NOW, NOW)
    assert await messages(directs) == []


# What is looked at


async def test_a_new_request_is_looked_at_at_once_and_then_when_told(
    reminding: StoredReminding, book: StoredRequests
) -> None:
    request = await asked(book)
    assert [one.row.key for one in await due(reminding)] == [request.key]
    await reminding.looked(request.key, NOW + HOUR, None)
    assert await due(reminding, HOUR - MINUTE) == []
    assert len(await due(reminding, HOUR)) == 1


async def test_the_longest_due_come_first_and_no_more_than_asked_for(
    reminding: StoredReminding, book: StoredRequests
) -> None:
    one, two = await asked(book), await asked(book)
    await reminding.looked(one.key, NOW + 2 * MINUTE, None)
    await reminding.looked(two.key, NOW + MINUTE, None)
    assert [found.row.key for found in await reminding.due(NOW + HOUR, 1)] == [two.key]


async def test_only_what_somebody_can_decide_is_looked_at(reminding: StoredReminding, book: StoredRequests) -> None:
    ended, deciding = await asked(book), await asked(book)
    await book.remember([seen(stale=True)], NOW)
    await book.settle(ended.key, Status.DENIED, decided(), None, NOW)
    intent = an_intent(deciding)
    await book.claim(intent)
    assert await due(reminding, HOUR) == []
    await book.release(intent, Outcome.NOT_TAKEN, "not taken", NOW)
    assert [one.row.key for one in await due(reminding, HOUR)] == [deciding.key]


async def test_a_look_comes_with_what_was_told_and_who_acted(reminding: StoredReminding, book: StoredRequests) -> None:
    request = await asked(book)
    for span in (15 * MINUTE, HOUR):
        await reminding.remind(ANN, [before(request, span)], NOW, NOW)
    await reminding.remind(ANN, [Reminder(request.key, Until.START, 4 * HOUR)], NOW, NOW)
    intent = an_intent(request, ben)
    await book.claim(intent)
    await book.release(intent, Outcome.REFUSED, "refused", NOW)
    (found,) = await due(reminding)
    assert found.told == {(ANN, Until.EXPIRY): 15 * MINUTE, (ANN, Until.START): 4 * HOUR}
    assert found.acted == {ben.id}


async def test_everybody_being_away_is_news_for_the_card_once(
    reminding: StoredReminding, book: StoredRequests, outbox: StoredOutbox
) -> None:
    request = await asked(book)
    for away, shown in ((NOW + HOUR, 2), (NOW + HOUR, 2), (None, 3), (None, 3)):
        await reminding.looked(request.key, NOW, away)
        row = await book.find(request.key)
        assert row is not None
        assert (row.away_until, row.version) == (away, shown)
    assert [row.version for _, row in await outbox.unpainted(9)] == [3]


# What people set for themselves


async def test_what_somebody_set_is_kept_for_their_account_alone(store: Store) -> None:
    preferences = StoredPreferences(store)
    mine = Preference(NOW, reminders=False, quiet="23:00-06:00")
    await preferences.put(TEAM, ANN, mine)
    assert await preferences.of(TEAM, [ANN, slack_of(ben)]) == {ANN: mine}
    assert await preferences.of("T0OTHER001", [ANN]) == {}
    assert await preferences.of(TEAM, []) == {}
    await preferences.put(TEAM, ANN, Preference())
    assert await preferences.of(TEAM, [ANN]) == {ANN: Preference()}


async def test_what_dies_or_ends_soon_is_found_until_it_was_told(
    reminding: StoredReminding, book: StoredRequests, outbox: StoredOutbox
) -> None:
    dying = await asked(book, created=NOW - 24 * HOUR + 15 * MINUTE)
    await asked(book, created=NOW - 24 * HOUR + 16 * MINUTE)
    await asked(book, created=NOW - 24 * HOUR)
    held = [await asked(book, created=NOW - HOUR) for _ in range(3)]
    for request, left in zip(held, (15 * MINUTE, 16 * MINUTE, timedelta(0)), strict=True):
        await book.settle(request.key, Status.APPROVED, decided(), None, NOW)
        await book.followed(request.key, Course(Holding(NOW - HOUR, NOW + left)))
    found = [row.key for row in await reminding.running_out(NOW, 20)]
    assert found == [dying.key, held[0].key]
    for call, key in zip(LastCall, found, strict=True):
        notice = a_notice(call, key=key)
        assert await outbox.owe(notice, f"{call}:{key}", NOW)
    assert await reminding.running_out(NOW, 20) == []


async def test_a_nudge_is_one_message_to_each_and_once_an_hour(
    reminding: StoredReminding, book: StoredRequests, directs: StoredDirects
) -> None:
    request = await asked(book)
    assert await reminding.nudge(request.key, [ANN, slack_of(ben)], NOW, NOW - HOUR)
    for minutes in (0, 59):
        now = NOW + minutes * MINUTE
        assert not await reminding.nudge(request.key, [ANN], now, now - HOUR)
    assert sorted(user for user, _ in await messages(directs)) == [ANN, slack_of(ben)]
    watched = await reminding.watched(request.key)
    assert watched is not None
    assert watched.row.nudged_at == NOW
    assert await reminding.nudge(request.key, [ANN], NOW + HOUR, NOW)
    assert len(await messages(directs)) == 3


async def test_two_nudges_at_once_are_one(
    reminding: StoredReminding, book: StoredRequests, directs: StoredDirects
) -> None:
    request = await asked(book)
    took = await asyncio.gather(*(reminding.nudge(request.key, [ANN], NOW, NOW - HOUR) for _ in range(4)))
    assert (sum(took), len(await messages(directs))) == (1, 1)


async def test_what_is_not_pending_is_neither_watched_nor_nudged(
    reminding: StoredReminding, book: StoredRequests, directs: StoredDirects
) -> None:
    request = await asked(book)
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    assert await reminding.watched(request.key) is None
    assert not await reminding.nudge(request.key, [ANN], NOW, NOW - HOUR)
    assert await messages(directs) == []
