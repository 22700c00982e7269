"""Files for one person, through the real client to the emulated Slack: there with its words, or a plain failure."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from notifier.rig import Rig
from sandbox.slack_rig import ANN

from app.domain.errors import BotError, SlackFailed, Unavailable
from app.notifier.files import SlackFiles
from app.notifier.gateway import Gateway
from app.sandbox.faults import Fault

Deed = Literal["answer", "drop_before", "drop_after"]
CONTENT = "asked,role\r\n2026,Ö\r\n".encode()
STEPS = ("conversations.open", "files.getUploadURLExternal", "files.completeUploadExternal")


async def test_a_file_comes_into_their_direct_messages(rig: Rig) -> None:
    await SlackFiles(rig.gateway).deliver(ANN, "history.csv", CONTENT, "What you asked for")
    [message] = rig.slack.said_to(ANN)
    assert (message.text, message.files[0]["name"]) == ("What you asked for", "history.csv")
    address = f"/page/download/{message.files[0]['id']}"
    answer = await rig.slack.http.get(address, params={"user": "ann"})
    assert answer.content == CONTENT
    assert (await rig.slack.http.get(address, params={"user": "ben"})).status_code == 404


@pytest.mark.parametrize("method", STEPS)
@pytest.mark.parametrize("do", ["drop_before", "drop_after"])
async def test_a_step_without_an_answer_is_an_outage_and_is_not_repeated(rig: Rig, method: str, do: Deed) -> None:
    rig.slack.disturb(method, do=do)
    with pytest.raises(Unavailable):
        await SlackFiles(rig.gateway).deliver(ANN, "history.csv", CONTENT, "x")
    assert len(rig.slack.calls(method)) == 1


@pytest.mark.parametrize("method", STEPS)
async def test_slacks_no_comes_back_as_one(rig: Rig, method: str) -> None:
    rig.slack.disturb(method, error="missing_scope")
    with pytest.raises(SlackFailed) as caught:
        await SlackFiles(rig.gateway).deliver(ANN, "history.csv", CONTENT, "x")
    assert caught.value.code == "missing_scope"
    assert rig.slack.said_to(ANN) == []


@pytest.mark.parametrize("do", ["answer", "drop_before", "drop_after"])
async def test_an_upload_that_does_not_arrive_shows_nothing(rig: Rig, do: Deed) -> None:
    rig.slack.world.faults.append(Fault("slack", re.compile("^/upload/"), do))
    with pytest.raises(BotError):
        await SlackFiles(rig.gateway).deliver(ANN, "history.csv", CONTENT, "x")
    assert rig.slack.calls("files.completeUploadExternal") == []
    assert rig.slack.said_to(ANN) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/upload/v1/x",
        "https://files.slack.com.evil.example/upload",
        "http://files.slack.com/upload",
        "https://files.slack.com:444/upload",
        "https://user@files.slack.com/upload",
        "",
    ],
)
async def test_history_is_brought_nowhere_but_to_slack(rig: Rig, address: str) -> None:
    real = Gateway("xoxb-canary", "https://slack.com/api", rig.session)
    with pytest.raises(SlackFailed) as caught:
        await real.upload(address, CONTENT)
    assert caught.value.code == "foreign_url"
