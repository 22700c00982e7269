"""Counts of a week, from rows of that week alone; and a digest that is written down once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from build import EXCHANGE, REPORTS_READER, a_key, a_request, decided, seen
from people import CHANNEL, ann, ben
from store.conftest import a_posting

from app.domain.request import Kind, PolicyFacts, Role, Scope, Status
from app.domain.routes import Route
from app.domain.weekly import A_WEEK, Week
from app.store.audit import AuditTrail
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.weekly import StoredWeeks
from app.store.writer import Store

END = datetime(2026, 11, 23, 8, tzinfo=UTC)
WEEK = Week(END - A_WEEK, END)
HOUR = timedelta(hours=1)


async def test_only_what_happened_in_the_week_counts(book: StoredRequests, store: Store) -> None:
    for asked, ended, status in (
        (END - 2 * HOUR, END - HOUR, Status.APPROVED),
        (END - 5 * HOUR, END - 2 * HOUR, Status.DENIED),
        (WEEK.begin - HOUR, WEEK.begin, Status.APPROVED),
        (WEEK.begin - 2 * HOUR, WEEK.begin - HOUR, Status.APPROVED),
        (END - HOUR, END, Status.APPROVED),
        (WEEK.begin - HOUR, WEEK.begin + 23 * HOUR, Status.EXPIRED),
    ):
        request = a_request(created=asked)
        await book.remember([seen(request)], asked)
        await book.settle(request.key, status, decided(at=ended), None, ended)
    await book.remember([seen(a_request(created=END - HOUR))], END)
    facts = await StoredWeeks(store).facts(WEEK)
    assert facts.asked == 4
    assert facts.ended == {Status.APPROVED: 2, Status.DENIED: 1, Status.EXPIRED: 1}
    assert sorted(facts.waits) == [HOUR, HOUR, 3 * HOUR]


async def test_the_busiest_come_first_and_say_where(book: StoredRequests, store: Store) -> None:
    group, scope = Role("member", "Member"), Scope("8d2a5b0e-0000-4000-8000-000000000001", "prod-db-admins")
    asked = [a_request(created=END - HOUR, role=EXCHANGE) for _ in range(2)]
    asked += [a_request(key=a_key(Kind.GROUP), created=END - HOUR, role=group, scope=scope) for _ in range(3)]
    asked += [a_request(created=WEEK.begin - HOUR, role=REPORTS_READER) for _ in range(4)]
    await book.remember([seen(request) for request in asked], END)
    facts = await StoredWeeks(store).facts(WEEK)
    assert facts.busiest == [("Member of prod-db-admins", 3), (EXCHANGE.name, 2)]


async def test_settings_are_those_of_the_latest_request_for_a_role(book: StoredRequests, store: Store) -> None:
    both, alone = PolicyFacts(approvers=(ann, ben)), PolicyFacts(approvers=(ann,))
    for age, policy in ((3 * HOUR, both), (HOUR, alone)):
        await book.remember([seen(a_request(created=END - age), policy=policy)], END)
    settings = (await StoredWeeks(store).facts(WEEK)).settings
    assert [(title, policy.approvers) for title, policy in settings] == [(EXCHANGE.name, (ann,))]


async def test_a_role_whose_cards_go_elsewhere_is_named_in_no_other_channel(store: Store, trail: AuditTrail) -> None:
    route = Route("C0GRAVE", roles=frozenset({EXCHANGE.id.casefold()}))
    book = StoredRequests(store, trail, replace(a_posting(), routes=(route,)))
    asked = [a_request(created=END - HOUR, role=role) for role in (EXCHANGE, REPORTS_READER)]
    await book.remember([seen(request, policy=PolicyFacts(approvers=(ann,))) for request in asked], END)
    for channel, role in ((CHANNEL, REPORTS_READER), ("C0GRAVE", EXCHANGE)):
        facts = await StoredWeeks(store).facts(WEEK, channel)
        assert (facts.asked, facts.busiest) == (2, [(role.name, 1)])
        assert [title for title, _ in facts.settings] == [role.name]


async def test_a_digest_is_written_down_once_and_stands_in_no_readiness(outbox: StoredOutbox) -> None:
    assert await outbox.announce("week:2026-W48", "{}", CHANNEL)
    assert not await outbox.announce("week:2026-W48", "other figures", CHANNEL)
    [note] = await outbox.unpainted_notes()
    assert (note.topic, note.text, note.channel) == ("week:2026-W48", "{}", CHANNEL)
    assert await outbox.standing_notes() == []


async def test_of_two_messages_for_one_note_the_later_is_too_many(outbox: StoredOutbox) -> None:
    await outbox.announce("week:2026-W48", "{}", CHANNEL)
    [note] = await outbox.unpainted_notes()
    assert await outbox.painted_note(note, "17.1")
    assert await outbox.painted_note(note, "17.1")
    assert not await outbox.painted_note(note, "17.2")
    assert await outbox.unpainted_notes() == []
