"""Reading: only what the reader may see, and counters that equal the rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request, decided
from people import CHANNEL, TEAM, ann, ben, cleo, olga, rita, rob, slack_of
from use_cases.house import SLACK_URL, House

from app.domain.errors import BotError, SlackFailed, Unavailable
from app.domain.request import ActivationRequest, Person, RequestKey, Status
from app.domain.ruling import Viewer, may_see
from app.lookups import PAGE_ROWS, WAITING_ROWS, Nothing, Overview
from app.ports import Counters, LinkState, Page, Query

EVERYTHING = Query(limit=100)


def join(house: House, person: Person, channel: str = CHANNEL) -> None:
    house.people.channels[slack_of(person)] = frozenset({channel})


async def waiting(house: House, person: Person) -> list[RequestKey] | Nothing:
    found = await house.lookups.pending(TEAM, slack_of(person))
    return found if isinstance(found, Nothing) else [row.key for row in found.rows]


async def history(house: House, person: Person, query: Query = EVERYTHING) -> set[RequestKey]:
    page = await house.lookups.history(TEAM, slack_of(person), query)
    return {row.key for row in page.rows} if isinstance(page, Page) else set()


@pytest.fixture
async def two(house: House) -> tuple[ActivationRequest, ActivationRequest]:
    """Rob's request, which Ann may approve; Rita's, which Ben may."""
    robs = await house.ask(approvers=(ann,))
    ritas = await house.ask(a_request(requestor=rita, created=NOW - timedelta(minutes=5)), approvers=(ben,))
    return robs, ritas


@pytest.mark.usefixtures("two")
async def test_a_stranger_gets_nothing_but_an_invitation(house: House) -> None:
    user = slack_of(olga)
    answers = [
        await house.lookups.overview(TEAM, user),
        await house.lookups.pending(TEAM, user),
        await house.lookups.history(TEAM, user, Query()),
    ]
    assert answers == [Nothing()] * 3


@pytest.mark.usefixtures("two")
async def test_a_matching_mail_address_lets_nobody_read(house: House) -> None:
    assert await waiting(house, rob) == Nothing()
    assert house.people.asked == [slack_of(rob)]


@pytest.mark.usefixtures("two")
async def test_a_suspended_link_lets_nobody_read(house: House) -> None:
    await house.link(ann, state=LinkState.SUSPENDED)
    assert await waiting(house, ann) == Nothing()
    assert await house.lookups.object_id(TEAM, slack_of(ann)) == ""


async def test_a_signed_in_person_sees_what_is_theirs(
    house: House, two: tuple[ActivationRequest, ActivationRequest]
) -> None:
    robs, ritas = two
    await house.link(ann, ben, rob, rita, olga)
    assert [await waiting(house, who) for who in (ann, rob)] == [[robs.key]] * 2
    assert [await waiting(house, who) for who in (ben, rita)] == [[ritas.key]] * 2
    assert await waiting(house, olga) == []


async def test_a_member_sees_every_card_of_their_channel_the_soonest_to_expire_first(
    house: House, two: tuple[ActivationRequest, ActivationRequest]
) -> None:
    join(house, olga)
    assert await waiting(house, olga) == [request.key for request in two]


@pytest.mark.usefixtures("two")
async def test_a_member_of_another_channel_sees_no_card_of_this_one(house: House) -> None:
    join(house, olga, "C0ELSEWHERE")
    assert await waiting(house, olga) == []


async def test_whoever_decided_keeps_seeing_it(house: House, two: tuple[ActivationRequest, ActivationRequest]) -> None:
    robs, _ = two
    await house.book.settle(robs.key, Status.DENIED, decided(olga), None, NOW)
    await house.link(olga)
    assert await history(house, olga) == {robs.key}


@pytest.mark.parametrize("failure", [Unavailable(), SlackFailed(code="missing_scope")])
async def test_not_knowing_the_channels_shows_nothing(house: House, failure: BotError) -> None:
    await house.link(ann)
    house.people.failure = failure
    with pytest.raises(type(failure)):
        await house.lookups.pending(TEAM, slack_of(ann))


async def test_the_overview_counts_what_its_reader_may_see(
    house: House, two: tuple[ActivationRequest, ActivationRequest]
) -> None:
    robs, ritas = two
    await house.link(rob)
    join(house, olga)
    await house.book.settle(robs.key, Status.APPROVED, decided(ann), None, NOW)
    mine = await house.lookups.overview(TEAM, slack_of(rob))
    all_ = await house.lookups.overview(TEAM, slack_of(olga))
    assert isinstance(mine, Overview)
    assert isinstance(all_, Overview)
    assert (mine.counters, mine.waiting) == (Counters(approved=1), ())
    assert (all_.counters, [row.key for row in all_.waiting]) == (Counters(pending=1, approved=1), [ritas.key])


@pytest.mark.parametrize("person", [ann, ben, rob, rita, olga])
@pytest.mark.parametrize("member", [True, False])
async def test_counters_equal_the_rows(house: House, person: Person, member: object) -> None:
    await house.link(person)
    if member:
        join(house, person)
    endings = [None, Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.CANCELED, Status.FAILED, None, None]
    for number, ending in enumerate(endings):
        requestor, approver = ((rob, ann), (rita, ben))[number % 2]
        request = await house.ask(a_request(requestor=requestor), approvers=(approver,))
        if ending is not None:
            await house.book.settle(request.key, ending, decided(cleo), None, NOW)
    overview = await house.lookups.overview(TEAM, slack_of(person))
    page = await house.lookups.history(TEAM, slack_of(person), EVERYTHING)
    assert isinstance(overview, Overview)
    assert isinstance(page, Page)
    statuses = [row.status for row in page.rows]
    counted = [statuses.count(one) for one in (Status.PENDING, Status.APPROVED, Status.DENIED, Status.EXPIRED)]
    assert overview.counters == Counters(*counted)
    assert len(overview.waiting) == overview.counters.pending
    viewer = Viewer(person.id, house.people.channels.get(slack_of(person), frozenset()))
    assert all(may_see(viewer, row) for row in (*page.rows, *overview.waiting))


async def test_the_overview_shows_at_most_twenty_that_wait(house: House) -> None:
    await house.link(rob)
    for _ in range(WAITING_ROWS + 1):
        await house.ask()
    overview = await house.lookups.overview(TEAM, slack_of(rob))
    assert isinstance(overview, Overview)
    assert (len(overview.waiting), overview.counters.pending) == (20, 21)
    assert overview.link is not None


async def test_history_turns_page_by_page_newest_first(house: House) -> None:
    await house.link(rob)
    for minutes in range(PAGE_ROWS + 1):
        await house.ask(a_request(created=NOW - timedelta(minutes=minutes)))
    first = await house.lookups.history(TEAM, slack_of(rob), Query(limit=PAGE_ROWS))
    assert isinstance(first, Page)
    second = await house.lookups.history(TEAM, slack_of(rob), Query(limit=PAGE_ROWS, after=first.next))
    assert isinstance(second, Page)
    assert (len(first.rows), len(second.rows), second.next) == (10, 1, "")
    times = [row.request.created for row in (*first.rows, *second.rows)]
    assert times == sorted(times, reverse=True)


async def test_the_address_of_a_card_names_its_channel_and_message(house: House) -> None:
    request = await house.ask()
    card = await house.card(request)
    unposted = a_request()
    rows = [await house.row(request)]
    assert await house.lookups.card_addresses(rows) == {
        request.key: f"{SLACK_URL}archives/{CHANNEL}/p{card.ts.replace('.', '')}"
    }
    assert await house.lookups.card_addresses([]) == {}
    assert await house.cards.places([unposted.key]) == {}


async def test_the_object_id_is_told_only_of_a_live_link(house: House) -> None:
    await house.link(ann)
    assert await house.lookups.object_id(TEAM, slack_of(ann)) == ann.id
    assert await house.lookups.object_id("T0OTHER001", slack_of(ann)) == ""
    assert await house.lookups.object_id(TEAM, slack_of(ben)) == ""
