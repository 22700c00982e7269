"""Ten thousand pending requests at once: a press is answered, buttons go at once, and every request keeps its card."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from build import NOW, a_link, a_request, decided, seen
from notifier.painting import POST, UPDATE, buttons, ticks
from notifier.rig import Rig
from people import TEAM, TENANT, ann, slack_of
from slack_server import Clock, slack_server

from app.decisions.opening import Openings
from app.decisions.values import Click, Opening
from app.domain.request import Status, Verdict
from app.store.homes import StoredHomes
from app.store.looks import StoredLooks
from app.store.writer import Store
from blocks import ids

MANY = 10_000
CHUNK = 500

pytestmark = pytest.mark.soak


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    clock = Clock()
    async with slack_server(clock) as slack, aiohttp.ClientSession() as session:
        yield Rig(slack, store, session, clock)


async def owed(rig: Rig) -> tuple[int, int]:
    """Cards that wait for their first post, and cards that stand."""
    (row,) = await rig.rows("SELECT SUM(ts = '') AS waiting, SUM(ts <> '') AS standing FROM cards")
    return row["waiting"], row["standing"]


@pytest.mark.timeout(600)
async def test_ten_thousand_at_once(rig: Rig) -> None:
    for start in range(0, MANY, CHUNK):
        made = [a_request(created=NOW - timedelta(seconds=number)) for number in range(start, start + CHUNK)]
        await rig.book.remember([seen(request) for request in made], rig.clock())
    await ticks(rig, 10)
    assert await owed(rig) == (MANY - 9, 9)  # one post of the ten is the list
    assert len(rig.slack.calls(POST)) == 10

    pressed = next(message for message in rig.slack.messages() if ids.APPROVE in buttons(message))
    await rig.links.save(a_link(ann, tenant=TENANT), "sealed", 1, rig.clock())
    openings = Openings(
        book=rig.book,
        cards=rig.cards,
        links=rig.links,
        looks=StoredLooks(rig.store),
        homes=StoredHomes(rig.store, rig.new_token),
        clock=rig.clock,
        new_token=rig.new_token,
    )
    click = Click(TEAM, slack_of(ann), pressed.channel, pressed.ts, buttons(pressed)[ids.APPROVE], Verdict.APPROVE)
    opening = await openings.open(click)
    assert isinstance(opening, Opening)

    await rig.book.settle(opening.row.key, Status.APPROVED, decided(), None, rig.clock())
    before = len(rig.slack.calls(UPDATE))
    await ticks(rig, 1)
    assert ids.APPROVE not in buttons(pressed)
    assert len(rig.slack.calls(UPDATE)) > before

    waiting, standing = await owed(rig)
    assert waiting + standing == MANY
