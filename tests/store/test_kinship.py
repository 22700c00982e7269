"""Accounts of one human, found from either end of any chain of links, and never further."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from build import NOW, a_link
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import TEAM, ann, ben, rob

from app.domain.request import Person
from app.ports import Kin
from app.store import kinship
from app.store.links import StoredLinks
from app.store.tables import link_history
from app.store.writer import Store


async def pair(links: StoredLinks, user: str, oid: str) -> None:
    """They were linked once, and are not any more."""
    link = a_link(Person(oid), slack_user=user)
    assert await links.save(link, "sealed", 1, NOW)
    assert await links.remove(link, NOW)


async def test_the_kin_of_a_slack_account_are_all_accounts_it_was_ever_linked_to(links: StoredLinks) -> None:
    await pair(links, "U1", ann.id)
    await pair(links, "U1", ben.id)
    assert await links.kin(TEAM, "U1") == Kin(frozenset({ann.id, ben.id}), frozenset({"U1"}))


async def test_whoever_was_never_linked_is_their_own_kin_only(links: StoredLinks) -> None:
    await pair(links, "U1", ann.id)
    assert await links.kin(TEAM, "U2") == Kin(frozenset(), frozenset({"U2"}))
    assert await links.kin("T0OTHER", "U1") == Kin(frozenset(), frozenset({"U1"}))


async def test_a_link_of_today_counts(links: StoredLinks) -> None:
    await links.save(a_link(ann, slack_user="U1"), "sealed", 1, NOW)
    assert (await links.kin(TEAM, "U1")).oids == {ann.id}


async def test_kinship_goes_over_every_account_in_between(links: StoredLinks) -> None:
    """Ann's first Slack account was Rob's, whose Microsoft account had another Slack account before."""
    for user, person in (("U1", ann), ("U1", rob), ("U2", rob), ("U2", ben)):
        await pair(links, user, person.id)
    everybody = Kin(frozenset({ann.id, rob.id, ben.id}), frozenset({"U1", "U2"}))
    assert [await links.kin(TEAM, user) for user in ("U1", "U2")] == [everybody, everybody]


@pytest.mark.parametrize("length", [kinship.HOPS, kinship.HOPS + 2])
async def test_a_chain_is_followed_so_far_and_no_further(links: StoredLinks, length: int) -> None:
    """The last account of a chain is `length` links away from the first, whichever end one begins at."""
    found = length <= kinship.HOPS
    chain = [f"{'U' if n % 2 == 0 else 'oid-'}{n}" for n in range(length + 1)]
    for one, other in pairwise(chain):
        await pair(links, *sorted((one, other)))
    assert (chain[-1] in (await links.kin(TEAM, chain[0])).slack_users) is found
    assert (chain[0] in (await links.kin(TEAM, chain[-1])).slack_users) is found


def a_pair(user: int, oid: int) -> dict[str, object]:
    return {"team": TEAM, "slack_user": f"U{user}", "tenant": "t", "oid": f"oid-{oid}", "first_at": NOW, "last_at": NOW}


def reachable(pairs: set[tuple[int, int]], start: int) -> Kin:
    """The same by hand: whatever hangs together in a graph of Slack users and object ids."""
    beside = defaultdict(set)
    for user, oid in pairs:
        beside[f"U{user}"].add(f"oid-{oid}")
        beside[f"oid-{oid}"].add(f"U{user}")
    seen, todo = {f"U{start}"}, [f"U{start}"]
    while todo:
        news = beside[todo.pop()] - seen
        seen |= news
        todo += news
    return Kin(frozenset(x for x in seen if x[0] == "o"), frozenset(x for x in seen if x[0] == "U"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pairs=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=9))
async def test_kinship_is_what_hangs_together(store: Store, links: StoredLinks, pairs: set[tuple[int, int]]) -> None:
    await store.write(lambda connection: connection.execute(link_history.delete()))
    rows = [a_pair(user, oid) for user, oid in sorted(pairs)]
    if rows:
        await store.write(lambda connection: connection.execute(link_history.insert(), rows))
    for start in range(5):
        assert await links.kin(TEAM, f"U{start}") == reachable(pairs, start)


async def test_kin_is_the_same_seen_from_a_microsoft_account(links: StoredLinks) -> None:
    for user, person in (("U1", ann), ("U1", rob), ("U2", rob)):
        await pair(links, user, person.id)
    everybody = Kin(frozenset({ann.id, rob.id}), frozenset({"U1", "U2"}))
    assert [await links.kin_of_account(TEAM, person.id) for person in (ann, rob)] == [everybody, everybody]
    assert await links.kin_of_account(TEAM, ben.id) == Kin(frozenset({ben.id}))
    assert await links.kin_of_account("T0OTHER", ann.id) == Kin(frozenset({ann.id}))
