"""Two approvers, the portal, the watcher, faults and kill -9, in any order: one decision counts, and is told right."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fakes import ALWAYS
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from people import ann, ben, cleo
from use_cases.house import House
from use_cases.turns import Turns

from app.domain.errors import GraphRefused, Malformed, RequestGone, SignInRequired, Unavailable
from app.domain.request import ActivationRequest, Status, Verdict
from app.store.engine import open_engine
from app.store.writer import Store

FAILURES = (
    Unavailable("Microsoft cannot be reached."),
    Unavailable("Microsoft asks us to wait.", retry_after=30.0),
    Malformed(),
    GraphRefused("Microsoft refused: no", status=403),
    RequestGone("Microsoft refused: gone", status=404),
    SignInRequired(),
)
NOT_OF_A_DECISION = 2  # Malformed: the gate never says so of a decision
verdicts = st.sampled_from(Verdict)
faults = st.one_of(
    st.tuples(st.sampled_from(["fetch", "steps"]), st.sampled_from(FAILURES), st.sampled_from([1, 2, ALWAYS])),
    st.tuples(st.just("decide"), st.sampled_from([*FAILURES[:NOT_OF_A_DECISION], *FAILURES[3:]]), st.just(1)),
    st.tuples(st.sampled_from(["before", "after"]), st.none(), st.integers(1, 3)),
)


@dataclass(frozen=True)
class Story:
    """What everybody wants, what goes wrong, and in which order they get their turns."""

    anns: Verdict
    bens: Verdict
    outside: str
    faults: tuple[tuple[str, Exception | None, int], ...]
    lag: int
    order: tuple[int, ...]
    deadly: frozenset[int]


stories = st.builds(
    Story,
    anns=verdicts,
    bens=verdicts,
    outside=st.sampled_from(["nothing", "nothing", "nothing", "nothing", "approve", "deny", "cancel"]),
    faults=st.lists(faults, max_size=2).map(tuple),
    lag=st.sampled_from([0, 0, 2, 40]),
    order=st.lists(st.integers(0, 5), max_size=40).map(tuple),
    deadly=st.frozensets(st.integers(0, 25), max_size=2),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(story=stories)
def test_any_order_of_clicks_faults_and_crashes_ends_with_microsofts_truth(sqlite_template: Path, story: Story) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pim.db"
        shutil.copyfile(sqlite_template, path)
        asyncio.run(live_through(story, f"sqlite+aiosqlite:///{path}"))


async def live_through(story: Story, url: str) -> None:
    store = Store(open_engine(url))
    try:
        house = House(store)
        await house.link(ann, ben)
        request = await house.ask()
        await act(house, request, story)
        await recover(house)
        await judge(house, request, story)
    finally:
        await store.aclose()


async def act(house: House, request: ActivationRequest, story: Story) -> None:
    turns = Turns()
    house.desk.lag, house.desk.turn = story.lag, turns.wait
    for method, failure, times in story.faults:
        arrange(house, method, failure, times)
    forms = [await house.form(who, request, verdict=said) for who, said in ((ann, story.anns), (ben, story.bens))]
    anns, bens = forms
    actors: dict[str, Callable[[], Awaitable[object]]] = {
        "ann": lambda: house.decisions.decide(anns),
        "ben": lambda: house.decisions.decide(bens),
        "watcher": house.watcher.tick,
        "outside": lambda: outside(house, request, story.outside, turns),
    }
    await turns.play(actors, story.order, story.deadly)
    house.desk.turn = None


def arrange(house: House, method: str, failure: Exception | None, times: int) -> None:
    if method == "before":
        house.desk.lose_answer_before(times)
    elif method == "after":
        house.desk.lose_answer_after(times)
    else:
        house.desk.fail(method, failure, times=times)


async def outside(house: House, request: ActivationRequest, what: str, turns: Turns) -> None:
    await turns.wait()
    held = house.desk.held[request.key.id]
    if what == "nothing" or held.review is not None:
        return
    if what == "cancel":
        house.desk.cancel(request.key.id)
    else:
        house.desk.elsewhere(request.key.id, cleo, Verdict.APPROVE if what == "approve" else Verdict.DENY)


async def recover(house: House) -> None:
    """A new process, a healthy Microsoft, and as many rounds as a quarter of an hour has."""
    house.desk.heal()
    house.restart()
    await house.courier.resume(after_start=True)
    for _ in range(2):
        house.clock.advance(timedelta(minutes=20))
        await house.courier.resume(after_start=False)
        await house.watcher.tick()


def unnameable(story: Story) -> bool:
    """Whether Microsoft refused, at some time, to show who decided: then nobody is named, rather than guessed."""
    return any(method == "steps" and isinstance(why, GraphRefused | SignInRequired) for method, why, _ in story.faults)


async def judge(house: House, request: ActivationRequest, story: Story) -> None:
    """At most one decision counted; row, name and audit trail say what Microsoft says; nothing is left open."""
    assert len(house.desk.accepted) <= 1
    held, row = house.desk.held[request.key.id], await house.row(request)
    truth = held.review.verdict.status if held.review else Status.CANCELED if held.canceled else Status.PENDING
    event(f"{truth}, {len(house.desk.sent)} sent")
    assert row.status is truth
    if held.review is not None:
        assert row.decided is not None
        assert row.decided.by == held.review.by or (row.decided.by is None and unnameable(story))
    finals = [entry.what for entry in await house.audit(request) if entry.what != "released"]
    assert finals == ([] if truth is Status.PENDING else [truth])
    outcomes = [notice for notice in await house.notices() if notice.topic == "outcome"]
    assert len(outcomes) == len(finals)
    assert await house.book.unsettled() == []
    assert await house.trail.verify() is None
