"""The page: who sees what, what its acts change, what it refuses, and that it brings nothing from outside."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sandbox.page_rig import DATABASES, PROD, REQUESTOR_ASKS, Browser
from sandbox.slack_rig import ANN, DESK, GENERAL, ROB, actions, button, home, modal, section, text_input

from app.sandbox.page import _revisions
from app.sandbox.page_templates import FOLDER


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    made = Browser()
    async with made.http:
        yield made


def places(state: dict[str, Any]) -> list[str]:
    return [channel["name"] for channel in state["slack"]["channels"]]


# What is shown


async def test_the_page_names_its_person_and_everybody_else(browser: Browser) -> None:
    answer = await browser.http.get("/", params={"user": "ann"})
    assert 'data-user="ann"' in answer.text
    assert all(f"/?user={name}" in answer.text for name in ("rob", "rita", "ben", "cleo", "olga", "gus"))
    assert "sandbox_person=ann" in answer.headers["set-cookie"]


async def test_no_text_can_leave_the_pages_data(browser: Browser) -> None:
    browser.workspace.post(browser.workspace.channels[DESK], "</script><script>alert(1)</script>", [])
    answer = await browser.http.get("/", params={"user": "ann"})
    assert "<script>alert" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_each_person_sees_their_own_channels(browser: Browser) -> None:
    browser.workspace.direct(ROB)
    assert places(await browser.state("ann")) == ["general", "pim-approvals"]
    assert places(await browser.state("rob")) == ["general", "rob"]


async def test_ephemerals_and_modals_are_seen_by_one_person(browser: Browser) -> None:
    browser.workspace.whisper(DESK, ANN, "only Ann", [])
    browser.workspace.open_modal(browser.workspace.make_view(ANN, modal(text_input("reason"))))
    ann, ben = await browser.state("ann"), await browser.state("ben")
    assert [m["text"] for m in ann["slack"]["channels"][1]["messages"]] == ["only Ann"]
    assert ben["slack"]["channels"][1]["messages"] == []
    assert (len(ann["slack"]["modals"]), ben["slack"]["modals"]) == (1, [])


async def test_a_person_without_slack_has_the_portal_only(browser: Browser) -> None:
    state = await browser.state("cleo")
    assert state["slack"] is None
    assert {request["requestor"] for request in state["portal"]["waiting"]} == {"rob", "rita"}


async def test_only_approvers_see_what_waits(browser: Browser) -> None:
    assert (await browser.state("rob"))["portal"]["waiting"] == []
    assert {request["requestor"] for request in (await browser.state("rob"))["portal"]["mine"]} == {"rob"}


async def test_reading_a_channel_clears_its_mark(browser: Browser) -> None:
    browser.workspace.post(browser.workspace.channels[DESK], "new", [])
    assert (await browser.state("ann"))["slack"]["channels"][1]["unread"] == 1
    await browser.act("read", "ann", channel=DESK)
    assert (await browser.state("ann"))["slack"]["channels"][1]["unread"] == 0
    assert (await browser.state("ben"))["slack"]["channels"][1]["unread"] == 1


async def test_nobody_is_no_person(browser: Browser) -> None:
    assert (await browser.http.get("/page/state", params={"user": "zoe"})).status_code == 404
    assert (await browser.http.get("/page/events")).status_code == 404


async def test_a_permalink_opens_the_page_at_its_message(browser: Browser) -> None:
    answer = await browser.http.get(f"/archives/{DESK}/p1795391685000100?user=ben")
    assert answer.headers["location"] == f"/?user=ben&channel={DESK}&ts=1795391685000100"


async def test_the_page_is_told_at_once_and_after_each_change(browser: Browser) -> None:
    told, before = _revisions(browser.world), browser.world.revision
    first = await anext(told)
    browser.world.touch()
    assert (first, await anext(told)) == (f"data: {before}\n\n", f"data: {before + 1}\n\n")


# What people do


async def test_a_press_reaches_the_bot_with_what_was_typed(browser: Browser) -> None:
    view = browser.workspace.make_view(ANN, modal(text_input("reason"), actions(button("more"))))
    browser.workspace.open_modal(view)
    answer = await browser.act("click", "ann", view_id=view.id, action_id="more", typed={"reason": "half"})
    assert (answer.status_code, answer.json()["status"]) == (200, 200)
    assert browser.bot.payload["view"]["state"]["values"]["reason"]["text"]["value"] == "half"


async def test_a_submission_and_a_closing_end_the_modal(browser: Browser) -> None:
    for name, more in (("submit", {"values": {"reason": "x"}}), ("close", {})):
        view = browser.workspace.make_view(ANN, modal(text_input("reason")))
        browser.workspace.open_modal(view)
        assert (await browser.act(name, "ann", view_id=view.id, **more)).status_code == 200
        assert browser.workspace.open_views() == []


async def test_a_form_that_slack_would_not_send_says_so_at_its_field(browser: Browser) -> None:
    view = browser.workspace.make_view(ANN, modal(text_input("reason", min_length=10)))
    browser.workspace.open_modal(view)
    before = browser.world.revision
    for typed, sentence in (("no", "'Reason' must have at least 10 characters."), ("", "'Reason' must be filled in.")):
        assert (await browser.act("submit", "ann", view_id=view.id, values={"reason": typed})).status_code == 200
        (shown,) = (await browser.state("ann"))["slack"]["modals"]
        assert shown["errors"] == {"reason": sentence}
    assert browser.world.revision == before + 2
    assert browser.bot.requests == []


async def test_a_command_is_typed_where_the_person_is(browser: Browser) -> None:
    await browser.act("command", "rob", text="history", channel=GENERAL)
    assert (browser.bot.form["text"], browser.bot.form["channel_id"]) == ("history", GENERAL)


async def test_opening_the_home_tells_the_bot(browser: Browser) -> None:
    browser.workspace.publish(ANN, home(section("Hello")))
    assert (await browser.act("home", "ann")).status_code == 200
    assert (await browser.state("ann"))["slack"]["home"]["blocks"][0]["text"]["text"] == "Hello"


async def test_people_can_talk_and_their_words_stay_words(browser: Browser) -> None:
    await browser.act("say", "rob", channel=GENERAL, text="<!channel> & more")
    (message,) = browser.workspace.channels[GENERAL].messages.values()
    assert (message.user, message.text) == (ROB, "&lt;!channel&gt; &amp; more")
    direct = browser.workspace.direct(ROB).id
    assert "turned off" in (await browser.act("say", "rob", channel=direct, text="hi")).json()["error"]


async def test_an_ephemeral_is_dismissed_by_its_reader_only(browser: Browser) -> None:
    note = browser.workspace.whisper(DESK, ANN, "only Ann", [])
    await browser.act("dismiss", "ben", channel=DESK, ts=note.ts)
    assert browser.workspace.ephemerals == [note]
    await browser.act("dismiss", "ann", channel=DESK, ts=note.ts)
    assert browser.workspace.ephemerals == []


async def test_a_requestor_asks_and_withdraws(browser: Browser) -> None:
    made = (await browser.act("ask", "rita", **REQUESTOR_ASKS)).json()["id"]
    assert browser.world.requests[made].status(browser.world.now()) == "PendingApproval"
    assert "Only the requestor" in (await browser.act("withdraw", "rob", id=made)).json()["error"]
    await browser.act("withdraw", "rita", id=made)
    assert browser.world.requests[made].status(browser.world.now()) == "Canceled"


@pytest.mark.parametrize(
    "kind, role, scope, waits_for",
    [
        ("azure", "Contributor", PROD, ["ann", "ben", "cleo"]),
        ("group", "member", DATABASES, ["ann", "ben", "cleo"]),
        ("azure", "User Access Administrator", PROD, []),
    ],
)
async def test_a_requestor_asks_on_each_desk(
    browser: Browser, kind: str, role: str, scope: str, waits_for: list[str]
) -> None:
    wish = {**REQUESTOR_ASKS, "kind": kind, "role": role, "scope": scope, "duration": "PT1H"}
    made = (await browser.act("ask", "rita", **wish)).json()["id"]
    (row,) = [one for one in (await browser.state("rita"))["portal"]["mine"] if one["id"] == made]
    assert (row["kind"], row["role"], row["scope"], row["standing"]) == (kind, role, scope, "waiting")
    seen = [p for p in browser.world.people if made in {r["id"] for r in (await browser.state(p))["portal"]["waiting"]}]
    assert seen == waits_for


async def test_the_holder_of_a_role_deactivates_it(browser: Browser) -> None:
    wish = {**REQUESTOR_ASKS, "kind": "azure", "role": "Contributor", "scope": PROD}
    made = (await browser.act("ask", "rita", **wish)).json()["id"]
    assert "nothing of it can end" in (await browser.act("deactivate", "rita", id=made)).json()["error"]
    await browser.act("decide", "ann", id=made, verdict="approve", comment="Fine")
    assert "Only the requestor" in (await browser.act("deactivate", "rob", id=made)).json()["error"]
    assert (await browser.act("deactivate", "rita", id=made)).status_code == 200
    assert browser.world.requests[made].active(browser.world.now()) is None


async def test_long_lists_are_cut_and_counted(browser: Browser) -> None:
    asked = next(browser.world.of_kind("entra")).asked
    for _ in range(60):
        browser.world.ask(asked)
    portal = (await browser.state("ann"))["portal"]
    assert (len(portal["waiting"]), portal["waiting_count"]) == (50, 66)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"role": "Emperor"}, "There is no such role."),
        ({"kind": "planet"}, "There is no such role."),
        ({"scope": "/subscriptions/1"}, "There is no such role."),
        ({"kind": "azure"}, "There is no such role."),
        ({"kind": "azure", "role": "Owner", "scope": PROD}, "Owner needs a ticket number."),
        (
            {"kind": "group", "role": "owner", "scope": DATABASES, "duration": "PT8H"},
            "owner can be active for 4 h at most.",
        ),
        ({"justification": " "}, "Exchange Administrator needs a justification."),
        ({"role": "Global Administrator"}, "Global Administrator needs a ticket number."),
        ({"duration": "PT9H"}, "Exchange Administrator can be active for 8 h at most."),
        ({"duration": "forever"}, "Exchange Administrator can be active for 8 h at most."),
        ({"ticket": None}, "The field 'ticket' is missing."),
        ({"user": "zoe"}, "There is nobody called 'zoe'."),
    ],
)
async def test_the_portal_demands_what_policy_says(browser: Browser, change: dict[str, Any], sentence: str) -> None:
    before = len(browser.world.requests)
    answer = await browser.http.post("/page/ask", json={"user": "rob", **REQUESTOR_ASKS, **change})
    assert (answer.status_code, answer.json()) == (400, {"error": sentence})
    assert len(browser.world.requests) == before


async def test_an_approver_decides_in_the_portal_with_a_reason(browser: Browser) -> None:
    request = next(r for r in browser.world.requests.values() if r.asked.requestor == "rita")
    verdict = {"id": request.id, "verdict": "deny"}
    assert "justification" in (await browser.act("decide", "cleo", comment="", **verdict)).json()["error"]
    assert (await browser.act("decide", "cleo", comment="Too vague", **verdict)).status_code == 200
    review = browser.world.requests[request.id].review
    assert review is not None
    assert (review.by, review.verdict, review.comment) == ("cleo", "deny", "Too vague")
    assert "already" in (await browser.act("decide", "ann", comment="Fine", **verdict)).json()["error"]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"user": "ann"}},
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"json": ["ann"]},
        {"json": {"user": "ann"}},
        {"json": {"user": 7, "text": "a"}},
    ],
)
async def test_a_call_that_is_not_the_pages_own_is_refused(browser: Browser, sent: dict[str, Any]) -> None:
    answer = await browser.http.post("/page/command", **sent)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert browser.bot.requests == []


# What it is made of


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.*")), ids=lambda file: file.name)
def test_the_pages_files_bring_nothing_from_outside(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:src|href|url|import)\W{1,3}(?:https?:)?//", text) == []
    assert "innerHTML" not in text


async def test_every_file_the_page_names_is_served(browser: Browser) -> None:
    html = (await browser.http.get("/")).text + (FOLDER / "page.css").read_text() + (FOLDER / "page.js").read_text()
    names = set(re.findall(r"/page/files/([\w.]+)|[\"(]\"?\.?/?([\w]+\.(?:js|svg))", html))
    for name in {first or second for first, second in names}:
        assert (await browser.http.get(f"/page/files/{name}")).status_code == 200
