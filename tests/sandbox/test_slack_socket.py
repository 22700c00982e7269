"""Socket Mode in the emulated Slack: who may open a connection, and what an envelope's acknowledgement is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from sandbox.slack_rig import ANN, DESK, FakeBot, Rig, actions, button
from starlette.websockets import WebSocket

from app.sandbox import server, slack_acts
from app.sandbox.bot_process import bot_environment
from app.sandbox.faults import Fault
from app.sandbox.people import Settings
from app.sandbox.world import World

TOKEN = "xapp-1-A0SANDBOX1-canary"
OPEN = "apps.connections.open"
Json = dict[str, Any]


@dataclass
class Connection:
    """The bot's end of one websocket: acknowledges with `answers`, by envelope type, or not at all."""

    world: World
    answers: dict[str, Json | None] = field(default_factory=dict)
    deaf: bool = False
    sent: list[Json] = field(default_factory=list)
    closed: bool = False

    async def send_json(self, envelope: Json) -> None:
        self.sent.append(envelope)
        if not self.deaf:
            waiting = self.world.workspace.sockets.awaited[envelope["envelope_id"]]
            waiting.set_result(self.answers.get(envelope["type"]) or "")

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.world.settings = rig.workspace.settings = Settings(app_token=TOKEN)
    return rig


@pytest.fixture
def connection(rig: Rig) -> Connection:
    return connect(rig)


def connect(rig: Rig, **more: Any) -> Connection:  # noqa: ANN401 - handed on
    connection = Connection(rig.world, **more)
    rig.workspace.sockets.connections.append(cast("WebSocket", connection))
    return connection


async def press(rig: Rig) -> slack_acts.Answer:
    message = rig.workspace.post(rig.workspace.channels[DESK], "Decide", [actions(button("pim_approve", value="t"))])
    place = {"channel": DESK, "ts": message.ts}
    async with FakeBot().client as client:
        return await slack_acts.click(rig.world, client, user="ann", action_id="pim_approve", **place)


async def test_an_address_is_given_for_the_app_token_alone(rig: Rig) -> None:
    first, second = [(await rig.send(OPEN, TOKEN)).json() for _ in range(2)]
    assert first["ok"]
    assert re.fullmatch(r"ws://127\.0\.0\.1:8765/slack/socket/[\w-]+", first["url"])
    assert first["url"] != second["url"]


@pytest.mark.parametrize(
    "token, error", [("xoxb-1", "not_allowed_token_type"), ("xapp-1-other", "invalid_auth"), (" ", "not_authed")]
)
async def test_another_token_opens_nothing(rig: Rig, token: str, error: str) -> None:
    assert (await rig.send(OPEN, token)).json() == {"ok": False, "error": error}


async def test_a_press_is_an_envelope_with_slacks_own_payload(rig: Rig, connection: Connection) -> None:
    answer = await press(rig)
    assert (answer.status, answer.body) == (200, "")
    (envelope,) = connection.sent
    assert envelope["type"] == "interactive"
    assert (envelope["payload"]["type"], envelope["payload"]["user"]["id"]) == ("block_actions", ANN)


async def test_a_commands_reply_comes_with_the_acknowledgement(rig: Rig, connection: Connection) -> None:
    connection.answers["slash_commands"] = {"text": "Here you are"}
    async with FakeBot().client as client:
        answer = await slack_acts.command(rig.world, client, user="ann", text="help")
    assert answer.body == {"text": "Here you are"}
    assert connection.sent[0]["payload"]["text"] == "help"
    assert [note.text for note in rig.workspace.ephemerals] == ["Here you are"]


async def test_an_opened_home_is_an_event(rig: Rig, connection: Connection) -> None:
    async with FakeBot().client as client:
        await slack_acts.home(rig.world, client, user="ann")
    (envelope,) = connection.sent
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("events_api", False)


async def test_nothing_is_posted(rig: Rig, connection: Connection) -> None:
    bot = FakeBot()
    async with bot.client as client:
        await slack_acts.home(rig.world, client, user="ann")
    assert (bot.requests, len(connection.sent)) == ([], 1)


async def test_connections_take_turns(rig: Rig) -> None:
    both = [connect(rig), connect(rig)]
    for _ in range(4):
        await press(rig)
    assert [len(connection.sent) for connection in both] == [2, 2]


async def test_without_a_connection_the_person_is_told(rig: Rig) -> None:
    answer = await press(rig)
    assert (answer.status, answer.body) == (0, "dispatch_failed")
    assert "dispatch_failed" in rig.workspace.ephemerals[-1].text


@pytest.mark.parametrize("do, delivered", [("drop_before", 0), ("drop_after", 1)])
async def test_a_connection_can_break_before_or_after_delivery(rig: Rig, do: Any, delivered: int) -> None:  # noqa: ANN401 - a literal
    connection = connect(rig, deaf=True)
    rig.world.faults.append(Fault("slack", re.compile("/socket"), do, times=1))
    assert (await press(rig)).body == "dispatch_failed"
    assert (len(connection.sent), connection.closed) == (delivered, True)
    assert rig.workspace.sockets.connections == []


async def test_an_acknowledgement_nobody_awaits_any_more_is_forgotten(rig: Rig, connection: Connection) -> None:
    await press(rig)
    assert rig.workspace.sockets.awaited == {}
    assert connection.sent


def test_the_callers_app_token_turns_it_on(tmp_path: Path) -> None:
    environ = {"PIM_SLACK_APP_TOKEN": TOKEN}
    world: World = server.build(1, 2, tmp_path, environ).state.world
    assert world.settings.app_token == TOKEN
    env = bot_environment(world.settings, tmp_path, environ)
    assert env["PIM_SLACK_APP_TOKEN"] == TOKEN
    assert "PIM_SLACK_SIGNING_SECRET" not in env
