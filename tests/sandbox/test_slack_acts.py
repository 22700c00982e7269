"""Acting as Slack: payload shapes, signatures, what the bot's answer does, and what no person could do."""

from __future__ import annotations

import json

import httpx
import pytest
from sandbox.slack_rig import (
    ANN,
    DESK,
    GENERAL,
    ROB,
    FakeBot,
    Rig,
    actions,
    button,
    home,
    modal,
    plain,
    section,
    text_input,
)
from slack_sdk.signature import Clock, SignatureVerifier

from app.sandbox import slack_acts
from app.sandbox.slack_acts import ActError
from app.sandbox.slack_records import Message, View

CARD = {"event_type": "pim_card", "event_payload": {"card": "c1"}}


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot()


def card(rig: Rig) -> Message:
    buttons = actions(button("pim_approve", value="t1"), button("pim_deny", value="t2"), block_id="verdict")
    return rig.workspace.post(rig.workspace.channels[DESK], "Rob asks", [section("Rob asks"), buttons], metadata=CARD)


def shown(rig: Rig, *blocks: dict[str, object], **more: object) -> View:
    view = rig.workspace.make_view(ANN, modal(*(blocks or (text_input("reason"),)), **more))
    rig.workspace.open_modal(view)
    return view


async def press(rig: Rig, bot: FakeBot, message: Message, action_id: str = "pim_approve", **more: str) -> None:
    where = {"channel": message.channel, "ts": message.ts}
    await slack_acts.click(rig.world, bot.client, user="ann", action_id=action_id, **where, **more)


async def send(rig: Rig, bot: FakeBot, view: View, **values: str) -> slack_acts.Answer:
    return await slack_acts.submit(rig.world, bot.client, user="ann", view_id=view.id, values=values)


def replying(body: object, status: int = 200) -> FakeBot:
    return FakeBot(httpx.Response(status, json=body))


# Pressing


async def test_a_press_is_signed_over_its_exact_bytes(rig: Rig, bot: FakeBot) -> None:
    await press(rig, bot, card(rig))
    request = bot.requests[-1]
    assert str(request.url) == "http://localhost:8766/slack/events"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["x-slack-request-timestamp"] == str(int(rig.clock.now.timestamp()))
    assert request.headers["x-slack-signature"] == bot.signature(rig.world.settings.signing_secret)


