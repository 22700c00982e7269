"""Filling history from what Microsoft keeps: what is added, what is filled in, what is left alone, who is asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from build import NOW, a_request
from fakes import APP
from people import ann, ben, cleo, rita, rob
from use_cases.house import House

from app.domain.chronicle import Event, What
from app.domain.errors import GraphRefused, Unavailable
from app.domain.lifecycle import Holding, HowEnded
from app.domain.request import ActivationRequest, Decided, Kind, Status, Verdict, Where
from app.watcher.backfilling import KEPT, Report

SINCE = NOW - KEPT
EARLIER = NOW - timedelta(days=4)


def silent(*_: object) -> None:
    """Nobody watches the progress."""


async def ended_without_us(
    house: House, verdict: Verdict = Verdict.APPROVE, created: datetime = EARLIER, **over: object
) -> ActivationRequest:
    request = a_request(created=created, **over)
    house.desk.ask(request, [ann])
    clock, house.clock.now = house.clock.now, created + timedelta(minutes=5)
    house.desk.elsewhere(request.key.id, cleo, verdict, "In the portal")
    house.clock.now = clock
    return request


def approval(request: ActivationRequest, at: datetime = EARLIER) -> list[Event]:
    id_ = request.key.id
    return [
        Event(id_, What.APPROVED, at, ben, "Checked"),
        Event(id_, What.ACTIVATED, at),
        Event(id_, What.ENDED, at + timedelta(hours=2)),
    ]


async def run(house: House) -> Report:
    (report,) = await house.backfilling.run(SINCE, silent)
    return report


async def test_what_ended_without_us_is_history_without_a_card_or_a_message(house: House) -> None:
    request = await ended_without_us(house)
    house.chronicle.events = approval(request)
    assert await run(house) == Report(Kind.ENTRA, read=1, added=1)
    row = await house.row(request)
    assert (row.status, row.decided) == (Status.APPROVED, Decided(EARLIER, Where.OUTSIDE, ben, "Checked"))
    assert row.holding == Holding(EARLIER, deactivated=EARLIER + timedelta(hours=2), how=HowEnded.LAPSED)
    assert await house.outbox.unpainted(10) == []
    assert await house.notices() == []
    assert [entry.what for entry in await house.audit(request)] == ["imported"]
    assert await house.trail.verify() is None


async def test_a_manager_may_read_what_their_own_people_asked_for_and_nobody_elses(house: House) -> None:
    house.desk.managers = {rob.id: ben, rita.id: cleo}
    robs, ritas = await ended_without_us(house), await ended_without_us(house, requestor=rita)
    await run(house)
    assert (await house.approvers(robs), await house.approvers(ritas)) == (frozenset({ben.id}), frozenset({cleo.id}))


async def test_the_settings_of_a_role_are_read_once_for_each_requestor(house: House) -> None:
    for person in (rob, rita, rob, rita):
        await ended_without_us(house, requestor=person)
    await run(house)
    assert house.desk.count("policy") == 2


async def test_a_second_run_adds_nothing(house: House) -> None:
    request = await ended_without_us(house)
    house.chronicle.events = approval(request)
    await run(house)
    before = await house.row(request)
    assert await run(house) == Report(Kind.ENTRA, read=1, added=0)
    assert await house.row(request) == before


async def test_without_the_audit_log_the_approval_names_who_decided(house: House) -> None:
    house.chronicle.readers = set()
    request = await ended_without_us(house, Verdict.DENY)
    await run(house)
    row = await house.row(request)
    at = EARLIER + timedelta(minutes=5)
    assert (row.status, row.decided) == (Status.DENIED, Decided(at, Where.OUTSIDE, cleo, "In the portal"))


async def test_what_nobody_may_read_stays_without_a_name_and_a_time(house: House) -> None:
    house.chronicle.readers = set()
    request = await ended_without_us(house)
    house.desk.fail("steps", GraphRefused("Microsoft refused: no", status=403))
    await run(house)
    row = await house.row(request)
    assert (row.status, row.decided, row.holding.activated) == (Status.APPROVED, None, None)


async def test_an_open_request_is_left_to_the_poll(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE)
    assert (await run(house)).added == 0
    assert (await house.row(request)).status is Status.PENDING


async def test_a_decision_made_here_keeps_what_was_written_then(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    await house.decide(ann, request)
    house.chronicle.events = [Event(request.key.id, What.APPROVED, NOW, ben, "Somebody else")]
    await run(house)
    row = await house.row(request)
    assert row.decided is not None
    assert (row.decided.by, row.decided.where, row.decided.comment) == (
        ann,
        Where.SLACK,
        "It is in the change calendar",
    )


async def test_a_missing_name_is_filled_in_and_repaints_the_card(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE)
    house.desk.fail("steps", GraphRefused("Microsoft refused: no", status=403))
    await house.watcher.tick()
    before = await house.row(request)
    assert before.decided is not None
    assert before.decided.by is None
    house.chronicle.events = approval(request, NOW)
    assert await house.backfilling.complete() == 1
    row = await house.row(request)
    assert row.decided == Decided(NOW, Where.OUTSIDE, ben, "Checked")
    assert row.version == before.version + 1
    assert [entry.what for entry in await house.audit(request)] == ["approved", "completed"]


async def test_nothing_lacking_asks_nobody(house: House) -> None:
    await house.ask()
    assert await house.backfilling.complete() == 0
    assert house.chronicle.asked == []


async def test_the_bot_is_asked_first_and_people_only_when_it_may_not(house: House) -> None:
    await house.link(ann, ben)
    house.desk.historians = {ben.id}
    await ended_without_us(house)
    report = await run(house)
    assert (report.read, report.added) == (1, 1)
    assert "did not show all" in report.trouble
    assert [who for method, who in house.desk.calls if method == "list_ended"] == [APP, ann.id, ben.id]


async def test_a_desk_nobody_may_list_is_said_and_the_others_go_on(house: House) -> None:
    house.desk.historians = set()
    report = await run(house)
    assert (report.read, report.added) == (0, 0)
    assert report.trouble.startswith("Nobody")


async def test_an_outage_is_said(house: House) -> None:
    house.desk.fail("list_ended", Unavailable("Microsoft is having trouble."))
    assert (await run(house)).trouble == "Microsoft is having trouble."


@pytest.mark.parametrize("whole", [True, False])
async def test_history_is_complete_since_the_day_that_was_read_whole(house: House, whole: bool) -> None:  # noqa: FBT001 - a table
    house.desk.cut_short = not whole
    await run(house)
    assert [(desk.kind, desk.since) for desk in await house.lookups.coverage()] == (
        [(Kind.ENTRA, SINCE)] if whole else []
    )


async def test_pages_that_came_before_a_failure_count(house: House) -> None:
    request = await ended_without_us(house)
    house.chronicle.events = approval(request)
    house.chronicle.failure = Unavailable("Microsoft is having trouble.")
    await run(house)
    row = await house.row(request)
    assert row.holding.deactivated == EARLIER + timedelta(hours=2)


async def test_a_role_that_may_be_held_right_now_is_followed_from_here_on(house: House) -> None:
    house.chronicle.readers = set()
    request = await ended_without_us(house, created=NOW - timedelta(hours=1))
    await run(house)
    assert [row.key for row in await house.book.look_due(house.clock(), 10)] == [request.key]
    assert rob.id == request.requestor.id
