"""Each of the others is away for minutes or a day, at the start or in the middle: no storm, a sentence, recovery.

The clock is the test's, and so is every call that is counted.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from model.town import Form, Town, buttons

from app.decisions.sending import Fate
from app.decisions.values import Done, Submission
from app.domain.breaker import LONGEST_PAUSE
from app.domain.errors import Unavailable
from app.domain.request import Status, Verdict, Where
from app.domain.ruling import Refused, Why
from app.sandbox.activations import Ask
from app.sandbox.azure_roles import find_azure_role
from app.sandbox.faults import Fault
from app.sandbox.roles import find_role
from app.sandbox.scopes import PROD
from app.store.engine import open_engine
from app.store.outages import GONE
from app.store.writer import Store

MINUTES, DAY = timedelta(minutes=4), timedelta(hours=24)
POLL = timedelta(seconds=20)
MOST_WAITED = timedelta(seconds=LONGEST_PAUSE)
ANYTHING = re.compile("")


@dataclass(frozen=True)
class Outage:
    """Who is away, and how that shows."""

    service: str
    do: str = "answer"
    status: int = 502
    wait: str = ""

    def begin(self, town: Town) -> None:
        headers = {"Retry-After": self.wait} if self.wait else {}
        town.world.faults.append(Fault(self.service, ANYTHING, do=self.do, status=self.status, headers=headers))

    def calls(self, town: Town) -> int:
        return sum(call.service == self.service for call in town.world.log)


EVERY = (
    Outage("graph"),
    Outage("graph", "drop_before"),
    Outage("graph", status=429, wait="20"),
    Outage("arm"),
    Outage("slack"),
    Outage("slack", "drop_before"),
)


def ask(town: Town, kind: str = "entra") -> str:
    role = find_azure_role("Owner") if kind == "azure" else find_role("Reports Reader")
    assert role
    place = {"scope": PROD} if kind == "azure" else {}
    return town.world.ask(Ask(kind, "rob", role, justification="Quarterly review of access", **place)).id


async def round_(town: Town) -> None:
    """One poll with what ticks around it."""
    await town.alive(town.poll)
    await town.alive(town.settle)
    await town.alive(town.paint)


async def pass_time(town: Town, length: timedelta, every: timedelta) -> int:
    """Rounds for so long; how many there were."""
    rounds, end = 0, town.clock() + length
    while town.clock() < end:
        await round_(town)
        rounds += 1
        town.clock.advance(every)
    return rounds


async def decide(town: Town, request: str) -> Fate:
    """Ann presses Approve and submits; what she is told."""
    (card,) = [card for card in town.posted() if request in str(card.blocks) and buttons(card)]
    form = await town.press("ann", (card.channel, card.ts, buttons(card)["pim_approve"]), Verdict.APPROVE)
    assert isinstance(form, Form)
    submission = Submission(town.settings.team, "U0ANNALDER", form.token, "It is in the change calendar", "V1")
    fate = await town.decisions.decide(submission)
    assert isinstance(fate, Fate)
    return fate


@pytest.mark.parametrize("outage", EVERY, ids=lambda outage: f"{outage.service}-{outage.do}-{outage.status}")
@pytest.mark.parametrize(
    "length, every, at_the_start",
    [
        pytest.param(MINUTES, POLL, False, id="minutes in the middle"),
        pytest.param(DAY, timedelta(hours=2), True, id="a day at the start"),
        pytest.param(MINUTES, POLL, True, id="minutes at the start", marks=pytest.mark.soak),
        pytest.param(DAY, timedelta(minutes=10), False, id="a day in the middle", marks=pytest.mark.soak),
    ],
)
async def test_an_outage_makes_no_storm_and_ends_by_itself(
    town: Town, outage: Outage, length: timedelta, every: timedelta, *, at_the_start: bool
) -> None:
    kind = "azure" if outage.service == "arm" else "entra"
    if not at_the_start:
        ask(town, kind)
        await round_(town)
        assert len(town.posted()) == 1
    before = outage.calls(town)
    outage.begin(town)
    ask(town, kind)
    if at_the_start:
        await town.restart()
    rounds = await pass_time(town, length, every)
    made = outage.calls(town) - before
    assert 0 < made <= 10 + 2 * rounds, f"{made} calls in {rounds} rounds"
    later = ask(town, kind)
    town.world.faults.clear()
    town.clock.advance(MOST_WAITED)
    for _ in range(4):
        await round_(town)
    assert town.watcher.troubles() == []
    assert isinstance(await decide(town, later), Done)
    await round_(town)
    assert not any(buttons(card) for card in town.posted() if later in str(card.blocks))


@pytest.mark.parametrize("outage", [outage for outage in EVERY if outage.service == "graph"], ids=str)
async def test_in_an_outage_a_click_goes_out_and_is_told_that_nothing_was_changed(town: Town, outage: Outage) -> None:
    request = ask(town)
    await round_(town)
    outage.begin(town)
    await pass_time(town, timedelta(minutes=3), POLL)
    await round_(town)
    assert any("cannot be read" in sentence for sentence in town.watcher.troubles())
    before = outage.calls(town)
    fate = await decide(town, request)
    assert isinstance(fate, Refused)
    assert (fate.why, "Nothing was changed" in fate.text) == (Why.UNAVAILABLE, True)
    asked_to_wait = outage.status == 429
    assert (outage.calls(town) > before) is not asked_to_wait
    assert ("asks us to wait" in fate.text) is asked_to_wait


async def test_while_sign_in_is_away_nothing_is_asked_and_nothing_lost(town: Town) -> None:
    request = ask(town)
    await round_(town)
    town.tokens.outage = Unavailable("Microsoft's sign-in service cannot be reached.")
    calls = len(town.world.log)
    await pass_time(town, MINUTES, POLL)
    assert [call for call in town.world.log[calls:] if call.service in ("graph", "arm")] == []
    fate = await decide(town, request)
    assert isinstance(fate, Refused)
    assert "sign-in service cannot be reached. Nothing was changed" in fate.text
    town.tokens.outage = None
    await round_(town)
    assert isinstance(await decide(town, request), Done)


class Database:
    """A store that can be away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False

    async def read(self, work: Any) -> Any:  # noqa: ANN401 - as the store has it
        self._reach()
        return await self._store.read(work)

    async def write(self, work: Any, *, flush: bool = False) -> Any:  # noqa: ANN401 - as the store has it
        self._reach()
        return await self._store.write(work, flush=flush)

    def fenced(self) -> Database:
        return self

    def _reach(self) -> None:
        if self.away:
            raise Unavailable(GONE)


