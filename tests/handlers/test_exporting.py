"""`/pim history … export`: a file of what the asker may see, a sentence in answer, and never an ack that waits."""

from __future__ import annotations

import asyncio
import csv
import io

import pytest
from bolt_rig import COMMAND_HOOK, BoltRig, body_of
from build import a_request
from people import ann, olga, rita, slack_of

from app.domain.errors import SlackFailed
from handlers import commands


async def test_the_file_comes_and_the_answer_says_where_it_is(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    answer = await rig.type(ann, "history 30d export")
    assert answer["text"] == "Your export (1 request) is in your direct messages with this app."
    [(user, name, content, _)] = rig.files.sent
    assert (user, name[:12]) == (slack_of(ann), "pim-history-")
    assert [row["request"] for row in csv.DictReader(io.StringIO(content.decode()))] == [request.key.id]


async def test_filters_count_and_mine_is_mine(rig: BoltRig) -> None:
    await rig.house.link(ann)
    await rig.house.ask(a_request(requestor=rita))
    assert "(0 requests)" in (await rig.type(ann, "history status:denied export"))["text"]
    assert "(0 requests)" in (await rig.type(ann, "mine export"))["text"]
    assert "(1 request)" in (await rig.type(ann, "pending export"))["text"]


async def test_a_stranger_gets_an_invitation_and_no_file(rig: BoltRig) -> None:
    await rig.house.ask()
    answer = await rig.type(olga, "history export")
    assert "sign in" in str(answer).lower()
    assert rig.files.sent == []


async def test_slacks_refusal_is_a_sentence(rig: BoltRig) -> None:
    await rig.house.link(ann)
    rig.files.failure = SlackFailed("Slack refused: missing_scope.", code="missing_scope")
    assert "ask again" in (await rig.type(ann, "history export"))["text"]


async def test_a_file_that_takes_long_holds_no_ack(rig: BoltRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PATIENCE", 0.01)
    await rig.house.link(ann)
    acked = asyncio.Event()
    rig.files.before = acked.wait  # type: ignore[assignment]
    answer = await rig.deliver_form(rig.typed(ann, "history export"))
    assert body_of(answer) == {}
    acked.set()
    await rig.settled()
    [whisper] = rig.screens.whispers
    assert (whisper.address, whisper.text[:11]) == (COMMAND_HOOK, "Your export")
