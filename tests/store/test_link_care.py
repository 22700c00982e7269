"""Sign-ins as an operator sees them: listed, ended, unlinked, and audited with who did it and why."""

from __future__ import annotations

import json

import pytest
from build import NOW, a_link, a_request, an_intent, seen
from people import TENANT, ann, ben, slack_of
from store.conftest import Change

from app.ports import Act, LinkState, SealedCache
from app.store.audit import AuditTrail
from app.store.link_care import StoredLinkCare
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.writer import Store

ACT = Act("os:ops", "left the company", NOW)


@pytest.fixture
def care(store: Store, trail: AuditTrail) -> StoredLinkCare:
    return StoredLinkCare(store, trail)


async def test_everybody_is_listed_with_their_last_decision(
    care: StoredLinkCare, links: StoredLinks, book: StoredRequests
) -> None:
    for person in (ben, ann):
        await links.save(a_link(person), "sealed", 1, NOW)
    request = a_request()
    await book.remember([seen(request)], NOW)
    await book.claim(an_intent(request, ann))
    lines = await care.everybody()
    assert [(line.link.person, line.last_decision) for line in lines] == [(ann, NOW), (ben, None)]


async def test_a_revoked_session_has_no_tokens_and_its_owner_is_told_once(
    care: StoredLinkCare, links: StoredLinks, outbox: StoredOutbox
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    assert await care.revoke(link, ACT)
    assert not await care.revoke(link, ACT)
    after = await links.by_entra(TENANT, ann.id)
    assert after is not None
    assert after.state is LinkState.SUSPENDED
    assert await links.load_cache(link.id) is None
    told = [(one.topic, one.to_slack) for one in await outbox.due_notices(NOW, 10)]
    assert told == [("linked", slack_of(ann)), ("suspended", slack_of(ann))]


async def test_a_refresh_under_way_does_not_bring_a_revoked_session_back(
    care: StoredLinkCare, links: StoredLinks
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    await care.revoke(link, ACT)
    assert not await links.save_cache(SealedCache(link, "sealed", 1), "refreshed")
    assert await links.active() == []


async def test_after_a_revocation_the_same_pair_may_sign_in_again(care: StoredLinkCare, links: StoredLinks) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    await care.revoke(link, ACT)
    assert await links.save(a_link(ann, generation=3), "anew", 1, NOW)
    assert [one.person for one in await links.active()] == [ann]


async def test_a_removed_link_is_gone_whatever_its_state_and_stays_in_the_history(
    care: StoredLinkCare, links: StoredLinks, change: Change
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    await change("UPDATE links SET state = 'frozen', sealed = NULL")
    assert await care.remove(link, ACT)
    assert not await care.remove(link, ACT)
    assert await links.by_entra(TENANT, ann.id) is None
    assert (await links.kin(link.team, link.slack_user)).oids == {ann.id}


async def test_one_person_s_sign_in_is_ended_and_nobody_else_s(care: StoredLinkCare, links: StoredLinks) -> None:
    for person in (ann, ben):
        await links.save(a_link(person), "sealed", 1, NOW)
    await care.revoke(a_link(ann), ACT)
    await care.remove(a_link(ann), ACT)
    assert [link.person for link in await links.active()] == [ben]


async def test_whoever_is_unlinked_by_an_operator_is_told(
    care: StoredLinkCare, links: StoredLinks, outbox: StoredOutbox
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    await care.remove(link, ACT)
    notice = (await outbox.due_notices(NOW, 10))[-1]
    assert (notice.topic, notice.to_slack) == ("unlinked", slack_of(ann))
    assert notice.facts == {"name": ann.name, "upn": ann.upn, "how": "removed"}


async def test_who_ended_a_sign_in_and_why_is_in_the_audit_trail(
    care: StoredLinkCare, links: StoredLinks, trail: AuditTrail
) -> None:
    link = a_link(ann)
    await links.save(link, "sealed", 1, NOW)
    await care.revoke(link, ACT)
    await care.remove(link, ACT)
    rows = await trail.rows(0, 10)
    assert [(row.what, row.who, row.request_id) for row in rows[1:]] == [
        ("link_revoked", "os:ops", ""),
        ("link_removed", "os:ops", ""),
    ]
    facts = json.loads(rows[1].facts)
    assert (facts["oid"], facts["slack_user"], facts["reason"]) == (ann.id, slack_of(ann), "left the company")
    assert await trail.verify() is None


# --- finding people ---


async def test_a_link_is_found_by_its_sign_in_name_in_any_letter_case(links: StoredLinks) -> None:
    await links.save(a_link(ann), "sealed", 1, NOW)
    found = await links.by_upn(TENANT, "ANN@acme.example")
    assert found is not None
    assert found.person == ann
    assert await links.by_upn("another tenant", ann.upn) is None
    assert await links.by_upn(TENANT, "nobody@acme.example") is None
