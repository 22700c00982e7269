"""How old a sign-in may be: only deciding asks, only our own callback counts, and one can see it coming."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW
from people import TEAM, ann, ben, slack_of
from use_cases.house import House

from app.decisions.values import Done, Opening, Verify
from app.domain.policy import Freshness, Windows
from app.domain.request import ActivationRequest
from app.lookups import Lookups, Overview

HOUR = timedelta(hours=1)
EVERY_TIME = Freshness(window=timedelta(0))


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    await house.link(ann)
    return await house.ask()


async def overview(house: House, freshness: Freshness) -> Overview:
    lookups = Lookups(
        book=house.book,
        links=house.links,
        people=house.people,
        cards=house.cards,
        sights=house.sights,
        clock=house.clock,
        slack_url="https://acme.slack.example/",
        freshness=freshness,
    )
    found = await lookups.overview(TEAM, slack_of(ann))
    assert isinstance(found, Overview)
    return found


async def test_opening_asks_for_no_recent_sign_in(house: House, activation: ActivationRequest) -> None:
    house.step_up.freshness = EVERY_TIME
    assert isinstance(await house.press(ann, activation), Opening)


async def test_watching_asks_for_no_recent_sign_in(shared_house: House) -> None:
    await shared_house.link(ann)
    shared_house.clock.advance(timedelta(days=80))
    shared_house.step_up.freshness = EVERY_TIME
    await shared_house.watcher.tick()
    assert shared_house.desk.count("list_for", ann.id) == 1


async def test_a_refresh_does_not_make_a_sign_in_younger(house: House, activation: ActivationRequest) -> None:
    house.step_up.freshness = Freshness(window=HOUR)
    house.clock.advance(HOUR)
    link = await house.links.by_slack(TEAM, slack_of(ann))
    assert link is not None
    cache = await house.links.load_cache(link.id)
    assert cache is not None
    assert await house.links.save_cache(cache, "refreshed")
    assert isinstance(await house.decide(ann, activation), Verify)


async def test_one_persons_sign_in_is_nobody_elses(house: House, activation: ActivationRequest) -> None:
    house.step_up.freshness = Freshness(window=HOUR)
    house.clock.advance(HOUR)
    await house.link(ben, signed_in_at=house.clock())
    assert isinstance(await house.decide(ann, activation), Verify)
    assert isinstance(await house.decide(ben, activation), Done)


@pytest.mark.parametrize(
    "freshness,windows",
    [
        (Freshness(), Windows(NOW + timedelta(days=7), NOW + timedelta(hours=12))),
        (Freshness(window=2 * HOUR, critical=HOUR), Windows(NOW + 2 * HOUR, None)),
        (Freshness(window=HOUR), Windows(None, None)),
        (EVERY_TIME, Windows(None, None)),
    ],
)
async def test_the_overview_says_what_a_sign_in_is_still_good_for(
    house: House, freshness: Freshness, windows: Windows
) -> None:
    await house.link(ann, signed_in_at=NOW)
    house.clock.advance(HOUR)
    assert (await overview(house, freshness)).windows == windows
