"""The page in Chromium: text stays text, a keyboard fills a modal, changes arrive by themselves, a phone will do."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from browsing import launch_options
from playwright.async_api import Browser, Page, Request, async_playwright, expect
from sandbox.sent_blocks import types_sent
from sandbox.slack_rig import (
    ANN,
    DESK,
    GENERAL,
    ROB,
    FakeBot,
    actions,
    button,
    home,
    modal,
    plain,
    quote,
    section,
    text_input,
)
from starlette.applications import Starlette

from app.sandbox import page
from app.sandbox.people import Settings
from app.sandbox.scopes import VAULT
from app.sandbox.world import World

# One browser and one server for the module; each test has a fresh world and a fresh browser context.
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Sandbox:
    """A served world and one browser tab; `complaints` are console errors and requests that left the machine."""

    world: World
    tab: Page
    bot: FakeBot
    complaints: list[str] = field(default_factory=list)

    async def look_as(self, user: str, more: str = "") -> None:
        await self.tab.goto(f"{self.world.settings.world_url}/?user={user}{more}")

    def say(self, channel: str, text: str, *blocks: dict[str, object], user: str = "") -> str:
        workspace = self.world.workspace
        return workspace.post(workspace.channels[channel], text, list(blocks), user=user).ts

    def show(self, *blocks: dict[str, object], **more: object) -> None:
        workspace = self.world.workspace
        workspace.open_modal(workspace.make_view(ANN, modal(*blocks, **more)))

    def watch(self) -> None:
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        self.tab.on("request", self._judge)

    def _judge(self, request: Request) -> None:
        if not request.url.startswith((f"{self.world.settings.world_url}/", "data:")):
            self.complaints.append(request.url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    options = launch_options()
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(**options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[World, FakeBot]]:
    listener = socket.create_server(("127.0.0.1", 0))
    world, bot = World(Settings(port=listener.getsockname()[1])), FakeBot()
    application = Starlette(routes=page.routes(world, lambda: bot.client))
    server = uvicorn.Server(
        uvicorn.Config(application, log_level="error", log_config=None, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listener]))
    yield world, bot
    server.should_exit = True
    await serving


@pytest_asyncio.fixture(loop_scope="module")
async def sandbox(chromium: Browser, served: tuple[World, FakeBot]) -> AsyncIterator[Sandbox]:
    world, bot = served
    world.reset()
    bot.requests.clear()
    bot.answer = httpx.Response(200)
    async with await chromium.new_context() as context:
        made = Sandbox(world, await context.new_page(), bot)
        made.watch()
        yield made
    assert made.complaints == []


async def test_text_stays_text(sandbox: Sandbox) -> None:
    evil = '<img src=x onerror="alert(1)"> <!channel> <https://evil.example|Approve> *bold*'
    sandbox.say(DESK, "card", quote(evil), {"type": "header", "text": plain(evil[:140])})
    await sandbox.look_as("ann")
    await expect(sandbox.tab.locator(".message blockquote")).to_have_text(evil)
    await expect(sandbox.tab.locator(".message h3")).to_have_text(evil[:140])
    assert await sandbox.tab.locator(".said img, .said a, .said b:not(.by b)").count() == 0


async def test_escaped_mrkdwn_is_not_read_as_a_token(sandbox: Sandbox) -> None:
    sandbox.say(DESK, "card", section("by &lt;!channel&gt; &amp;lt; &lt;https://evil.example|x&gt;"))
    await sandbox.look_as("ann")
    await expect(sandbox.tab.locator(".b-section")).to_have_text("by <!channel> &lt; <https://evil.example|x>")
    assert await sandbox.tab.locator(".b-section .mention").count() == 0


async def test_mrkdwn_looks_as_in_slack(sandbox: Sandbox) -> None:
    text = f"*bold _both_* ~gone~ `a*b*c` <@{ROB}> <https://example.com/a_b_c|docs> 2*3*4\n&gt; quoted"
    sandbox.say(DESK, "card", section(f"{text}\n<!date^1795391685^{{date_num}}|then>"))
    await sandbox.look_as("ann")
    said = sandbox.tab.locator(".b-section")
    await expect(said.locator("b")).to_have_text("bold both")
    await expect(said.locator("b i")).to_have_text("both")
    await expect(said.locator("code")).to_have_text("a*b*c")
    await expect(said.locator(".mention")).to_have_text("@Rob Reed")
    await expect(said.locator("blockquote")).to_have_text("quoted")
    await expect(said.locator("time")).to_have_attribute("datetime", "2026-11-22T23:54:45.000Z")
    link = said.get_by_role("link", name="docs")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_a_pressed_button_reaches_the_bot_once(sandbox: Sandbox) -> None:
    sandbox.say(DESK, "card", actions(button("pim_approve", value="t1", style="primary")))
    await sandbox.look_as("ann")
    await sandbox.tab.get_by_role("button", name="pim_approve").click()
    await expect(sandbox.tab.locator("[aria-busy]")).to_have_count(0)
    assert [request.url.path for request in sandbox.bot.requests] == ["/slack/events"]
    assert sandbox.bot.payload["actions"][0]["value"] == "t1"


async def test_a_modal_is_filled_by_keyboard_and_keeps_its_text_beside_an_error(sandbox: Sandbox) -> None:
    await sandbox.look_as("ann")
    sandbox.show(text_input("reason", multiline=True))
    sandbox.bot.answer = httpx.Response(200, json={"response_action": "errors", "errors": {"reason": "Too short"}})
    reason = sandbox.tab.get_by_label("Reason")
    await expect(reason).to_be_focused()
    await sandbox.tab.keyboard.type("no")
    await sandbox.tab.get_by_role("dialog").get_by_role("button", name="Deny", exact=True).press("Enter")
    await expect(sandbox.tab.get_by_text("Too short")).to_be_visible()
    await expect(reason).to_have_value("no")
    await expect(reason).to_have_attribute("aria-invalid", "true")
    await sandbox.tab.keyboard.press("Escape")
    await expect(sandbox.tab.get_by_role("dialog")).to_have_count(0)
    assert sandbox.world.workspace.open_views() == []


async def test_a_modal_the_bot_rewrites_changes_on_the_screen(sandbox: Sandbox) -> None:
    await sandbox.look_as("ann")
    sandbox.show(text_input("reason"))
    await sandbox.tab.get_by_label("Reason").fill("half a sentence")
    workspace = sandbox.world.workspace
    workspace.rewrite(workspace.open_views()[0], modal(section("Now with a note"), text_input("reason")))
    await expect(sandbox.tab.get_by_text("Now with a note")).to_be_visible()
    await expect(sandbox.tab.get_by_label("Reason")).to_have_value("half a sentence")


async def test_the_home_shows_menus_and_asks_before_it_acts(sandbox: Sandbox) -> None:
    options = [{"text": plain("Denied"), "value": "denied"}]
    sure = {"title": plain("Sure?"), "text": plain("You sign out."), "confirm": plain("Do it"), "deny": plain("Stay")}
    menu = {"type": "static_select", "action_id": "filter", "placeholder": plain("Filter"), "options": options}
    sandbox.world.workspace.publish(ANN, home(actions(menu, button("sign_out", confirm=sure))))
    await sandbox.look_as("ann")
    await sandbox.tab.get_by_role("button", name="PIM Approvals").click()
    await sandbox.tab.get_by_label("Filter").select_option("Denied")
    await sandbox.tab.get_by_role("button", name="sign_out").click()
    await sandbox.tab.get_by_role("button", name="Stay").click()
    await expect(sandbox.tab.locator("[aria-busy]")).to_have_count(0)
    posted = [request.content for request in sandbox.bot.requests]
    assert [b"app_home_opened" in body for body in posted] == [True, False]
    assert sandbox.bot.payload["actions"][0]["selected_option"]["value"] == "denied"


async def test_a_command_is_suggested_and_sent(sandbox: Sandbox) -> None:
    sandbox.bot.answer = httpx.Response(200, json={"text": "Nothing was decided yet."})
    await sandbox.look_as("rob")
    await sandbox.tab.locator("#words").fill("/pim h")
    await sandbox.tab.keyboard.press("ArrowDown")
    await sandbox.tab.keyboard.press("Enter")
    await expect(sandbox.tab.locator("#words")).to_have_value("/pim history")
    await sandbox.tab.keyboard.press("Enter")
    await expect(sandbox.tab.get_by_text("Nothing was decided yet.")).to_be_visible()
    await expect(sandbox.tab.get_by_text("Only visible to you")).to_be_visible()
    assert sandbox.bot.form["text"] == "history"


async def test_what_happens_arrives_without_a_reload(sandbox: Sandbox) -> None:
    await sandbox.look_as("ann")
    ts = sandbox.say(DESK, "A new card")
    await expect(sandbox.tab.get_by_text("A new card")).to_be_visible()
    workspace = sandbox.world.workspace
    workspace.edit(workspace.channels[DESK].messages[ts], "Decided by Ann", [])
    await expect(sandbox.tab.get_by_text("Decided by Ann")).to_be_visible()
    sandbox.say(GENERAL, "elsewhere", user=ROB)
    await expect(sandbox.tab.get_by_label("1 new")).to_be_visible()


async def test_focus_stays_on_its_own_card_when_others_change(sandbox: Sandbox) -> None:
    names = [f"Approve role {n}" for n in range(3)]
    for name in names:
        sandbox.say(DESK, name, actions(button("pim_approve", accessibility_label=name), block_id="pim_decide:2"))
    await sandbox.look_as("ann")
    await sandbox.tab.get_by_role("button", name=names[0]).focus()
    sandbox.say(DESK, "A later card")
    await expect(sandbox.tab.get_by_text("A later card")).to_be_visible()
    await expect(sandbox.tab.get_by_role("button", name=names[0])).to_be_focused()


async def test_what_only_one_person_sees_comes_into_their_sight(sandbox: Sandbox) -> None:
    for n in range(60):
        sandbox.say(DESK, f"card {n}")
    await sandbox.look_as("ann")
    await expect(sandbox.tab.get_by_text("card 59")).to_be_in_viewport()
    await sandbox.tab.locator("#messages").evaluate("box => { box.scrollTop = 0; }")
    sandbox.say(DESK, "for everybody")
    await expect(sandbox.tab.get_by_text("for everybody")).to_be_attached()
    await expect(sandbox.tab.get_by_text("for everybody")).not_to_be_in_viewport()
    sandbox.world.workspace.whisper(DESK, ANN, "Sign in first", [])
    await expect(sandbox.tab.get_by_text("Sign in first")).to_be_in_viewport()


async def test_a_comment_that_is_too_short_is_marked_in_the_form_on_a_phone(sandbox: Sandbox) -> None:
    await sandbox.look_as("ann")
    reason = text_input("reason", multiline=True, min_length=10) | {"hint": plain("The requestor reads it.")}
    sandbox.show(reason, *[section("word " * 60) for _ in range(6)])
    await sandbox.tab.set_viewport_size({"width": 390, "height": 330})
    await sandbox.tab.get_by_label("Reason").fill("no")
    await sandbox.tab.get_by_role("dialog").get_by_role("button", name="Deny", exact=True).click()
    await expect(sandbox.tab.get_by_text("must have at least 10 characters")).to_be_in_viewport(ratio=0.9)
    await expect(sandbox.tab.get_by_label("Reason")).to_be_focused()
    await expect(sandbox.tab.get_by_label("Reason")).to_have_value("no")
    await expect(sandbox.tab.locator("#toast")).to_be_hidden()
    assert sandbox.bot.requests == []


async def test_the_first_minute_counts_its_steps_and_waits_for_the_first_card(sandbox: Sandbox) -> None:
    await sandbox.tab.set_viewport_size({"width": 390, "height": 844})
    await sandbox.look_as("ann")
    step = sandbox.tab.locator("#tour li.next")
    await expect(step).to_contain_text("Six requests arrive in a few seconds.")
    sandbox.say(DESK, "card", actions(button("pim_approve")))
    await expect(step).not_to_contain_text("arrive")
    sandbox.world.workspace.whisper(DESK, ANN, "Sign in", [actions(button("pim_sign_in_page"))])
    await expect(step).to_contain_text("Sign in once")
    await expect(step).to_have_js_property("value", 2)
    sandbox.world.decide(list(sandbox.world.requests)[-1], "ann", "approve", "Fine")
    await expect(step).to_contain_text("under PIM portal")
    await expect(step).not_to_contain_text("on the right", use_inner_text=True)


async def test_what_can_be_broken_is_near_and_all_that_waits_can_be_shown(sandbox: Sandbox) -> None:
    await sandbox.look_as("ann")
    waiting = sandbox.tab.locator("#waiting article")
    await expect(waiting).to_have_count(6)
    await expect(waiting.nth(3)).to_be_hidden()
    await sandbox.tab.get_by_text("Show all 6").click()
    await expect(waiting.nth(5)).to_be_visible()


async def test_a_permalink_leads_to_its_message(sandbox: Sandbox) -> None:
    ts = sandbox.say(DESK, "the one")
    for n in range(60):
        sandbox.say(DESK, f"later {n}")
    address = f"{sandbox.world.settings.world_url}/archives/{DESK}/p{ts.replace('.', '')}"
    sandbox.say(GENERAL, f"see <{address}|that card>", user=ROB)
    await sandbox.look_as("ann", f"&channel={GENERAL}")
    await sandbox.tab.get_by_role("link", name="that card").click()
    await expect(sandbox.tab.get_by_text("the one")).to_be_in_viewport()


async def test_a_requestor_asks_on_the_page(sandbox: Sandbox) -> None:
    await sandbox.look_as("rob")
    await sandbox.tab.get_by_label("Role").select_option("SharePoint Administrator")
    await sandbox.tab.get_by_role("button", name="Activate", exact=True).click()
    await expect(sandbox.tab.get_by_role("alert").filter(has_text="needs a justification")).to_be_visible()
    await sandbox.tab.get_by_label("Justification").fill("Restore a site")
    sandbox.complaints.clear()  # the browser logs the refusal above as a failed request
    await sandbox.tab.get_by_role("button", name="Activate", exact=True).click()
    mine = sandbox.tab.locator("#mine")
    await expect(mine.get_by_text("SharePoint Administrator")).to_be_visible()


async def test_a_requestor_asks_for_azure_and_deactivates(sandbox: Sandbox) -> None:
    await sandbox.look_as("rob")
    await sandbox.tab.get_by_label("Kind").select_option("Azure resources")
    await sandbox.tab.get_by_label("Role").select_option("Contributor")
    await sandbox.tab.get_by_label("Scope").select_option("rg-data (resource group)")
    await sandbox.tab.get_by_label("Justification").fill("Move a disk")
    await sandbox.tab.get_by_role("button", name="Activate", exact=True).click()
    asked = sandbox.tab.locator("#mine article").filter(has_text="Contributor on rg-data")
    await expect(asked.get_by_text("Azure role · 2 h")).to_be_visible()
    made = list(sandbox.world.requests.values())[-1]
    sandbox.world.decide(made.id, "ann", "approve", "Fine")
    await sandbox.tab.locator("#active").get_by_role("button", name="Deactivate").click()
    await expect(asked.get_by_text("Ended")).to_be_visible()


async def test_a_group_owner_role_demands_its_ticket_on_the_form(sandbox: Sandbox) -> None:
    await sandbox.look_as("rob")
    await sandbox.tab.get_by_label("Kind").select_option("Groups")
    for role, word in (("owner", "(required here)"), ("member", "(optional)")):
        await sandbox.tab.get_by_label("Role").select_option(role)
        await expect(sandbox.tab.locator("#ticket-demand")).to_have_text(word)


async def test_a_phone_is_wide_enough(sandbox: Sandbox) -> None:
    facts = [{"type": "mrkdwn", "text": f"*Fact {n}*\n{'longword' * 12}"} for n in range(4)]
    sandbox.say(DESK, "card", {"type": "section", "fields": facts}, quote("x" * 300), actions(button("pim_approve")))
    await sandbox.tab.set_viewport_size({"width": 390, "height": 844})
    await sandbox.look_as("ann")
    for pane in ("Slack", "PIM portal", "Channels"):
        await sandbox.tab.get_by_role("button", name=pane).click()
        assert await sandbox.tab.evaluate("document.documentElement.scrollWidth") <= 390
    await expect(sandbox.tab.get_by_role("link", name="Gus")).to_be_in_viewport(ratio=1)
    await sandbox.tab.get_by_role("button", name="pim-approvals").click()
    await expect(sandbox.tab.get_by_role("button", name="pim_approve")).to_be_in_viewport()


# --- everything the bot sends ---


async def test_the_page_can_draw_everything_that_the_bot_sends(sandbox: Sandbox) -> None:
    sent = types_sent()
    assert {
        "header",
        "rich_text",
        "actions",
        "button",
        "overflow",
        "plain_text_input",
        "date",
        "rich_text_quote",
    } <= sent
    await sandbox.look_as("ann")
    known = await sandbox.tab.evaluate("import('/page/files/blocks.js').then(blocks => blocks.KNOWN)")
    assert sent - {one for group in known.values() for one in group} == set()


async def test_every_state_of_a_card_is_drawn_whole(sandbox: Sandbox) -> None:
    files = sorted((Path(__file__).parents[1] / "blocks" / "golden").rglob("*.json"))
    drawn = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for message in drawn:
        sandbox.say(DESK, message["text"], *message["blocks"])
    await sandbox.look_as("ann")
    await expect(sandbox.tab.locator("article.message")).to_have_count(len(files))
    await expect(sandbox.tab.locator(".unknown")).to_have_count(0)
    said = await sandbox.tab.locator("#messages").inner_text()
    assert "undefined" not in said
    assert "{date" not in said
    buttons = sum(
        element["type"] == "button" for one in drawn for block in one["blocks"] for element in block.get("elements", [])
    )
    assert buttons > len(files)
    await expect(sandbox.tab.locator("#messages .b-actions .button")).to_have_count(buttons)


async def test_a_countdown_runs_and_an_eligible_role_fills_the_form(sandbox: Sandbox) -> None:
    await sandbox.look_as("rob")
    await sandbox.tab.get_by_role("button", name=re.compile("^Activate Key Vault Administrator")).click()
    form = sandbox.tab.locator("#ask")
    await expect(form.get_by_label("Kind")).to_have_value("azure")
    await expect(form.get_by_label("Scope")).to_have_value(VAULT.id)
    await expect(sandbox.tab.locator("#demands")).to_contain_text("2 h at most")
    await form.get_by_label("Justification").fill("Rotate a key")
    await sandbox.tab.get_by_role("button", name="Activate", exact=True).click()
    await expect(sandbox.tab.locator("#mine article").filter(has_text="Rotate a key")).to_be_visible()
    sandbox.world.decide(list(sandbox.world.requests)[-1], "ann", "approve", "Fine")
    clock = sandbox.tab.locator("#active .clock")
    await expect(clock).to_have_text(re.compile(r"01:5\d:\d\d|02:00:00"))
    first = await clock.inner_text()
    await expect(clock).not_to_have_text(first)


async def test_a_fault_is_switched_on_and_seen_by_everybody(sandbox: Sandbox) -> None:
    await sandbox.look_as("rob")
    await sandbox.tab.locator("summary", has_text="Break something").click()
    await sandbox.tab.get_by_label("Microsoft is down").check()
    await expect(sandbox.tab.locator("#faults-on")).to_have_text("1 on")
    assert {fault.switch for fault in sandbox.world.faults} == {"down"}