async def test_a_press_on_a_card_carries_person_place_and_action(rig: Rig, bot: FakeBot) -> None:
    message = card(rig)
    await press(rig, bot, message)
    sent = bot.payload
    assert (sent["type"], sent["api_app_id"], sent["team"]) == (
        "block_actions",
        "A0SANDBOX1",
        {"id": "T0SANDBOX1", "domain": "contoso"},
    )
    assert sent["user"] == {"id": ANN, "username": "ann", "name": "ann", "team_id": "T0SANDBOX1"}
    assert sent["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": DESK,
        "is_ephemeral": False,
    }
    assert (sent["message"]["metadata"], sent["message"]["blocks"]) == (CARD, message.blocks)
    (action,) = sent["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("pim_approve", "verdict", "t1")


async def test_each_press_has_its_own_trigger_and_response_url(rig: Rig, bot: FakeBot) -> None:
    message = card(rig)
    sent = []
    for _ in range(2):
        await press(rig, bot, message)
        sent.append(bot.payload)
    assert sent[0]["trigger_id"] != sent[1]["trigger_id"]
    assert sent[0]["response_url"] != sent[1]["response_url"]
    assert (await rig.call("views.open", trigger_id=sent[1]["trigger_id"], view=modal()))["ok"]


async def test_a_button_can_be_pressed_with_another_value(rig: Rig, bot: FakeBot) -> None:
    await press(rig, bot, card(rig), value="forged")
    assert bot.payload["actions"][0]["value"] == "forged"


@pytest.mark.parametrize(
    "where",
    [
        {"action_id": "pim_undo"},
        {"block_id": "elsewhere"},
        {"ts": "1.000001"},
        {"channel": "C0NOWHERE0"},
        {"ts": ""},
        {"view_id": "V1"},
        {"home": True},
        {"user": "cleo"},
        {"user": "nobody"},
    ],
)
async def test_what_is_not_shown_cannot_be_pressed(rig: Rig, bot: FakeBot, where: dict[str, object]) -> None:
    message = card(rig)
    press: dict[str, object] = {"user": "ann", "action_id": "pim_approve", "channel": DESK, "ts": message.ts}
    with pytest.raises(ActError):
        await slack_acts.click(rig.world, bot.client, **(press | where))
    assert bot.requests == []


async def test_an_ephemeral_is_pressed_by_its_reader_only(rig: Rig, bot: FakeBot) -> None:
    note = rig.workspace.whisper(DESK, ANN, "Sign in", [actions(button("go", url="https://a.example"))])
    place = {"action_id": "go", "channel": DESK, "ts": note.ts}
    await slack_acts.click(rig.world, bot.client, user="ann", **place)
    assert bot.payload["container"]["is_ephemeral"]
    assert "message" not in bot.payload
    with pytest.raises(ActError):
        await slack_acts.click(rig.world, bot.client, user="ben", **place)


async def test_a_press_in_a_modal_carries_the_view_and_what_was_typed(rig: Rig, bot: FakeBot) -> None:
    view = shown(rig, text_input("reason"), actions(button("more")))
    await slack_acts.click(
        rig.world, bot.client, user="ann", action_id="more", view_id=view.id, typed={"reason": "half a sen"}
    )
    assert bot.payload["container"] == {"type": "view", "view_id": view.id}
    assert bot.payload["view"]["state"]["values"]["reason"]["text"]["value"] == "half a sen"
    assert "response_url" not in bot.payload


async def test_a_press_in_the_home_carries_the_home(rig: Rig, bot: FakeBot) -> None:
    rig.workspace.publish(ANN, home(actions(button("sign_in"))))
    await slack_acts.click(rig.world, bot.client, user="Ann Alder", action_id="sign_in", home=True)
    assert (bot.payload["view"]["type"], "channel" in bot.payload) == ("home", False)


async def test_a_menu_reports_the_chosen_option(rig: Rig, bot: FakeBot) -> None:
    option = {"text": plain("Denied"), "value": "denied"}
    menu = {"type": "static_select", "action_id": "filter", "options": [option]}
    rig.workspace.publish(ANN, home(actions(menu, block_id="f")))
    await slack_acts.click(rig.world, bot.client, user="ann", action_id="filter", home=True, value="denied")
    assert bot.payload["actions"][0]["selected_option"] == option
    assert bot.payload["view"]["state"]["values"]["f"]["filter"]["selected_option"] == option
    with pytest.raises(ActError):
        await slack_acts.click(rig.world, bot.client, user="ann", action_id="filter", home=True, value="other")


@pytest.mark.parametrize(
    "trouble, told",
    [
        (httpx.ReadTimeout("slow"), "operation_timeout"),
        (httpx.ConnectError("down"), "dispatch_failed"),
        (httpx.Response(500), "dispatch_failed"),
    ],
)
async def test_without_a_good_answer_the_person_is_told(
    rig: Rig, trouble: httpx.Response | Exception, told: str
) -> None:
    await press(rig, FakeBot(trouble), card(rig))
    (note,) = rig.workspace.ephemerals
    assert (note.user, note.author) == (ANN, "USLACKBOT")
    assert told in note.text


# Submitting


async def test_a_submission_carries_every_input(rig: Rig, bot: FakeBot) -> None:
    view = shown(rig, text_input("reason"), text_input("note", optional=True), private_metadata="m1")
    answer = await send(rig, bot, view, reason="Not on call")
    sent = bot.payload["view"]
    assert (answer.status, bot.payload["type"], sent["private_metadata"]) == (200, "view_submission", "m1")
    assert sent["state"]["values"] == {
        "reason": {"text": {"type": "plain_text_input", "value": "Not on call"}},
        "note": {"text": {"type": "plain_text_input", "value": None}},
    }


async def test_an_empty_answer_closes_the_modal(rig: Rig, bot: FakeBot) -> None:
    await send(rig, bot, shown(rig), reason="x")
    assert rig.workspace.open_views() == []


async def test_errors_keep_the_modal_and_are_shown_at_their_input(rig: Rig) -> None:
    view = shown(rig)
    await send(rig, replying({"response_action": "errors", "errors": {"reason": "Too short"}}), view, reason="x")
    assert (rig.workspace.open_views(), view.errors) == ([view], {"reason": "Too short"})


async def test_an_update_rewrites_the_modal_in_place(rig: Rig) -> None:
    view = shown(rig)
    before = view.hash
    body = {"response_action": "update", "view": modal(section("Sending to Microsoft"))}
    await send(rig, replying(body), view, reason="x")
    (after,) = rig.workspace.open_views()
    assert (after.id, after.blocks[0]["text"]["text"]) == (view.id, "Sending to Microsoft")
    assert after.hash != before


async def test_a_push_covers_the_modal_and_clear_closes_all(rig: Rig) -> None:
    view = shown(rig)
    await send(rig, replying({"response_action": "push", "view": modal(text_input("more"))}), view, reason="x")
    assert [v.previous_id for v in rig.workspace.open_views()] == [None, view.id]
    top = rig.workspace.open_views()[-1]
    await send(rig, replying({"response_action": "clear"}), top, more="x")
    assert rig.workspace.open_views() == []


@pytest.mark.parametrize(
    "body",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "explode"},
        "plain text",
    ],
)
async def test_an_answer_slack_cannot_use_leaves_the_modal_in_trouble(rig: Rig, body: object) -> None:
    view = shown(rig)
    await send(rig, replying(body), view, reason="x")
    assert rig.workspace.open_views() == [view]
    assert "trouble" in view.trouble


