"""No sequence of listings, whole, partial, reordered or lagging, closes a live request or leaves a dead one buttons."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from build import a_request
from fakes import ALWAYS
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from people import ann, ben, cleo
from use_cases.house import House

from app.domain.errors import GraphRefused, Malformed, RequestGone, Unavailable
from app.domain.policy import Policy
from app.domain.request import ActivationRequest, Status, Verdict
from app.domain.ruling import portal_only
from app.store.engine import open_engine
from app.store.writer import Store

NO = GraphRefused("Microsoft refused: no", status=403)
GONE = RequestGone("Microsoft refused: gone", status=404)
FAULTS = {"down": Unavailable("Microsoft is having trouble."), "odd": Malformed(), "refused": NO}
DEEDS = "poll poll hide show cut whole turn lag approve deny withdraw stepless step".split()
deeds = st.one_of(
    st.sampled_from(DEEDS),
    st.tuples(st.sampled_from(["list_all", "list_for", "fetch", "steps"]), st.sampled_from(sorted(FAULTS))),
    st.integers(1, 8).map(lambda hours: timedelta(hours=hours)),
)
Deed = str | tuple[str, str] | timedelta


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(story=st.lists(deeds, max_size=25), as_application=st.booleans())
def test_no_sequence_of_listings_lies(sqlite_template: Path, story: list[Deed], as_application: bool) -> None:  # noqa: FBT001 - drawn
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pim.db"
        shutil.copyfile(sqlite_template, path)
        asyncio.run(live_through(story, f"sqlite+aiosqlite:///{path}", as_application=as_application))


async def live_through(story: list[Deed], url: str, *, as_application: bool) -> None:
    store = Store(open_engine(url))
    try:
        house = House(store, as_application=as_application)
        await house.link(ann, ben)
        request = await house.ask()
        for deed in story:
            await act(house, request, deed)
            await judge_never_closed_alive(house, request)
        await recover(house)
        await judge_the_truth(house, request)
    finally:
        await store.aclose()


async def act(house: House, request: ActivationRequest, deed: Deed) -> None:
    id_, desk = request.key.id, house.desk
    if isinstance(deed, timedelta):
        house.clock.advance(deed)
    elif isinstance(deed, tuple):
        desk.fail(deed[0], FAULTS[deed[1]], times=2)
    elif deed == "poll":
        await house.watcher.tick()
    elif deed in ("hide", "show"):
        (desk.hidden.add if deed == "hide" else desk.hidden.discard)(id_)
    elif deed in ("cut", "whole"):
        desk.cut_short = deed == "cut"
    elif deed == "turn":
        desk.backwards = not desk.backwards
    elif deed in ("stepless", "step"):
        desk.held[id_] = replace(desk.held[id_], stepless=deed == "stepless")
    else:
        end(house, request, deed)


def end(house: House, request: ActivationRequest, deed: str) -> None:
    """Somebody acts elsewhere, if there is still something to act on; `lag`: the next reads show the state before."""
    desk, id_ = house.desk, request.key.id
    held = desk.held[id_]
    if held.review is not None or held.canceled or house.clock() >= request.expires:
        return
    if deed == "lag":
        desk.lag = 4
        return
    if deed == "withdraw":
        desk.withdraw(id_)
    else:
        desk.elsewhere(id_, cleo, Verdict.APPROVE if deed == "approve" else Verdict.DENY)
    desk.show_late(held)


def alive(house: House, request: ActivationRequest) -> bool:
    held = house.desk.held[request.key.id]
    return held.review is None and not held.canceled and house.clock() < request.expires


async def judge_never_closed_alive(house: House, request: ActivationRequest) -> None:
    if alive(house, request):
        assert (await house.row(request)).status is Status.PENDING


async def recover(house: House) -> None:
    """Microsoft is well again, and the bot has a quarter of an hour."""
    house.desk.heal()
    house.desk.hidden.clear()
    house.desk.cut_short = False
    for _ in range(4):
        house.clock.advance(timedelta(minutes=6))
        await house.watcher.tick()


async def judge_the_truth(house: House, request: ActivationRequest) -> None:
    """A live request has buttons, unless no step is open; a dead one has none, and says how it ended."""
    row, held = await house.row(request), house.desk.held[request.key.id]
    buttons = row.status is Status.PENDING and not portal_only(row, Policy()) and house.clock() < request.expires
    event(f"{row.status}, buttons: {buttons}")
    if alive(house, request):
        assert buttons is not (held.stepless and row.stale)
        assert row.doubt.absences == 0
    else:
        assert not buttons
        assert not row.status.open


async def test_a_request_that_is_gone_for_good_loses_its_buttons(house: House) -> None:
    request = await house.ask()
    house.desk.forget(request.key.id)
    await house.watcher.tick()
    assert (await house.row(request)).status is Status.PENDING
    await house.watcher.tick()
    row = await house.row(request)
    assert row.status is Status.UNKNOWN
    assert [(entry.what, entry.who) for entry in await house.audit(request)] == [("unknown", "")]
    assert await house.notices() == []


async def test_gone_is_believed_only_when_it_is_missing_both_times(house: House) -> None:
    request = await house.ask()
    for _ in range(3):
        house.desk.hidden.add(request.key.id)
        house.desk.fail("fetch", GONE)
        house.desk.fail("steps", GONE)
        await house.watcher.tick()
        house.desk.hidden.clear()
        await house.watcher.tick()
    row = await house.row(request)
    assert (row.status, row.doubt.absences) == (Status.PENDING, 0)


async def test_what_nobody_may_read_is_said_to_be_uncheckable_until_it_shows_again(house: House) -> None:
    request = await house.ask()
    house.desk.hidden.add(request.key.id)
    for method in ("fetch", "steps"):
        house.desk.fail(method, NO, times=ALWAYS)
    await house.watcher.tick()
    before = await house.row(request)
    assert (before.status, before.doubt.uncheckable, before.version) == (Status.PENDING, True, 2)
    await house.watcher.tick()
    assert (await house.row(request)).version == 2
    house.desk.hidden.clear()
    await house.watcher.tick()
    after = await house.row(request)
    assert (after.doubt.uncheckable, after.version) == (False, 3)


async def test_how_an_unreadable_request_ended_is_learned_when_somebody_may_read(house: House) -> None:
    request = await house.ask()
    house.desk.elsewhere(request.key.id, cleo, Verdict.DENY, "Ask with a ticket")
    for method in ("fetch", "steps"):
        house.desk.fail(method, NO, times=ALWAYS)
    house.clock.advance(timedelta(hours=24))
    await house.watcher.tick()
    assert (await house.row(request)).status is Status.UNKNOWN
    house.desk.heal()
    house.clock.advance(timedelta(hours=2))
    await house.watcher.tick()
    row = await house.row(request)
    assert row.decided is not None
    assert (row.status, row.decided.by) == (Status.DENIED, cleo)
    assert [notice.topic for notice in await house.notices()] == ["outcome"]
    assert [entry.what for entry in await house.audit(request)] == ["unknown", "denied"]


async def test_after_a_day_down_old_cards_are_closed_and_no_dead_request_gets_one(house: House) -> None:
    known = await house.ask()
    dead = a_request(created=house.clock() + timedelta(minutes=5))
    house.desk.ask(dead, [ann])
    house.clock.advance(timedelta(hours=26))
    fresh = a_request(created=house.clock() - timedelta(minutes=1))
    house.desk.ask(fresh, [ann])
    house.restart()
    await house.watcher.tick()
    assert (await house.row(known)).status is Status.EXPIRED
    assert await house.book.find(dead.key) is None
    unpainted = {row.key: row.status for _, row in await house.outbox.unpainted(10)}
    assert unpainted == {known.key: Status.EXPIRED, fresh.key: Status.PENDING}


async def test_a_listing_that_lags_after_a_decision_of_ours_never_flips_it_back(house: House) -> None:
    await house.link(ann)
    house.desk.lag = 1_000
    request = await house.ask()
    await house.decide(ann, request)
    await house.watcher.tick()  # the role is seen to be active
    before = await house.row(request)
    for _ in range(3):
        house.clock.advance(timedelta(seconds=20))
        await house.watcher.tick()
        row = await house.row(request)
        assert (row.status, row.decided, row.version) == (Status.APPROVED, before.decided, before.version)
