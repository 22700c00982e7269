from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_link
from people import TEAM, TENANT, ann, ben, slack_of

from app.ports import Link, LinkState, SealedCache
from app.store.flows import StoredFlows
from app.store.links import StoredLinks


@pytest.fixture
async def link(links: StoredLinks) -> Link:
    link = a_link(ann)
    assert await links.save(link, "sealed 1", 1, NOW)
    return link


async def cache_of(links: StoredLinks, link: Link) -> SealedCache:
    cache = await links.load_cache(link.id)
    assert cache is not None
    return cache


async def test_a_link_is_found_from_both_sides(links: StoredLinks, link: Link) -> None:
    assert await links.by_slack(TEAM, slack_of(ann)) == link
    assert await links.by_entra(TENANT, ann.id) == link
    assert await links.active() == [link]
    assert await links.by_slack("T0OTHER", slack_of(ann)) is None
    assert await links.by_entra(TENANT, ben.id) is None


async def test_a_linked_entra_account_goes_to_no_other_slack_account(links: StoredLinks, link: Link) -> None:
    assert not await links.save(a_link(ann, slack_user="U0MALLORY"), "theirs", 1, NOW)
    assert await links.by_entra(TENANT, ann.id) == link


async def test_a_linked_slack_account_takes_no_other_entra_account(links: StoredLinks, link: Link) -> None:
    assert not await links.save(a_link(ben, slack_user=slack_of(ann)), "theirs", 1, NOW)
    assert await links.by_slack(TEAM, slack_of(ann)) == link


async def test_two_accounts_of_two_links_are_not_mixed(links: StoredLinks, link: Link) -> None:
    other = a_link(ben)
    assert await links.save(other, "ben's", 1, NOW)
    assert not await links.save(a_link(ann, slack_user=slack_of(ben)), "mixed", 1, NOW)
    assert await links.active() == sorted([link, other], key=lambda one: one.id)


async def test_of_two_sign_ins_to_one_account_at_once_one_is_kept(links: StoredLinks) -> None:
    rivals = [a_link(ann), a_link(ann, slack_user="U0MALLORY")]
    saved = await asyncio.gather(*(links.save(rival, "sealed", 1, NOW) for rival in rivals))
    assert sorted(saved) == [False, True]
    assert len(await links.active()) == 1


async def test_signing_in_again_renews_the_link(links: StoredLinks, link: Link) -> None:
    await links.suspend(link, "over", NOW)
    later = replace(link, signed_in_at=NOW + timedelta(days=7), generation=2, person=replace(ann, name="Ann Aster"))
    assert await links.save(later, "sealed 2", 1, NOW)
    assert await links.by_slack(TEAM, slack_of(ann)) == later
    assert (await cache_of(links, later)).sealed == "sealed 2"


async def test_a_generation_never_repeats(links: StoredLinks, link: Link) -> None:
    await links.save(link, "sealed 2", 1, NOW)
    found = await links.by_entra(TENANT, ann.id)
    assert found is not None
    assert found.generation == 2


async def test_a_session_ends_once(links: StoredLinks, link: Link) -> None:
    assert await asyncio.gather(*(links.suspend(link, "over", NOW) for _ in range(3))) in (
        [True, False, False],
        [False, True, False],
        [False, False, True],
    )
    found = await links.by_slack(TEAM, slack_of(ann))
    assert found is not None
    assert found.state is LinkState.SUSPENDED
    assert await links.active() == []
    assert await links.load_cache(link.id) is None


async def test_news_of_an_old_session_does_not_end_the_new_one(links: StoredLinks, link: Link) -> None:
    await links.save(replace(link, generation=2), "sealed 2", 1, NOW)
    assert not await links.suspend(link, "over", NOW)
    assert (await cache_of(links, link)).sealed == "sealed 2"


async def test_a_refreshed_cache_is_the_next_version(links: StoredLinks, link: Link) -> None:
    cache = await cache_of(links, link)
    assert cache == SealedCache(link, "sealed 1", 1)
    assert await links.save_cache(cache, "sealed 2")
    assert await cache_of(links, link) == SealedCache(link, "sealed 2", 2)


async def test_of_two_refreshes_one_is_kept(links: StoredLinks, link: Link) -> None:
    cache = await cache_of(links, link)
    saved = await asyncio.gather(*(links.save_cache(cache, f"refreshed by {n}") for n in range(2)))
    assert sorted(saved) == [False, True]
    assert (await cache_of(links, link)).version == 2


async def test_a_refresh_that_ends_after_the_sign_out_is_dropped(links: StoredLinks, link: Link) -> None:
    cache = await cache_of(links, link)
    await links.remove(link, NOW)
    assert not await links.save_cache(cache, "refreshed too late")
    assert await links.by_entra(TENANT, ann.id) is None


async def test_a_refresh_of_an_older_sign_in_is_dropped(links: StoredLinks, link: Link) -> None:
    cache = await cache_of(links, link)
    await links.save(replace(link, generation=2), "the new sign-in", 1, NOW)
    assert not await links.save_cache(cache, "the old sign-in, refreshed")
    assert (await cache_of(links, link)).sealed == "the new sign-in"


async def test_a_refresh_does_not_wake_a_suspended_link(links: StoredLinks, link: Link) -> None:
    cache = await cache_of(links, link)
    await links.suspend(link, "over", NOW)
    assert not await links.save_cache(cache, "refreshed too late")


async def test_signing_out_leaves_the_others_alone(links: StoredLinks, link: Link) -> None:
    other = a_link(ben)
    await links.save(other, "ben's", 1, NOW)
    await links.remove(link, NOW)
    assert await links.active() == [other]


async def test_a_flow_is_taken_once(flows: StoredFlows) -> None:
    await flows.put("hash", "sealed", NOW + timedelta(minutes=10))
    taken = await asyncio.gather(*(flows.take("hash", NOW) for _ in range(5)))
    assert sorted(taken, key=str) == [None] * 4 + ["sealed"]


async def test_an_unknown_flow_and_an_old_one_are_none(flows: StoredFlows) -> None:
    await flows.put("old", "sealed", NOW)
    assert await flows.take("old", NOW) is None
    assert await flows.take("unknown", NOW) is None


async def test_old_flows_do_not_pile_up(flows: StoredFlows) -> None:
    for n in range(3):
        await flows.put(f"old {n}", "sealed", NOW)
    await flows.put("young", "sealed", NOW + timedelta(minutes=10))
    await flows.take("unknown", NOW)
    assert await flows.take("old 1", NOW - timedelta(minutes=1)) is None
    assert await flows.take("young", NOW) == "sealed"