async def test_without_its_database_the_bot_sends_nothing_and_comes_back_by_itself(store: Store) -> None:
    database = Database(store)
    town = Town(database)
    await town.link("ann")
    request = ask(town)
    await round_(town)
    database.away = True
    calls = len(town.world.log)
    await pass_time(town, DAY - timedelta(hours=1), timedelta(hours=1))
    assert [call for call in town.world.log[calls:] if call.method != "GET"] == []
    with pytest.raises(Unavailable, match="try again in a minute"):
        await decide(town, request)
    database.away = False
    await round_(town)
    assert isinstance(await decide(town, request), Done)


async def test_a_decision_whose_end_could_not_be_written_down_is_written_down_later(store: Store) -> None:
    database = Database(store)
    town = Town(database)
    await town.link("ann")
    request = ask(town)
    await round_(town)
    town.witness.taken = lambda: setattr(database, "away", True)  # right after Microsoft took it
    with pytest.raises(Unavailable):
        await decide(town, request)
    assert len(town.witness.accepted) == 1
    database.away = False
    town.clock.advance(timedelta(minutes=3))
    await round_(town)
    row = await town.book.find_id(request)
    assert row.status is Status.APPROVED
    assert (row.decided.by.name, row.decided.where) == ("Ann Alder", Where.SLACK)
    assert len(town.witness.accepted) == town.witness.sent == 1


async def test_while_another_process_holds_the_file_a_click_is_told_so_and_counts_afterwards(database_url: str) -> None:
    store = Store(open_engine(database_url, patience=0.05))
    town = Town(store)
    await town.link("ann")
    request = ask(town)
    await round_(town)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="try again in a minute"):
            await decide(town, request)
        await round_(town)
    assert town.witness.sent == 0
    assert isinstance(await decide(town, request), Done)
    await store.aclose()
