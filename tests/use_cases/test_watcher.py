"""One poll: what appears, changes and vanishes, who is asked, and what a failing desk does to the others."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

import pytest
from build import EXCHANGE, NOW, REPORTS_READER, a_key, a_request, an_intent, decided
from fakes import ALWAYS, APP, FakeDesk
from people import ann, ben, rita
from use_cases.house import House

from app.domain.changes import Listing
from app.domain.errors import GraphRefused, Malformed, SignInRequired, Unavailable
from app.domain.request import Kind, Person, PolicyFacts, Status, Ticket
from app.store.writer import Store
from app.watcher.looking import EVERYBODY_EVERY
from app.watcher.remembering import ACCOUNTS, POLICY_LASTS

DOWN = Unavailable("Microsoft is having trouble (HTTP 503).")


@pytest.fixture(params=[True, False], ids=["application", "approvers"])
async def either(store: Store, request: pytest.FixtureRequest) -> House:
    """A house whose watcher lists in one of the two ways; Ann is signed in."""
    house = House(store, as_application=request.param)
    await house.link(ann)
    return house


async def test_a_new_request_is_remembered_with_its_risk_and_owes_a_card(either: House) -> None:
    request = a_request()
    either.desk.ask(request, [ann])
    await either.watcher.tick()
    row = await either.row(request)
    assert (row.request, row.status) == (request, Status.PENDING)
    assert row.risk.reasons[0].startswith("Exchange Administrator: all mailboxes")
    assert [card.key for card, _ in await either.outbox.unpainted(10)] == [request.key]


async def test_a_changed_request_replaces_what_we_knew_and_voids_the_old_buttons(either: House) -> None:
    request = await either.ask()
    old = await either.card(request)
    either.desk.change(request.key.id, justification="Something else entirely")
    await either.watcher.tick()
    row, card = await either.row(request), await either.card(request)
    assert (row.request.justification, row.version) == ("Something else entirely", 2)
    assert card.token != old.token
    assert card.digest == row.request.digest


async def test_looks_are_counted_by_whether_the_desk_answered(house: House) -> None:
    house.desk.fail("list_all", Unavailable())
    for _ in range(3):
        await house.watcher.tick()
    assert house.watcher.polls == {(Kind.ENTRA, False): 1, (Kind.ENTRA, True): 2}


async def test_nothing_new_changes_no_row(either: House) -> None:
    request = await either.ask(approvers=(ann,))
    await either.watcher.tick()
    await either.watcher.tick()
    assert (await either.row(request)).version == 1


async def test_the_application_names_no_approvers_and_asks_once(house: House) -> None:
    await house.link(ann, ben)
    request = a_request()
    house.desk.ask(request, [ann, ben])
    await house.watcher.tick()
    assert await house.approvers(request) == frozenset()
    assert (house.desk.count("list_all", APP), house.desk.count("list_for")) == (1, 0)


async def test_who_sees_a_request_in_their_own_list_may_approve_it(shared_house: House) -> None:
    await shared_house.link(ann, ben)
    both, bens = a_request(), a_request()
    shared_house.desk.ask(both, [ann, ben])
    shared_house.desk.ask(bens, [ben])
    await shared_house.watcher.tick()
    assert await shared_house.approvers(both) == {ann.id, ben.id}
    assert await shared_house.approvers(bens) == {ben.id}


async def test_another_approver_who_sees_it_later_is_added_without_a_new_version(shared_house: House) -> None:
    request = await shared_house.ask(approvers=(ann,))
    shared_house.desk.ask(request, [ann, ben])
    await shared_house.link(ann, ben)
    await shared_house.watcher.tick()
    row = await shared_house.row(request)
    assert (row.approvers, row.version) == ({ann.id, ben.id}, 1)


# --- what is known around a request ---


async def test_a_request_is_judged_by_its_requestors_habits_and_they_are_kept(either: House) -> None:
    old = await either.ask(a_request(created=NOW - timedelta(days=45), duration=timedelta(hours=1)), approvers=(ann,))
    await either.book.settle(old.key, Status.APPROVED, decided(at=NOW - timedelta(days=45)), None, NOW)
    either.desk.forget(old.key.id)
    await either.watcher.sights.filled(Kind.ENTRA, NOW - timedelta(days=45), NOW)
    either.desk.ask(again := a_request(role=REPORTS_READER), [ann])
    await either.watcher.tick()
    row = await either.row(again)
    assert row.risk.fired == ("role_ordinary", "first_use")
    assert row.pattern is not None
    assert (row.pattern.uses, row.pattern.since) == (0, NOW - timedelta(days=45))


async def test_asking_again_after_a_denial_shows_it_and_is_no_weak_point(either: House) -> None:
    denied = await either.ask(a_request(created=NOW - timedelta(hours=2), role=REPORTS_READER), approvers=(ann,))
    await either.book.settle(denied.key, Status.DENIED, decided(ben, comment="too long"), None, NOW)
    either.desk.forget(denied.key.id)
    either.clock.advance(timedelta(minutes=40))
    again = a_request(role=REPORTS_READER, created=either.clock(), duration=timedelta(hours=1))
    other = a_request(role=EXCHANGE, created=either.clock())
    for request in (again, other):
        either.desk.ask(request, [ann])
    await either.watcher.tick()
    row = await either.row(again)
    assert row.earlier is not None
    assert (row.earlier.by, row.earlier.reason, row.earlier.changed) == ("Ben Bauer", "too long", ("2 h → 1 h",))
    assert row.risk.fired == ("role_ordinary",)
    assert (await either.row(other)).risk.fired == ("role_high", "denials")


async def test_what_happened_between_two_polls_is_known_at_the_second(either: House) -> None:
    first = a_request(role=REPORTS_READER)
    either.desk.ask(first, [ann])
    await either.watcher.tick()
    await either.book.settle(first.key, Status.DENIED, decided(ben), None, NOW)
    either.desk.forget(first.key.id)
    second = a_request(role=EXCHANGE, created=NOW)
    either.desk.ask(second, [ann])
    await either.watcher.tick()
    assert "denials" in (await either.row(second)).risk.fired


async def test_settings_that_demand_a_ticket_count_in_the_judgement(either: House) -> None:
    either.desk.policies[REPORTS_READER.id] = PolicyFacts(ticket_required=True)
    either.desk.ask(request := a_request(role=REPORTS_READER, ticket=Ticket()), [ann])
    await either.watcher.tick()
    assert (await either.row(request)).risk.reasons[1] == "No ticket number, though this role's settings demand one"


# --- failing desks ---


@pytest.mark.parametrize("failure", [DOWN, Malformed()])
async def test_a_broken_desk_is_skipped_and_the_others_go_on(either: House, failure: Unavailable | Malformed) -> None:
    azure = FakeDesk(either.clock, kind=Kind.AZURE)
    request = a_request(key=a_key(Kind.AZURE))
    azure.ask(request, [ann])
    for method in ("list_all", "list_for"):
        either.desk.fail(method, failure)
    await either.watching(either.desk, azure).tick()
    assert (await either.row(request)).status is Status.PENDING


async def test_a_desk_is_logged_once_down_and_once_back(either: House, caplog: pytest.LogCaptureFixture) -> None:
    for method in ("list_all", "list_for"):
        either.desk.fail(method, DOWN, times=3)
    told = []
    for _ in range(5):
        await either.watcher.tick()
        told.append(either.watcher.troubles())
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert logged == [f"The entra desk cannot be read: {DOWN}", "The entra desk can be read again."]
    assert told == [[f"Entra role requests cannot be read: {DOWN}"]] * 3 + [[], []]


async def test_a_failing_listing_lets_nothing_vanish(either: House) -> None:
    request = await either.ask(approvers=(ann,))
    either.desk.withdraw(request.key.id)
    for method in ("list_all", "list_for"):
        either.desk.fail(method, DOWN)
    await either.watcher.tick()
    assert either.desk.count("fetch") == 0
    assert (await either.row(request)).status is Status.PENDING


async def test_an_incomplete_listing_adds_and_removes_nothing(house: House) -> None:
    known, new = await house.ask(), a_request()
    house.desk.withdraw(known.key.id)
    house.desk.ask(new, [ann])
    house.desk.cut_short = True
    await house.watcher.tick()
    assert house.desk.count("fetch") == 0
    assert [(await house.row(one)).status for one in (known, new)] == [Status.PENDING] * 2


async def test_a_row_that_cannot_be_read_has_not_vanished(house: House) -> None:
    broken, gone = await house.ask(), await house.ask()
    for request in (broken, gone):
        house.desk.withdraw(request.key.id)
    house.desk.broken = (broken.key.id,)
    await house.watcher.tick()
    assert [(await house.row(one)).status for one in (broken, gone)] == [Status.PENDING, Status.CANCELED]


@pytest.mark.parametrize("failure", [DOWN, SignInRequired(), GraphRefused("Microsoft refused: no", status=403)])
async def test_one_viewer_who_fails_makes_the_listing_incomplete(shared_house: House, failure: Unavailable) -> None:
    bens, new = await shared_house.ask(approvers=(ben,)), a_request()
    await shared_house.link(ann, ben)
    shared_house.desk.ask(new, [ann])
    shared_house.desk.fail("list_for", failure, who=ben.id)
    await shared_house.watcher.tick()
    assert shared_house.desk.count("fetch") == 0
    assert [(await shared_house.row(one)).status for one in (bens, new)] == [Status.PENDING] * 2


# --- who is asked, and how often ---


async def test_between_full_rounds_only_approvers_who_cover_every_request_are_asked(shared_house: House) -> None:
    await shared_house.link(ann, ben, rita)
    for approvers in ([ann, ben], [ann, rita], [ann]):
        shared_house.desk.ask(a_request(), approvers)
    for _ in range(3):
        await shared_house.watcher.tick()
        shared_house.clock.advance(timedelta(seconds=20))
    asked = Counter(who for method, who in shared_house.desk.calls if method == "list_for")
    assert asked == {ann.id: 3, ben.id: 1, rita.id: 1}


async def test_everybody_is_asked_every_five_minutes(shared_house: House) -> None:
    await shared_house.link(ann, ben)
    for passed in (timedelta(0), EVERYBODY_EVERY - timedelta(seconds=1), timedelta(seconds=1)):
        shared_house.clock.advance(passed)
        await shared_house.watcher.tick()
    assert timedelta(minutes=5) == EVERYBODY_EVERY
    assert shared_house.desk.count("list_for", ann.id) == 3
    assert shared_house.desk.count("list_for", ben.id) == 2


async def test_when_those_who_cover_cannot_look_everybody_else_is_asked_at_once(shared_house: House) -> None:
    await shared_house.link(ann, ben)
    await shared_house.watcher.tick()
    new = a_request()
    shared_house.desk.ask(new, [ben])
    shared_house.desk.fail("list_for", GraphRefused("Microsoft refused: no", status=403), times=ALWAYS, who=ann.id)
    await shared_house.watcher.tick()
    assert (await shared_house.row(new)).status is Status.PENDING
    assert await shared_house.outbox.standing_notes() == []


async def test_a_suspended_approver_is_not_asked(shared_house: House) -> None:
    link = await shared_house.link(ann)
    await shared_house.link(ben)
    await shared_house.links.suspend(link, "over", shared_house.clock())
    await shared_house.watcher.tick()
    assert [who for method, who in shared_house.desk.calls if method == "list_for"] == [ben.id]


# --- role settings ---


async def test_role_settings_are_read_once_in_ten_minutes(house: House) -> None:
    house.desk.policies[EXCHANGE.id] = PolicyFacts(comment_required=False)
    for passed in (timedelta(0), POLICY_LASTS - timedelta(seconds=1), timedelta(seconds=1)):
        house.clock.advance(passed)
        request = a_request(created=house.clock())
        house.desk.ask(request, [ann])
        await house.watcher.tick()
        assert (await house.row(request)).policy.comment_required is False
    assert timedelta(minutes=10) == POLICY_LASTS
    assert house.desk.count("policy") == 2


async def test_unreadable_role_settings_leave_the_comment_required(house: House) -> None:
    house.desk.fail("policy", DOWN, times=ALWAYS)
    request = a_request(ticket=Ticket("CHG-1"))
    house.desk.ask(request, [ann])
    await house.watcher.tick()
    row = await house.row(request)
    assert row.policy == PolicyFacts()
    assert row.comment_required


async def test_the_next_reader_is_asked_for_role_settings_when_the_first_may_not(house: House) -> None:
    await house.link(ann)
    house.desk.policies[EXCHANGE.id] = PolicyFacts(comment_required=True)
    house.desk.fail("policy", GraphRefused("Microsoft refused: no", status=403), who=ann.id)
    request = a_request()
    house.desk.ask(request, [ann])
    await house.watcher.tick()
    assert (await house.row(request)).policy.comment_required is True


# --- rows that are none of its business ---


async def test_a_row_that_is_being_decided_is_not_touched(either: House) -> None:
    request = await either.ask(approvers=(ann,))
    await either.book.claim(an_intent(request))
    either.desk.change(request.key.id, justification="Another reason")
    await either.watcher.tick()
    either.desk.withdraw(request.key.id)
    either.clock.advance(timedelta(hours=25))
    await either.watcher.tick()
    row = await either.row(request)
    assert (row.status, row.request.justification) == (Status.DECIDING, request.justification)
    assert either.desk.count("fetch") == 0


async def test_a_final_row_that_is_listed_again_stays_final(either: House) -> None:
    request = await either.ask(approvers=(ann,))
    await either.book.settle(request.key, Status.APPROVED, decided(ben), None, NOW)
    await either.watcher.tick()
    assert (await either.row(request)).status is Status.APPROVED


# --- the requestor's account ---


@pytest.mark.parametrize("enabled", [True, False])
async def test_an_account_is_remembered_as_it_was_and_stays_when_it_cannot_be_read_again(
    house: House,
    enabled: bool,  # noqa: FBT001 - a table
) -> None:
    request = a_request()
    house.accounts.known[request.requestor.id] = enabled
    house.desk.ask(request, [ann])
    await house.watcher.tick()
    house.accounts.known.clear()
    house.desk.change(request.key.id, justification="Another reason altogether")
    await house.watcher.tick()
    row = await house.row(request)
    assert (row.enabled, row.request.justification) == (enabled, "Another reason altogether")


async def test_an_account_is_known_though_another_listing_is_remembered_at_the_same_time(house: House) -> None:
    robs, ritas = a_request(), a_request(requestor=rita)
    house.accounts.known = {robs.requestor.id: False, rita.id: True}
    house.desk.ask(robs, [ann])
    house.desk.before("policy", lambda: house.watcher.hear(Listing(Kind.ENTRA, (ritas,))))
    await house.watcher.tick()
    assert ((await house.row(robs)).enabled, (await house.row(ritas)).enabled) == (False, True)


async def test_a_disabled_account_is_among_the_reasons(house: House) -> None:
    request = a_request()
    house.accounts.known[request.requestor.id] = False
    house.desk.ask(request, [ann])
    await house.watcher.tick()
    assert "disabled" in (await house.row(request)).risk.fired


async def test_in_a_burst_only_some_accounts_are_looked_at_and_no_request_waits(house: House) -> None:
    people = [Person(f"{n:08x}-0000-4000-8000-000000000000", f"P{n}") for n in range(ACCOUNTS + 5)]
    requests = [a_request(requestor=person) for person in people]
    for request in requests:
        house.desk.ask(request, [ann])
    await house.watcher.tick()
    assert len(house.accounts.asked) == ACCOUNTS
    assert len(await house.book.open_rows()) == len(requests)
