"""Hostile words in every field: Slack takes the full card, posted and edited, and shows nothing that acts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build import a_request, decided
from notifier.painting import ticks
from notifier.rig import Rig

from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Role, Scope, Status, Ticket
from app.ports import Announcement, Switch
from app.store.audit import AuditTrail
from app.store.switches import StoredSwitches
from blocks import notices
from tests.blocks.test_hostile import CORPUS

POST, EDIT = "chat.postMessage", "chat.update"


def hostile(text: str) -> ActivationRequest:
    request = a_request()
    return replace(
        request,
        requestor=replace(request.requestor, name=text, upn=text, mail=text),
        role=Role(request.role.id, text),
        scope=Scope("/", text),
        justification=text,
        ticket=Ticket(text, text),
    )


@pytest.mark.parametrize("text", CORPUS)
async def test_slack_takes_the_card_when_posted_and_when_edited(rig: Rig, text: str) -> None:
    request = await rig.appear(hostile(text))
    await rig.painter.tick()
    await rig.book.matched(request.key, Match(How.BY_ALIAS, "U1", text), rig.clock())
    await rig.painter.tick()
    await rig.book.settle(request.key, Status.DENIED, decided(comment=text), None, rig.clock())
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    assert [len(rig.slack.calls(method)) for method in (POST, EDIT)] == [1, 2]
    assert (rig.painter.trouble, await rig.behind()) == ("", 0)
    assert "pim_approve" not in str(message.blocks)
    assert "Denied" in str(message.blocks)


@pytest.mark.parametrize("text", CORPUS)
async def test_slack_takes_a_pause_with_any_reason(rig: Rig, text: str) -> None:
    await rig.appear()
    switch = Switch("pause", on=True, reason=text, by="os:ops", at=rig.clock())
    announcement = Announcement(rig.slack.settings.channel, notices.paused_words(text), "")
    await StoredSwitches(rig.store, AuditTrail(rig.store, b"k")).turn(switch, announcement)
    await ticks(rig, 2)
    assert len(rig.slack.messages()) == 2
    assert (rig.painter.trouble, await rig.behind()) == ("", 0)
    assert not any("pim_approve" in str(message.blocks) for message in rig.slack.messages())
