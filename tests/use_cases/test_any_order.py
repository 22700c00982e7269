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

from app.domain.errors import BotError, GraphRefused, Malformed, RequestGone, SignInRequired, Unavailable
from app.domain.request import ActivationRequest, Status, Verdict, Where
from app.store.engine import open_engine
from app.store.writer import Store

NOT_NOW = (Unavailable("Microsoft cannot be reached."), Unavailable("Microsoft asks us to wait.", retry_after=30.0))
NO = (
    GraphRefused("Microsoft refused: no", status=403),
    RequestGone("Microsoft refused: gone", status=404),
    SignInRequired(),
)


@dataclass(frozen=True)
class Story:
    """What everybody wants, what goes wrong, and in which order they get their turns.

    `lost` answers to decisions: before or after Microsoft processed them; `deadly` turns kill the process.
    """

    anns: Verdict
    bens: Verdict
    outside: str
    lost: str
    refusal: BotError | None
    read: tuple[str, BotError, int] | None
    lag: int
    order: tuple[int, ...]
    deadly: frozenset[int]


reads = st.tuples(
    st.sampled_from(["fetch", "steps"]), st.sampled_from([*NOT_NOW, Malformed(), *NO]), st.sampled_from([1, 3, ALWAYS])
)
stories = st.builds(
    Story,
    anns=st.sampled_from(Verdict),
    bens=st.sampled_from(Verdict),
    outside=st.sampled_from(["nothing"] * 5 + ["approve", "deny", "cancel"]),
    lost=st.sampled_from(["", "before", "after", "after"]),
    refusal=st.sampled_from([None] * 5 + [*NOT_NOW, *NO]),
    read=st.one_of(st.none(), st.none(), reads),
    lag=st.sampled_from([0, 0, 0, 2, 40]),
    order=st.lists(st.integers(0, 5), min_size=5, max_size=40).map(tuple),
    deadly=st.one_of(st.just(frozenset()), st.frozensets(st.integers(0, 25), min_size=1, max_size=2)),
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

    async def turn(method: str) -> None:
        await turns.wait()
        if method == "decide":
            assert len(await house.book.unsettled()) == 1, "another decision's fate is still unknown"

    arrange(house, story)
    forms = [await house.form(who, request, verdict=said) for who, said in ((ann, story.anns), (ben, story.bens))]
    actors: dict[str, Callable[[], Awaitable[object]]] = {
        "ann": lambda: house.decisions.decide(forms[0]),
        "ben": lambda: house.decisions.decide(forms[1]),
        "watcher": house.watcher.tick,
        "outside": lambda: outside(house, request, story.outside, turns),
    }
    house.desk.turn = turn
    await turns.play(actors, story.order, story.deadly)
    house.desk.turn = None


def arrange(house: House, story: Story) -> None:
    house.desk.lag = story.lag
    if story.lost == "before":
        house.desk.lose_answer_before()
    if story.lost == "after":
        house.desk.lose_answer_after()
    if story.refusal is not None:
        house.desk.fail("decide", story.refusal)
    if story.read is not None:
        method, failure, times = story.read
        house.desk.fail(method, failure, times=times)


async def outside(house: House, request: ActivationRequest, what: str, turns: Turns) -> None:
    await turns.wait()
    held = house.desk.held[request.key.id]
    if what == "nothing" or held.review is not None:
        return
    if what == "cancel":
        house.desk.withdraw(request.key.id)
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
    return story.read is not None and story.read[0] == "steps" and not story.read[1].retryable


async def judge(house: House, request: ActivationRequest, story: Story) -> None:
    """At most one decision counted; row, name and audit trail say what Microsoft says; nothing is left open."""
    assert len(house.desk.accepted) <= 1
    held, row = house.desk.held[request.key.id], await house.row(request)
    truth = held.review.verdict.status if held.review else Status.CANCELED if held.canceled else Status.PENDING
    event(f"{truth}, {len(house.desk.sent)} sent, {len(house.desk.accepted)} accepted")
    assert row.status is truth
    if held.review is not None:
        assert row.decided is not None
        assert row.decided.by == held.review.by or (row.decided.by is None and unnameable(story))
        if house.desk.accepted and not story.lag:
            assert row.decided.where is Where.SLACK
    finals = [entry.what for entry in await house.audit(request) if entry.what != "released"]
    assert finals == ([] if truth is Status.PENDING else [truth])
    outcomes = [notice for notice in await house.notices() if notice.topic == "outcome"]
    assert len(outcomes) == len(finals)
    assert await house.book.unsettled() == []
    assert await house.trail.verify() is None
