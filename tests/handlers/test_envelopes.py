"""Socket Mode's envelopes: the same listeners, the same rows, the same refusals as by HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bolt_rig import BoltRig, BrokenInbox, texts
from people import ann, ben

from app.domain.errors import Unavailable
from blocks import ids
from handlers.envelopes import Envelopes

Json = dict[str, Any]


def envelope(payload: object, kind: str = "interactive") -> Json:
    return {"envelope_id": "e1", "type": kind, "accepts_response_payload": True, "payload": payload}


async def answer(rig: BoltRig, payload: object, kind: str = "interactive") -> Json | None:
    found = await Envelopes(rig.bolt).answer(envelope(payload, kind))
    await rig.settled()
    return found


async def test_a_press_opens_its_form_and_is_acknowledged_with_nothing(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    assert await answer(rig, await rig.press_card(ann, request)) == {}
    assert len(rig.screens.opened) == 1
    assert await rig.outcomes() == ["modal opened"]


async def test_the_acknowledgement_waits_for_the_row(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    inbox = SlowInbox(rig.house.inbox)
    rig.reception.deliveries.inbox = inbox
    answering = asyncio.create_task(Envelopes(rig.bolt).answer(envelope(await rig.press_card(ann, request))))
    await inbox.asked.wait()
    assert not answering.done()
    inbox.may_commit.set()
    assert await answering == {}
    await rig.settled()


async def test_a_submission_is_answered_with_the_view_that_replaces_it(rig: BoltRig) -> None:
    request = await rig.house.ask(approvers=(ann,))
    await rig.house.link(ann)
    token = await rig.open_form(ann, request)
    found = await answer(rig, rig.submission(ann, token, comment="Checked"))
    assert found is not None
    assert found["response_action"] == "update"
    assert "Sending to Microsoft" in texts(found["view"]["blocks"])


async def test_a_command_is_answered_with_its_message(rig: BoltRig) -> None:
    found = await answer(rig, rig.typed(ann, "help"), "slash_commands")
    assert found is not None
    assert "/pim history" in found["text"]


async def test_an_opened_home_is_drawn(rig: BoltRig) -> None:
    assert await answer(rig, rig.home_opened(ann), "events_api") == {}
    assert len(rig.screens.homes) == 1


async def test_the_same_envelope_twice_is_one_press(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    payload = await rig.press_card(ann, request)
    assert [await answer(rig, payload), await answer(rig, payload)] == [{}, {}]
    assert len(rig.screens.opened) == 1


@pytest.mark.parametrize("other", [{"api_app_id": "A0SOMEBODY"}, {"team": {"id": "T0ELSEWHERE"}}])
async def test_what_is_meant_for_others_is_not_acknowledged(rig: BoltRig, other: Json) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    assert await answer(rig, await rig.press_card(ann, request, ids.APPROVE, **other)) is None
    assert rig.screens.opened == []


async def test_a_stranger_in_a_shared_channel_is_refused_here_too(rig: BoltRig) -> None:
    request = await rig.house.ask()
    stranger = {"user": {"id": "U0STRANGER", "team_id": "T0ELSEWHERE"}}
    assert await answer(rig, await rig.press_card(ben, request, **stranger)) == {}
    assert "Only members of this workspace" in rig.screens.whispers[-1].text


async def test_a_database_that_is_gone_is_said_to_whoever_pressed(rig: BoltRig) -> None:
    request = await rig.house.ask()
    payload = await rig.press_card(ann, request)
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable("The database is gone."))
    assert await answer(rig, payload) == {}
    assert "Nothing was changed" in rig.screens.whispers[-1].text


@pytest.mark.parametrize("payload", [None, "words", [], 7])
async def test_an_envelope_without_a_payload_is_not_acknowledged(rig: BoltRig, payload: object) -> None:
    assert await answer(rig, payload) is None


class SlowInbox:
    """An inbox whose row is committed when told."""

    def __init__(self, inbox: Any) -> None:  # noqa: ANN401 - the real one, handed on
        self._inbox = inbox
        self.asked, self.may_commit = asyncio.Event(), asyncio.Event()

    async def take(self, *row: Any) -> bool:  # noqa: ANN401 - handed on
        self.asked.set()
        await self.may_commit.wait()
        return bool(await self._inbox.take(*row))

    async def close(self, *row: Any) -> None:  # noqa: ANN401 - handed on
        await self._inbox.close(*row)

    async def abandon(self, *row: Any) -> Any:  # noqa: ANN401 - handed on
        return await self._inbox.abandon(*row)
