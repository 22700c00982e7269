"""The gateway: every way a call can fail is one of our errors, and nothing is ever sent to a foreign host."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notifier.rig import Rig

from app.domain.breaker import in_a_round
from app.domain.errors import BotError, CardLost, SlackFailed, Unavailable
from app.domain.retry_after import LONGEST_WAIT
from app.notifier.gateway import DEFAULT_WAIT, Gateway
from app.ports import View

POST = "chat.postMessage"
HTML = {"content-type": "text/html"}
VIEW: View = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}


async def failure(rig: Rig, **fault: Any) -> BotError:  # noqa: ANN401 - handed on as it is
    rig.slack.disturb(POST, **fault)
    with pytest.raises(BotError) as caught:
        await rig.gateway.call("chat_postMessage", channel=rig.slack.settings.channel, text="Hello")
    return caught.value


async def test_a_call_answers_with_slacks_own_fields(rig: Rig) -> None:
    sent = await rig.gateway.call("chat_postMessage", channel=rig.slack.settings.channel, text="Hello")
    assert sent["ts"] == rig.slack.messages()[0].ts


# Answers of Slack


@pytest.mark.parametrize(
    "code", ["not_in_channel", "channel_not_found", "is_archived", "invalid_auth", "missing_scope", "invalid_blocks"]
)
async def test_slacks_no_is_a_lasting_no_with_its_code(rig: Rig, code: str) -> None:
    problem = await failure(rig, error=code)
    assert type(problem) is SlackFailed
    assert (problem.code, problem.retryable) == (code, False)


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"])
async def test_a_message_that_is_gone_is_a_lost_card(rig: Rig, code: str) -> None:
    problem = await failure(rig, error=code)
    assert isinstance(problem, CardLost)
    assert problem.code == code


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
async def test_slacks_own_trouble_passes(rig: Rig, code: str) -> None:
    assert isinstance(await failure(rig, error=code), Unavailable)


@pytest.mark.parametrize(
    "status, headers, body",
    [
        (500, {}, {"ok": False, "error": "invalid_auth"}),
        (502, HTML, "<html>Bad gateway</html>"),
        (503, {}, ""),
        (504, {"content-type": "application/json"}, "{"),
    ],
)
async def test_an_outage_is_unavailable_whatever_it_says(
    rig: Rig, status: int, headers: dict[str, str], body: object
) -> None:
    assert isinstance(await failure(rig, status=status, headers=headers, body=body), Unavailable)


@pytest.mark.parametrize(
    "headers, body",
    [
        (HTML, "<html>Please sign in to the proxy</html>"),
        ({"content-type": "text/plain"}, "hello"),
        ({"content-type": "application/json"}, "{"),
        ({"content-type": "application/json"}, "[]"),
        ({"content-type": "application/json"}, "null"),
        ({"content-type": "application/json"}, '"ok"'),
        ({"content-type": "application/json"}, "{}"),
        ({"content-type": "application/json"}, ""),
    ],
)
async def test_an_answer_that_is_not_slacks_says_nothing(rig: Rig, headers: dict[str, str], body: str) -> None:
    assert isinstance(await failure(rig, status=200, headers=headers, body=body), Unavailable)


@pytest.mark.parametrize("do", ["drop_before", "drop_after"])
async def test_a_connection_that_breaks_is_unavailable(rig: Rig, do: str) -> None:
    assert isinstance(await failure(rig, do=do), Unavailable)


async def test_nothing_is_sent_a_second_time_by_the_client_itself(rig: Rig) -> None:
    await failure(rig, do="drop_after", times=None)
    assert (len(rig.slack.calls(POST)), len(rig.slack.messages())) == (1, 1)


async def test_a_port_where_nobody_listens_is_unavailable() -> None:
    async with aiohttp.ClientSession() as session:
        gateway = Gateway("xoxb-1", "http://127.0.0.1:1/api", session)
        with pytest.raises(Unavailable):
            await gateway.call("auth_test")


async def test_the_rounds_leave_slack_alone_while_it_does_not_answer_and_a_person_does_not(rig: Rig) -> None:
    rig.slack.disturb(POST, status=503, body="", times=None)
    for _ in range(30):
        with in_a_round(), pytest.raises(Unavailable):
            await rig.gateway.call("chat_postMessage", channel=rig.slack.settings.channel, text="Hello")
    assert 0 < len(rig.slack.calls(POST)) < 10
    asked = len(rig.slack.calls(POST))
    with pytest.raises(Unavailable, match="Slack is having trouble"):
        await rig.gateway.call("chat_postMessage", channel=rig.slack.settings.channel, text="Hello")
    assert len(rig.slack.calls(POST)) == asked + 1


# How long to wait


@pytest.mark.parametrize(
    "header, seconds",
    [
        ("30", 30.0),
        ("0", 0.0),
        ("3600", 3600.0),
        ("99999999", LONGEST_WAIT),
        ("-1", DEFAULT_WAIT),
        ("1.5", DEFAULT_WAIT),
        ("soon", DEFAULT_WAIT),
        ("²", DEFAULT_WAIT),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0),
        (None, DEFAULT_WAIT),
    ],
)
async def test_throttling_says_how_long_to_wait(rig: Rig, header: str | None, seconds: float) -> None:
    headers = {} if header is None or not header.isascii() else {"Retry-After": header}
    problem = await failure(rig, status=429, headers=headers, body={"ok": False, "error": "ratelimited"})
    assert isinstance(problem, Unavailable)
    assert problem.retry_after == seconds


@pytest.mark.parametrize("body", ["", "<html>slow down</html>", {"ok": False}])
async def test_throttling_without_words_is_throttling_too(rig: Rig, body: object) -> None:
    problem = await failure(rig, status=429, headers={**HTML, "Retry-After": "7"}, body=body)
    assert isinstance(problem, Unavailable)
    assert problem.retry_after == 7


async def test_throttling_may_come_as_an_ordinary_answer(rig: Rig) -> None:
    problem = await failure(rig, error="ratelimited")
    assert rig.gateway.throttled == 1
    assert isinstance(problem, Unavailable)
    assert problem.retry_after == DEFAULT_WAIT


@given(header=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_header_makes_anybody_wait_forever(rig: Rig, header: str) -> None:
    problem = await failure(rig, status=429, headers={"Retry-After": header}, body="")
    assert isinstance(problem, Unavailable)
    assert 0 <= (problem.retry_after or 0) <= LONGEST_WAIT


# A server that never answers


async def test_a_server_that_never_answers_is_given_up() -> None:
    let_go = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await let_go.wait()
        return web.Response()

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", hang)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        gateway = Gateway("xoxb-1", str(server.make_url("/api")), session, timeout=0.05)
        with pytest.raises(Unavailable):
            await gateway.call("auth_test")
        with pytest.raises(Unavailable):
            await gateway.respond(str(server.make_url("/hook")), "Hello", [], replace=False)
        let_go.set()


# Who we are


async def test_the_bot_learns_its_own_ids(rig: Rig) -> None:
    me, world = await rig.gateway.whoami(), rig.slack.settings
    assert (me.team, me.user, me.bot, me.app) == (world.team, world.bot_user, world.bot_id, world.app_id)


async def test_an_app_id_that_is_set_is_not_asked_for(rig: Rig) -> None:
    assert (await rig.gateway.whoami("A0SETHERE")).app == "A0SETHERE"
    assert len(rig.slack.calls()) == 1


async def test_a_wrong_token_is_a_refusal(rig: Rig) -> None:
    gateway = Gateway("xoxb-wrong", rig.slack.api_url, rig.session)
    with pytest.raises(SlackFailed) as caught:
        await gateway.whoami()
    assert caught.value.code == "invalid_auth"


@pytest.mark.parametrize("fault", [{"error": "channel_not_found"}, {"do": "drop_before"}, {"status": 500, "body": ""}])
async def test_no_failure_repeats_the_token(rig: Rig, fault: dict[str, Any]) -> None:
    problem = await failure(rig, **fault)
    assert "xoxb" not in f"{problem!r} {problem} {problem.__cause__}"


# Answering where somebody acted


def hook(rig: Rig) -> str:
    return str(rig.slack.world.workspace.new_hook(rig.slack.settings.general_channel, "U0ANNALDER"))


async def test_an_answer_reaches_only_the_person_who_acted(rig: Rig) -> None:
    await rig.gateway.respond(hook(rig), "Nothing was changed.", [], replace=False)
    (note,) = rig.slack.world.workspace.ephemerals
    assert (note.user, note.text) == ("U0ANNALDER", "Nothing was changed.")
    assert rig.slack.messages(rig.slack.settings.general_channel) == []


async def test_a_page_is_turned_in_place(rig: Rig) -> None:
    workspace = rig.slack.world.workspace
    shown = workspace.whisper(rig.slack.settings.general_channel, "U0ANNALDER", "Page 1", [])
    address = workspace.new_hook(rig.slack.settings.general_channel, "U0ANNALDER", shown.ts)
    await rig.gateway.respond(address, "Page 2", [], replace=True)
    assert [note.text for note in workspace.ephemerals] == ["Page 2"]


async def test_an_address_that_is_used_up_is_a_refusal(rig: Rig) -> None:
    address = hook(rig)
    for _ in range(5):
        await rig.gateway.respond(address, "Again", [], replace=False)
    with pytest.raises(SlackFailed):
        await rig.gateway.respond(address, "Again", [], replace=False)


FOREIGN = [
    "",
    "hooks.slack.com/actions/T1/1/x",
    "http://hooks.slack.com/actions/T1/1/x",
    "ftp://hooks.slack.com/actions/T1/1/x",
    "https://hooks.slack.com.evil.example/actions/T1/1/x",
    "https://evil.example/hooks.slack.com",
    "https://evil.example#hooks.slack.com",
    "https://evil.example?hooks.slack.com",
    "https://hooks.slack.com@evil.example/actions",
    "https://evil@hooks.slack.com/actions",
    "https://:pw@hooks.slack.com/actions",
    "https://hooks.slack.com:8443/actions",
    "https://hooks.slack.com:x/actions",
    "https://hooks.slack.com:99999999/actions",
    "https://[hooks.slack.com/actions",
    "https://slack.com/api/chat.postMessage",
    "https://127.0.0.1/actions",
    "//hooks.slack.com/actions",
    "file:///etc/passwd",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("address", FOREIGN)
@pytest.mark.parametrize("api", ["https://slack.com/api", "the sandbox"])
async def test_nothing_is_sent_to_an_address_that_is_not_slacks(rig: Rig, address: str, api: str) -> None:
    gateway = Gateway("xoxb-1", rig.slack.api_url if api == "the sandbox" else api, rig.session)
    with pytest.raises(SlackFailed) as caught:  # the network guard of the tests would raise something else
        await gateway.respond(address, "Hello", [], replace=False)
    assert caught.value.code == "foreign_url"


async def test_in_production_not_even_this_machine_is_slacks(rig: Rig) -> None:
    gateway = Gateway("xoxb-1", "https://slack.com/api", rig.session)
    with pytest.raises(SlackFailed):
        await gateway.respond(hook(rig), "Hello", [], replace=False)
    assert rig.slack.world.workspace.ephemerals == []


# What one person sees: modals


async def test_a_closed_modal_is_said_to_be_closed(rig: Rig) -> None:
    assert await rig.screens.update_modal("V0GONE", VIEW) is False


async def test_an_open_modal_is_updated(rig: Rig) -> None:
    trigger = rig.slack.world.workspace.new_trigger("U0ANNALDER").id
    view_id = await rig.screens.open_modal(trigger, VIEW)
    assert await rig.screens.update_modal(view_id, {**VIEW, "title": {"type": "plain_text", "text": "y"}})
    (shown,) = rig.slack.world.workspace.open_views()
    assert shown.content["title"]["text"] == "y"


async def test_a_trigger_that_is_too_old_opens_nothing(rig: Rig) -> None:
    trigger = rig.slack.world.workspace.new_trigger("U0ANNALDER").id
    rig.clock.forward(4)
    with pytest.raises(SlackFailed) as caught:
        await rig.screens.open_modal(trigger, VIEW)
    assert caught.value.code == "expired_trigger_id"
