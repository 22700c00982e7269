"""Direct messages about requests as rows: owed once, behind whenever a request changes, their buttons void in time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_request, an_intent, decided, guid, seen
from people import ann, slack_of

from app.domain.lifecycle import Course, Holding
from app.domain.request import ActivationRequest, Status
from app.ports import PAUSE, Direct, Letter, Outcome, Switch, Topic
from app.store.audit import AuditTrail
from app.store.cards import StoredCards
from app.store.directs import StoredDirects
from app.store.request_book import StoredRequests
from app.store.switches import StoredSwitches
from app.store.writer import Store

PLACE = "D0ANN00001"
ON = Switch(PAUSE, on=True, reason="a drill", by="os:ops", at=NOW)


@pytest.fixture
def directs(store: Store) -> StoredDirects:
    numbers = itertools.count(1)
    return StoredDirects(store, lambda: f"direct-token-{next(numbers)}")


async def asked(book: StoredRequests, **over: object) -> ActivationRequest:
    request = a_request(**over)
    await book.remember([seen(request)], NOW)
    return request


async def owed(directs: StoredDirects, *requests: ActivationRequest, now: timedelta = timedelta(0)) -> Direct:
    direct = Direct(guid(), Topic.REMINDER, slack_of(ann))
    assert await directs.owe(direct, [request.key for request in requests], direct.id, NOW + now)
    return direct


async def shown(directs: StoredDirects, *requests: ActivationRequest, ts: str = "1700.1") -> Letter:
    """A message that Slack shows as it is."""
    await owed(directs, *requests)
    (letter,) = await directs.unpainted(10)
    await directs.trying(letter.direct, PLACE)
    assert await directs.painted(letter, ts)
    assert await directs.unpainted(10) == []
    return letter


async def behind(directs: StoredDirects) -> Sequence[Letter]:
    return await directs.unpainted(10)


async def test_what_is_owed_comes_with_its_requests_soonest_to_expire_first(
    directs: StoredDirects, book: StoredRequests
) -> None:
    late, early = await asked(book), await asked(book, created=NOW - timedelta(hours=5))
    direct = await owed(directs, late, early)
    (letter,) = await behind(directs)
    assert letter.direct == direct
    assert [entry.row.key for entry in letter.entries] == [early.key, late.key]
    assert len({entry.token for entry in letter.entries}) == 2


async def test_a_burst_of_ones_own_requests_holds_up_no_reminder(directs: StoredDirects, book: StoredRequests) -> None:
    request = await asked(book)
    for number in range(3):
        assert await directs.owe(Direct(guid(), Topic.OWN, "U0ROB00001"), [request.key], f"own:{number}", NOW)
    reminder = await owed(directs, request, now=timedelta(minutes=1))
    (first,) = await directs.unpainted(1)
    assert first.direct == reminder


async def test_a_dedupe_key_is_used_once(directs: StoredDirects, book: StoredRequests) -> None:
    request = await asked(book)
    first, second = (Direct(guid(), Topic.REMINDER, slack_of(ann), facts={"who": "Ünï"}) for _ in range(2))
    assert await directs.owe(first, [request.key], "once", NOW)
    assert not await directs.owe(second, [request.key], "once", NOW)
    (letter,) = await behind(directs)
    assert letter.direct == first


async def test_nothing_is_owed_about_what_has_ended(directs: StoredDirects, book: StoredRequests) -> None:
    over, living = await asked(book), await asked(book)
    await book.settle(over.key, Status.DENIED, decided(), None, NOW)
    assert not await directs.owe(Direct(guid(), Topic.REMINDER, "U1"), [over.key], "over", NOW)
    assert not await directs.owe(Direct(guid(), Topic.REMINDER, "U1"), [], "nothing", NOW)
    await owed(directs, over, living)
    (letter,) = await behind(directs)
    assert [entry.row.key for entry in letter.entries] == [living.key]


async def test_a_painted_message_is_behind_again_when_its_request_changes(
    directs: StoredDirects, book: StoredRequests
) -> None:
    request = await asked(book)
    await shown(directs, request)
    assert await book.claim(an_intent(request)) is not None
    (letter,) = await behind(directs)
    assert (letter.direct.ts, letter.direct.channel) == ("1700.1", PLACE)
    assert letter.entries[0].row.status is Status.DECIDING


async def test_what_has_ended_is_painted_once_more_and_never_again(
    directs: StoredDirects, book: StoredRequests
) -> None:
    request = await asked(book)
    await shown(directs, request)
    await book.settle(request.key, Status.APPROVED, decided(), None, NOW)
    (letter,) = await behind(directs)
    await directs.trying(letter.direct, PLACE)
    assert await directs.painted(letter, "1700.1")
    await book.followed(request.key, Course(Holding(NOW, NOW + timedelta(hours=2))))
    assert await behind(directs) == []


async def test_an_end_that_nobody_may_read_is_not_the_last_word(directs: StoredDirects, book: StoredRequests) -> None:
    request = await asked(book)
    await shown(directs, request)
    await book.settle(request.key, Status.UNKNOWN, decided(by=None), None, NOW)
    (letter,) = await behind(directs)
    assert await directs.painted(letter, "1700.1")
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    assert [one.entries[0].row.status for one in await behind(directs)] == [Status.DENIED]


async def test_a_pause_repaints_every_message_about_open_requests(
    directs: StoredDirects, book: StoredRequests, store: Store, trail: AuditTrail
) -> None:
    await shown(directs, await asked(book))
    await StoredSwitches(store, trail).turn(ON, None)
    (letter,) = await behind(directs)
    assert letter.entries[0].row.paused == "a drill"


async def test_a_request_that_reads_differently_voids_the_buttons(
    directs: StoredDirects, book: StoredRequests, cards: StoredCards
) -> None:
    request = await asked(book)
    before = await shown(directs, request)
    changed = replace(request, justification="Another reason altogether")
    await book.remember([seen(changed)], NOW)
    (after,) = await behind(directs)
    old, new = before.entries[0].token, after.entries[0].token
    assert await cards.copy(PLACE, "1700.1", old) is None
    found = await cards.copy(PLACE, "1700.1", new)
    assert found is not None
    assert (found.key, found.digest) == (request.key, changed.digest)


async def test_each_request_of_a_message_is_found_by_its_own_token_at_its_place(
    directs: StoredDirects, book: StoredRequests, cards: StoredCards
) -> None:
    one, two = await asked(book), await asked(book)
    letter = await shown(directs, one, two)
    for entry in letter.entries:
        found = await cards.copy(PLACE, "1700.1", entry.token)
        assert found is not None
        assert (found.key, found.token) == (entry.row.key, entry.token)
    token = letter.entries[0].token
    assert await cards.copy("D0BEN00001", "1700.1", token) is None
    assert await cards.copy(PLACE, "1700.2", token) is None
    assert await cards.copy(PLACE, "", token) is None


async def test_a_message_that_was_given_up_is_never_painted_and_its_buttons_are_void(
    directs: StoredDirects, book: StoredRequests, cards: StoredCards
) -> None:
    request = await asked(book)
    letter = await shown(directs, request)
    await directs.give_up(letter.direct, "gone", NOW)
    await book.claim(an_intent(request))
    assert await behind(directs) == []
    assert await cards.copy(PLACE, "1700.1", letter.entries[0].token) is None


async def test_ended_requests_come_first_then_edits_then_new_messages(
    directs: StoredDirects, book: StoredRequests
) -> None:
    ended, edited, new = [await asked(book) for _ in range(3)]
    new_one = await owed(directs, new, now=timedelta(minutes=-9))
    (letter,) = await behind(directs)
    await directs.painted(letter, "1700.9")
    await shown(directs, edited, ts="1700.2")
    await shown(directs, ended, ts="1700.1")
    fresh = await owed(directs, new, now=timedelta(minutes=-5))
    intent = an_intent(edited)
    await book.claim(intent)
    await book.release(intent, Outcome.NOT_TAKEN, "no", NOW)
    await book.settle(ended.key, Status.DENIED, decided(), None, NOW)
    order = [one.direct.ts or one.direct.id for one in await behind(directs)]
    assert order == ["1700.1", "1700.2", fresh.id]
    assert new_one.id != fresh.id


async def test_an_attempt_without_a_word_of_its_end_leaves_it_behind(
    directs: StoredDirects, book: StoredRequests
) -> None:
    letter = await shown(directs, await asked(book))
    await directs.trying(letter.direct, PLACE)
    (again,) = await behind(directs)
    assert again.direct.tried


async def test_a_message_stands_at_one_place_only(directs: StoredDirects, book: StoredRequests) -> None:
    letter = await shown(directs, await asked(book))
    assert not await directs.painted(letter, "1700.2")
    assert await behind(directs) == []


async def test_an_older_picture_told_late_makes_it_behind(directs: StoredDirects, book: StoredRequests) -> None:
    request = await asked(book)
    old = await shown(directs, request)
    await book.claim(an_intent(request))
    (new,) = await behind(directs)
    assert await directs.painted(new, "1700.1")
    assert await directs.painted(old, "1700.1")
    assert [one.direct.id for one in await behind(directs)] == [old.direct.id]