async def test_a_later_rewrite_by_the_bot_wins_over_its_own_answer(rig: Rig) -> None:
    view = shown(rig)

    async def handle(_request: httpx.Request) -> httpx.Response:
        await rig.call("views.update", view_id=view.id, view=modal(section("Approved")))
        return httpx.Response(200, json={"response_action": "update", "view": modal(section("Sending"))})

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    await slack_acts.submit(rig.world, client, user="ann", view_id=view.id, values={"reason": "x"})
    assert rig.workspace.open_views()[0].blocks[0]["text"]["text"] == "Approved"


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({}, "'Reason' must be filled in."),
        ({"reason": ""}, "'Reason' must be filled in."),
        ({"reason": "x", "colour": "red"}, "There is no input with block_id 'colour' here."),
        ({"reason": "x" * 11}, "'Reason' must have at most 10 characters."),
    ],
)
async def test_slack_itself_holds_back_a_faulty_form(
    rig: Rig, bot: FakeBot, values: dict[str, str], sentence: str
) -> None:
    view = shown(rig, text_input("reason", max_length=10))
    with pytest.raises(ActError) as refused:
        await send(rig, bot, view, **values)
    assert (str(refused.value), bot.requests) == (sentence, [])


async def test_only_the_modal_on_top_can_be_submitted_by_its_person(rig: Rig, bot: FakeBot) -> None:
    view = shown(rig)
    rig.workspace.push_modal(rig.workspace.make_view(ANN, modal(), view))
    with pytest.raises(ActError):
        await send(rig, bot, view, reason="x")
    with pytest.raises(ActError):
        await slack_acts.submit(rig.world, bot.client, user="ben", view_id=view.id, values={"reason": "x"})


