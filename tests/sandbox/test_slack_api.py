"""The emulated Web API: tokens, scopes, arguments, rate limits, and what each method answers and refuses."""

from __future__ import annotations

import json

import httpx
import pytest
from sandbox.slack_rig import (
    ANN,
    DESK,
    GENERAL,
    GUS,
    OLGA,
    ROB,
    Rig,
    actions,
    button,
    home,
    modal,
    plain,
    quote,
    section,
    text_input,
)

CARD = {"event_type": "pim_card", "event_payload": {"card": "c1"}}


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def post(rig: Rig, channel: str = DESK, **more: object) -> str:
    answer = await rig.call("chat.postMessage", channel=channel, text="A request", **more)
    assert answer["ok"], answer
    return str(answer["ts"])


async def view_id_of(rig: Rig, **more: object) -> str:
    trigger = rig.workspace.new_trigger(ANN).id
    answer = await rig.call("views.open", trigger_id=trigger, view=modal(text_input("reason"), **more))
    return str(answer["view"]["id"])


# Who may call, and how


@pytest.mark.parametrize(
    "headers, error",
    [
        ({}, "not_authed"),
        ({"Authorization": "Bearer xoxb-other"}, "invalid_auth"),
        ({"Authorization": "Basic x"}, "not_authed"),
    ],
)
async def test_a_call_without_the_apps_token_is_refused(rig: Rig, headers: dict[str, str], error: str) -> None:
    answer = await rig.http.post("/slack/api/auth.test", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})


async def test_a_token_inside_a_json_body_does_not_count(rig: Rig) -> None:
    token = rig.world.settings.bot_token
    assert (await rig.http.post("/slack/api/auth.test", json={"token": token})).json()["error"] == "not_authed"
    assert (await rig.http.post("/slack/api/auth.test", data={"token": token})).json()["ok"]


async def test_query_form_and_json_carry_the_same_arguments(rig: Rig) -> None:
    headers = {"Authorization": f"Bearer {rig.world.settings.bot_token}"}
    blocks = [section("hello")]
    as_form = {"channel": DESK, "text": "a", "blocks": json.dumps(blocks), "unfurl_links": "false"}
    for answer in (
        await rig.http.get("/slack/api/chat.postMessage", params=as_form, headers=headers),
        await rig.http.post("/slack/api/chat.postMessage", data=as_form, headers=headers),
        await rig.send("chat.postMessage", channel=DESK, text="a", blocks=blocks, unfurl_links=False),
    ):
        assert answer.json()["message"]["blocks"][0]["text"]["text"] == "hello"


@pytest.mark.parametrize(
    "body, kind, error",
    [
        (b"{", "application/json", "invalid_json"),
        (b"[1]", "application/json", "json_not_object"),
        (b"<a/>", "text/xml", "invalid_post_type"),
        (b"x", "", "missing_post_type"),
        (b"\xff\xfe", "application/json", "invalid_json"),
    ],
)
async def test_an_unreadable_body_is_named(rig: Rig, body: bytes, kind: str, error: str) -> None:
    headers = {"Authorization": f"Bearer {rig.world.settings.bot_token}"} | ({"Content-Type": kind} if kind else {})
    answer = await rig.http.post("/slack/api/chat.postMessage", content=body, headers=headers)
    assert answer.json()["error"] == error


async def test_wrong_arguments_are_listed(rig: Rig) -> None:
    answer = await rig.call("conversations.history", limit="many", inclusive="perhaps", colour="red")
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"] == {
        "messages": [
            "[ERROR] unknown argument: colour",
            "[ERROR] missing required field: channel",
            "[ERROR] must be of type int [json-pointer:/limit]",
            "[ERROR] must be of type bool [json-pointer:/inclusive]",
        ]
    }


async def test_a_missing_scope_says_what_is_needed_and_provided(rig: Rig) -> None:
    answer = await rig.call("reactions.add", channel=DESK, name="eyes", timestamp="1.1")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
    assert "chat:write" in str(answer["provided"]).split(",")


async def test_an_unknown_method_is_refused(rig: Rig) -> None:
    assert await rig.error("chat.shout") == "unknown_method"
    assert await rig.error("apps.connections.open") == "not_allowed_token_type"


async def test_each_answer_names_the_tokens_scopes(rig: Rig) -> None:
    assert (await rig.send("auth.test")).headers["x-oauth-scopes"].startswith("chat:write,commands,im:write")


