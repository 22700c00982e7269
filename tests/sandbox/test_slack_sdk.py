"""Slack's own Python client gets along with the emulated Slack: Web API, signatures, Socket Mode."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from sandbox.slack_rig import ANN, DESK, ROB, FakeBot, actions, button, home, plain, section
from sandbox.world_rig import one_key
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from app.sandbox import slack_acts, slack_api, slack_socket
from app.sandbox.people import Settings
from app.sandbox.world import World

APP_TOKEN = "xapp-1-A0SANDBOX1-canary"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    listener = socket.create_server(("127.0.0.1", 0))
    world = World(Settings(port=listener.getsockname()[1], app_token=APP_TOKEN), key=one_key())
    application = Starlette(routes=[*slack_api.routes(world), *slack_socket.routes(world)])
    config = uvicorn.Config(
        application, log_level="error", log_config=None, timeout_graceful_shutdown=1, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    yield world
    server.should_exit = True
    await serving


@pytest.fixture
def client(world: World) -> AsyncWebClient:
    return AsyncWebClient(world.settings.bot_token, base_url=f"{world.settings.world_url}/slack/api/")


async def test_the_client_posts_edits_and_reads_back(client: AsyncWebClient, world: World) -> None:
    assert (await client.auth_test())["user_id"] == world.settings.bot_user
    card = {"event_type": "pim_card", "event_payload": {"card": "1"}}
    posted = await client.chat_postMessage(channel=DESK, text="a card", blocks=[section("words")], metadata=card)
    await client.chat_update(channel=DESK, ts=posted["ts"], text="decided", blocks=[section("Approved")])
    reply = await client.chat_postMessage(channel=DESK, thread_ts=posted["ts"], text="more")
    history = await client.conversations_history(channel=DESK, include_all_metadata=True)
    (message,) = history["messages"]
    assert (message["text"], message["metadata"]["event_payload"]) == ("decided", {"card": "1"})
    replies = await client.conversations_replies(channel=DESK, ts=posted["ts"])
    assert [one["ts"] for one in replies["messages"]] == [posted["ts"], reply["ts"]]
    link = await client.chat_getPermalink(channel=DESK, message_ts=posted["ts"])
    assert link["permalink"].endswith(f"/archives/{DESK}/p{posted['ts'].replace('.', '')}")
    await client.chat_delete(channel=DESK, ts=posted["ts"])
    assert (await client.conversations_history(channel=DESK))["messages"] == []


async def test_the_client_finds_people_and_writes_to_them(client: AsyncWebClient, world: World) -> None:
    found = await client.users_lookupByEmail(email="rob@contoso.example")
    assert found["user"]["id"] == ROB
    assert (await client.users_info(user=ANN))["user"]["real_name"] == "Ann Alder"
    direct = (await client.conversations_open(users=[ROB]))["channel"]["id"]
    await client.chat_postMessage(channel=direct, text="It is active.")
    await client.chat_postEphemeral(channel=DESK, user=ANN, text="only you")
    await client.views_publish(user_id=ANN, view=home(section("hello")))
    workspace = world.workspace
    assert [message.text for message in workspace.channels[direct].messages.values()] == ["It is active."]
    assert [note.text for note in workspace.ephemerals] == ["only you"]
    assert list(workspace.homes) == [ANN]


async def test_a_mistake_in_blocks_is_the_error_that_the_client_knows(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=DESK, text="x", blocks=[{"type": "header", "text": plain("y" * 151)}])
    assert refused.value.response["error"] == "invalid_blocks"
    with pytest.raises(SlackApiError) as unknown:
        await client.chat_update(channel=DESK, ts="1.000000", text="x")
    assert unknown.value.response["error"] == "message_not_found"


async def burst(client: AsyncWebClient) -> None:
    for number in range(60):
        await client.chat_postMessage(channel=DESK, text=str(number))


async def test_a_burst_is_told_when_to_come_back(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as limited:
        await burst(client)
    assert (limited.value.response.status_code, limited.value.response["error"]) == (429, "ratelimited")
    assert int(limited.value.response.headers["Retry-After"]) >= 1


async def test_what_slack_sends_bears_a_signature_that_the_client_accepts() -> None:
    world, bot = World(key=one_key()), FakeBot()
    await slack_acts.command(world, bot.client, user="ann", text="history")
    (request,) = bot.requests
    headers = dict(request.headers)
    assert SignatureVerifier(world.settings.signing_secret).is_valid_request(request.content, headers)
    assert not SignatureVerifier("another").is_valid_request(request.content, headers)


async def test_the_client_takes_envelopes_in_socket_mode(client: AsyncWebClient, world: World) -> None:
    heard: list[SocketModeRequest] = []

    async def listen(via: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request)
        payload = {"text": "Nothing waits."} if request.type == "slash_commands" else None
        await via.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))

    sockets = SocketModeClient(APP_TOKEN, web_client=client, auto_reconnect_enabled=False)
    sockets.socket_mode_request_listeners.append(listen)
    await sockets.connect()
    try:
        async with httpx.AsyncClient() as nobody:
            typed = await slack_acts.command(world, nobody, user="ann", text="pending")
            message = world.workspace.post(world.workspace.channels[DESK], "card", [actions(button("pim_approve"))])
            pressed = await slack_acts.click(
                world, nobody, user="ann", action_id="pim_approve", channel=DESK, ts=message.ts
            )
    finally:
        await sockets.close()
    assert (typed.status, typed.body["text"], pressed.status) == (200, "Nothing waits.", 200)
    assert [one.type for one in heard] == ["slash_commands", "interactive"]
    assert heard[0].payload["text"] == "pending"