@pytest.mark.parametrize("wanted, requests", [(True, 1), (False, 0)])
async def test_the_bot_hears_of_a_closed_modal_only_if_it_asked(
    rig: Rig, bot: FakeBot, *, wanted: bool, requests: int
) -> None:
    view = shown(rig, notify_on_close=wanted)
    await slack_acts.close(rig.world, bot.client, user="ann", view_id=view.id)
    assert (rig.workspace.open_views(), len(bot.requests)) == ([], requests)
    if wanted:
        assert (bot.payload["type"], "trigger_id" in bot.payload) == ("view_closed", False)


# Commands and home


async def test_a_command_is_a_plain_form(rig: Rig, bot: FakeBot) -> None:
    await slack_acts.command(rig.world, bot.client, user="rob", text="history")
    sent = bot.form
    assert (sent["command"], sent["text"], sent["user_id"]) == ("/pim", "history", ROB)
    assert (sent["channel_id"], sent["channel_name"]) == (GENERAL, "general")
    assert sent["response_url"].startswith(f"{rig.world.settings.world_url}/slack/response/")


@pytest.mark.parametrize(
    "typed, sent",
    [
        ("history @rob 7d", f"history <@{ROB}|rob> 7d"),
        ("history @Rob Reed", f"history <@{ROB}|rob>"),
        (f"history <@{ROB}|rob>", f"history <@{ROB}|rob>"),
        ("a <b> & c", "a &lt;b&gt; &amp; c"),
    ],
)
async def test_a_commands_text_is_escaped_as_slack_does(rig: Rig, bot: FakeBot, typed: str, sent: str) -> None:
    await slack_acts.command(rig.world, bot.client, user="ann", text=typed)
    assert bot.form["text"] == sent


async def test_a_commands_answer_is_an_ephemeral_where_it_was_typed(rig: Rig) -> None:
    body = {"text": "3 pending", "blocks": [section("3 pending")]}
    answer = await slack_acts.command(rig.world, replying(body).client, user="rob", text="", channel=DESK)
    (note,) = rig.workspace.snapshot()["ephemerals"]
    assert (note["user"], note["channel"], note["text"]) == ("rob", DESK, "3 pending")
    assert (answer.status, answer.body) == (200, body)


async def test_a_silent_answer_to_a_command_shows_nothing(rig: Rig, bot: FakeBot) -> None:
    await slack_acts.command(rig.world, bot.client, user="rob", text="")
    assert rig.workspace.ephemerals == []


async def test_a_commands_broken_answer_is_reported(rig: Rig) -> None:
    reply = replying({"blocks": [{"type": "nope"}]})
    await slack_acts.command(rig.world, reply.client, user="rob", text="")
    assert "invalid_command_response" in rig.workspace.ephemerals[0].text


async def test_opening_the_home_is_an_event(rig: Rig, bot: FakeBot) -> None:
    await slack_acts.home(rig.world, bot.client, user="rob")
    sent = json.loads(bot.requests[-1].content)
    assert (sent["type"], sent["event"]["type"], sent["event"]["user"]) == ("event_callback", "app_home_opened", ROB)
    assert "view" not in sent["event"]
    rig.workspace.publish(ROB, home(section("Hello")))
    await slack_acts.home(rig.world, bot.client, user="rob")
    assert json.loads(bot.requests[-1].content)["event"]["view"]["type"] == "home"


async def test_slacks_own_library_believes_our_signature(rig: Rig, bot: FakeBot) -> None:
    await press(rig, bot, card(rig))
    request = bot.requests[-1]
    clock = Clock()  # without one of its own, every verifier of the process shares its clock
    clock.now = rig.clock.now.timestamp
    verifier = SignatureVerifier(rig.world.settings.signing_secret, clock)
    headers = request.headers
    body, stamp, mac = request.content.decode(), headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    assert verifier.is_valid(body, stamp, mac)