async def test_an_impatient_caller_is_told_to_wait(rig: Rig) -> None:
    answers = [await rig.send("users.list") for _ in range(21)]
    assert [a.status_code for a in answers] == [200] * 20 + [429]
    assert answers[-1].json() == {"ok": False, "error": "ratelimited"}
    rig.clock.forward(seconds=int(answers[-1].headers["retry-after"]))
    assert (await rig.send("users.list")).status_code == 200


async def test_a_channel_takes_one_post_a_second_after_a_burst(rig: Rig) -> None:
    statuses = [(await rig.send("chat.postMessage", channel=DESK, text="a")).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert (await rig.send("chat.postMessage", channel=ANN, text="a")).status_code == 200
    rig.clock.forward(seconds=1)
    assert (await rig.send("chat.postMessage", channel=DESK, text="a")).status_code == 200


# Messages


async def test_a_posted_message_is_answered_as_stored(rig: Rig) -> None:
    answer = await rig.call("chat.postMessage", channel=DESK, text="A", blocks=[actions(button("go"))], metadata=CARD)
    message = rig.workspace.channels[DESK].messages[str(answer["ts"])]
    assert message.blocks[0]["block_id"]
    wire = answer["message"]
    assert (wire["blocks"], wire["metadata"], wire["bot_id"]) == (message.blocks, CARD, "B0PIMBOT01")


async def test_a_user_id_opens_the_direct_message(rig: Rig) -> None:
    answer = await rig.call("chat.postMessage", channel=ROB, text="Approved")
    assert str(answer["channel"]).startswith("D0")
    assert rig.workspace.channels[str(answer["channel"])].partner == "rob"


async def test_a_ts_is_never_given_twice_though_the_clock_stands_still(rig: Rig) -> None:
    assert len({await post(rig) for _ in range(5)}) == 5


@pytest.mark.parametrize(
    "args, error",
    [
        ({"channel": "C0NOWHERE0", "text": "a"}, "channel_not_found"),
        ({"channel": "U0NOBODY00", "text": "a"}, "channel_not_found"),
        ({"channel": GENERAL, "text": "a"}, "not_in_channel"),
        ({"channel": DESK}, "no_text"),
        ({"channel": DESK, "text": ""}, "no_text"),
        ({"channel": DESK, "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": DESK, "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": DESK, "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"channel": DESK, "text": "a", "blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
        ({"channel": DESK, "text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"channel": DESK, "text": "a", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": DESK, "text": 7}, "invalid_arguments"),
    ],
)
async def test_a_post_slack_would_refuse_is_refused(rig: Rig, args: dict[str, object], error: str) -> None:
    assert await rig.error("chat.postMessage", **args) == error
    assert rig.workspace.channels[DESK].messages == {}


async def test_refused_blocks_say_where_they_are_wrong(rig: Rig) -> None:
    answer = await rig.call("chat.postMessage", channel=DESK, text="a", blocks=[section("x" * 3001)])
    assert answer["response_metadata"] == {
        "messages": ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
    }


async def test_a_long_text_is_cut_at_forty_thousand(rig: Rig) -> None:
    answer = await rig.call("chat.postMessage", channel=DESK, text="x" * 40_001)
    assert answer["response_metadata"] == {"warnings": ["message_truncated"]}
    assert len(rig.workspace.channels[DESK].messages[str(answer["ts"])].text) == 40_000


async def test_an_update_replaces_text_and_blocks_and_keeps_metadata(rig: Rig) -> None:
    ts = await post(rig, blocks=[section("old")], metadata=CARD)
    assert (await rig.call("chat.update", channel=DESK, ts=ts, text="new"))["ok"]
    message = rig.workspace.channels[DESK].messages[ts]
    assert (message.text, message.blocks, message.metadata, message.edits) == ("new", [], CARD, 1)
    await rig.call("chat.update", channel=DESK, ts=ts, text="new", metadata={})
    assert message.metadata is None


async def test_rich_text_cannot_be_updated_away(rig: Rig) -> None:
    ts = await post(rig, blocks=[quote("because")])
    assert await rig.error("chat.update", channel=DESK, ts=ts, text="a", blocks=[section("b")]) == "block_mismatch"
    assert (await rig.call("chat.update", channel=DESK, ts=ts, text="a", blocks=[section("b"), quote("c")]))["ok"]


async def test_an_update_takes_less_text_than_a_post(rig: Rig) -> None:
    ts = await post(rig)
    assert await rig.error("chat.update", channel=DESK, ts=ts, text="x" * 4001) == "msg_too_long"
    assert (await rig.call("chat.update", channel=DESK, ts=ts, text="x" * 4000))["ok"]


async def test_only_the_apps_own_messages_change(rig: Rig) -> None:
    theirs = rig.workspace.post(rig.workspace.channels[DESK], "hi", [], user=ANN)
    assert await rig.error("chat.update", channel=DESK, ts=theirs.ts, text="x") == "cant_update_message"
    assert await rig.error("chat.delete", channel=DESK, ts=theirs.ts) == "cant_delete_message"
    assert await rig.error("chat.update", channel=DESK, ts="1.000001", text="x") == "message_not_found"
    assert await rig.error("chat.update", channel=ANN, ts=theirs.ts, text="x") == "channel_not_found"


async def test_a_deleted_message_is_gone(rig: Rig) -> None:
    ts = await post(rig)
    assert (await rig.call("chat.delete", channel=DESK, ts=ts))["ok"]
    assert await rig.error("chat.delete", channel=DESK, ts=ts) == "message_not_found"


async def test_an_ephemeral_is_seen_by_one_member(rig: Rig) -> None:
    answer = await rig.call("chat.postEphemeral", channel=DESK, user=ANN, text="Not you")
    (note,) = rig.workspace.snapshot()["ephemerals"]
    assert (note["user"], note["channel"], note["ts"], note["text"]) == ("ann", DESK, answer["message_ts"], "Not you")
    assert await rig.error("chat.postEphemeral", channel=DESK, user=OLGA, text="a") == "user_not_in_channel"
    assert await rig.error("chat.postEphemeral", channel=GENERAL, user=OLGA, text="a") == "not_in_channel"


async def test_a_permalink_leads_to_the_page(rig: Rig) -> None:
    ts = await post(rig)
    answer = await rig.call("chat.getPermalink", channel=DESK, message_ts=ts)
    assert answer["permalink"] == f"{rig.world.settings.world_url}/archives/{DESK}/p{ts.replace('.', '')}"
    assert await rig.error("chat.getPermalink", channel=DESK, message_ts="1.1") == "message_not_found"


# Reading back


async def test_history_is_newest_first_in_pages_without_replies(rig: Rig) -> None:
    first, second = await post(rig), await post(rig, metadata=CARD)
    await post(rig, thread_ts=first)
    page = await rig.call("conversations.history", channel=DESK, limit=1, include_all_metadata=True)
    assert [(m["ts"], m["metadata"]) for m in page["messages"]] == [(second, CARD)]
    cursor = page["response_metadata"]["next_cursor"]
    last = await rig.call("conversations.history", channel=DESK, limit=1, cursor=cursor)
    assert ([m["ts"] for m in last["messages"]], last["has_more"]) == ([first], False)


async def test_metadata_is_told_in_full_only_on_request(rig: Rig) -> None:
    await post(rig, metadata=CARD)
    answer = await rig.call("conversations.history", channel=DESK)
    assert answer["messages"][0]["metadata"] == {"event_type": "pim_card"}


async def test_history_can_be_asked_between_two_times(rig: Rig) -> None:
    times = [await post(rig) for _ in range(3)]
    told = await rig.call("conversations.history", channel=DESK, oldest=times[0], latest=times[2])
    assert [m["ts"] for m in told["messages"]] == [times[1]]
    told = await rig.call("conversations.history", channel=DESK, oldest=times[1], inclusive=True)
    assert [m["ts"] for m in told["messages"]] == [times[2], times[1]]
    assert await rig.error("conversations.history", channel=DESK, oldest="noon") == "invalid_ts_oldest"


async def test_replies_start_with_their_parent(rig: Rig) -> None:
    parent = await post(rig)
    reply = await post(rig, thread_ts=parent)
    answer = await rig.call("conversations.replies", channel=DESK, ts=parent)
    assert [m["ts"] for m in answer["messages"]] == [parent, reply]
    assert await rig.error("conversations.replies", channel=DESK, ts="1.1") == "thread_not_found"


async def test_each_kind_of_channel_has_its_own_scope(rig: Rig) -> None:
    direct = str((await rig.call("conversations.open", users=ANN))["channel"]["id"])
    assert (await rig.call("conversations.history", channel=direct))["ok"]
    refused = await rig.call("conversations.info", channel=direct)
    assert (refused["error"], refused["needed"]) == ("missing_scope", "im:read")
    assert (await rig.call("conversations.history", channel=GENERAL))["needed"] == "channels:history"


async def test_the_approvers_channel_describes_itself(rig: Rig) -> None:
    answer = await rig.call("conversations.info", channel=DESK, include_num_members=True)
    told = answer["channel"]
    assert (told["is_private"], told["is_member"], told["is_ext_shared"], told["num_members"]) == (True, True, False, 3)
    members = await rig.call("conversations.members", channel=DESK)
    assert set(members["members"]) == {ANN, "U0BENBROOK", "U0PIMBOT01"}


@pytest.mark.parametrize(
    "users, error",
    [("", "users_list_not_supplied"), ("U0NOBODY00", "user_not_found"), (f"{ANN},{ROB}", "missing_scope")],
)
async def test_a_dm_needs_one_known_person(rig: Rig, users: str, error: str) -> None:
    assert await rig.error("conversations.open", users=users) == error


# People


async def test_users_info_tells_mail_and_guest(rig: Rig) -> None:
    ann = (await rig.call("users.info", user=ANN))["user"]
    gus = (await rig.call("users.info", user=GUS))["user"]
    assert (ann["profile"]["email"], ann["is_restricted"], ann["deleted"]) == ("ann@contoso.example", False, False)
    assert gus["is_restricted"]
    assert await rig.error("users.info", user="U0NOBODY00") == "user_not_found"


async def test_a_deactivated_person_is_marked_and_out_of_reach(rig: Rig) -> None:
    rig.workspace.deleted.add(ROB)
    assert (await rig.call("users.info", user=ROB))["user"]["deleted"]
    assert await rig.error("users.lookupByEmail", email="rob@contoso.example") == "users_not_found"
    assert await rig.error("conversations.open", users=ROB) == "user_disabled"


async def test_mail_finds_people_in_any_letter_case(rig: Rig) -> None:
    answer = await rig.call("users.lookupByEmail", email="ROB@Contoso.example")
    assert answer["user"]["id"] == ROB
    assert await rig.error("users.lookupByEmail", email="adm-rob@contoso.example") == "users_not_found"


async def test_users_list_pages_through_everybody_and_the_bot(rig: Rig) -> None:
    seen: list[dict[str, object]] = []
    cursor = ""
    while cursor or not seen:
        page = await rig.call("users.list", limit=3, cursor=cursor)
        seen += page["members"]
        cursor = page["response_metadata"]["next_cursor"]
    assert len({user["id"] for user in seen}) == len(seen) == 7
    assert [user["id"] for user in seen if user["is_bot"]] == ["U0PIMBOT01"]


async def test_the_bot_learns_who_it_is(rig: Rig) -> None:
    told = await rig.call("auth.test")
    assert (told["team_id"], told["user_id"], told["bot_id"]) == ("T0SANDBOX1", "U0PIMBOT01", "B0PIMBOT01")
    assert (await rig.call("bots.info", bot="B0PIMBOT01"))["bot"]["app_id"] == "A0SANDBOX1"
    assert await rig.error("bots.info", bot="B0OTHER") == "bot_not_found"


# Views


async def test_a_trigger_opens_one_modal_within_three_seconds(rig: Rig) -> None:
    fresh, late = rig.workspace.new_trigger(ANN).id, rig.workspace.new_trigger(ANN).id
    view = modal(text_input("reason"))
    assert (await rig.call("views.open", trigger_id=fresh, view=view))["ok"]
    assert await rig.error("views.open", trigger_id=fresh, view=view) == "exchanged_trigger_id"
    rig.clock.forward(seconds=3.1)
    assert await rig.error("views.open", trigger_id=late, view=view) == "expired_trigger_id"
    assert await rig.error("views.open", trigger_id="1.2.x", view=view) == "invalid_trigger_id"


async def test_an_invalid_view_does_not_spend_the_trigger(rig: Rig) -> None:
    trigger = rig.workspace.new_trigger(ANN).id
    assert await rig.error("views.open", trigger_id=trigger, view=modal(title=plain("x" * 25))) == "invalid_arguments"
    assert await rig.error("views.open", trigger_id=trigger, view=home()) == "invalid_arguments"
    assert (await rig.call("views.open", trigger_id=trigger, view=json.dumps(modal())))["ok"]


async def test_an_open_modal_can_be_updated_once_for_each_hash(rig: Rig) -> None:
    known = await view_id_of(rig)
    before = rig.workspace.open_views()[0].hash
    assert (await rig.call("views.update", view_id=known, hash=before, view=modal(section("Sending"))))["ok"]
    assert await rig.error("views.update", view_id=known, hash=before, view=modal()) == "hash_conflict"
    assert rig.workspace.open_views()[0].blocks[0]["text"]["text"] == "Sending"


async def test_an_external_id_names_a_view_and_is_unique(rig: Rig) -> None:
    await view_id_of(rig, external_id="mine")
    again = modal(external_id="mine")
    assert (await rig.call("views.update", external_id="mine", view=again))["ok"]
    trigger = rig.workspace.new_trigger(ROB).id
    assert await rig.error("views.open", trigger_id=trigger, view=again) == "duplicate_external_id"


async def test_a_closed_modal_cannot_be_updated(rig: Rig) -> None:
    known = await view_id_of(rig)
    rig.workspace.close_modal(rig.workspace.open_views()[0])
    assert await rig.error("views.update", view_id=known, view=modal()) == "not_found"
    assert await rig.error("views.update", view=modal()) == "invalid_arguments"


async def test_three_modals_may_lie_on_each_other(rig: Rig) -> None:
    assert await rig.error("views.push", trigger_id=rig.workspace.new_trigger(ANN).id, view=modal()) == "not_found"
    root = await view_id_of(rig)
    triggers = [rig.workspace.new_trigger(ANN).id for _ in range(3)]
    errors = [await rig.error("views.push", trigger_id=trigger, view=modal()) for trigger in triggers]
    assert errors == [None, None, "push_limit_reached"]
    assert [view.root_id for view in rig.workspace.open_views()] == [root] * 3


async def test_a_view_over_250_kilobytes_is_too_large(rig: Rig) -> None:
    view = modal(*[section("x" * 3000) for _ in range(90)])
    assert await rig.error("views.open", trigger_id=rig.workspace.new_trigger(ANN).id, view=view) == "view_too_large"


async def test_a_home_is_published_for_one_person(rig: Rig) -> None:
    first = (await rig.call("views.publish", user_id=ANN, view=home(section("one"))))["view"]
    assert (await rig.call("views.publish", user_id=ANN, view=home(section("two")), hash=first["hash"]))["ok"]
    assert await rig.error("views.publish", user_id=ANN, view=home(), hash=first["hash"]) == "hash_conflict"
    assert await rig.error("views.publish", user_id="U0NOBODY00", view=home()) == "user_not_found"
    assert rig.workspace.snapshot()["homes"]["ann"]["blocks"][0]["text"]["text"] == "two"


# response_url


async def answer_to(rig: Rig, url: str, **said: object) -> httpx.Response:
    return await rig.http.post(url, json=said)


async def test_a_response_url_whispers_five_times(rig: Rig) -> None:
    url = rig.workspace.new_hook(GENERAL, ROB)
    statuses = [(await answer_to(rig, url, text=f"n{n}")).status_code for n in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [note["text"] for note in rig.workspace.snapshot()["ephemerals"]] == ["n0", "n1", "n2", "n3", "n4"]
    assert (await answer_to(rig, url, text="n6")).json()["error"] == "used_url"


async def test_a_response_url_lives_thirty_minutes(rig: Rig) -> None:
    url = rig.workspace.new_hook(GENERAL, ROB)
    rig.clock.forward(minutes=30, seconds=1)
    assert (await answer_to(rig, url, text="late")).json()["error"] == "expired_url"


async def test_a_response_url_replaces_and_deletes_an_ephemeral(rig: Rig) -> None:
    note = rig.workspace.whisper(DESK, ANN, "old", [])
    url = rig.workspace.new_hook(DESK, ANN, note.ts)
    await answer_to(rig, url, text="new", replace_original=True)
    assert [e.text for e in rig.workspace.ephemerals] == ["new"]
    await answer_to(rig, url, delete_original=True)
    assert rig.workspace.ephemerals == []


async def test_a_response_url_can_speak_to_the_whole_channel(rig: Rig) -> None:
    await answer_to(rig, rig.workspace.new_hook(GENERAL, ROB), text="all", response_type="in_channel")
    assert [m.text for m in rig.workspace.channels[GENERAL].messages.values()] == ["all"]


@pytest.mark.parametrize(
    "said, error",
    [({}, "no_text"), ({"txt": "a"}, "invalid_payload"), ({"blocks": [{"type": "nope"}]}, "invalid_blocks")],
)
async def test_a_bad_answer_is_refused_and_not_counted(rig: Rig, said: dict[str, object], error: str) -> None:
    url = rig.workspace.new_hook(GENERAL, ROB)
    answer = await answer_to(rig, url, **said)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert rig.workspace.hooks[url.rsplit("/", 1)[1]].uses == 0


async def test_old_triggers_and_response_urls_are_forgotten(rig: Rig) -> None:
    rig.workspace.new_trigger(ANN)
    rig.workspace.new_hook(GENERAL, ANN)
    rig.clock.forward(minutes=31)
    kept = (rig.workspace.new_trigger(ANN).id, rig.workspace.new_hook(GENERAL, ANN).rsplit("/", 1)[1])
    assert (list(rig.workspace.triggers), list(rig.workspace.hooks)) == ([kept[0]], [kept[1]])
