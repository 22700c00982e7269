"""The global shortcut: a modal at once, then what waits for this person; whatever fails is said in it."""

from __future__ import annotations

import pytest
from bolt_rig import BoltRig, BrokenInbox, addresses, texts
from people import ann, rita

from app.domain.errors import Unavailable
from blocks.lint import lint


async def last_view(rig: BoltRig) -> str:
    """What the modal says in the end."""
    ((view_id, view),) = rig.screens.updated
    assert view_id == "V0000001"
    assert lint(view, "modal") == []
    return texts(view)


async def test_a_modal_opens_with_the_trigger_before_anything_is_looked_up(
    rig: BoltRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(*_: object) -> None:
        assert len(rig.screens.opened) == 1
        raise Unavailable

    monkeypatch.setattr(type(rig.house.lookups), "pending", look)
    payload = rig.shortcut(ann)
    answer = await rig.act(payload)
    assert (answer.status, answer.body) == (200, "")
    ((trigger, view),) = rig.screens.opened
    assert trigger == payload["trigger_id"]
    assert lint(view, "modal") == []


async def test_it_shows_what_waits_for_this_person(rig: BoltRig) -> None:
    await rig.house.ask()
    await rig.house.link(ann)
    await rig.act(rig.shortcut(ann))
    assert "Exchange Administrator" in await last_view(rig)
    assert await rig.outcomes() == ["shortcut answered"]


async def test_a_stranger_gets_an_invitation_and_no_rows(rig: BoltRig) -> None:
    await rig.house.ask()
    await rig.act(rig.shortcut(rita))
    assert "Exchange" not in await last_view(rig)
    assert len(addresses(rig.screens.updated[0][1])) == 1


async def test_nothing_waiting_is_said(rig: BoltRig) -> None:
    await rig.house.link(ann)
    await rig.act(rig.shortcut(ann))
    assert "No request that you may see is waiting" in await last_view(rig)


async def test_a_lookup_that_fails_is_said_in_the_modal(rig: BoltRig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable

    await rig.house.link(ann)
    monkeypatch.setattr(type(rig.house.lookups), "pending", away)
    await rig.act(rig.shortcut(ann))
    assert "type /pim pending" in await last_view(rig)


async def test_the_same_shortcut_twice_is_one(rig: BoltRig) -> None:
    payload = rig.shortcut(ann)
    await rig.act(payload)
    await rig.act(payload)
    assert len(rig.screens.opened) == 1


async def test_without_a_database_it_is_acknowledged_all_the_same(rig: BoltRig) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable())
    answer = await rig.act(rig.shortcut(ann))
    assert (answer.status, rig.screens.opened) == (200, [])
