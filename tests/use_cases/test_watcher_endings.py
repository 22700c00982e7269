"""What vanished or is overdue is read by id, and ends as Microsoft says: how, by whom, where, or not yet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request
from fakes import ALWAYS, APP
from people import ann, ben, cleo, rob
from use_cases.house import House
from use_cases.turns import LateAnswer

from app.domain.errors import GraphRefused, Malformed, RequestGone, Unavailable
from app.domain.request import ActivationRequest, Decided, Status, Verdict, Where
from app.watcher import LAG

DOWN = Unavailable("Microsoft is having trouble (HTTP 503).")
FORBIDDEN = GraphRefused("Microsoft refused: no", status=403)
DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


async def ended(house: House, request: ActivationRequest) -> tuple[Status, Decided | None]:
    row = await house.row(request)
    return row.status, row.decided


@pytest.mark.parametrize(
    "verdict,status", [(Verdict.APPROVE, Status.APPROVED), (Verdict.DENY, Status.DENIED)], ids=["approve", "deny"]
)
async def test_a_decision_in_the_portal_names_who_when_where_and_why(
    house: House, verdict: Verdict, status: Status
) -> None:
    request = await house.ask()
    decided_at = house.clock()
    house.desk.elsewhere(request.key.id, cleo, verdict, "Agreed by phone")
    house.clock.advance(timedelta(minutes=3))
    await house.watcher.tick()
    assert await ended(house, request) == (status, Decided(decided_at, Where.OUTSIDE, cleo, "Agreed by phone"))


async def test_a_decision_whose_steps_nobody_may_read_names_nobody(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE)
    house.desk.fail("steps", FORBIDDEN, times=ALWAYS)
    await house.watcher.tick()
    assert await ended(house, request) == (Status.APPROVED, Decided(NOW, Where.OUTSIDE))


async def test_a_name_that_does_not_show_yet_is_waited_for(house: House) -> None:
    request = await house.ask()
    before = house.desk.held[request.key.id]
    house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE)
    after = house.desk.held[request.key.id]
    house.desk.before("steps", lambda: house.desk.held.update({request.key.id: before}))
    await house.watcher.tick()
    assert await ended(house, request) == (Status.PENDING, None)
    house.desk.held[request.key.id] = after
    await house.watcher.tick()
    assert await ended(house, request) == (Status.APPROVED, Decided(NOW, Where.OUTSIDE, cleo, "In the portal"))


@pytest.mark.parametrize("passed,status", [(LAG - SECOND, Status.PENDING), (LAG, Status.APPROVED)])
async def test_a_name_that_never_shows_is_waited_for_two_minutes(
    house: House, passed: timedelta, status: Status
) -> None:
    request = await house.ask()
    before = house.desk.held[request.key.id]
    for span in (timedelta(0), passed):
        house.clock.advance(span)
        house.desk.before("list_all", lambda: house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE))
        house.desk.before("steps", lambda: house.desk.held.update({request.key.id: before}))
        house.desk.held[request.key.id] = before
        await house.watcher.tick()
    assert timedelta(minutes=2) == LAG
    assert (await house.row(request)).status is status


async def test_the_next_reader_is_asked_when_the_first_may_not(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE)
    for method in ("fetch", "steps"):
        house.desk.fail(method, FORBIDDEN, times=ALWAYS, who=ann.id)
    await house.watcher.tick()
    row = await house.row(request)
    assert row.decided is not None
    assert (row.decided.by, house.desk.count("steps", APP)) == (cleo, 1)


async def test_a_withdrawn_request_names_its_requestor(house: House) -> None:
    request = await house.ask()
    house.desk.withdraw(request.key.id)
    await house.watcher.tick()
    assert await ended(house, request) == (Status.CANCELED, Decided(NOW, Where.OUTSIDE, rob))


async def test_an_ending_elsewhere_repaints_tells_the_requestor_and_is_audited_once(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.DENY)
    await house.watcher.tick()
    await house.watcher.tick()
    assert [row.status for _, row in await house.outbox.unpainted(10)] == [Status.DENIED]
    assert [(notice.topic, notice.to_entra) for notice in await house.notices()] == [("outcome", rob.id)]
    assert [(row.what, row.who) for row in await house.audit(request)] == [("denied", cleo.id)]


async def test_what_vanished_but_still_waits_stays_open(house: House) -> None:
    request = await house.ask()
    house.desk.before("list_all", house.desk.held.clear)
    house.desk.before("fetch", lambda: house.desk.ask(request, [ann]))
    await house.watcher.tick()
    assert await ended(house, request) == (Status.PENDING, None)


async def test_what_microsoft_does_not_know_any_more_stays_open_until_its_day_is_over(house: House) -> None:
    request = await house.ask()
    house.desk.forget(request.key.id)
    await house.watcher.tick()
    assert await ended(house, request) == (Status.PENDING, None)
    house.clock.advance(DAY)
    await house.watcher.tick()
    assert await ended(house, request) == (Status.EXPIRED, Decided(request.expires, Where.OUTSIDE))


@pytest.mark.parametrize("failure", [DOWN, Malformed()])
@pytest.mark.parametrize("method", ["fetch", "steps"])
async def test_an_outage_settles_nothing_until_it_is_over(
    house: House, method: str, failure: Unavailable | Malformed
) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE)
    house.desk.fail(method, failure, times=2)
    for minutes in (0, 24 * 60):
        house.clock.advance(timedelta(minutes=minutes))
        await house.watcher.tick()
        assert await ended(house, request) == (Status.PENDING, None)
    await house.watcher.tick()
    assert await ended(house, request) == (
        Status.APPROVED,
        Decided(NOW, Where.OUTSIDE, cleo, "In the portal"),
    )


async def test_a_decision_of_ours_made_while_it_reads_is_left_to_its_sender(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    form, held = await house.form(ann, request), house.desk.held.pop(request.key.id)
    anns = LateAnswer(house.desk, lambda: house.decisions.decide(form))
    house.desk.before("fetch", lambda: house.desk.held.update({request.key.id: held}))
    house.desk.before("fetch", anns.begin)
    await house.watcher.tick()
    await anns.end()
    row = await house.row(request)
    assert row.decided is not None
    assert (row.decided.by, row.decided.where) == (ann, Where.SLACK)


# --- 24 hours ---


@pytest.mark.parametrize("left,status", [(timedelta(seconds=1), Status.PENDING), (timedelta(0), Status.EXPIRED)])
async def test_an_unanswered_request_expires_after_24_hours(house: House, left: timedelta, status: Status) -> None:
    request = await house.ask(a_request(created=NOW + left - DAY))
    await house.watcher.tick()
    assert (await house.row(request)).status is status


async def test_an_overdue_request_is_expired_even_while_the_desk_cannot_list(house: House) -> None:
    request = await house.ask(a_request(created=NOW - DAY))
    house.desk.fail("list_all", FORBIDDEN)
    await house.watcher.tick()
    assert await ended(house, request) == (Status.EXPIRED, Decided(request.expires, Where.OUTSIDE))


async def test_an_overdue_request_that_was_decided_in_time_is_not_called_expired(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, ben, Verdict.APPROVE)
    house.desk.fail("list_all", DOWN, times=ALWAYS)
    house.clock.advance(DAY)
    await house.watcher.tick()
    assert (await house.row(request)).status is Status.APPROVED


async def test_an_overdue_request_nobody_may_read_shows_its_decision_where_steps_may_be_read(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, ben, Verdict.DENY)
    house.desk.fail("fetch", RequestGone("Microsoft refused: gone", status=404), times=ALWAYS)
    house.clock.advance(DAY)
    await house.watcher.tick()
    assert (await house.row(request)).status is Status.DENIED
