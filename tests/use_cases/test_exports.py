"""Exports: whole pages one after the other, only what may be seen, bounded for Slack, and never silent about gaps."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_request, decided
from fakes import FakeFiles
from people import ann, ben, rita, rob, slack_of
from use_cases.house import House

from app.domain.errors import Unavailable
from app.domain.export import Form
from app.domain.request import Kind, Status
from app.domain.ruling import Viewer
from app.exports import Busy, Delivered, coverage_lines, delivered_lines
from app.ports import Coverage, Gap, Query
from app.store.ledger import StoredLedger

AUDITOR = Viewer(auditor=True)
USER = slack_of(ann)


async def written(house: House, form: Form = Form.JSONL, query: Query | None = None, viewer: Viewer = AUDITOR) -> str:
    return "".join([piece.text async for piece in house.exports.pieces(viewer, query or Query(), form)])


async def asked(house: House, count: int) -> list[str]:
    """So many requests, a minute apart; their ids, newest first."""
    made = [await house.ask(a_request(created=NOW + timedelta(minutes=n))) for n in range(count)]
    return [request.key.id for request in reversed(made)]


async def test_every_page_follows_the_one_before_without_doubles(house: House) -> None:
    ids = await asked(house, 7)
    house.exports.page_rows = 3
    lines = [json.loads(line) for line in (await written(house)).splitlines()]
    assert [line["request"] for line in lines[1:]] == ids
    sizes = [piece.rows async for piece in house.exports.pieces(AUDITOR, Query(), Form.CSV)]
    assert sizes == [0, 3, 3, 1]


async def test_the_first_object_says_what_the_rest_cannot_hold(house: House) -> None:
    await house.sights.seen(Kind.ENTRA, NOW)
    house.sights._noted.clear()  # noqa: SLF001 - as a new process would
    await house.sights.seen(Kind.ENTRA, NOW + timedelta(hours=1))
    first = json.loads((await written(house, query=Query(since=NOW))).splitlines()[0])
    assert (first["export"], first["since"], first["until"]) == ("history", f"{NOW:%Y-%m-%dT%H:%M:%SZ}", None)
    gap = {"from": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "until": f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
    assert first["coverage"] == [{"desk": "entra", "complete_since": gap["from"], "gaps": [gap]}]


async def test_a_time_narrows_it(house: House) -> None:
    ids = await asked(house, 4)
    query = Query(since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=3))
    lines = (await written(house, query=query)).splitlines()[1:]
    assert [json.loads(line)["request"] for line in lines] == ids[1:3]


async def test_microsofts_name_for_the_answer_stands_beside_the_decision(house: House) -> None:
    request = await house.ask()
    await house.link(ann)
    await house.decide(ann, request)
    line = json.loads((await written(house)).splitlines()[1])
    answer = (await house.sql("SELECT answer FROM intents"))[0]["answer"]
    assert answer
    assert (line["verdict"], line["approver_id"], line["microsoft_request_id"]) == ("approved", ann.id, answer)


async def test_only_what_somebody_may_see_is_in_their_file(house: House) -> None:
    hers = await house.ask(a_request(requestor=rita, created_by=rita.id))
    await house.ask(a_request(requestor=rob, created_by=rob.id))
    lines = (await written(house, viewer=Viewer(rita.id))).splitlines()[1:]
    assert [json.loads(line)["request"] for line in lines] == [hers.key.id]


async def test_a_file_for_slack_is_bounded_and_says_so(house: House) -> None:
    ids = await asked(house, 6)
    house.exports.page_rows, house.exports.most_rows = 2, 4
    files = FakeFiles()
    told = await house.exports.deliver(files, USER, AUDITOR, Query())
    assert isinstance(told, Delivered)
    assert (told.rows, told.cut) == (4, True)
    [(user, name, content, words)] = files.sent
    assert (user, name) == (USER, f"pim-history-{NOW:%Y-%m-%d-%H%M}.csv")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert [row["request"] for row in rows] == ids[:4]
    assert "the newest 4" in words


async def test_who_took_what_is_written_down_before_it_leaves(house: House) -> None:
    await asked(house, 3)
    before = [row.what for row in await house.trail.rows(0, 100)]
    files = FakeFiles(failure=Unavailable("Slack cannot be reached."))
    since = NOW + timedelta(minutes=1)
    query = Query(since=since, statuses=frozenset({Status.PENDING}), role="Any role")
    with pytest.raises(Unavailable):
        await house.exports.deliver(files, USER, Viewer(ann.id, auditor=True), replace(query, role=""))
    await house.exports.deliver(FakeFiles(), USER, Viewer(ann.id), query)
    rows = (await house.trail.rows(0, 100))[len(before) :]
    assert [(row.what, row.who) for row in rows] == [("exported", ann.id)] * 2
    asked_for = {"form": "csv", "rows": "2", "to": USER, "since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "status": "pending"}
    assert [json.loads(row.facts) for row in rows] == [asked_for, {**asked_for, "rows": "0", "role": "Any role"}]


async def test_what_cannot_be_written_down_does_not_leave(house: House) -> None:
    class Full(StoredLedger):
        async def exported(self, *_: object) -> None:
            raise Unavailable

    house.exports.ledger, files = Full(house.store, house.trail), FakeFiles()
    with pytest.raises(Unavailable):
        await house.exports.deliver(files, USER, AUDITOR, Query())
    assert files.sent == []


async def test_a_file_that_just_fits_is_not_called_cut(house: House) -> None:
    await asked(house, 4)
    house.exports.page_rows, house.exports.most_rows = 2, 4
    told = await house.exports.deliver(FakeFiles(), USER, AUDITOR, Query())
    assert told == Delivered(4, False, [])


async def test_one_file_at_a_time_for_each_person(house: House) -> None:
    files, under_way, go_on = FakeFiles(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        under_way.set()
        await go_on.wait()

    files.before = wait
    first = asyncio.create_task(house.exports.deliver(files, USER, AUDITOR, Query()))
    await under_way.wait()
    assert await house.exports.deliver(files, USER, AUDITOR, Query()) == Busy()
    other = asyncio.create_task(house.exports.deliver(files, slack_of(ben), AUDITOR, Query()))
    go_on.set()
    assert isinstance(await first, Delivered)
    assert isinstance(await other, Delivered)
    assert isinstance(await house.exports.deliver(files, USER, AUDITOR, Query()), Delivered)


async def test_after_a_failure_the_next_file_may_be_asked_for(house: House) -> None:
    files = FakeFiles(failure=Unavailable("Slack cannot be reached."))
    with pytest.raises(Unavailable):
        await house.exports.deliver(files, USER, AUDITOR, Query())
    files.failure = None
    assert isinstance(await house.exports.deliver(files, USER, AUDITOR, Query()), Delivered)


async def test_an_ended_request_is_in_it_as_it_ended(house: House) -> None:
    request = await house.ask()
    await house.book.settle(request.key, Status.DENIED, decided(ben, comment="=no"), None, NOW)
    [row] = csv.DictReader(io.StringIO(await written(house, Form.CSV), newline=""))
    assert (row["verdict"], row["comment"], row["approver_id"]) == ("denied", "'=no", ben.id)


def test_what_is_said_beside_a_file() -> None:
    gap = Gap(NOW, NOW + timedelta(hours=1))
    lines = delivered_lines(Delivered(1, False, [Coverage(Kind.GROUP, NOW, (gap,))]))
    at, until = f"{NOW:%Y-%m-%d %H:%M} UTC", f"{NOW + timedelta(hours=1):%Y-%m-%d %H:%M} UTC"
    assert lines == [
        "History you may see, 1 request.",
        f"Groups: complete since {at}, but not from {at} to {until}.",
    ]
    assert coverage_lines([]) == ["No desk has been seen whole yet, so nothing is known to be complete."]
