"""Turning a switch: every open card is behind, the channel is told, the audit trail names who, all or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_request, an_intent, decided, seen
from people import CHANNEL

from app.domain.request import ActivationRequest, Status
from app.ports import PAUSE, PORTAL_ONLY, Announcement, Switch
from app.store.audit import AuditTrail
from app.store.outbox import StoredOutbox
from app.store.request_book import StoredRequests
from app.store.switches import StoredSwitches
from app.store.writer import Store

ON = Switch(PAUSE, on=True, reason="a drill", by="os:ops", at=NOW)
OFF = replace(ON, on=False, reason="it is over", at=NOW + timedelta(hours=1))
SAID = Announcement(CHANNEL, "Paused: a drill.", "Over.")


@pytest.fixture
def switches(store: Store, trail: AuditTrail) -> StoredSwitches:
    return StoredSwitches(store, trail)


async def shown(book: StoredRequests, outbox: StoredOutbox) -> ActivationRequest:
    """A request whose card is painted."""
    request = a_request()
    await book.remember([seen(request)], NOW)
    ((card, row),) = [one for one in await outbox.unpainted(100) if one[0].key == request.key]
    await outbox.painted(card, f"17.{request.key.id}", row.version)
    return request


async def paused(book: StoredRequests, request: ActivationRequest) -> str:
    row = await book.find(request.key)
    assert row is not None
    return row.paused


async def test_a_switch_nobody_touched_is_off(switches: StoredSwitches) -> None:
    assert await switches.state(PAUSE) is None


async def test_a_switch_is_remembered_with_who_turned_it_and_why(switches: StoredSwitches) -> None:
    assert await switches.turn(ON, SAID)
    assert await switches.state(PAUSE) == ON
    assert await switches.turn(OFF, SAID)
    assert await switches.state(PAUSE) == OFF


async def test_every_open_request_reads_as_paused_and_its_card_is_behind(
    switches: StoredSwitches, book: StoredRequests, outbox: StoredOutbox
) -> None:
    request = await shown(book, outbox)
    await switches.turn(ON, SAID)
    ((_, row),) = await outbox.unpainted(100)
    assert (row.key, row.paused, row.version) == (request.key, "a drill", 2)
    await switches.turn(OFF, SAID)
    assert await paused(book, request) == ""
    assert len(await outbox.unpainted(100)) == 1


async def test_a_pause_without_a_reason_is_still_a_pause(
    switches: StoredSwitches, book: StoredRequests, outbox: StoredOutbox
) -> None:
    request = await shown(book, outbox)
    await switches.turn(replace(ON, reason=""), SAID)
    assert await paused(book, request)


async def test_cards_of_ended_requests_stay_as_they_are(
    switches: StoredSwitches, book: StoredRequests, outbox: StoredOutbox
) -> None:
    request = await shown(book, outbox)
    await book.settle(request.key, Status.DENIED, decided(), None, NOW)
    for card, row in await outbox.unpainted(100):
        await outbox.painted(card, card.ts, row.version)
    await switches.turn(ON, SAID)
    assert await outbox.unpainted(100) == []


async def test_nothing_can_be_claimed_while_paused(
    switches: StoredSwitches, book: StoredRequests, outbox: StoredOutbox
) -> None:
    request = await shown(book, outbox)
    await switches.turn(ON, SAID)
    assert await book.claim(an_intent(request)) is None
    await switches.turn(OFF, SAID)
    assert await book.claim(an_intent(request)) is not None


async def test_another_switch_pauses_nothing(
    switches: StoredSwitches, book: StoredRequests, outbox: StoredOutbox
) -> None:
    request = await shown(book, outbox)
    await switches.turn(Switch(PORTAL_ONLY, on=True, reason="role", by="bot", at=NOW), None)
    assert await paused(book, request) == ""
    assert len(await outbox.unpainted(100)) == 1


async def test_the_channel_is_told_once_and_told_that_it_is_over(
    switches: StoredSwitches, outbox: StoredOutbox
) -> None:
    await switches.turn(ON, SAID)
    (note,) = await outbox.unpainted_notes()
    assert (note.topic, note.text, note.button, note.channel) == (PAUSE, "Paused: a drill.", False, CHANNEL)
    await outbox.painted_note(note, "17.1")
    assert await outbox.standing_notes() == ["Paused: a drill."]
    await switches.turn(OFF, SAID)
    (over,) = await outbox.unpainted_notes()
    assert (over.text, over.ts) == ("Over.", "17.1")
    assert await outbox.standing_notes() == []


@pytest.mark.parametrize("repeat", [ON, replace(ON, by="os:other", at=NOW + timedelta(hours=1))])
async def test_turning_it_the_same_way_again_changes_nothing(
    switches: StoredSwitches, trail: AuditTrail, repeat: Switch
) -> None:
    await switches.turn(ON, SAID)
    assert not await switches.turn(repeat, SAID)
    assert await switches.state(PAUSE) == ON
    assert len(await trail.rows(0, 10)) == 1


async def test_turning_off_what_is_off_changes_nothing(switches: StoredSwitches, trail: AuditTrail) -> None:
    assert not await switches.turn(OFF, SAID)
    assert await trail.rows(0, 10) == []


async def test_a_new_reason_is_news(switches: StoredSwitches) -> None:
    await switches.turn(ON, SAID)
    assert await switches.turn(replace(ON, reason="a real one"), SAID)


async def test_who_turned_it_and_why_is_in_the_audit_trail_which_still_holds(
    switches: StoredSwitches, trail: AuditTrail
) -> None:
    await switches.turn(ON, SAID)
    await switches.turn(OFF, SAID)
    rows = await trail.rows(0, 10)
    assert [(row.what, row.kind, row.request_id, row.who) for row in rows] == [
        ("pause_on", "", "", "os:ops"),
        ("pause_off", "", "", "os:ops"),
    ]
    assert [json.loads(row.facts)["reason"] for row in rows] == ["a drill", "it is over"]
    assert await trail.verify() is None
