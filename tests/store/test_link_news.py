"""What becomes of a link is audited and told in the very transaction that does it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_link
from people import TEAM, TENANT, ann, ben, slack_of
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Unavailable
from app.ports import Link, LinkState
from app.store.audit import AuditTrail, Entry
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.waiting import StoredFreezes
from app.store.writer import Store

Act = Callable[[StoredLinks, Link], Awaitable[object]]
LATER = NOW + timedelta(minutes=5)


async def audited(trail: AuditTrail) -> list[tuple[str, str]]:
    assert await trail.verify() is None
    return [(row.what, row.who) for row in await trail.rows(0, 100)]


async def told(outbox: StoredOutbox) -> list[tuple[str, str]]:
    return [(notice.topic, notice.to_slack) for notice in await outbox.due_notices(LATER, 100)]


async def newest(trail: AuditTrail) -> dict[str, str]:
    facts: dict[str, str] = json.loads((await trail.rows(0, 100))[-1].facts)
    return facts


async def test_a_new_link_is_audited_and_told(links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox) -> None:
    await links.save(a_link(ann), "sealed", 1, LATER)
    (row,) = await trail.rows(0, 10)
    assert (row.what, row.who, row.at) == ("link_made", ann.id, LATER.isoformat())
    assert json.loads(row.facts) == {
        "team": TEAM,
        "slack_user": slack_of(ann),
        "tenant": TENANT,
        "oid": ann.id,
        "upn": ann.upn,
        "state": "active",
        "generation": "1",
        "earlier_slack_users": "",
        "earlier_oids": "",
    }
    (notice,) = await outbox.due_notices(LATER, 10)
    assert (notice.topic, notice.to_slack, notice.id) == ("linked", slack_of(ann), "receipt-1")
    assert notice.facts == {"name": ann.name, "upn": ann.upn, "at": NOW.isoformat()}


async def test_every_full_sign_in_is_audited_and_told_again(
    links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox
) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    await links.save(a_link(ann), "sealed anew", 1, NOW)
    assert await audited(trail) == [("link_made", ann.id), ("link_renewed", ann.id)]
    assert (await newest(trail))["generation"] == "2"
    assert await told(outbox) == [("linked", slack_of(ann))] * 2


async def test_a_silent_refresh_is_no_news(links: StoredLinks, trail: AuditTrail) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    cache = await links.load_cache(link.id)
    assert cache is not None
    assert await links.save_cache(cache, "refreshed")
    assert await audited(trail) == [("link_made", ann.id)]


async def test_signing_out_is_audited_and_told(links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    assert await asyncio.gather(*(links.remove(link, NOW) for _ in range(3))) in (
        [True, False, False],
        [False, True, False],
        [False, False, True],
    )
    assert await audited(trail) == [("link_made", ann.id), ("link_signed_out", ann.id)]
    assert await told(outbox) == [("linked", slack_of(ann)), ("unlinked", slack_of(ann))]


async def test_a_session_that_ended_is_audited_once_with_the_reason(
    links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    for _ in range(3):
        await links.suspend(link, "Microsoft: invalid_grant (AADSTS50173)", NOW)
    assert await audited(trail) == [("link_made", ann.id), ("link_suspended", "bot")]
    facts = await newest(trail)
    assert (facts["why"], facts["state"]) == ("Microsoft: invalid_grant (AADSTS50173)", "suspended")
    assert await told(outbox) == [("linked", slack_of(ann)), ("suspended", slack_of(ann))]


async def test_a_freeze_and_the_sign_in_that_ends_it_are_audited(
    links: StoredLinks, trail: AuditTrail, store: Store
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    await StoredFreezes(store, trail).freeze(link, NOW)
    assert (await newest(trail))["state"] == LinkState.FROZEN
    assert await links.save(replace(link, generation=3), "sealed anew", 1, NOW)
    assert await audited(trail) == [("link_made", ann.id), ("link_frozen", ann.id), ("link_thawed", ann.id)]


async def test_a_microsoft_account_that_moves_is_audited_and_both_slack_accounts_are_told(
    links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox
) -> None:
    first = a_link(ann)
    await links.save(first, "sealed", 1, NOW)
    await links.remove(first, NOW)
    await links.save(a_link(ann, slack_user="U0MALLORY"), "sealed", 1, LATER)
    assert (await newest(trail))["earlier_slack_users"] == slack_of(ann)
    assert set(await told(outbox)) >= {("moved", slack_of(ann)), ("linked", "U0MALLORY")}


async def test_a_slack_account_that_takes_another_microsoft_account_is_audited(
    links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox
) -> None:
    first = a_link(ann)
    await links.save(first, "sealed", 1, NOW)
    await links.remove(first, NOW)
    await links.save(a_link(ben, slack_user=slack_of(ann)), "sealed", 1, LATER)
    assert (await newest(trail))["earlier_oids"] == ann.id
    assert [topic for topic, _ in await told(outbox)] == ["linked", "unlinked", "linked"]


async def test_a_refused_pair_changes_nothing_and_tells_nobody(
    links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox
) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    assert not await links.save(a_link(ann, slack_user="U0MALLORY"), "sealed", 1, NOW)
    assert await audited(trail) == [("link_made", ann.id)]
    assert len(await told(outbox)) == 1


async def test_a_forwarded_address_is_audited_and_both_are_told(
    links: StoredLinks, trail: AuditTrail, outbox: StoredOutbox
) -> None:
    await links.forwarded(TEAM, "U0MALLORY", slack_of(ben), NOW)
    assert await audited(trail) == [("link_refused", "bot")]
    assert await newest(trail) == {"team": TEAM, "started_by": "U0MALLORY", "came_back": slack_of(ben)}
    assert await told(outbox) == [("link_refused", "U0MALLORY"), ("link_refused", slack_of(ben))]


class NoTrail(AuditTrail):
    """A trail that cannot be written to."""

    async def append(self, connection: AsyncConnection, entry: Entry) -> None:
        del connection, entry
        raise Unavailable


async def _make(links: StoredLinks, _: Link) -> object:
    return await links.save(a_link(ben), "sealed", 1, NOW)


async def _renew(links: StoredLinks, link: Link) -> object:
    return await links.save(link, "sealed anew", 1, NOW)


async def _suspend(links: StoredLinks, link: Link) -> object:
    return await links.suspend(link, "over", NOW)


async def _remove(links: StoredLinks, link: Link) -> object:
    return await links.remove(link, NOW)


@pytest.mark.parametrize("act", [_make, _renew, _suspend, _remove])
async def test_without_its_audit_row_nothing_happens_to_a_link(
    links: StoredLinks, outbox: StoredOutbox, store: Store, trail: AuditTrail, act: Act
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    before = await links.load_cache(link.id)
    with pytest.raises(Unavailable):
        await act(StoredLinks(store, NoTrail(store, b"key"), lambda: "receipt-2"), link)
    assert await links.load_cache(link.id) == before
    assert await links.by_entra(TENANT, ben.id) is None
    assert await told(outbox) == [("linked", slack_of(ann))]
    assert await audited(trail) == [("link_made", ann.id)]
