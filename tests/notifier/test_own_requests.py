"""A requestor's one message: posted once their account is found, edited in place, and silent ever after."""

from __future__ import annotations

import json

import pytest
from build import a_notice
from notifier.painting import POST, UPDATE, buttons, change, end
from notifier.rig import PORTAL, Rig

from app.domain.last_calls import LastCall
from app.domain.match import How, Match
from app.domain.policy import Policy
from app.domain.request import ActivationRequest, Status
from app.notifier.directs import DirectPainter
from app.sandbox.slack_records import Message
from app.store.directs import StoredDirects
from blocks import ids

ROB = "U0ROBREED1"


@pytest.fixture
def painter(rig: Rig) -> DirectPainter:
    return DirectPainter(
        gateway=rig.gateway,
        directs=StoredDirects(rig.store, rig.new_token),
        cards=rig.cards,
        clock=rig.clock,
        portal=PORTAL,
        slack_url="https://contoso.slack.com/",
        policy=Policy(),
    )


async def found(rig: Rig) -> ActivationRequest:
    """A request whose requestor is known in Slack."""
    request = await rig.appear()
    await rig.book.matched(request.key, Match(How.BY_MAIL, ROB), rig.clock())
    return request


async def ticks(rig: Rig, painter: DirectPainter, times: int = 2) -> None:
    for _ in range(times):
        rig.clock.forward(1.0)
        await painter.tick()


def words(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


async def test_it_is_posted_once_and_follows_the_request_by_edits(rig: Rig, painter: DirectPainter) -> None:
    request = await found(rig)
    await ticks(rig, painter)
    (message,) = rig.slack.said_to(ROB)
    assert all(part in words(message) for part in ("Exchange Administrator", "Waiting for an approver", "Seen", "Dies"))
    await end(rig, request, Status.DENIED)
    await ticks(rig, painter)
    (same,) = rig.slack.said_to(ROB)
    assert same.ts == message.ts
    assert "Denied" in words(same)
    assert buttons(same) == {}
    assert (len(rig.slack.calls(POST)), len(rig.slack.calls(UPDATE))) == (1, 1)


async def test_what_ended_before_it_was_sent_gets_no_message_that_follows(rig: Rig, painter: DirectPainter) -> None:
    request = await found(rig)
    await end(rig, request)
    await ticks(rig, painter)
    assert rig.slack.calls(POST) == []


async def test_no_edit_mentions_anybody(rig: Rig, painter: DirectPainter) -> None:
    request = await found(rig)
    await ticks(rig, painter)
    await change(rig, request)
    await ticks(rig, painter)
    (message,) = rig.slack.said_to(ROB)
    assert '"user"' not in words(message)
    assert "<@" not in message.text


@pytest.mark.parametrize("call", LastCall)
async def test_a_last_call_that_is_not_true_any_more_is_not_sent(rig: Rig, call: LastCall) -> None:
    request = await found(rig)
    await end(rig, request, Status.DENIED)
    await rig.outbox.owe(a_notice(call, key=request.key, to_slack=ROB), "once", rig.clock())
    await rig.messenger.tick()
    assert not [
        message for message in rig.slack.said_to(ROB) if ids.ASK_AGAIN in words(message) and "dies" in words(message)
    ]
    (row,) = await rig.rows("SELECT note FROM notices WHERE dedupe = 'once'")
    assert row["note"] == "nothing to say"


async def test_the_last_call_of_a_request_is_a_message_of_its_own(rig: Rig, painter: DirectPainter) -> None:
    request = await found(rig)
    await ticks(rig, painter)
    await rig.outbox.owe(a_notice(LastCall.DYING, key=request.key, to_slack=ROB), "once", rig.clock())
    await rig.messenger.tick()
    assert len(rig.slack.said_to(ROB)) == 2
    assert "dies at" in words(rig.slack.said_to(ROB)[-1])
